//! A shop's roles against the simulator, over real connections, behind both gateways.

use crate::aliexpress::common::outside_of;
use crate::aliexpress::simulator::OneClock;
use kervan::{
    domain::{AccountId, Cancel, ChannelOrderId, ParcelLine, Payment, TrackingNumber},
    http::HttpClient,
    marketplaces::{
        CallError, ConfirmParcels, Effect, Kind, ParcelToConfirm, ReadOrders, Retry,
        aliexpress::Shop,
    },
    secrets::Secret,
};
use kervan_marketplaces::{
    AliExpress as Simulator, Clock as _, Fault, ManualClock, Money as Price, RateLimit, Simulators,
    SimulatorsConfig,
    aliexpress::{
        AliExpressOperation as Operation, NewListing, NewListingSku, NewSale, SaleStatus,
    },
    defaults,
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

pub(crate) const GATEWAYS: [(&str, Option<&str>); 3] =
    [("sync", None), ("top", Some("md5")), ("top", Some("hmac"))];
pub(crate) const CUP: u64 = 1_005_001;
pub(crate) const LID: u64 = 1_005_002;

pub(crate) struct World {
    pub(crate) simulators: Simulators,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) shop: Shop,
}

impl World {
    pub(crate) async fn start(gateway: &str, sign_method: Option<&str>) -> Self {
        // Half an hour before the clocks go back in Los Angeles.
        Self::start_at("2026-11-01T08:30:00Z", gateway, sign_method).await
    }

    pub(crate) async fn start_at(now: &str, gateway: &str, sign_method: Option<&str>) -> Self {
        let clock = Arc::new(ManualClock::new(now.parse().unwrap()));
        let config = SimulatorsConfig {
            clock: clock.clone(),
            hang_ms: 3_000,
            push_tick_ms: 3_600_000,
            ..SimulatorsConfig::default()
        };
        let simulators = Simulators::start(config).await.unwrap();
        let secret = json!({
            "environment": simulators.aliexpress_url(),
            "app_key": defaults::ALIEXPRESS_APP_KEY,
            "app_secret": defaults::ALIEXPRESS_APP_SECRET,
            "refresh_token": defaults::ALIEXPRESS_SHOP_REFRESH_TOKEN,
            "side": "seller", "gateway": gateway, "sign_method": sign_method,
        });
        let shop = Self::shop_of(&secret, &clock);
        for (product_id, codes) in [(CUP, ["CUP-RED", "CUP-BLUE"]), (LID, ["LID-1", "LID-2"])] {
            let skus = codes.map(|code| NewListingSku {
                sku_code: code.to_owned(),
                price: Price::usd(1_250),
                inventory: 500,
            });
            let skus = skus.to_vec();
            let new = NewListing { product_id, skus };
            simulators.aliexpress.add_listing(new).unwrap();
        }
        Self {
            simulators,
            clock,
            shop,
        }
    }

    fn shop_of(secret: &Value, clock: &Arc<ManualClock>) -> Shop {
        let http = Arc::new(HttpClient::new(Duration::from_millis(700)).unwrap());
        let outside = outside_of(http, Arc::new(OneClock(clock.clone())));
        let secret = Secret::new(secret.to_string());
        Shop::new(account(), &secret, outside).unwrap()
    }

    pub(crate) const fn marketplace(&self) -> &Simulator {
        &self.simulators.aliexpress
    }

    pub(crate) fn now(&self) -> jiff::Timestamp {
        kervan_marketplaces::Clock::now(&*self.clock)
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// A paid order of these units.
    pub(crate) fn sold(&self, lines: &[(&str, u32)]) -> (u64, ChannelOrderId) {
        let lines = lines
            .iter()
            .map(|(code, units)| ((*code).to_owned(), *units));
        let sale = NewSale {
            buyer: None,
            lines: lines.collect(),
            paid: true,
        };
        let id = self.marketplace().sell(sale).unwrap();
        (id, ChannelOrderId::parse(&id.to_string()).unwrap())
    }

    async fn parcel(&self, id: &ChannelOrderId, carrier: &str, number: &str) -> ParcelToConfirm {
        let order = self.shop.order(id).await.unwrap();
        let lines = order.details.lines.into_iter().map(|line| ParcelLine {
            line: line.id,
            quantity: line.quantity,
        });
        ParcelToConfirm {
            tracking_number: TrackingNumber::parse(number).unwrap(),
            carrier: carrier.to_owned(),
            lines: lines.collect(),
            shipped_at: self.now(),
            not_after: jiff::Timestamp::MAX,
        }
    }

    pub(crate) fn shown(&self, code: &str) -> (u32, i64) {
        let listings = self.marketplace().listings();
        let found = listings.iter().find(|sku| sku.sku_code == code).unwrap();
        (found.inventory, found.price.cents)
    }
}

pub(crate) fn account() -> AccountId {
    "aliexpress:shop".parse().unwrap()
}

pub(crate) fn axes(error: &CallError) -> (Kind, Effect) {
    (error.kind, error.effect)
}

#[tokio::test]
async fn an_order_goes_its_whole_way_behind_every_gateway() {
    for (gateway, sign_method) in GATEWAYS {
        let world = World::start(gateway, sign_method).await;
        let began = world.now();
        let sale = NewSale {
            buyer: None,
            lines: vec![("CUP-RED".to_owned(), 2), ("LID-1".to_owned(), 1)],
            paid: false,
        };
        let number = world.marketplace().sell(sale).unwrap();
        let id = ChannelOrderId::parse(&number.to_string()).unwrap();
        let order = world.shop.order(&id).await.unwrap();
        assert_eq!(order.details.payment, Payment::Pending);
        world.pass(5);
        let paid = SaleStatus::WaitSellerSendGoods;
        world
            .marketplace()
            .set_sale_status(number, paid, None)
            .unwrap();
        let page = world.shop.changed(began, world.now(), None).await.unwrap();
        assert_eq!(page.orders, [(id.clone(), world.now())]);
        assert_eq!(page.next, None);

        let order = world.shop.order(&id).await.unwrap();
        let details = &order.details;
        assert_eq!(
            (details.payment, details.cancel),
            (Payment::Paid, Cancel::No)
        );
        assert_eq!(
            (details.bought_at, details.modified_at),
            (began, world.now())
        );
        assert_eq!((details.total.minor, details.fee.minor), (3_750, 300));
        assert_eq!(
            (&*details.lines[0].sku, details.lines[0].quantity),
            ("CUP-RED", 2)
        );
        assert_eq!(details.lines[0].price.minor, 2_500);
        let sale = world.marketplace().sale(number).unwrap();
        let buyer = order.buyer.unwrap();
        assert_eq!(buyer.name, sale.buyer.full_name);
        assert_eq!(buyer.address.line1, sale.buyer.address_line1);
        assert_eq!(buyer.address.country.as_str(), "US");
        assert_eq!(buyer.phone, format!("+1{}", sale.buyer.phone));

        let parcel = world
            .parcel(&id, "CAINIAO_STANDARD", "LP00123456789012")
            .await;
        let tracking = parcel.tracking_number.clone();
        assert_eq!(world.shop.is_confirmed(&id, &tracking).await, Ok(false));
        world.shop.confirm(&id, &parcel).await.unwrap();
        assert_eq!(world.shop.is_confirmed(&id, &tracking).await, Ok(true));
        let shipment = world
            .marketplace()
            .sale(number)
            .unwrap()
            .shipments
            .remove(0);
        assert_eq!(
            (&*shipment.service_name, &*shipment.send_type),
            ("CAINIAO_STANDARD", "all")
        );
        assert!(world.shop.order(&id).await.unwrap().details.fulfilled);
        assert_eq!(world.marketplace().counters().bad_signatures, 0);
        let again = world.shop.confirm(&id, &parcel).await.unwrap_err();
        assert_eq!(
            (axes(&again), again.retry),
            ((Kind::Refused, Effect::None), Retry::Permanent)
        );
    }
}

#[tokio::test]
async fn a_cancelled_order_is_read_as_one() {
    let world = World::start("sync", None).await;
    let (number, id) = world.sold(&[("CUP-RED", 1)]);
    let cancel = async |status, reason| {
        world
            .marketplace()
            .set_sale_status(number, status, reason)
            .unwrap();
        world.shop.order(&id).await.unwrap().details.cancel
    };
    assert_eq!(cancel(SaleStatus::InCancel, None).await, Cancel::Requested);
    assert_eq!(
        cancel(SaleStatus::Finish, Some("cancel_order_close_trade")).await,
        Cancel::Done
    );
    let unpaid = world
        .marketplace()
        .set_sale_status(number, SaleStatus::RiskControl, None);
    unpaid.unwrap();
    let order = world.shop.order(&id).await.unwrap();
    assert_eq!(order.details.payment, Payment::Pending, "its money is held");
    let parcel = world.parcel(&id, "China Post", "RR123456785CN").await;
    let early = world.shop.confirm(&id, &parcel).await.unwrap_err();
    assert_eq!(axes(&early), (Kind::Refused, Effect::None));
    let unknown = ChannelOrderId::parse("99").unwrap();
    assert_eq!(
        world.shop.order(&unknown).await.unwrap_err().kind,
        Kind::NotFound
    );
}

#[tokio::test]
async fn every_changed_order_is_found_over_all_pages_and_over_the_hour_that_comes_twice() {
    for gateway in ["sync", "top"] {
        let world = World::start(gateway, None).await;
        let began = world.now();
        let mut sold = BTreeSet::new();
        // 130 orders in 130 minutes, an hour of which comes twice.
        for _ in 0..130 {
            sold.insert(world.sold(&[("CUP-RED", 1)]).1);
            world.pass(60);
        }
        let (mut found, mut page, mut pages) = (BTreeSet::new(), None, 0);
        loop {
            let read = world
                .shop
                .changed(began, world.now(), page.as_deref())
                .await;
            let read = read.unwrap();
            pages += 1;
            for (id, at) in read.orders {
                assert!(found.insert(id), "no order comes twice");
                assert!(at <= world.now());
            }
            match read.next {
                Some(next) => page = Some(next),
                None => break,
            }
        }
        assert_eq!((found, pages), (sold, 3));
        // Short spans inside of the hour find what lies in them, whichever hour it is.
        let (_, last) = world.sold(&[("CUP-RED", 1)]);
        let span = world
            .shop
            .changed(world.now(), world.now(), None)
            .await
            .unwrap();
        assert!(span.orders.iter().any(|(id, _)| *id == last));
        let none = world.shop.changed(
            world.now() + Duration::from_secs(5),
            world.now() + Duration::from_secs(9),
            None,
        );
        assert!(none.await.unwrap().orders.is_empty());
    }
}

#[tokio::test]
async fn an_order_that_changes_between_two_pages_hides_no_other() {
    let world = World::start_at("2026-12-01T08:30:00Z", "sync", None).await;
    let began = world.now();
    let mut sold = BTreeSet::new();
    let mut newest = 0;
    for _ in 0..120 {
        let (number, id) = world.sold(&[("CUP-RED", 1)]);
        newest = number;
        sold.insert(id);
        world.pass(1);
    }
    let until = world.now();
    let (mut found, mut page) = (BTreeSet::new(), None);
    loop {
        let read = world.shop.changed(began, until, page.as_deref()).await;
        let read = read.unwrap();
        found.extend(read.orders.into_iter().map(|(id, _)| id));
        // The first of the first page changes after the end of the span.
        world.pass(1);
        let status = SaleStatus::InCancel;
        let changed = world.marketplace().set_sale_status(newest, status, None);
        changed.unwrap();
        match read.next {
            Some(next) => page = Some(next),
            None => break,
        }
    }
    assert_eq!(found, sold);
    world.pass(3_600);
    let past = world.shop.changed(began, until, None).await.unwrap();
    assert!(
        past.orders.iter().all(|(_, at)| *at <= until),
        "a span of the past is closed"
    );
}

#[tokio::test]
async fn a_part_is_declared_as_one_and_a_number_that_is_refused_with_another_service() {
    let world = World::start("sync", None).await;
    let (number, id) = world.sold(&[("CUP-RED", 2), ("LID-1", 1)]);
    let mut parcel = world.parcel(&id, "Yanwen", "RR123456785CN").await;
    parcel.lines.truncate(1);
    world.shop.confirm(&id, &parcel).await.unwrap();
    let shipment = world
        .marketplace()
        .sale(number)
        .unwrap()
        .shipments
        .remove(0);
    // The shop's own list shows a pattern that fits, and its check refuses the number all the same.
    assert_eq!(
        (&*shipment.service_name, &*shipment.send_type),
        ("Other", "part")
    );
    assert!(!world.shop.order(&id).await.unwrap().details.fulfilled);
    let calls = world.marketplace().counters().calls;
    assert_eq!(calls[Operation::SolutionOrderFulfill.name()], 2);
    parcel.tracking_number = TrackingNumber::parse("UE123456789YP").unwrap();
    world.shop.confirm(&id, &parcel).await.unwrap();
    let shipments = world.marketplace().sale(number).unwrap().shipments;
    assert_eq!(shipments[1].service_name, "YANWEN_AM");
    let calls = world.marketplace().counters().calls;
    assert_eq!(
        calls[Operation::ListLogisticsService.name()],
        1,
        "the list is kept"
    );
}

#[tokio::test]
async fn the_last_of_two_parcels_ends_the_order() {
    let world = World::start("sync", None).await;
    let (number, id) = world.sold(&[("CUP-RED", 1), ("LID-1", 1)]);
    let whole = world.parcel(&id, "Cainiao", "LP00123456789012").await;
    for (place, tracking) in ["LP00123456789012", "LP00123456789013"].iter().enumerate() {
        let parcel = ParcelToConfirm {
            tracking_number: TrackingNumber::parse(tracking).unwrap(),
            lines: vec![whole.lines[place].clone()],
            ..whole.clone()
        };
        world.shop.confirm(&id, &parcel).await.unwrap();
    }
    let shipments = world.marketplace().sale(number).unwrap().shipments;
    let types: Vec<_> = shipments.iter().map(|sent| &*sent.send_type).collect();
    assert_eq!(types, ["part", "all"]);
    assert!(world.shop.order(&id).await.unwrap().details.fulfilled);
}

#[tokio::test]
async fn whatever_happens_to_the_answer_a_parcel_is_declared_once() {
    for gateway in ["sync", "top"] {
        for fault in [
            Fault::Refused,
            Fault::TooManyRequests,
            Fault::ServerError,
            Fault::ServerErrorAfter,
            Fault::TimeoutAfter,
            Fault::MalformedBody,
            Fault::HtmlErrorPage,
            Fault::TimeoutBefore,
        ] {
            let world = World::start(gateway, None).await;
            let (number, id) = world.sold(&[("CUP-RED", 1)]);
            let parcel = world.parcel(&id, "China Post", "RR123456785CN").await;
            world
                .marketplace()
                .fail_next(Operation::SolutionOrderFulfill, fault, 1);
            let error = world.shop.confirm(&id, &parcel).await.unwrap_err();
            let effect = match fault {
                Fault::TooManyRequests => Effect::None,
                _ => Effect::Unknown,
            };
            assert_eq!(error.effect, effect, "{gateway} {fault:?}: {error}");
            let confirmed = world.shop.is_confirmed(&id, &parcel.tracking_number).await;
            assert_eq!(confirmed, Ok(fault.has_effect()), "{gateway} {fault:?}");
            if !fault.has_effect() {
                world.shop.confirm(&id, &parcel).await.unwrap();
            }
            let told = format!("{number}/RR123456785CN");
            assert_eq!(world.marketplace().counters().shipments[&told], 1);
        }
    }
    let world = World::start("sync", None).await;
    let (number, id) = world.sold(&[("CUP-RED", 1)]);
    let mut parcel = world.parcel(&id, "China Post", "RR123456785CN").await;
    parcel.not_after = world.now();
    assert_eq!(
        world.shop.confirm(&id, &parcel).await.unwrap_err().kind,
        Kind::TooLate
    );
    assert!(
        world
            .marketplace()
            .sale(number)
            .unwrap()
            .shipments
            .is_empty()
    );
}

#[tokio::test]
async fn the_shops_tokens_are_its_own() {
    let world = World::start("sync", None).await;
    let (_, id) = world.sold(&[("CUP-RED", 1)]);
    world.shop.order(&id).await.unwrap();
    world.marketplace().expire_access_tokens();
    world.shop.order(&id).await.unwrap();
    let counters = world.marketplace().counters();
    assert_eq!((counters.refreshes, counters.refresh_races), (2, 0));
    // A buyer's consent does not open a shop.
    let secret = json!({
        "environment": world.simulators.aliexpress_url(),
        "app_key": defaults::ALIEXPRESS_APP_KEY,
        "app_secret": defaults::ALIEXPRESS_APP_SECRET,
        "refresh_token": defaults::ALIEXPRESS_REFRESH_TOKEN,
        "side": "seller",
    });
    let other = World::shop_of(&secret, &world.clock);
    assert_eq!(
        other.order(&id).await.unwrap_err().kind,
        Kind::Misconfigured
    );
    world.marketplace().revoke_consent();
    world.pass(86_400);
    assert_eq!(
        world.shop.order(&id).await.unwrap_err().kind,
        Kind::ConsentEnded
    );
}

#[tokio::test]
async fn a_ban_of_the_old_gateway_says_when_to_come_again() {
    let world = World::start("top", None).await;
    let (_, id) = world.sold(&[("CUP-RED", 1)]);
    let limit = RateLimit {
        calls: 1,
        per_ms: 1_000,
    };
    let operation = Operation::SolutionOrderInfoGet;
    world.marketplace().set_rate_limit(operation, Some(limit));
    world.shop.order(&id).await.unwrap();
    let error = world.shop.order(&id).await.unwrap_err();
    let wait = Retry::After(Duration::from_secs(2));
    assert_eq!((error.kind, error.retry), (Kind::Throttled, wait));
    world.pass(2);
    world.shop.order(&id).await.unwrap();
}
