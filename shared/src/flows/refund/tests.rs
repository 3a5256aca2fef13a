//! Refunds at a channel that answers as it is told.

use super::*;
use crate::clock::ManualClock;
use crate::domain::{AccountId, ChannelOrderId, OrderDetails};
use crate::http::HttpClient;
use crate::marketplaces::{Account, Kind, Retry};
use crate::secrets::MemorySecrets;
use crate::store::{Condition, Item, MemoryStore, Write, keys};
use async_trait::async_trait;
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the channel does with the next refund.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Does {
    Pays,
    Refuses,
    PaysInSilence,
    NothingInSilence,
    FailsAtOnce,
}

#[derive(Debug)]
struct Channel {
    id: AccountId,
    does: Mutex<Does>,
    paid: Mutex<Vec<Refunded>>,
    /// The line of each refund that was asked for.
    lines: Mutex<Vec<Option<LineId>>>,
}

impl Account for Channel {
    fn id(&self) -> &AccountId {
        &self.id
    }

    fn refund(&self) -> Option<&dyn Refund> {
        Some(self)
    }
}

#[async_trait]
impl Refund for Channel {
    async fn refunds(&self, _: &ChannelOrderId) -> Result<Vec<Refunded>, CallError> {
        Ok(self.paid.lock().unwrap().clone())
    }

    async fn refund(
        &self,
        _: &ChannelOrderId,
        request: &RefundRequest,
    ) -> Result<Refunded, CallError> {
        let does = *self.does.lock().unwrap();
        self.lines.lock().unwrap().push(request.line.clone());
        let mut paid = self.paid.lock().unwrap();
        let refunded = Refunded {
            id: format!("R{}", paid.len() + 1),
            amount: request.amount,
            state: RefundState::Pending,
        };
        if matches!(does, Does::Pays | Does::PaysInSilence) {
            paid.push(refunded.clone());
        }
        let error = |kind, retry| CallError::new(&self.id, "refund", kind, retry, "34915");
        match does {
            Does::Pays => Ok(refunded),
            Does::FailsAtOnce => Ok(Refunded {
                state: RefundState::Failed,
                ..refunded
            }),
            Does::Refuses => Err(error(Kind::Refused, Retry::Permanent)),
            Does::PaysInSilence | Does::NothingInSilence => {
                let silent = error(Kind::NoAnswer, Retry::After(Duration::ZERO));
                Err(silent.with_effect(Effect::Unknown))
            }
        }
    }
}

struct Shop {
    channel: Arc<Channel>,
    accounts: Accounts,
    store: Arc<MemoryStore>,
    clock: Arc<ManualClock>,
}

fn usd(minor: i64) -> Money {
    Money {
        minor,
        currency: "USD".parse().unwrap(),
    }
}

fn key() -> OrderKey {
    "ebay:main/01-1".parse().unwrap()
}

/// A channel with one order of 20 dollars, for a lamp and a vase.
async fn shop() -> Shop {
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    let clock = Arc::new(ManualClock::at(now));
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let channel = Arc::new(Channel {
        id: key().channel,
        does: Mutex::new(Does::Pays),
        paid: Mutex::default(),
        lines: Mutex::default(),
    });
    let http = Arc::new(HttpClient::new(Duration::from_secs(1)).unwrap());
    let secrets = Arc::new(MemorySecrets::new());
    let accounts = Accounts::new(Vec::new(), "kervan/", secrets, http, clock.clone(), None);
    let details: OrderDetails = serde_json::from_value(json!({
        "bought_at": now, "modified_at": now, "payment": "paid", "cancel": "no", "fulfilled": false,
        "total": usd(2000), "fee": usd(0), "country": "US", "lines": [
            { "id": "1", "sku": "LAMP", "quantity": 1, "price": usd(1200), "ship_by": null },
            { "id": "2", "sku": "VASE", "quantity": 1, "price": usd(800), "ship_by": null },
        ],
    }))
    .unwrap();
    let order = Order::begin(key(), now, &Event::Recorded { details }).unwrap();
    let body = serde_json::to_string(&order).unwrap();
    let item = Item::new(keys::order_state(&key()), 1, body);
    let only_if = Condition::Absent;
    store
        .write(vec![Write::Put { item, only_if }])
        .await
        .unwrap();
    Shop {
        accounts: accounts.with_account(channel.clone()),
        channel,
        store,
        clock,
    }
}

impl Shop {
    async fn refund(&self, minor: i64) -> Result<String, RefundError> {
        self.refund_of(minor, Stops::Nothing).await
    }

    async fn refund_of(&self, minor: i64, stops: Stops) -> Result<String, RefundError> {
        let wanted = RefundOrder {
            amount: usd(minor),
            stops,
            reason: RefundReason::OutOfStock,
            comment: String::new(),
            why: Remark::parse("it broke").unwrap(),
            by: Remark::parse("ada").unwrap(),
        };
        let done = refund(&self.accounts, &*self.store, &*self.clock, &key(), &wanted).await;
        done.map(|(_, refunded)| refunded.id)
    }

    async fn order(&self) -> Order {
        ledger::load(&*self.store, &key()).await.unwrap().unwrap()
    }

    fn will(&self, does: Does) {
        *self.channel.does.lock().unwrap() = does;
    }

    fn paid(&self) -> i64 {
        let paid = self.channel.paid.lock().unwrap();
        paid.iter().map(|refunded| refunded.amount.minor).sum()
    }
}

#[tokio::test]
async fn parts_of_an_order_are_given_back_and_never_more_than_its_total() {
    let shop = shop().await;
    assert_eq!(shop.refund(1500).await.unwrap(), "R1");
    assert!(matches!(shop.refund(501).await, Err(RefundError::TooMuch(left)) if left == usd(500)));
    assert_eq!(shop.refund(500).await.unwrap(), "R2");
    assert!(matches!(shop.refund(1).await, Err(RefundError::TooMuch(_))));
    assert_eq!(shop.paid(), 2000);
    let order = ledger::load(&*shop.store, &key()).await.unwrap().unwrap();
    assert_eq!(order.refunds.len(), 2);
}

#[tokio::test]
async fn a_refusal_leaves_the_money_to_be_given_back_another_time() {
    let shop = shop().await;
    shop.will(Does::Refuses);
    assert!(matches!(
        shop.refund(2000).await,
        Err(RefundError::Refused(_))
    ));
    shop.will(Does::Pays);
    assert_eq!(shop.refund(2000).await.unwrap(), "R1");
}

#[tokio::test]
async fn a_refund_that_was_paid_without_an_answer_is_found_and_not_paid_again() {
    let shop = shop().await;
    shop.will(Does::PaysInSilence);
    assert!(matches!(
        shop.refund(700).await,
        Err(RefundError::Unanswered(_))
    ));
    shop.will(Does::Pays);
    assert!(matches!(shop.refund(700).await, Err(RefundError::WasPaid(id)) if id == "R1"));
    assert_eq!(shop.paid(), 700);
    assert_eq!(
        shop.refund(700).await.unwrap(),
        "R2",
        "a second one is a decision of its own"
    );
}

#[tokio::test]
async fn a_refund_that_never_landed_is_only_repeated_once_that_is_sure() {
    let shop = shop().await;
    shop.will(Does::NothingInSilence);
    assert!(matches!(
        shop.refund(700).await,
        Err(RefundError::Unanswered(_))
    ));
    shop.will(Does::Pays);
    assert!(matches!(
        shop.refund(700).await,
        Err(RefundError::Unsettled(_))
    ));
    shop.clock.advance(LEASE + LANDS_WITHIN);
    assert_eq!(shop.refund(700).await.unwrap(), "R1");
    assert_eq!(shop.paid(), 700);
}

#[tokio::test]
async fn a_refund_that_fails_at_the_channel_at_once_or_later_is_made_again() {
    let shop = shop().await;
    shop.will(Does::FailsAtOnce);
    assert!(matches!(shop.refund(2000).await, Err(RefundError::Failed(id)) if id == "R1"));
    shop.will(Does::Pays);
    assert_eq!(shop.refund(2000).await.unwrap(), "R1");
    let more = shop.refund(1).await;
    assert!(matches!(more, Err(RefundError::TooMuch(_))), "{more:?}");
    shop.channel.paid.lock().unwrap()[0].state = RefundState::Failed;
    assert_eq!(shop.refund(2000).await.unwrap(), "R2");
    let order = ledger::load(&*shop.store, &key()).await.unwrap().unwrap();
    let counting = order.refunds.iter().map(|refund| refund.counts());
    assert_eq!(counting.collect::<Vec<_>>(), [false, false, true]);
}

#[tokio::test]
async fn another_currency_and_nothing_at_all_are_no_refund() {
    let shop = shop().await;
    assert!(matches!(shop.refund(0).await, Err(RefundError::Amount)));
    assert!(matches!(shop.refund(-5).await, Err(RefundError::Amount)));
    assert_eq!(shop.paid(), 0);
}

fn lines(ids: &[&str]) -> Vec<LineId> {
    ids.iter().map(|id| LineId::parse(id).unwrap()).collect()
}

/// The places of the lines that are still to be bought.
fn open(order: &Order) -> Vec<usize> {
    let open = crate::decide::open_units(order).into_iter();
    open.map(|open| open.place).collect()
}

#[tokio::test]
async fn a_part_of_the_price_is_given_back_only_with_a_word_on_the_goods() {
    let shop = shop().await;
    let error = shop.refund_of(800, Stops::Unsaid).await.unwrap_err();
    let text = error.to_string();
    for part in ["--line", "1 LAMP, 2 VASE", "--keep-buying"] {
        assert!(text.contains(part), "{text}");
    }
    let unknown = Stops::Lines(lines(&["2", "3"]));
    let error = shop.refund_of(800, unknown).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the order has no line 3: it has 1 LAMP, 2 VASE"
    );
    assert!(shop.order().await.refunds.is_empty(), "nothing was begun");
    assert_eq!(shop.paid(), 0);
}

#[tokio::test]
async fn a_line_that_is_given_back_is_not_bought_and_the_channel_hears_which_it_is() {
    let shop = shop().await;
    shop.refund_of(100, Stops::Nothing).await.unwrap();
    assert_eq!(open(&shop.order().await), [0, 1]);
    shop.refund_of(700, Stops::Lines(lines(&["2"])))
        .await
        .unwrap();
    let order = shop.order().await;
    assert_eq!(open(&order), [0]);
    assert_eq!(order.refunds[1].lines, lines(&["2"]));
    assert_eq!(order.revenue(), usd(1200));
    shop.refund_of(600, Stops::Lines(lines(&["1", "2"])))
        .await
        .unwrap();
    assert_eq!(open(&shop.order().await), [0_usize; 0]);
    // Of several lines at once it is told of the whole, so that one refund stays one.
    let told = shop.channel.lines.lock().unwrap().clone();
    assert_eq!(told, [None, Some(LineId::parse("2").unwrap()), None]);
}

#[tokio::test]
async fn a_refund_of_all_that_is_left_stops_the_order_whatever_is_said() {
    for stops in [Stops::Unsaid, Stops::Nothing, Stops::Lines(lines(&["2"]))] {
        let shop = shop().await;
        shop.refund(500).await.unwrap();
        assert_eq!(open(&shop.order().await), [0, 1]);
        shop.refund_of(1500, stops.clone()).await.unwrap();
        assert_eq!(open(&shop.order().await), [0_usize; 0], "{stops:?}");
        // One that fails leaves the goods owed.
        shop.channel.paid.lock().unwrap()[1].state = RefundState::Failed;
        shop.refund_of(1, Stops::Nothing).await.unwrap();
        assert_eq!(open(&shop.order().await), [0, 1]);
    }
}

#[tokio::test]
async fn of_an_order_that_is_over_nothing_has_to_be_said() {
    let shop = shop().await;
    let mut order = shop.order().await;
    record(&*shop.store, &*shop.clock, &mut order, Event::Finished)
        .await
        .unwrap();
    shop.refund_of(100, Stops::Unsaid).await.unwrap();
    assert!(shop.order().await.refunds[0].lines.is_empty());
}
