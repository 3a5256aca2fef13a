//! The roles of the Trading API against the simulator.

use crate::ebay::common::{World, order_id, parcel, update};
use kervan::{
    domain::{Payment, SignalKind},
    marketplaces::{
        ConfirmParcels, Effect, Examine, Kind, PushListings, ReadOrders, Retry, Subscribe,
        SubscribeStep, SubscribeTo, Unverified, Verdict, VerifyPushes,
    },
};
use kervan_marketplaces::{
    Fault, Money,
    ebay::{EbayOperation, NewListing, NewOrder, PaymentStatus},
};
use serde_json::{Value, json};
use std::time::Duration;

fn trading() -> Value {
    json!({"orders": "trading"})
}

fn listed(world: &World, sku: &str, item: &str) {
    let listing = NewListing {
        listing_id: Some(item.into()),
        trading: true,
        ..NewListing::new(sku, Money::usd(1999), 9)
    };
    world.simulators.ebay.add_listing(listing);
}

/// An order of two lines, and the names of its lines.
async fn with_order() -> (World, String, Vec<String>) {
    let world = World::start(&trading()).await;
    listed(&world, "LAMP", "110000000001");
    listed(&world, "DESK", "110000000002");
    let new = NewOrder::of([("LAMP", 2), ("DESK", 1)]);
    let order = world.simulators.ebay.place_order(new).unwrap();
    world.pass(Duration::from_secs(5));
    let fetched = world.ebay.order(&order_id(&order)).await.unwrap();
    let lines = fetched
        .details
        .lines
        .iter()
        .map(|line| line.id.as_str().to_owned());
    let lines = lines.collect();
    (world, order, lines)
}

#[tokio::test]
async fn an_order_is_found_read_and_shipped_whole_in_one_call() {
    let (world, order, lines) = with_order().await;
    let id = order_id(&order);
    let from = world.now() - jiff::SignedDuration::from_hours(24 * 40);
    world.pass(Duration::from_secs(10));
    // Forty days are read in two spans; the order is in the last one.
    let first = world.ebay.changed(from, world.now(), None).await.unwrap();
    assert!(first.orders.is_empty());
    let page = world
        .ebay
        .changed(from, world.now(), first.next.as_deref())
        .await
        .unwrap();
    assert_eq!(
        (page.orders[0].0.as_str(), page.next),
        (order.as_str(), None)
    );
    let fetched = world.ebay.order(&id).await.unwrap();
    assert_eq!(fetched.details.total.to_string(), "59.97 USD");
    assert_eq!(fetched.details.lines[0].price.to_string(), "39.98 USD");
    assert_eq!(fetched.details.payment, Payment::Paid);
    let view = world.simulators.ebay.order(&order).unwrap();
    let buyer = fetched.buyer.unwrap();
    assert_eq!(
        (buyer.name, buyer.address.city),
        (view.buyer.full_name, view.buyer.city)
    );

    let all: Vec<(&str, u32)> = lines
        .iter()
        .zip([2, 1])
        .map(|(line, units)| (&**line, units))
        .collect();
    let whole = parcel("1Z999AA10123456784", &all);
    assert!(
        !world
            .ebay
            .is_confirmed(&id, &whole.tracking_number)
            .await
            .unwrap()
    );
    world.ebay.confirm(&id, &whole).await.unwrap();
    assert!(
        world
            .ebay
            .is_confirmed(&id, &whole.tracking_number)
            .await
            .unwrap()
    );
    let counters = world.simulators.ebay.counters();
    assert_eq!(
        (counters.calls["completeSale"], counters.fulfillments),
        (1, 1)
    );
    assert!(world.ebay.order(&id).await.unwrap().details.fulfilled);
    // A repeat finds that there is nothing to do.
    world.ebay.confirm(&id, &whole).await.unwrap();
    assert_eq!(world.simulators.ebay.counters().calls["completeSale"], 1);
}

#[tokio::test]
async fn parcels_of_parts_stand_beside_each_other() {
    let (world, order, lines) = with_order().await;
    let id = order_id(&order);
    for (number, line) in [
        ("PARCEL0001", &lines[0]),
        ("PARCEL0002", &lines[0]),
        ("PARCEL0003", &lines[1]),
    ] {
        world
            .ebay
            .confirm(&id, &parcel(number, &[(line, 1)]))
            .await
            .unwrap();
    }
    let view = world.simulators.ebay.order(&order).unwrap();
    let numbers: Vec<_> = view
        .fulfillments
        .iter()
        .map(|one| one.fulfillment_id.as_str())
        .collect();
    assert_eq!(numbers, ["PARCEL0001", "PARCEL0002", "PARCEL0003"]);
    let missing = parcel("PARCEL0004", &[("1-2", 1)]);
    let error = world.ebay.confirm(&id, &missing).await.unwrap_err();
    assert_eq!((error.kind, error.effect), (Kind::Refused, Effect::None));
}

#[tokio::test]
async fn what_was_begun_is_finished_by_a_repeat() {
    let (world, order, lines) = with_order().await;
    let id = order_id(&order);
    // One line has a parcel already, so each line is told by itself.
    world
        .ebay
        .confirm(&id, &parcel("PARCEL0001", &[(&lines[0], 1)]))
        .await
        .unwrap();
    let both = parcel("PARCEL0002", &[(&lines[0], 1), (&lines[1], 1)]);
    let simulator = &world.simulators.ebay;
    simulator.fail_next(EbayOperation::CompleteSale, Fault::TimeoutAfter, 1);
    let error = world.ebay.confirm(&id, &both).await.unwrap_err();
    assert_eq!(
        (error.kind, error.effect),
        (Kind::NoAnswer, Effect::Unknown)
    );
    assert!(
        !world
            .ebay
            .is_confirmed(&id, &both.tracking_number)
            .await
            .unwrap()
    );
    world.ebay.confirm(&id, &both).await.unwrap();
    assert!(
        world
            .ebay
            .is_confirmed(&id, &both.tracking_number)
            .await
            .unwrap()
    );
    let view = simulator.order(&order).unwrap();
    let second = view
        .fulfillments
        .iter()
        .find(|one| one.fulfillment_id == "PARCEL0002")
        .unwrap();
    assert_eq!(second.lines.len(), 2);
}

#[tokio::test]
async fn each_listing_is_set_over_the_api_that_made_it() {
    let world = World::start(&json!({})).await;
    let simulator = &world.simulators.ebay;
    let inventory = simulator.add_listing(NewListing::new("BOWL", Money::usd(1999), 9));
    for n in 1..=6 {
        listed(&world, &format!("SKU-{n}"), &format!("11000000000{n}"));
    }
    simulator.end_listing("SKU-3").unwrap();
    let mut updates = vec![update("BOWL", &inventory.offer_id, 4)];
    updates
        .extend((1..=6).map(|n| update(&format!("SKU-{n}"), &format!("item:11000000000{n}"), n)));
    // The same listing twice: the last counts.
    updates.push(update("SKU-6", "item:110000000006", 8));
    // One that is said to be of the other API.
    updates.push(update("BOWL", &format!("item:{}", inventory.listing_id), 1));
    let outcomes = world
        .ebay
        .push(&updates, jiff::Timestamp::MAX)
        .await
        .unwrap();
    let codes: Vec<_> = outcomes
        .iter()
        .map(|one| one.as_ref().err().map_or("", |error| &error.code))
        .collect();
    assert_eq!(codes, ["", "", "", "21916750", "", "", "", "", "21919474"]);
    assert_eq!(simulator.listed_quantity("BOWL"), Some(4));
    assert_eq!(simulator.listed_quantity("SKU-6"), Some(8));
    let calls = simulator.counters().calls;
    assert_eq!(
        (
            calls["bulkUpdatePriceQuantity"],
            calls["reviseInventoryStatus"]
        ),
        (1, 2)
    );
}

#[tokio::test]
async fn variations_of_one_item_go_in_calls_of_their_own() {
    let world = World::start(&json!({})).await;
    for sku in ["RED", "BLUE"] {
        listed(&world, sku, "110000000001");
    }
    let updates = [
        update("RED", "item:110000000001", 1),
        update("BLUE", "item:110000000001", 2),
    ];
    let outcomes = world
        .ebay
        .push(&updates, jiff::Timestamp::MAX)
        .await
        .unwrap();
    assert!(outcomes.iter().all(Result::is_ok));
    let simulator = &world.simulators.ebay;
    assert_eq!(simulator.counters().calls["reviseInventoryStatus"], 2);
    assert_eq!(
        (
            simulator.listed_quantity("RED"),
            simulator.listed_quantity("BLUE")
        ),
        (Some(1), Some(2))
    );
    // What goes to zero is not kept on sale by a price that eBay refuses.
    let zero = update("BLUE", "item:110000000001", 0);
    assert_eq!(zero.price, None);
    let outcomes = world.ebay.push(&[zero], jiff::Timestamp::MAX).await;
    assert_eq!(outcomes.unwrap(), [Ok(())]);
    assert_eq!(simulator.listed_quantity("BLUE"), Some(0));
    let mut foreign = update("RED", "item:110000000001", 1);
    foreign.price = kervan::domain::Money::parse("5", "EUR".parse().unwrap()).ok();
    assert_eq!(
        world
            .ebay
            .push(&[foreign], jiff::Timestamp::MAX)
            .await
            .unwrap()[0]
            .as_ref()
            .unwrap_err()
            .code,
        "37"
    );
}

#[tokio::test]
async fn only_a_token_that_ended_is_renewed() {
    let (world, order, _) = with_order().await;
    let simulator = &world.simulators.ebay;
    simulator.expire_access_tokens();
    world.ebay.order(&order_id(&order)).await.unwrap();
    assert_eq!(simulator.counters().tokens_issued, 2);
    simulator.revoke_consent();
    let error = world.ebay.order(&order_id(&order)).await.unwrap_err();
    assert_eq!(
        (error.kind, error.retry, error.code.as_str()),
        (Kind::ConsentEnded, Retry::Person, "21916984")
    );
}

#[tokio::test]
async fn every_fault_of_the_wire_has_its_effect() {
    let (world, order, lines) = with_order().await;
    let (id, simulator) = (order_id(&order), &world.simulators.ebay);
    let parcel = parcel("PARCEL0001", &[(&lines[0], 2)]);
    for (fault, kind, effect) in [
        (Fault::TooManyRequests, Kind::Throttled, Effect::None),
        (Fault::ServerError, Kind::Unavailable, Effect::Unknown),
        (Fault::HtmlErrorPage, Kind::Unavailable, Effect::Unknown),
        (Fault::TimeoutBefore, Kind::NoAnswer, Effect::Unknown),
        (Fault::MalformedBody, Kind::Unreadable, Effect::Unknown),
    ] {
        simulator.fail_next(EbayOperation::CompleteSale, fault, 1);
        let error = world.ebay.confirm(&id, &parcel).await.unwrap_err();
        assert_eq!((error.kind, error.effect), (kind, effect), "{fault:?}");
        if fault != Fault::MalformedBody {
            continue;
        }
        assert_eq!(simulator.order(&order).unwrap().fulfillments.len(), 1);
    }
    simulator.fail_next(EbayOperation::TradingGetOrders, Fault::ServerError, 1);
    let error = world.ebay.order(&id).await.unwrap_err();
    assert_eq!(
        (error.kind, error.effect),
        (Kind::Unavailable, Effect::None)
    );
}

#[tokio::test]
async fn an_order_that_is_unpaid_or_cancelled_is_not_bought() {
    let (world, order, _) = with_order().await;
    let (id, simulator) = (order_id(&order), &world.simulators.ebay);
    simulator
        .set_payment(&order, PaymentStatus::Pending)
        .unwrap();
    assert_eq!(
        world.ebay.order(&id).await.unwrap().details.payment,
        Payment::Pending
    );
    simulator
        .request_cancel(&order, "BUYER_ASKED_CANCEL")
        .unwrap();
    let details = world.ebay.order(&id).await.unwrap().details;
    assert_eq!(details.cancel, kervan::domain::Cancel::Requested);
    simulator.cancel_order(&order).unwrap();
    let details = world.ebay.order(&id).await.unwrap().details;
    assert_eq!(details.cancel, kervan::domain::Cancel::Done);
    // Under the older name of its line it would be a second order.
    let line = details.lines[0].id.as_str().to_owned();
    let error = world.ebay.order(&order_id(&line)).await.unwrap_err();
    assert_eq!(
        (error.kind, error.code.as_str()),
        (Kind::NotFound, "other-name")
    );
}

#[tokio::test]
async fn platform_notifications_are_subscribed_to_and_verified() {
    let world = World::start(&trading()).await;
    let to = SubscribeTo {
        queue_arn: None,
        alert_email: Some("ops@example.com".into()),
    };
    let done = world.ebay.subscribe(&to).await.unwrap();
    let made: Vec<_> = done
        .iter()
        .map(|one| (one.topic.as_str(), &one.done))
        .collect();
    assert_eq!(made[2], ("FixedPriceTransaction", &SubscribeStep::Created));
    assert_eq!(made.len(), 4);
    let again = world.ebay.subscribe(&to).await.unwrap();
    assert!(again.iter().all(|one| one.done == SubscribeStep::Existed));
    assert_eq!(
        world.simulators.ebay.counters().calls["setNotificationPreferences"],
        1
    );

    let simulator = &world.simulators.ebay;
    simulator.take_due_pushes(world.now());
    listed(&world, "LAMP", "110000000001");
    let order = simulator.place_order(NewOrder::one("LAMP", 1)).unwrap();
    let pushes = simulator.take_due_pushes(world.now());
    let soap: Vec<_> = pushes
        .iter()
        .filter(|push| push.headers.contains_key("soapaction"))
        .collect();
    assert_eq!(soap.len(), 2);
    for push in &soap {
        let push = Unverified::new(push.headers.clone(), push.body.clone());
        let signals = world.ebay.verify(push).await.unwrap();
        assert_eq!(signals[0].kind, SignalKind::OrderChanged(order_id(&order)));
    }
    world.pass(Duration::from_secs(601));
    let old = Unverified::new(soap[0].headers.clone(), soap[0].body.clone());
    assert_eq!(world.ebay.verify(old).await.unwrap_err().status, 412);
    let unset = World::start(&json!({"orders": "trading", "dev_id": ""})).await;
    let push = Unverified::new(soap[0].headers.clone(), soap[0].body.clone());
    assert_eq!(unset.ebay.verify(push).await.unwrap_err().status, 500);
}

#[tokio::test]
async fn the_trading_api_is_examined_where_it_is_used() {
    let world = World::start(&trading()).await;
    let findings = world.ebay.examine().await;
    let trading = findings
        .iter()
        .find(|one| one.what == "trading api")
        .unwrap();
    assert_eq!(trading.verdict, Verdict::Good);
    let unset = World::start(&json!({"orders": "trading", "dev_id": ""})).await;
    let findings = unset.ebay.examine().await;
    assert!(
        findings
            .iter()
            .any(|one| one.verdict == Verdict::Bad && one.to_do.contains("dev_id"))
    );
}
