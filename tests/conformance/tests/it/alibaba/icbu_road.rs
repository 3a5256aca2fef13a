//! The roles against the simulator of Alibaba.com, over real connections and on one clock that is moved by hand.

use crate::alibaba::common::{World, buyer, line, offer, place, quote, reference};
use bytes::Bytes;
use kervan::{
    domain::{OfferId, SignalKind, SupplierOrderId},
    marketplaces::{CallError, Effect, Kind, Placed, Retry, SupplierState, Unverified, Verdict},
};
use kervan_marketplaces::{
    Fault,
    alibaba::icbu::{IcbuCarrier, IcbuOperation, IcbuProduct, ReferenceShown, TradeStatus},
};
use serde_json::Value;
use std::time::Duration;

const PRODUCT: u64 = 1_600_927_952_535;
const SETTLED: Duration = Duration::from_secs(300);

fn goods() -> OfferId {
    offer(PRODUCT, &(PRODUCT * 10 + 1).to_string())
}

async fn shop() -> World {
    let world = World::icbu(|_| ()).await;
    stock(&world);
    world
}

fn stock(world: &World) {
    let product = IcbuProduct::simple(PRODUCT, "c8G3==", "3.6901", "CN", 9);
    world.simulators.icbu.add_product(product).unwrap();
}

async fn buy(world: &World, quantity: u32) -> Result<Placed, CallError> {
    let terms = quote(&world.account, goods(), quantity, "US")
        .await
        .unwrap();
    place(&world.account, &[line(goods(), quantity, &terms)], &buyer()).await
}

async fn look_up(world: &World) -> Result<Option<Placed>, CallError> {
    let since = world.now() - SETTLED;
    let buy = world.account.buy().unwrap();
    buy.look_up(&reference(), since).await
}

async fn state(world: &World, id: &SupplierOrderId) -> SupplierState {
    let buy = world.account.buy().unwrap();
    buy.supplier_order(id).await.unwrap().state
}

#[tokio::test]
async fn a_purchase_goes_its_whole_way() {
    let world = shop().await;
    let terms = quote(&world.account, goods(), 2, "US").await.unwrap();
    let terms = &terms.lines[0];
    // 3.6901 dollars count as 3.70: never less than what is paid.
    assert_eq!(terms.unit_cost.to_string(), "3.70 USD");
    assert_eq!(terms.shipping.to_string(), "4.67 USD");
    assert_eq!(
        (terms.shipping_option.as_str(), terms.stock),
        ("CN/EX_ASP_JYC_FEDEX", 9)
    );

    let placed = buy(&world, 2).await.unwrap();
    let id = &placed.supplier_orders[0];
    let number: u64 = id.as_str().parse().unwrap();
    let order = world.simulators.icbu.order(number).unwrap();
    assert_eq!(order.channel_refer_id, reference().as_str());
    assert_eq!(order.address["province"], "New York");
    assert_eq!(order.address["telephone"]["country"], "+1");
    assert_eq!(world.simulators.icbu.counters().payments, 1);
    world.pass(Duration::from_secs(5));
    assert_eq!(state(&world, id).await, SupplierState::Processing);

    world.simulators.icbu.ship(number, 2).unwrap();
    let order = world
        .account
        .buy()
        .unwrap()
        .supplier_order(id)
        .await
        .unwrap();
    assert_eq!(
        (order.state, order.parcels.len()),
        (SupplierState::Shipped, 2)
    );
    assert_eq!(order.parcels[0].carrier, "FEDEX");
    world.simulators.icbu.deliver(number).unwrap();
    let order = world
        .account
        .buy()
        .unwrap()
        .supplier_order(id)
        .await
        .unwrap();
    assert_eq!(
        order.state,
        SupplierState::Delivered,
        "the last parcel has arrived"
    );
    assert!(order.parcels.iter().all(|parcel| parcel.delivered));
    assert_eq!(world.simulators.icbu.counters().bad_signatures, 0);
}

#[tokio::test]
async fn a_payment_that_fails_leaves_an_order_that_is_unpaid() {
    for first in [true, false] {
        let world = shop().await;
        let mut settings = world.simulators.icbu.settings();
        settings.has_paid_before = !first;
        settings.pay_fails = !first;
        world.simulators.icbu.set_settings(settings);
        let placed = buy(&world, 1).await.unwrap();
        world.pass(Duration::from_secs(5));
        assert_eq!(
            state(&world, &placed.supplier_orders[0]).await,
            SupplierState::Unpaid
        );
    }
    for fault in [
        Fault::TimeoutAfter,
        Fault::ServerError,
        Fault::MalformedBody,
    ] {
        let world = shop().await;
        world
            .simulators
            .icbu
            .fail_next(IcbuOperation::OrderPay, fault, 1);
        let placed = buy(&world, 1).await.unwrap();
        world.pass(Duration::from_secs(5));
        let state = state(&world, &placed.supplier_orders[0]).await;
        let expected = if fault.has_effect() {
            SupplierState::Processing
        } else {
            SupplierState::Unpaid
        };
        assert_eq!(state, expected, "{fault:?}");
    }
}

#[tokio::test]
async fn whatever_happens_to_the_answer_the_search_tells_whether_it_was_bought() {
    for shown in [ReferenceShown::InList, ReferenceShown::InOrder] {
        for fault in [
            Fault::ServerErrorAfter,
            Fault::TimeoutAfter,
            Fault::MalformedBody,
            Fault::ServerError,
            Fault::HtmlErrorPage,
            Fault::TimeoutBefore,
        ] {
            let world = shop().await;
            let icbu = &world.simulators.icbu;
            let mut settings = icbu.settings();
            settings.reference_shown = shown;
            icbu.set_settings(settings);
            icbu.fail_next(IcbuOperation::OrderCreate, fault, 1);
            let error = buy(&world, 1).await.unwrap_err();
            assert_eq!(error.effect, Effect::Unknown, "{fault:?}: {error}");
            world.pass(SETTLED);
            let found = look_up(&world).await.unwrap();
            assert_eq!(found.is_some(), fault.has_effect(), "{fault:?}");
            if let Some(placed) = found {
                let number: u64 = placed.supplier_orders[0].as_str().parse().unwrap();
                assert_eq!(
                    icbu.order(number).unwrap().channel_refer_id,
                    reference().as_str()
                );
            }
            assert_eq!(icbu.counters().orders, u64::from(fault.has_effect()));
        }
    }
}

#[tokio::test]
async fn a_search_reads_every_page_and_proves_nothing_by_half() {
    let world = shop().await;
    let icbu = &world.simulators.icbu;
    let mut settings = icbu.settings();
    settings.orders_per_page = 2;
    icbu.set_settings(settings.clone());
    icbu.set_stock(PRODUCT, PRODUCT * 10 + 1, "CN", 100)
        .unwrap();
    buy(&world, 1).await.unwrap();
    world.pass(Duration::from_secs(1));
    // Other purchases after ours, which fill the first pages.
    for number in 2..8 {
        let other = kervan::domain::Reference::of(&"ebay:main/01-1".parse().unwrap(), number);
        let terms = quote(&world.account, goods(), 1, "US").await.unwrap();
        let lines = [line(goods(), 1, &terms)];
        let request = kervan::marketplaces::PlaceRequest {
            reference: &other,
            lines: &lines,
            buyer: &buyer(),
            not_after: jiff::Timestamp::MAX,
        };
        world.account.buy().unwrap().place(&request).await.unwrap();
        world.pass(Duration::from_secs(1));
    }
    let found = look_up(&world).await.unwrap().unwrap();
    assert_eq!(found.supplier_orders.len(), 1);
    assert!(icbu.counters().calls["/alibaba/order/list"] >= 4);

    icbu.fail_next(IcbuOperation::OrderList, Fault::ServerError, 1);
    assert_eq!(look_up(&world).await.unwrap_err().kind, Kind::Unavailable);
    settings.reference_shown = ReferenceShown::Nowhere;
    icbu.set_settings(settings);
    let error = look_up(&world).await.unwrap_err();
    assert_eq!(
        (error.retry, &*error.code),
        (Retry::Person, "reference-not-shown")
    );
}

#[tokio::test]
async fn goods_are_sent_from_where_they_lie_and_a_carrier_goes() {
    let world = World::icbu(|_| ()).await;
    let icbu = &world.simulators.icbu;
    let mut product = IcbuProduct::simple(PRODUCT, "c8G3==", "3.69", "CN", 9);
    product.carriers[0].from = "US".to_owned();
    product.skus[0].stock.insert("US".to_owned(), 4);
    product.carriers.push(IcbuCarrier {
        code: "CHEAP".to_owned(),
        from: "US".to_owned(),
        fee: "3.0".to_owned(),
        days: "3~9".to_owned(),
    });
    icbu.add_product(product).unwrap();
    let terms = quote(&world.account, goods(), 3, "US").await.unwrap();
    let terms = &terms.lines[0];
    // None goes from China, so it is asked again from the United States.
    assert_eq!(
        (terms.shipping_option.as_str(), terms.stock),
        ("US/CHEAP", 4)
    );
    assert_eq!(icbu.counters().calls["/order/freight/calculate"], 2);
    // Five units lie in China only, from where nothing goes.
    let error = quote(&world.account, goods(), 5, "US").await.unwrap_err();
    assert_eq!(error.kind, Kind::NotDeliverable);
    // Ten lie nowhere: the stock says so.
    let terms = quote(&world.account, goods(), 10, "US").await.unwrap();
    assert_eq!(
        (
            terms.lines[0].stock,
            terms.lines[0].shipping_option.as_str()
        ),
        (9, "")
    );
}

#[tokio::test]
async fn the_united_kingdom_is_gb_and_stock_is_what_one_place_has() {
    let world = shop().await;
    let stock = world.account.read_stock().unwrap();
    assert_eq!(stock.products_at_once(), 1);
    let offers = [goods(), offer(PRODUCT, "7"), offer(5, "5")];
    let seen = stock.stock(&offers, &"UK".parse().unwrap()).await.unwrap();
    let evidence = seen[0].as_ref().unwrap().as_ref().unwrap();
    assert_eq!((evidence.stock, evidence.cost.minor), (9, 370));
    assert_eq!(seen[1], Ok(None));
    assert_eq!(seen[2], Ok(None));
    assert!(quote(&world.account, goods(), 1, "UK").await.is_ok());
}

#[tokio::test]
async fn lines_of_two_sellers_are_two_purchases() {
    let world = shop().await;
    let other = IcbuProduct::simple(7, "other==", "1.00", "CN", 9);
    world.simulators.icbu.add_product(other).unwrap();
    let ours = line(
        goods(),
        1,
        &quote(&world.account, goods(), 1, "US").await.unwrap(),
    );
    let theirs = offer(7, "71");
    let theirs = line(
        theirs.clone(),
        1,
        &quote(&world.account, theirs, 1, "US").await.unwrap(),
    );
    let buy = world.account.buy().unwrap();
    assert!(buy.takes_together(std::slice::from_ref(&ours), &ours));
    assert!(!buy.takes_together(std::slice::from_ref(&ours), &theirs));
    let error = place(&world.account, &[ours, theirs], &buyer())
        .await
        .unwrap_err();
    assert_eq!(
        (error.effect, &*error.code),
        (Effect::None, "several-sellers")
    );
    assert_eq!(world.simulators.icbu.counters().orders, 0);
}

#[tokio::test]
async fn a_refusal_is_known_to_have_no_effect_in_json_and_in_xml() {
    for xml in [false, true] {
        let world = shop().await;
        let icbu = &world.simulators.icbu;
        let mut settings = icbu.settings();
        settings.errors_in_xml = xml;
        icbu.set_settings(settings);
        icbu.fail_next(IcbuOperation::OrderCreate, Fault::TooManyRequests, 1);
        let error = buy(&world, 1).await.unwrap_err();
        assert_eq!((error.kind, error.effect), (Kind::Throttled, Effect::None));
        assert_eq!(error.retry, Retry::After(Duration::from_secs(2)));
        let terms = quote(&world.account, goods(), 9, "US").await.unwrap();
        icbu.set_stock(PRODUCT, PRODUCT * 10 + 1, "CN", 1).unwrap();
        let error = place(&world.account, &[line(goods(), 9, &terms)], &buyer()).await;
        let error = error.unwrap_err();
        assert_eq!((error.kind, error.effect), (Kind::OutOfStock, Effect::None));
        let mut wrong = line(goods(), 1, &terms);
        wrong.shipping_option = "CN/BROWSING_EX_ASP_JYC_FEDEX".to_owned();
        let error = place(&world.account, &[wrong], &buyer()).await.unwrap_err();
        assert_eq!((error.effect, &*error.code), (Effect::None, "4028"));
        assert_eq!(icbu.counters().orders, 0);
    }
}

#[tokio::test]
async fn tokens_are_renewed_when_they_end_or_are_refused() {
    let world = shop().await;
    let look = async || quote(&world.account, goods(), 1, "US").await;
    look().await.unwrap();
    world.pass(Duration::from_secs(864_000 - 60));
    look().await.unwrap();
    world.simulators.icbu.expire_access_tokens();
    look().await.unwrap();
    let counters = world.simulators.icbu.counters();
    assert_eq!((counters.refreshes, counters.refresh_races), (3, 0));
    world.simulators.icbu.revoke_consent();
    for _ in 0..2 {
        assert_eq!(look().await.unwrap_err().kind, Kind::ConsentEnded);
    }
    let calls = world.simulators.icbu.counters().calls["/auth/token/refresh"];
    assert_eq!(calls, 4, "an ended consent is not asked for again");
}

#[tokio::test]
async fn closed_orders_and_pushes_are_understood() {
    let world = shop().await;
    let placed = buy(&world, 1).await.unwrap();
    let id = &placed.supplier_orders[0];
    let pushes = world.simulators.icbu.take_due_pushes(world.now());
    assert_eq!(pushes.len(), 2, "ordered and paid");
    let door = world.account.verify_pushes().unwrap();
    for push in &pushes {
        let body = Bytes::from(push.body.to_vec());
        let taken = door
            .verify(Unverified::new(push.headers.clone(), body))
            .await;
        let signals = taken.unwrap();
        assert_eq!(
            signals[0].kind,
            SignalKind::SupplierOrderChanged(id.clone())
        );
        let changed = [b" ", &push.body[..]].concat();
        let refused = door
            .verify(Unverified::new(push.headers.clone(), changed.into()))
            .await;
        assert_eq!(refused.unwrap_err().status, 401, "not one byte more");
    }
    world.pass(Duration::from_secs(90_000));
    let old = Unverified::new(
        pushes[0].headers.clone(),
        Bytes::from(pushes[0].body.to_vec()),
    );
    assert_eq!(
        door.verify(old).await.unwrap_err().status,
        401,
        "an old push is refused"
    );
    let number: u64 = id.as_str().parse().unwrap();
    for (status, code) in [
        (TradeStatus::TradeClose, "trade_close"),
        (TradeStatus::Frozen, "frozen"),
    ] {
        world.simulators.icbu.set_status(number, status).unwrap();
        let code = code.to_owned();
        assert_eq!(state(&world, id).await, SupplierState::Closed { code });
    }
}

#[tokio::test]
async fn an_examination_says_what_is_wrong() {
    let good =
        |verdicts: &[(&str, Verdict)]| verdicts.iter().all(|(_, verdict)| *verdict != Verdict::Bad);
    let examined = async |world: &World| -> Vec<(&'static str, Verdict)> {
        let findings = world.account.examine().unwrap().examine().await;
        assert!(
            findings
                .iter()
                .all(|finding| !finding.says.contains("Simulated"))
        );
        findings
            .iter()
            .map(|finding| (finding.what, finding.verdict))
            .collect()
    };
    let world = shop().await;
    let found = examined(&world).await;
    assert!(
        found.contains(&("token", Verdict::Good)) && found.contains(&("permission", Verdict::Good))
    );
    // The simulator's clock is not the machine's, by which the answer is dated.
    assert!(good(
        &found
            .into_iter()
            .filter(|(what, _)| *what != "clock")
            .collect::<Vec<_>>()
    ));
    world.simulators.icbu.revoke_consent();
    assert!(
        examined(&world)
            .await
            .contains(&("permission", Verdict::Bad))
    );
    let wrong = World::icbu(|secret| secret["app_secret"] = Value::from("wrong")).await;
    let found = examined(&wrong).await;
    assert!(
        found.contains(&("permission", Verdict::Bad))
            && found.contains(&("reachability", Verdict::Good))
    );
    let nowhere =
        World::icbu(|secret| secret["environment"] = Value::from("http://127.0.0.1:9")).await;
    assert!(
        examined(&nowhere)
            .await
            .contains(&("reachability", Verdict::Bad))
    );
}
