//! The targets: every role of every account.

use crate::accounts::{self, Kind, NOW_S, Opened};
use crate::network::Answer;
use crate::oracle;
use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use kervan::domain::{
    Address, Buyer, ChannelOrderId, CountryCode, LineId, ListingId, Money, OfferId, ParcelLine,
    PurchaseLine, Reference, Sku, SupplierOrderId, TrackingNumber,
};
use kervan::guards::{Guard, take_away};
use kervan::marketplaces::{
    Account, ListingUpdate, ParcelToConfirm, PlaceRequest, QuoteRequest, RefundReason,
    RefundRequest, Submission, SubscribeTo, Unverified, Verdict, Wanted,
};

/// What is tried of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// An order is read.
    Order,
    /// The orders of a span of time are read.
    Changed,
    /// A listing is set.
    Push,
    /// Many listings are handed in.
    Submit,
    /// What became of them is read.
    Report,
    /// A parcel is confirmed.
    Confirm,
    /// It is read back.
    IsConfirmed,
    /// Money is given back.
    Refund,
    /// An order is cancelled.
    Cancel,
    /// Stock is read.
    Stock,
    /// Terms are asked for.
    Quote,
    /// A purchase is placed.
    Place,
    /// It is searched for.
    LookUp,
    /// It is read.
    SupplierOrder,
    /// Pushes are subscribed to.
    Subscribe,
    /// The set-up is looked at.
    Examine,
    /// A push comes that nobody signed.
    ForgedPush,
    /// A push comes whose signature is not checked.
    SignedPush,
    /// A message comes in the marketplace's queue.
    Notification,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::Order,
        Self::Changed,
        Self::Push,
        Self::Submit,
        Self::Report,
        Self::Confirm,
        Self::IsConfirmed,
        Self::Refund,
        Self::Cancel,
        Self::Stock,
        Self::Quote,
        Self::Place,
        Self::LookUp,
        Self::SupplierOrder,
        Self::Subscribe,
        Self::Examine,
        Self::ForgedPush,
        Self::SignedPush,
        Self::Notification,
    ];

    /// Whether the account does this at all.
    fn is_offered(self, account: &dyn Account) -> bool {
        match self {
            Self::Order | Self::Changed => account.read_orders().is_some(),
            Self::Push => account.push_listings().is_some(),
            Self::Submit | Self::Report => account.push_in_bulk().is_some(),
            Self::Confirm | Self::IsConfirmed => account.confirm_parcels().is_some(),
            Self::Refund => account.refund().is_some(),
            Self::Cancel => account.cancel_orders().is_some(),
            Self::Stock => account.read_stock().is_some(),
            Self::Quote | Self::Place | Self::LookUp | Self::SupplierOrder => {
                account.buy().is_some()
            }
            Self::Subscribe => account.subscribe().is_some(),
            Self::Examine => account.examine().is_some(),
            Self::ForgedPush | Self::SignedPush => account.verify_pushes().is_some(),
            Self::Notification => account.read_notifications().is_some(),
        }
    }
}

/// One operation of one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// The account.
    pub kind: Kind,
    /// What is tried.
    pub operation: Operation,
}

impl Target {
    /// Its name, as in `ebay-order`.
    pub fn name(self) -> String {
        let operation = format!("{:?}", self.operation);
        let mut name = self.kind.as_str().to_owned();
        for letter in operation.chars() {
            if letter.is_ascii_uppercase() {
                name.push('-');
            }
            name.push(letter.to_ascii_lowercase());
        }
        name
    }

    /// Tries one input, and says whether it was taken for a success. Panics where the code under test does, or where it
    /// calls a success what is none.
    pub fn run(self, input: &[u8]) -> bool {
        let Some(opened) = accounts::open(self.kind) else {
            return false;
        };
        let answer = Answer::of(input);
        opened.network.will_answer(answer.clone());
        // Nothing here waits: the network answers at once and the clock stands.
        let tried = attempt(self.operation, &opened, &answer);
        tried.now_or_never().flatten().unwrap_or_default()
    }
}

/// Every operation that an account of the marketplaces offers.
pub fn targets() -> Vec<Target> {
    let mut targets = Vec::new();
    for kind in Kind::ALL {
        let Some(opened) = accounts::open(kind) else {
            continue;
        };
        let offered = Operation::ALL.into_iter();
        let offered = offered.filter(|operation| operation.is_offered(&*opened.account));
        targets.extend(offered.map(|operation| Target { kind, operation }));
    }
    targets
}

/// What everything is tried with. All of it is well formed, so nothing is missing.
struct Given {
    order: ChannelOrderId,
    line: LineId,
    sku: Sku,
    offer: OfferId,
    country: CountryCode,
    number: TrackingNumber,
    supplier_order: SupplierOrderId,
    reference: Reference,
    money: Money,
    buyer: Buyer,
    now: Timestamp,
}

fn given(account: &dyn Account, kind: Kind) -> Option<Given> {
    let country: CountryCode = "US".parse().ok()?;
    Some(Given {
        order: ChannelOrderId::parse(kind.order()).ok()?,
        line: LineId::parse("1001").ok()?,
        sku: Sku::parse("LAMP-01").ok()?,
        offer: OfferId::new(account.id().clone(), "1005001", "12000001").ok()?,
        number: TrackingNumber::parse("LX123456789CN").ok()?,
        supplier_order: SupplierOrderId::parse("8190000000000001").ok()?,
        reference: Reference::of(&"ebay:main/01-1".parse().ok()?, 1),
        money: Money {
            minor: 19_99,
            currency: kind.currency().parse().ok()?,
        },
        buyer: Buyer {
            name: "Jane Doe".to_owned(),
            phone: "8565550100".to_owned(),
            email: String::new(),
            account_name: "jane1".to_owned(),
            address: Address {
                line1: "1 Example Street".to_owned(),
                line2: String::new(),
                city: "Vineland".to_owned(),
                region: "NJ".to_owned(),
                postal_code: "08360".to_owned(),
                country: country.clone(),
            },
        },
        country,
        now: Timestamp::from_second(NOW_S).ok()?,
    })
}

async fn attempt(operation: Operation, opened: &Opened, answer: &Answer) -> Option<bool> {
    let account = &*opened.account;
    let given = given(account, opened.kind)?;
    Some(match operation {
        Operation::Order
        | Operation::Changed
        | Operation::Push
        | Operation::Submit
        | Operation::Report
        | Operation::Confirm
        | Operation::IsConfirmed
        | Operation::Refund
        | Operation::Cancel => as_channel(operation, opened, &given, answer).await?,
        Operation::Stock
        | Operation::Quote
        | Operation::Place
        | Operation::LookUp
        | Operation::SupplierOrder => as_supplier(operation, opened, &given, answer).await?,
        Operation::Subscribe => {
            let to = SubscribeTo {
                queue_arn: Some("arn:aws:sqs:us-east-1:123456789012:q".to_owned()),
                alert_email: Some("shop@example.com".to_owned()),
            };
            let done = account.subscribe()?.subscribe(&to).await;
            oracle::only_under_success(answer, &done)
        }
        Operation::Examine => {
            let findings = account.examine()?.examine().await;
            assert!(!findings.is_empty(), "nothing was found");
            findings
                .iter()
                .all(|finding| finding.verdict == Verdict::Good)
        }
        Operation::ForgedPush => {
            let pushed = account.verify_pushes()?.verify(push(answer)).await;
            let signals = pushed.unwrap_or_default();
            assert!(signals.is_empty(), "a forged push made {signals:?}");
            false
        }
        Operation::SignedPush => {
            take_away(Some(Guard::PushSignature));
            let pushed = account.verify_pushes()?.verify(push(answer)).await;
            take_away(None);
            oracle::signals(answer, &pushed.unwrap_or_default())
        }
        Operation::Notification => {
            let read = account.read_notifications()?.read(&answer.body);
            match read {
                Ok(Some(notification)) => oracle::signals(answer, &notification.signals),
                _ => false,
            }
        }
    })
}

async fn as_channel(
    operation: Operation,
    opened: &Opened,
    given: &Given,
    answer: &Answer,
) -> Option<bool> {
    let (account, order) = (&*opened.account, &given.order);
    let update = ListingUpdate::new(
        ListingId {
            channel: account.id().clone(),
            sku: given.sku.clone(),
            offer: opened.kind.listing().to_owned(),
        },
        3,
        given.money,
    );
    let updates = [update.clone(), update];
    let submission = Submission {
        id: opened.kind.submission().to_owned(),
        at: given.now,
    };
    Some(match operation {
        Operation::Order => oracle::order(answer, &account.read_orders()?.order(order).await),
        Operation::Changed => {
            let from = given.now - jiff::SignedDuration::from_hours(1);
            let page = account.read_orders()?.changed(from, given.now, None).await;
            oracle::page(answer, &page)
        }
        Operation::Push => {
            let pushed = account
                .push_listings()?
                .push(&updates[..1], jiff::Timestamp::MAX)
                .await;
            oracle::items(answer, 1, &pushed)
        }
        Operation::Submit => {
            let submitted = account.push_in_bulk()?.submit(&updates).await;
            oracle::only_under_success(answer, &submitted)
        }
        Operation::Report => {
            let report = account.push_in_bulk()?.report(&submission, &updates).await;
            let report = report.transpose();
            let is_made =
                report.is_some_and(|report| oracle::items(answer, updates.len(), &report));
            let known = account.push_in_bulk()?.submissions(given.now).await;
            oracle::only_under_success(answer, &known) && is_made
        }
        Operation::Confirm => {
            let parcel = ParcelToConfirm {
                tracking_number: given.number.clone(),
                carrier: "China Post".to_owned(),
                lines: vec![ParcelLine {
                    line: given.line.clone(),
                    quantity: 1,
                }],
                shipped_at: given.now,
                not_after: Timestamp::MAX,
            };
            let confirmed = account.confirm_parcels()?.confirm(order, &parcel).await;
            oracle::confirmed(opened.kind, answer, &confirmed)
        }
        Operation::IsConfirmed => {
            let door = account.confirm_parcels()?;
            let known = door.is_confirmed(order, &given.number).await;
            oracle::is_confirmed(answer, &given.number, &known)
        }
        Operation::Refund => {
            let request = RefundRequest {
                amount: given.money,
                line: None,
                reason: RefundReason::OutOfStock,
                comment: String::new(),
                not_after: Timestamp::MAX,
            };
            let refunded = account.refund()?.refund(order, &request).await;
            let is_made = oracle::refunded(answer, &refunded);
            let known = account.refund()?.refunds(order).await;
            oracle::only_under_success(answer, &known) && is_made
        }
        _ => {
            let lines = [given.line.clone()];
            let cancelled = account.cancel_orders()?.cancel(order, &lines).await;
            oracle::only_under_success(answer, &cancelled)
        }
    })
}

async fn as_supplier(
    operation: Operation,
    opened: &Opened,
    given: &Given,
    answer: &Answer,
) -> Option<bool> {
    let account = &*opened.account;
    Some(match operation {
        Operation::Stock => {
            let offers = [given.offer.clone()];
            let stock = account.read_stock()?.stock(&offers, &given.country).await;
            oracle::items(answer, offers.len(), &stock)
        }
        Operation::Quote => {
            let wanted = [Wanted {
                line: given.line.clone(),
                offer: given.offer.clone(),
                quantity: 2,
            }];
            let request = QuoteRequest {
                wanted: &wanted,
                ship_to: &given.country,
            };
            oracle::quote(answer, wanted.len(), &account.buy()?.quote(&request).await)
        }
        Operation::Place => {
            let lines = [PurchaseLine {
                line: given.line.clone(),
                sku: given.sku.clone(),
                offer: given.offer.clone(),
                quantity: 2,
                unit_cost: given.money,
                shipping: given.money,
                shipping_option: opened.kind.shipping_option().to_owned(),
                variant_attributes: String::new(),
            }];
            let request = PlaceRequest {
                reference: &given.reference,
                lines: &lines,
                buyer: &given.buyer,
                not_after: Timestamp::MAX,
            };
            let done = account.buy()?.place(&request).await;
            oracle::placed(answer, opened.network.was_asked_to_create(), &done)
        }
        Operation::LookUp => {
            let found = account.buy()?.look_up(&given.reference, given.now).await;
            oracle::found(answer, &found)
        }
        _ => {
            let read = account.buy()?.supplier_order(&given.supplier_order).await;
            oracle::supplier_order(answer, &read)
        }
    })
}

fn push(answer: &Answer) -> Unverified {
    let mut headers = HeaderMap::new();
    headers.insert(
        "content-type",
        HeaderValue::from_static(answer.content_type),
    );
    // Well formed, with the numbers 1 and 1 for a signature, and of nobody.
    let signature = HeaderValue::from_static(
        "eyJhbGciOiJlY2RzYSIsImtpZCI6IjExMTExMTExLTIyMjItNDMzMy04NDQ0LTU1NTU1NTU1NTU1NSIsInNpZ25hdHVyZSI6Ik1BWUNBUUVDQVFFPSIsImRpZ2VzdCI6IlNIQTEifQ==",
    );
    for name in ["x-ebay-signature", "authorization"] {
        headers.insert(name, signature.clone());
    }
    Unverified::new(headers, Bytes::clone(&answer.body))
}
