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

/// A channel with one order of 20 dollars.
async fn shop() -> Shop {
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    let clock = Arc::new(ManualClock::at(now));
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let channel = Arc::new(Channel {
        id: key().channel,
        does: Mutex::new(Does::Pays),
        paid: Mutex::default(),
    });
    let http = Arc::new(HttpClient::new(Duration::from_secs(1)).unwrap());
    let secrets = Arc::new(MemorySecrets::new());
    let accounts = Accounts::new(Vec::new(), "kervan/", secrets, http, clock.clone(), None);
    let details: OrderDetails = serde_json::from_value(json!({
        "bought_at": now, "modified_at": now, "payment": "paid", "cancel": "no", "fulfilled": false,
        "total": usd(2000), "fee": usd(0), "country": "US", "lines": [],
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
        let wanted = RefundOrder {
            amount: usd(minor),
            reason: RefundReason::OutOfStock,
            comment: String::new(),
            why: Remark::parse("it broke").unwrap(),
            by: Remark::parse("ada").unwrap(),
        };
        let done = refund(&self.accounts, &*self.store, &*self.clock, &key(), &wanted).await;
        done.map(|(_, refunded)| refunded.id)
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
