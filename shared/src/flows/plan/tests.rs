use super::quote::split;
use super::*;
use crate::clock::{Clock, ManualClock};
use crate::context::{Accounts, Queues};
use crate::decide::first_choice;
use crate::domain::{AccountId, Amount, Evidence, LineId, Money, Offer, Rates, SupplierOrderId};
use crate::http::NoNetwork;
use crate::marketplaces::{
    Account, Buy, Kind, PlaceRequest, Placed, Quote, QuoteRequest, Settle, SupplierOrder,
};
use crate::queue::{MemoryQueue, Queue};
use crate::seal::MemorySeal;
use crate::secrets::MemorySecrets;
use crate::store::MemoryStore;
use async_trait::async_trait;
use std::sync::Arc;

/// A supplier whose orders are of one seller, whom a line's attributes name, and of at most three lines.
#[derive(Debug)]
struct Mall(AccountId);

impl Account for Mall {
    fn id(&self) -> &AccountId {
        &self.0
    }

    fn buy(&self) -> Option<&dyn Buy> {
        Some(self)
    }
}

impl Mall {
    fn closed(&self) -> CallError {
        CallError::new(
            &self.0,
            "mall",
            Kind::Unavailable,
            Retry::Permanent,
            "closed",
        )
    }
}

#[async_trait]
impl Buy for Mall {
    async fn quote(&self, _request: &QuoteRequest<'_>) -> Result<Quote, CallError> {
        Err(self.closed())
    }

    fn takes_together(&self, lines: &[PurchaseLine], next: &PurchaseLine) -> bool {
        let same = |line: &PurchaseLine| line.variant_attributes == next.variant_attributes;
        lines.len() < 3 && lines.iter().all(same)
    }

    async fn place(&self, _request: &PlaceRequest<'_>) -> Result<Placed, CallError> {
        Err(self.closed())
    }

    fn settle(&self) -> Settle {
        Settle::Person
    }

    async fn look_up(
        &self,
        _reference: &Reference,
        _since: Timestamp,
    ) -> Result<Option<Placed>, CallError> {
        Err(self.closed())
    }

    async fn supplier_order(&self, _id: &SupplierOrderId) -> Result<SupplierOrder, CallError> {
        Err(self.closed())
    }
}

fn kervan() -> Kervan {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH));
    let queue: Arc<dyn Queue> = Arc::new(MemoryQueue::new(clock.clone()));
    let secrets = Arc::new(MemorySecrets::new());
    let network = Arc::new(NoNetwork);
    let accounts = Accounts::new(Vec::new(), "", secrets, network, clock.clone(), None);
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let queues = Queues {
        orders: queue.clone(),
        tracking: queue.clone(),
        inventory: queue,
    };
    let accounts = accounts.with_account(Arc::new(Mall("alibaba:main".parse().unwrap())));
    Kervan::new(clock, store, Arc::new(MemorySeal::new()), queues, accounts)
}

fn line(number: &str, seller: &str) -> PurchaseLine {
    let money = Money::zero("USD".parse().unwrap());
    PurchaseLine {
        line: LineId::parse(number).unwrap(),
        sku: Sku::parse("LAMP").unwrap(),
        offer: OfferId::new("alibaba:main".parse().unwrap(), "7", number).unwrap(),
        quantity: 1,
        unit_cost: money,
        shipping: money,
        shipping_option: String::new(),
        variant_attributes: seller.to_owned(),
    }
}

#[tokio::test]
async fn a_purchase_is_split_where_the_supplier_takes_no_such_order() {
    let lines = ["a1", "b2", "a3", "a4", "a5", "b6"].map(|text| line(&text[1..], &text[..1]));
    let purchases = split(&kervan(), lines.to_vec()).await.unwrap();
    let shape = |purchases: &[Vec<PurchaseLine>]| -> Vec<String> {
        let numbers =
            |lines: &Vec<PurchaseLine>| lines.iter().map(|line| line.line.as_str()).collect();
        purchases.iter().map(numbers).collect()
    };
    assert_eq!(
        shape(&purchases),
        ["134", "26", "5"],
        "every line is in one purchase"
    );
    let ours = ["x1", "x2"].map(|text| line(&text[1..], &text[..1]));
    let together = split(&kervan(), ours.to_vec()).await.unwrap();
    assert_eq!(shape(&together), ["12"]);
}

#[test]
fn what_does_not_fit_into_one_transaction_is_too_large() {
    let lines = |from: usize, to: usize| -> Vec<PurchaseLine> {
        (from..to).map(|n| line(&n.to_string(), "a")).collect()
    };
    // 94 offers and one purchase, with the order's own five: 100 writes.
    assert!(!is_too_large(&[lines(0, 94)]));
    assert!(is_too_large(&[lines(0, 95)]));
    assert!(is_too_large(&[lines(0, 50), lines(50, 94)]));
    // Lines of one offer are one write.
    assert!(!is_too_large(&[vec![line("1", "a"); 500]]));
}

fn stored(variant: &str, rank: u32, cost: &str, shipping: Option<&str>) -> StoredOffer {
    let money = |text: &str| Amount::try_from(text.to_owned()).unwrap().0;
    let id = OfferId::new("alibaba:main".parse().unwrap(), "7", variant).unwrap();
    let sku = Sku::parse("LAMP").unwrap();
    let mut offer = Offer::new(id, sku, rank, "US".parse().unwrap());
    offer.shipping = shipping.map(money);
    offer.evidence = Some(Evidence {
        stock: 5,
        cost: money(cost),
        at: Timestamp::UNIX_EPOCH,
    });
    StoredOffer {
        offer,
        free: 5,
        bought: 0,
        due_at: None,
        version: 1,
    }
}

/// The offer that both routing and the price rules choose for an order, or a listing, in USD.
fn chosen(offers: &[StoredOffer]) -> String {
    let now = Timestamp::UNIX_EPOCH;
    let mut rates = Rates::default();
    for (to, value) in [("USD", "1.1"), ("CNY", "7.7")] {
        let (from, to) = ("EUR".parse().unwrap(), to.parse().unwrap());
        let rate = Rate::new(from, to, value.parse().unwrap(), "ECB", now).unwrap();
        assert!(rates.take(rate, now));
    }
    let exchange = Exchange {
        rates: &rates,
        now,
        most_age: SignedDuration::from_hours(96),
    };
    let usd = "USD".parse().unwrap();
    let candidate = |stored| candidate(stored, usd, &exchange).unwrap();
    let candidates: Vec<Candidate> = offers.iter().map(candidate).collect();
    let first = first_choice(candidates.iter(), 1).unwrap().offer.clone();
    let needs = [Need {
        line: LineId::parse("1").unwrap(),
        sku: Sku::parse("LAMP").unwrap(),
        quantity: 1,
        candidates,
    }];
    let routed = route(&needs).unwrap();
    let share = routed.purchases().next().unwrap()[0];
    assert_eq!(*share.offer, first, "a price is found from what is bought");
    first.variant
}

#[test]
fn offers_in_different_currencies_are_compared_in_the_orders() {
    // 42 CNY are 6 USD, though 4200 is more than 800.
    let offers = [
        stored("usd", 1, "8 USD", None),
        stored("cny", 1, "42 CNY", None),
    ];
    assert_eq!(chosen(&offers), "cny");
    let offers = [
        stored("usd", 1, "5.99 USD", None),
        stored("cny", 1, "42 CNY", None),
    ];
    assert_eq!(chosen(&offers), "usd");
}

#[test]
fn shipping_that_is_known_counts() {
    let offers = [
        stored("far", 1, "42 CNY", Some("21 CNY")),
        stored("near", 1, "8 USD", Some("0.50 USD")),
    ];
    assert_eq!(chosen(&offers), "near");
}

#[test]
fn an_offer_that_no_rate_converts_is_the_last_of_its_rank() {
    let offers = [
        stored("pounds", 1, "0.01 GBP", None),
        stored("dear", 1, "90 USD", None),
        stored("next", 2, "1 USD", None),
    ];
    assert_eq!(chosen(&offers), "dear");
    assert_eq!(chosen(&[offers[0].clone(), offers[2].clone()]), "pounds");
    let shipped = stored("unknown", 1, "1 USD", Some("0.01 GBP"));
    assert_eq!(chosen(&[shipped, offers[1].clone()]), "dear");
}
