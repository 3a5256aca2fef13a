//! A table with an order, for the tests of the commands that show orders and decide about them.

use std::sync::Arc;

use jiff::Timestamp;
use kervan::clock::ManualClock;
use kervan::domain::{Attention, Event, HistoryRecord, Order, OrderKey, Reason};
use kervan::flows::ledger;
use kervan::store::{Condition, Due, Item, Key, MemoryStore, Store, Write as Change, keys};
use serde_json::json;

/// What the sealed buyer would be.
const BUYER: &str = "sealed: Jane Doe";

pub(super) fn at(minutes: i64) -> Timestamp {
    Timestamp::from_second(1_770_000_000 + 60 * minutes).unwrap()
}

pub(super) fn key() -> OrderKey {
    "ebay:main/01-12345-67890".parse().unwrap()
}

/// An order whose tracking number the channel refused.
pub(super) fn events() -> Vec<Event> {
    let usd = |minor: i64| json!({ "minor": minor, "currency": "USD" });
    let lines = json!([{
        "id": "10", "sku": "MUG-1", "quantity": 2, "price": usd(3998), "ship_by": null,
    }]);
    let details = json!({
        "bought_at": at(0), "modified_at": at(0), "payment": "paid", "cancel": "no",
        "fulfilled": false, "total": usd(4500), "fee": usd(530), "country": "US", "lines": lines,
    });
    let planned = json!([{
        "line": "10", "sku": "MUG-1", "quantity": 2, "unit_cost": usd(750), "shipping": usd(0),
        "offer": { "supplier": "aliexpress:main", "product": "1005", "variant": "12" },
        "shipping_option": "CAINIAO", "variant_attributes": "",
    }]);
    let parcel = json!({
        "tracking_number": "LP00123", "carrier": "Cainiao\u{1b}[2J", "purchase": 1,
        "lines": [{ "line": "10", "quantity": 2 }],
        "state": { "state": "seen", "not_before": at(5) }, "delivered_at": null,
    });
    let texts = [
        json!({ "event": "recorded", "details": details }),
        json!({ "event": "planned", "purchase": 1, "lines": planned }),
        json!({ "event": "placing_started", "purchase": 1, "lease_until": at(5) }),
        json!({ "event": "placed", "purchase": 1, "supplier_orders": ["8123456"] }),
        json!({ "event": "parcel_seen", "parcel": parcel }),
        json!({ "event": "attention_raised", "reason": Reason::TrackingRefused { code: "36".into() } }),
    ];
    texts
        .into_iter()
        .map(|text| serde_json::from_value(text).unwrap())
        .collect()
}

async fn put(store: &MemoryStore, item: Item) {
    let only_if = Condition::Absent;
    let put = Change::Put { item, only_if };
    store.write(vec![put]).await.unwrap();
}

fn waiting(key: Key, attention: &Attention) -> Item {
    let mut item = Item::new(key, 1, ledger::write(attention).unwrap());
    item.due = Some(Due {
        lane: keys::ATTENTION_LANE.to_owned(),
        at: attention.since,
    });
    item
}

/// A table with an order of this history, its sealed buyer and its offer, and an account that waits.
pub(super) async fn table(events: &[Event]) -> MemoryStore {
    let store = MemoryStore::new(Arc::new(ManualClock::at(at(60))));
    let (mut order, mut number) = (None::<Order>, 0);
    for event in events {
        number += 1;
        let last = order.as_ref().map(|order| order.last_hash.clone());
        match &mut order {
            None => order = Some(Order::begin(key(), at(number), event).unwrap()),
            Some(order) => order.apply(at(number), event).unwrap(),
        }
        let record = HistoryRecord {
            number: number.unsigned_abs(),
            at: at(number),
            event: event.clone(),
            previous: last.unwrap_or_else(|| HistoryRecord::NONE_BEFORE.to_owned()),
        };
        let body = ledger::write(&record).unwrap();
        order.as_mut().unwrap().last_hash = HistoryRecord::hash_of(&body);
        put(
            &store,
            Item::new(keys::history(&key(), record.number), 1, body),
        )
        .await;
    }
    let order = order.unwrap();
    let body = ledger::write(&order).unwrap();
    put(
        &store,
        Item::new(keys::order_state(&key()), order.version, body),
    )
    .await;
    put(&store, Item::new(keys::buyer(&key()), 1, BUYER.to_owned())).await;
    if let Some(attention) = &order.attention {
        put(&store, waiting(keys::attention(&key()), attention)).await;
    }
    for line in order.purchases.iter().flat_map(|purchase| &purchase.lines) {
        let offer = keys::offer(&line.sku, &line.offer);
        put(&store, Item::new(offer, 1, "{}".to_owned())).await;
    }
    let ended = Attention {
        reason: Reason::ConsentEnded {
            account: "ebay:second".to_owned(),
        },
        since: at(1),
    };
    let account = keys::account_attention(&"ebay:second".parse().unwrap());
    put(&store, waiting(account, &ended)).await;
    store
}
