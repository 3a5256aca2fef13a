//! An order in its table, with the units of its offers, for the tests of decisions.

use super::*;
use crate::clock::ManualClock;
use crate::domain::{
    LineId, Money, OfferId, OrderDetails, Parcel, Phase, PurchaseLine, PurchaseState, Reason,
    Refusal, Sku,
};
use crate::flows::plan;
use crate::store::{Due, MemoryStore};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::sync::Arc;

/// Units of the offer before anything was planned.
pub(super) const STOCK: i64 = 100;
pub(super) const UNITS: i64 = 2;

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

pub(super) fn key() -> OrderKey {
    "ebay:main/01-1".parse().unwrap()
}

pub(super) fn usd(minor: i64) -> Money {
    Money {
        minor,
        currency: "USD".parse().unwrap(),
    }
}

pub(super) fn id(text: &str) -> SupplierOrderId {
    SupplierOrderId::parse(text).unwrap()
}

pub(super) fn details() -> OrderDetails {
    let line = |id: &str, sku: &str| json!({ "id": id, "sku": sku, "quantity": UNITS, "price": usd(1999), "ship_by": null });
    serde_json::from_value(json!({
        "bought_at": at(0), "modified_at": at(0), "payment": "paid", "cancel": "no",
        "fulfilled": false, "total": usd(3998), "fee": usd(0), "country": "US",
        "lines": [line("1", "LAMP"), line("2", "VASE")],
    }))
    .unwrap()
}

pub(super) fn bought_line(line: &str, sku: &str) -> PurchaseLine {
    PurchaseLine {
        line: LineId::parse(line).unwrap(),
        sku: Sku::parse(sku).unwrap(),
        offer: OfferId::new("aliexpress:main".parse().unwrap(), "1005", sku).unwrap(),
        quantity: u32::try_from(UNITS).unwrap(),
        unit_cost: usd(700),
        shipping: usd(0),
        shipping_option: "STANDARD".to_owned(),
        variant_attributes: String::new(),
    }
}

pub(super) fn planned(purchase: u8) -> Event {
    let lines = vec![bought_line("1", "LAMP"), bought_line("2", "VASE")];
    Event::Planned { purchase, lines }
}

pub(super) fn lease(purchase: u8, now: Timestamp) -> Event {
    let lease_until = now + SignedDuration::from_secs(90);
    Event::PlacingStarted {
        purchase,
        lease_until,
    }
}

pub(super) fn placed(purchase: u8, numbers: &[&str]) -> Event {
    let supplier_orders = numbers.iter().map(|number| id(number)).collect();
    Event::Placed {
        purchase,
        supplier_orders,
    }
}

pub(super) fn refused(purchase: u8, refusal: Refusal) -> Event {
    let code = "X".to_owned();
    Event::Refused {
        purchase,
        refusal,
        code,
    }
}

pub(super) fn raised(reason: Reason) -> Event {
    Event::AttentionRaised { reason }
}

pub(super) fn closed() -> Reason {
    let code = "CLOSED".to_owned();
    Reason::PurchaseClosed {
        code,
        supplier_order: None,
    }
}

pub(super) fn changed(change: impl Fn(&mut OrderDetails)) -> Event {
    let mut details = details();
    change(&mut details);
    Event::Changed { details }
}

pub(super) fn parcel() -> Event {
    let parcel = json!({
        "tracking_number": "LP0001", "carrier": "Cainiao", "purchase": 1,
        "lines": [{ "line": "1", "quantity": UNITS }, { "line": "2", "quantity": UNITS }],
        "state": { "state": "seen", "not_before": at(0) }, "delivered_at": null,
    });
    let parcel: Parcel = serde_json::from_value(parcel).unwrap();
    Event::ParcelSeen { parcel }
}

/// An order in its table, with the counters of its offers.
pub(super) struct Case {
    pub(super) store: Arc<MemoryStore>,
    pub(super) clock: Arc<ManualClock>,
}

impl Case {
    /// The order with this history, long enough ago that no lease runs any more.
    pub(super) async fn of(events: &[Event]) -> Self {
        let case = Self::begun().await;
        for event in events {
            case.record(event.clone()).await.unwrap();
        }
        case.clock.advance(SignedDuration::from_hours(30));
        case
    }

    pub(super) async fn begun() -> Self {
        let clock = Arc::new(ManualClock::at(at(0)));
        let store = Arc::new(MemoryStore::new(clock.clone()));
        let recorded = Event::Recorded { details: details() };
        let mut order = Order::begin(key(), at(0), &recorded).unwrap();
        let record = crate::domain::HistoryRecord {
            number: 1,
            at: at(0),
            event: recorded,
            previous: crate::domain::HistoryRecord::NONE_BEFORE.to_owned(),
        };
        let body = ledger::write(&record).unwrap();
        order.last_hash = crate::domain::HistoryRecord::hash_of(&body);
        let mut state = Item::new(keys::order_state(&key()), 1, ledger::write(&order).unwrap());
        state.due = Some(Due {
            lane: keys::FORWARD_LANE.to_owned(),
            at: at(0),
        });
        let mut items = vec![Item::new(keys::history(&key(), 1), 1, body), state];
        for line in [bought_line("1", "LAMP"), bought_line("2", "VASE")] {
            let mut offer = Item::new(keys::offer(&line.sku, &line.offer), 1, "{}".to_owned());
            offer.counters.insert("free".to_owned(), STOCK);
            items.push(offer);
        }
        let put = |item| Write::Put {
            item,
            only_if: Condition::Absent,
        };
        store
            .write(items.into_iter().map(put).collect())
            .await
            .unwrap();
        Self { store, clock }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) async fn order(&self) -> Order {
        ledger::load(&*self.store, &key()).await.unwrap().unwrap()
    }

    /// As a worker records it, with the units that move.
    pub(super) async fn record(&self, event: Event) -> Result<(), FlowError> {
        let mut order = self.order().await;
        let purchase = |number: &u8| order.purchase(*number).cloned();
        let is_first = |number: &u8| {
            let state = purchase(number).map(|purchase| purchase.state);
            matches!(state, Some(PurchaseState::Placing { .. }))
        };
        let writes = match &event {
            Event::Planned { lines, .. } => lines
                .iter()
                .map(|line| Write::Update {
                    key: keys::offer(&line.sku, &line.offer),
                    set_body: None,
                    set_due: None,
                    add: vec![("free", -UNITS)],
                    only_if: Vec::new(),
                })
                .collect(),
            Event::Refused { purchase: n, .. } | Event::PurchaseCancelled { purchase: n } => {
                purchase(n).map_or(Vec::new(), |p| plan::release(&p.lines, self.now()))
            }
            Event::Placed { purchase: n, .. } if is_first(n) => {
                purchase(n).map_or(Vec::new(), |p| plan::bought(&p))
            }
            _ => Vec::new(),
        };
        let (store, now) = (&*self.store, self.now());
        Ok(ledger::record_in_haste(store, now, &mut order, &[event], writes).await?)
    }

    pub(super) async fn resolve(&self, decision: Decision) -> Result<Resolution, ResolveError> {
        let told = Told {
            decision,
            reason: Remark::parse("looked at the supplier's site").unwrap(),
            by: Remark::parse("anna").unwrap(),
        };
        let foreseen = preview(&*self.store, &*self.clock, &key(), &told).await;
        let done = resolve(&*self.store, &*self.clock, &key(), &told).await;
        if let (Ok(foreseen), Ok(done)) = (&foreseen, &done) {
            assert_eq!(foreseen.events, done.events);
            assert_eq!(foreseen.after.purchases, done.after.purchases);
        }
        assert_eq!(foreseen.is_ok(), done.is_ok());
        self.check().await;
        done
    }

    pub(super) async fn unfit(&self, decision: Decision) -> Unfit {
        let before = self.order().await;
        let error = self.resolve(decision).await.unwrap_err();
        assert_eq!(self.order().await, before, "a refused decision wrote");
        match error {
            ResolveError::Unfit(unfit) => unfit,
            other => panic!("{other}"),
        }
    }

    pub(super) async fn counter(&self, line: &PurchaseLine, name: &str) -> i64 {
        let key = keys::offer(&line.sku, &line.offer);
        let item = self.store.get(&key).await.unwrap().unwrap();
        item.counters.get(name).copied().unwrap_or(0)
    }

    /// What holds whatever happened: the history gives the state, nothing waits silently, units are conserved.
    pub(super) async fn check(&self) {
        let order = self.order().await;
        let replayed = ledger::replay(&*self.store, &key()).await.unwrap().unwrap();
        assert_eq!(replayed, order);
        let state = self.store.get(&keys::order_state(&key())).await.unwrap();
        let waits = self.store.get(&keys::attention(&key())).await.unwrap();
        assert_eq!(waits.is_some(), order.attention.is_some());
        let is_due = state.unwrap().due.is_some();
        if order.phase == Phase::Open {
            assert!(is_due || waits.is_some(), "waits silently: {order:?}");
        } else {
            assert!(!is_due && waits.is_none());
        }
        let history = ledger::history(&*self.store, &key()).await.unwrap();
        let mut bought = 0;
        for (place, record) in history.iter().enumerate() {
            let Event::Placed { purchase, .. } = &record.event else {
                continue;
            };
            let earlier = history[..place].iter().any(
                |record| matches!(&record.event, Event::Placed { purchase: p, .. } if p == purchase),
            );
            bought += i64::from(!earlier) * UNITS;
        }
        let reserves = |state: &PurchaseState| {
            matches!(
                state,
                PurchaseState::Planned { .. } | PurchaseState::Placing { .. }
            )
        };
        let reserved = order.purchases.iter().filter(|p| reserves(&p.state));
        let reserved = i64::try_from(reserved.count()).unwrap() * UNITS;
        for line in [bought_line("1", "LAMP"), bought_line("2", "VASE")] {
            assert_eq!(self.counter(&line, "bought").await, bought);
            assert_eq!(
                self.counter(&line, "free").await,
                STOCK - reserved - bought,
                "{order:?}"
            );
        }
    }

    pub(super) async fn due_at(&self) -> Timestamp {
        let state = self.store.get(&keys::order_state(&key())).await.unwrap();
        state.unwrap().due.unwrap().at
    }
}

pub(super) fn in_doubt() -> Vec<Event> {
    vec![planned(1), lease(1, at(0)), raised(Reason::PurchaseInDoubt)]
}

pub(super) fn with_number(numbers: &[&str]) -> Decision {
    Decision::Bought {
        purchase: 1,
        supplier_orders: numbers.iter().map(|number| id(number)).collect(),
        corrects: false,
    }
}

pub(super) fn elsewhere(not_at_supplier: &[u8]) -> Decision {
    let not_at_supplier = not_at_supplier.to_vec();
    Decision::BoughtElsewhere { not_at_supplier }
}

pub(super) fn again(not_at_supplier: &[u8]) -> Decision {
    Decision::BuyAgain {
        not_at_supplier: not_at_supplier.to_vec(),
        accepted_loss: None,
    }
}

pub(super) fn cancel(not_at_supplier: &[u8]) -> Decision {
    let not_at_supplier = not_at_supplier.to_vec();
    Decision::Cancel { not_at_supplier }
}
