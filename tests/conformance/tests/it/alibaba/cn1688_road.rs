//! The roles against the simulator of 1688, over real connections and on one clock that is moved by hand.

use crate::alibaba::common::{World, buyer, buyer_in_china, line, offer, place, quote, reference};
use bytes::Bytes;
use kervan::{
    domain::{OfferId, SignalKind, SupplierOrderId},
    marketplaces::{CallError, Effect, Kind, Placed, Retry, SupplierState, Unverified, Verdict},
};
use kervan_marketplaces::{
    Fault,
    alibaba::cn1688::{Cn1688Operation, Cn1688Product, Cn1688Settings, Cn1688Sku, Cn1688Status},
};
use serde_json::json;
use std::time::Duration;

const OFFER: u64 = 554_456_348_334;
const SPEC: &str = "b266e0726506185beaf205cbae88530d";
const SETTLED: Duration = Duration::from_secs(300);

fn goods() -> OfferId {
    offer(OFFER, SPEC)
}

async fn shop() -> World {
    let world = World::cn1688(|_| ()).await;
    stock(&world);
    world
}

fn stock(world: &World) {
    let product = Cn1688Product::simple(OFFER, "seller-1", SPEC, 1_805, 9);
    world.simulators.cn1688.add_product(product).unwrap();
}

fn set(world: &World, change: impl FnOnce(&mut Cn1688Settings)) {
    let mut settings = world.simulators.cn1688.settings();
    change(&mut settings);
    world.simulators.cn1688.set_settings(settings);
}

async fn buy(world: &World, quantity: u32) -> Result<Placed, CallError> {
    let terms = quote(&world.account, goods(), quantity, "CN")
        .await
        .unwrap();
    let lines = [line(goods(), quantity, &terms)];
    place(&world.account, &lines, &buyer_in_china()).await
}

async fn look_up(world: &World) -> Result<Option<Placed>, CallError> {
    let since = world.now() - SETTLED;
    let buy = world.account.buy().unwrap();
    buy.look_up(&reference(), since).await
}

fn number(id: &SupplierOrderId) -> u64 {
    id.as_str().parse().unwrap()
}

#[tokio::test]
async fn a_purchase_goes_its_whole_way_to_a_buyer_in_china() {
    let world = World::cn1688(|secret| secret["pay"] = json!("alipay")).await;
    stock(&world);
    let terms = quote(&world.account, goods(), 2, "CN").await.unwrap();
    let terms = &terms.lines[0];
    assert_eq!(terms.unit_cost.to_string(), "18.05 CNY");
    assert_eq!(terms.shipping.to_string(), "8.00 CNY");
    assert_eq!(
        (terms.shipping_option.as_str(), terms.stock),
        ("assureTrade", 9)
    );

    let placed = buy(&world, 2).await.unwrap();
    let id = &placed.supplier_orders[0];
    assert!(number(id) > 1 << 53, "a number that no double holds");
    let order = world.simulators.cn1688.order(number(id)).unwrap();
    assert_eq!(order.out_order_id.as_deref(), Some(reference().as_str()));
    assert_eq!(order.message, reference().as_str());
    assert_eq!(
        (order.address["mobile"].as_str(), order.trade_type.as_str()),
        (Some("13800000000"), "assureTrade")
    );
    assert_eq!(world.simulators.cn1688.counters().payments, 1);
    world.pass(Duration::from_secs(5));
    let buy = world.account.buy().unwrap();
    assert_eq!(
        buy.supplier_order(id).await.unwrap().state,
        SupplierState::Processing
    );
    world.simulators.cn1688.ship(number(id), 1).unwrap();
    let order = buy.supplier_order(id).await.unwrap();
    assert_eq!(
        (order.state, order.parcels.len()),
        (SupplierState::Shipped, 1)
    );
    let content = &order.parcels[0].contents[0];
    assert_eq!(
        (content.variant.as_deref(), content.quantity),
        (Some(SPEC), 2)
    );
    assert!(order.parcels[0].carrier.contains("ZTO"));
    set(&world, |settings| settings.number_in_trace_only = true);
    assert_eq!(buy.supplier_order(id).await.unwrap().parcels, order.parcels);
    world.simulators.cn1688.deliver(number(id)).unwrap();
    let order = buy.supplier_order(id).await.unwrap();
    assert_eq!(order.state, SupplierState::Delivered);
    assert!(order.parcels[0].delivered);
    assert_eq!(world.simulators.cn1688.counters().bad_signatures, 0);
}

#[tokio::test]
async fn parcels_to_a_forwarder_are_no_customers_parcels() {
    let world = World::cn1688(|secret| secret["ship_to"] = json!("forwarder")).await;
    stock(&world);
    let terms = quote(&world.account, goods(), 1, "US").await.unwrap();
    let placed = place(&world.account, &[line(goods(), 1, &terms)], &buyer())
        .await
        .unwrap();
    let id = &placed.supplier_orders[0];
    let order = world.simulators.cn1688.order(number(id)).unwrap();
    assert_eq!(order.address["fullName"], "仓库 KV-1");
    assert!(
        !order.address.to_string().contains("Jane"),
        "no buyer's data goes to China"
    );
    world.pass(Duration::from_secs(5));
    world.simulators.cn1688.pay(number(id)).unwrap();
    world.simulators.cn1688.ship(number(id), 1).unwrap();
    let buy = world.account.buy().unwrap();
    let order = buy.supplier_order(id).await.unwrap();
    assert_eq!(
        (order.state, order.parcels.len()),
        (SupplierState::Shipped, 0)
    );
    world.simulators.cn1688.deliver(number(id)).unwrap();
    let order = buy.supplier_order(id).await.unwrap();
    assert_eq!(
        (order.state, order.parcels.len()),
        (SupplierState::Delivered, 0)
    );
}

#[tokio::test]
async fn an_order_that_is_split_has_all_its_numbers_and_parcels_their_lines() {
    let world = shop().await;
    let cn1688 = &world.simulators.cn1688;
    let spec = "2ba3d63866a71fbae83909d9b4814f01";
    let other = offer(7, spec);
    cn1688
        .add_product(Cn1688Product {
            part: 1,
            ..Cn1688Product::simple(7, "seller-1", spec, 100, 9)
        })
        .unwrap();
    let first = line(
        goods(),
        1,
        &quote(&world.account, goods(), 1, "CN").await.unwrap(),
    );
    let second = line(
        other.clone(),
        3,
        &quote(&world.account, other, 3, "CN").await.unwrap(),
    );
    assert!(
        world
            .account
            .buy()
            .unwrap()
            .takes_together(std::slice::from_ref(&first), &second)
    );
    let placed = place(&world.account, &[first, second], &buyer_in_china())
        .await
        .unwrap();
    assert_eq!(placed.supplier_orders.len(), 2);
    world.pass(SETTLED);
    let mut found = look_up(&world).await.unwrap().unwrap().supplier_orders;
    let mut ids = placed.supplier_orders;
    found.sort();
    ids.sort();
    assert_eq!(found, ids, "both parts are found");
    assert_eq!(
        cn1688.counters().purchases_by_out_order_id[reference().as_str()],
        1
    );
}

#[tokio::test]
async fn an_order_of_two_lines_is_sent_in_parts() {
    let world = World::cn1688(|_| ()).await;
    let spec = "2ba3d63866a71fbae83909d9b4814f01";
    let mut product = Cn1688Product::simple(OFFER, "seller-1", SPEC, 1_805, 9);
    product.skus.push(Cn1688Sku {
        spec_id: spec.to_owned(),
        sku_id: 5,
        price_fen: 100,
        stock: 9,
    });
    world.simulators.cn1688.add_product(product).unwrap();
    let other = offer(OFFER, spec);
    let lines = [
        line(
            goods(),
            1,
            &quote(&world.account, goods(), 1, "CN").await.unwrap(),
        ),
        line(
            other.clone(),
            3,
            &quote(&world.account, other, 3, "CN").await.unwrap(),
        ),
    ];
    let placed = place(&world.account, &lines, &buyer_in_china())
        .await
        .unwrap();
    let id = &placed.supplier_orders[0];
    world.pass(Duration::from_secs(5));
    world.simulators.cn1688.pay(number(id)).unwrap();
    let buy = world.account.buy().unwrap();
    world.simulators.cn1688.ship(number(id), 1).unwrap();
    let order = buy.supplier_order(id).await.unwrap();
    assert_eq!(
        (order.state, order.parcels.len()),
        (SupplierState::PartlyShipped, 1)
    );
    world.simulators.cn1688.ship(number(id), 1).unwrap();
    let order = buy.supplier_order(id).await.unwrap();
    assert_eq!(
        (order.state, order.parcels.len()),
        (SupplierState::Shipped, 2)
    );
    let content = &order.parcels[1].contents[0];
    assert_eq!(
        (content.variant.as_deref(), content.quantity),
        (Some(spec), 3)
    );
}

#[tokio::test]
async fn whatever_happens_to_the_answer_the_search_tells_whether_it_was_bought() {
    for fault in [
        Fault::ServerErrorAfter,
        Fault::TimeoutAfter,
        Fault::MalformedBody,
        Fault::ServerError,
        Fault::HtmlErrorPage,
        Fault::TimeoutBefore,
    ] {
        let world = shop().await;
        world
            .simulators
            .cn1688
            .fail_next(Cn1688Operation::CreateOrder, fault, 1);
        let error = buy(&world, 1).await.unwrap_err();
        assert_eq!(error.effect, Effect::Unknown, "{fault:?}: {error}");
        world.pass(SETTLED);
        let found = look_up(&world).await.unwrap();
        assert_eq!(found.is_some(), fault.has_effect(), "{fault:?}");
        assert_eq!(
            world.simulators.cn1688.counters().orders,
            u64::from(fault.has_effect())
        );
    }
}

#[tokio::test]
async fn a_search_that_is_not_one_finds_nothing_that_is_not_ours() {
    let world = shop().await;
    let others = kervan::domain::Reference::of(&"ebay:main/09-9".parse().unwrap(), 1);
    let terms = quote(&world.account, goods(), 1, "CN").await.unwrap();
    let lines = [line(goods(), 1, &terms)];
    let request = kervan::marketplaces::PlaceRequest {
        reference: &others,
        lines: &lines,
        buyer: &buyer_in_china(),
        not_after: jiff::Timestamp::MAX,
    };
    world.account.buy().unwrap().place(&request).await.unwrap();
    world.pass(Duration::from_secs(5));
    set(&world, |settings| settings.searches_references = false);
    assert_eq!(
        look_up(&world).await.unwrap(),
        None,
        "another's order is not ours"
    );
    set(&world, |settings| settings.shows_references = false);
    let error = look_up(&world).await.unwrap_err();
    assert_eq!(
        (error.retry, &*error.code),
        (Retry::Person, "reference-not-shown")
    );
    world
        .simulators
        .cn1688
        .fail_next(Cn1688Operation::OrderList, Fault::MalformedBody, 1);
    assert_eq!(look_up(&world).await.unwrap_err().kind, Kind::Unreadable);
}

#[tokio::test]
async fn a_number_beside_a_flag_that_says_no_is_an_order() {
    let world = shop().await;
    set(&world, |settings| settings.odd_success_flag = true);
    let placed = buy(&world, 1).await.unwrap();
    let order = world
        .simulators
        .cn1688
        .order(number(&placed.supplier_orders[0]))
        .unwrap();
    assert_eq!(order.status, Cn1688Status::WaitBuyerPay);
}

#[tokio::test]
async fn what_cannot_be_bought_by_call_is_no_offer_and_what_got_dearer_is_not_bought() {
    let world = shop().await;
    let terms = quote(&world.account, goods(), 1, "CN").await.unwrap();
    world
        .simulators
        .cn1688
        .set_price(OFFER, SPEC, 1_900)
        .unwrap();
    let lines = [line(goods(), 1, &terms)];
    let error = place(&world.account, &lines, &buyer_in_china())
        .await
        .unwrap_err();
    assert_eq!(
        (error.effect, &*error.code),
        (Effect::None, "dearer-than-quoted")
    );
    assert!(matches!(error.retry, Retry::After(wait) if wait > Duration::from_secs(600)));
    set(&world, |settings| {
        settings.trade_modes = vec!["creditBuy".to_owned()]
    });
    let error = quote(&world.account, goods(), 1, "CN").await.unwrap_err();
    assert_eq!(
        (error.kind, &*error.code),
        (Kind::NotFound, "no-trade-type")
    );
    let error = quote(&world.account, goods(), 1, "US").await.unwrap_err();
    assert_eq!(
        error.kind,
        Kind::NotDeliverable,
        "buyers abroad need a forwarder"
    );
    assert_eq!(world.simulators.cn1688.counters().orders, 0);
}

#[tokio::test]
async fn a_refusal_is_known_to_have_no_effect() {
    let world = shop().await;
    let cn1688 = &world.simulators.cn1688;
    cn1688.fail_next(Cn1688Operation::CreateOrder, Fault::TooManyRequests, 1);
    let error = buy(&world, 1).await.unwrap_err();
    assert_eq!((error.kind, error.effect), (Kind::Throttled, Effect::None));
    assert_eq!(error.retry, Retry::After(Duration::from_secs(10)));
    let terms = quote(&world.account, goods(), 9, "CN").await.unwrap();
    cn1688.set_stock(OFFER, SPEC, 1).unwrap();
    let lines = [line(goods(), 9, &terms)];
    let error = place(&world.account, &lines, &buyer_in_china())
        .await
        .unwrap_err();
    assert_eq!((error.kind, error.effect), (Kind::OutOfStock, Effect::None));
    set(&world, |settings| {
        settings.denied = vec!["alibaba.trade.createCrossOrder".to_owned()]
    });
    let error = buy(&world, 1).await.unwrap_err();
    assert_eq!(
        (error.kind, error.retry),
        (Kind::Misconfigured, Retry::Person)
    );
    assert_eq!(cn1688.counters().orders, 0);
}

#[tokio::test]
async fn stock_is_read_a_product_at_a_time_and_a_gone_variant_is_none() {
    let world = shop().await;
    let stock = world.account.read_stock().unwrap();
    assert_eq!(stock.products_at_once(), 1);
    let offers = [goods(), offer(OFFER, "00"), offer(5, SPEC)];
    let seen = stock.stock(&offers, &"US".parse().unwrap()).await.unwrap();
    let evidence = seen[0].as_ref().unwrap().as_ref().unwrap();
    assert_eq!(
        (evidence.stock, evidence.cost.to_string().as_str()),
        (9, "18.05 CNY")
    );
    assert_eq!((&seen[1], &seen[2]), (&Ok(None), &Ok(None)));
    world.simulators.cn1688.set_published(OFFER, false).unwrap();
    let seen = stock
        .stock(&offers[..1], &"US".parse().unwrap())
        .await
        .unwrap();
    assert_eq!(seen[0], Ok(None));
}

#[tokio::test]
async fn tokens_are_renewed_and_a_consent_that_ends_is_prolonged() {
    let world = World::cn1688(|secret| {
        secret["refresh_token_ends"] = json!("2027-05-01T00:00:00Z");
    })
    .await;
    stock(&world);
    let look = async || quote(&world.account, goods(), 1, "CN").await;
    look().await.unwrap();
    world.simulators.cn1688.expire_access_tokens();
    look().await.unwrap();
    assert_eq!(world.simulators.cn1688.counters().refreshes, 2);
    // Half a year less ten days on: the refresh token is in its last 30 days.
    world.pass(Duration::from_secs(15_552_000 - 864_000));
    look().await.unwrap();
    assert_eq!(world.simulators.cn1688.counters().postponed, 1);
    world.pass(Duration::from_secs(20 * 24 * 3600));
    look().await.unwrap();
    world.simulators.cn1688.revoke_consent();
    for _ in 0..2 {
        assert_eq!(look().await.unwrap_err().kind, Kind::ConsentEnded);
    }
}

#[tokio::test]
async fn messages_are_verified_and_those_that_nobody_took_are_read_again() {
    let world = shop().await;
    let placed = buy(&world, 1).await.unwrap();
    let id = &placed.supplier_orders[0];
    let cn1688 = &world.simulators.cn1688;
    cn1688.pay(number(id)).unwrap();
    cn1688.ship(number(id), 1).unwrap();
    let door = world.account.verify_pushes().unwrap();
    let changed = SignalKind::SupplierOrderChanged(id.clone());
    for _ in 0..3 {
        let pushes = cn1688.take_due_pushes(world.now());
        assert_eq!(pushes.len(), 4, "made, paid, sent, and its trace");
        for push in pushes {
            let body = Bytes::from(push.body.to_vec());
            let taken = door
                .verify(Unverified::new(push.headers.clone(), body))
                .await
                .unwrap();
            assert_eq!(taken.len(), 1);
            assert_eq!(taken[0].kind, changed);
            let text = String::from_utf8(push.body.to_vec()).unwrap();
            let forged = text.replacen("msgId", "msgID", 1);
            let refused = door
                .verify(Unverified::new(push.headers, forged.into()))
                .await;
            assert_eq!(refused.unwrap_err().status, 401);
            cn1688.push_answered(push.id, None);
        }
        world.pass(Duration::from_secs(60));
    }
    assert!(
        cn1688.take_due_pushes(world.now()).is_empty(),
        "given up after three"
    );
    let missed = world.account.pull_missed().unwrap();
    let page = missed.missed().await.unwrap();
    assert_eq!(page.len(), 4);
    assert!(page.iter().all(|missed| missed.signals[0].kind == changed));
    let ids: Vec<_> = page.iter().map(|missed| missed.id.clone()).collect();
    missed.take(&ids).await.unwrap();
    assert!(missed.missed().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_examination_says_what_is_wrong() {
    let examined = async |world: &World| -> Vec<(&'static str, Verdict)> {
        let findings = world.account.examine().unwrap().examine().await;
        findings
            .iter()
            .map(|finding| (finding.what, finding.verdict))
            .collect()
    };
    let world = World::cn1688(|secret| {
        secret["refresh_token_ends"] = json!("2026-11-05T00:00:00Z");
    })
    .await;
    let found = examined(&world).await;
    for expected in [
        ("reachability", Verdict::Good),
        ("token", Verdict::Good),
        ("permission", Verdict::Good),
        ("consent", Verdict::Warning),
        ("payment", Verdict::Warning),
    ] {
        assert!(
            found.contains(&expected),
            "{expected:?} is not in {found:?}"
        );
    }
    set(&world, |settings| {
        settings.denied = vec!["alibaba.trade.getBuyerOrderList".to_owned()]
    });
    assert!(
        examined(&world)
            .await
            .contains(&("permission", Verdict::Bad))
    );
}
