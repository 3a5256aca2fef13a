//! The roles against the simulator, over real connections and on one clock that is moved by hand.

use crate::aliexpress::common::{buyer, line, offer, purchase, reference, shop_with};
use bytes::Bytes;
use kervan::{
    clock::Clock,
    domain::{LineId, SignalKind, SupplierOrderId},
    http::HttpClient,
    marketplaces::{
        Buy, CallError, Effect, Kind, Placed, QuoteRequest, ReadStock, SupplierState, Unverified,
        VerifyPushes, Wanted, aliexpress::AliExpress,
    },
};
use kervan_marketplaces::{
    AliExpressConfig, Clock as _, Fault, ManualClock, Money, Simulators, SimulatorsConfig,
    aliexpress::{AliExpressOperation, AliExpressSettings, NewProduct, OrderCreateRoot},
    defaults,
};
use serde_json::json;
use std::{sync::Arc, time::Duration};

const PRODUCT: u64 = 1_005_002_704_149_141;

/// The simulator's clock, as Kervan asks it.
#[derive(Clone)]
pub(crate) struct OneClock(pub(crate) Arc<ManualClock>);

impl std::fmt::Debug for OneClock {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("OneClock")
    }
}

#[async_trait::async_trait]
impl Clock for OneClock {
    fn now(&self) -> jiff::Timestamp {
        kervan_marketplaces::Clock::now(&*self.0)
    }

    async fn sleep(&self, time: Duration) {
        kervan_marketplaces::Clock::advance(&*self.0, time);
    }
}

struct World {
    simulators: Simulators,
    clock: Arc<ManualClock>,
    shop: AliExpress,
}

impl World {
    async fn start() -> Self {
        let clock = Arc::new(ManualClock::new("2026-11-02T08:00:00Z".parse().unwrap()));
        let settings = AliExpressSettings {
            push_url: Some("http://127.0.0.1:9/".to_owned()),
            ..AliExpressSettings::default()
        };
        let config = SimulatorsConfig {
            clock: clock.clone(),
            hang_ms: 3_000,
            // Pushes are taken out by hand.
            push_tick_ms: 3_600_000,
            aliexpress: AliExpressConfig {
                settings,
                ..AliExpressConfig::default()
            },
            ..SimulatorsConfig::default()
        };
        let simulators = Simulators::start(config).await.unwrap();
        let secret = json!({
            "environment": simulators.aliexpress_url(),
            "app_key": defaults::ALIEXPRESS_APP_KEY,
            "app_secret": defaults::ALIEXPRESS_APP_SECRET,
            "refresh_token": defaults::ALIEXPRESS_REFRESH_TOKEN,
            "seller_id": defaults::ALIEXPRESS_SELLER_ID,
        });
        let http = Arc::new(HttpClient::new(Duration::from_millis(700)).unwrap());
        let shop = shop_with(&secret, http, Arc::new(OneClock(clock.clone())));
        let product = NewProduct::simple(PRODUCT, 1, Money::usd(394), 5);
        simulators.aliexpress.add_product(product).unwrap();
        Self {
            simulators,
            clock,
            shop,
        }
    }

    fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    async fn place(&self, quantity: u32) -> Result<Placed, CallError> {
        let offer = offer(&PRODUCT.to_string(), &(PRODUCT * 10 + 1).to_string());
        let lines = [line(offer, quantity, "CAINIAO_STANDARD", "")];
        let (reference, buyer) = (reference(), buyer());
        self.shop.place(&purchase(&reference, &lines, &buyer)).await
    }

    async fn state(&self, id: &SupplierOrderId) -> SupplierState {
        self.shop.supplier_order(id).await.unwrap().state
    }

    fn fails_next(&self, fault: Fault) {
        let operation = AliExpressOperation::OrderCreate;
        self.simulators.aliexpress.fail_next(operation, fault, 1);
    }

    fn orders(&self) -> u64 {
        self.simulators.aliexpress.counters().orders
    }
}

#[tokio::test]
async fn a_purchase_goes_its_whole_way() {
    let world = World::start().await;
    let wanted = [Wanted {
        line: LineId::parse("1").unwrap(),
        offer: offer(&PRODUCT.to_string(), &(PRODUCT * 10 + 1).to_string()),
        quantity: 2,
    }];
    let ship_to = &"US".parse().unwrap();
    let request = QuoteRequest {
        wanted: &wanted,
        ship_to,
    };
    let quote = world.shop.quote(&request).await.unwrap();
    assert_eq!(
        (quote.lines[0].unit_cost.minor, quote.lines[0].stock),
        (394, 5)
    );
    assert_eq!(quote.lines[0].shipping_option, "CAINIAO_STANDARD");

    let placed = world.place(2).await.unwrap();
    let id = &placed.supplier_orders[0];
    let early = world.shop.supplier_order(id).await.unwrap_err();
    assert_eq!(
        early.kind,
        Kind::NotFound,
        "a new order cannot be read at once"
    );
    world.pass(Duration::from_secs(10));
    assert_eq!(world.state(id).await, SupplierState::Unpaid);

    let number: u64 = id.as_str().parse().unwrap();
    let marketplace = &world.simulators.aliexpress;
    marketplace.pay(number).unwrap();
    assert_eq!(world.state(id).await, SupplierState::Processing);
    marketplace.ship(number, 2).unwrap();
    let order = world.shop.supplier_order(id).await.unwrap();
    assert_eq!(order.state, SupplierState::Shipped);
    assert_eq!(order.parcels.len(), 2);
    let content = &order.parcels[0].contents[0];
    assert_eq!(
        (content.product.as_str(), content.quantity),
        (PRODUCT.to_string().as_str(), 1)
    );
    marketplace.deliver(number).unwrap();
    assert_eq!(world.state(id).await, SupplierState::Delivered);
}

#[tokio::test]
async fn a_purchase_is_known_whatever_the_root_of_its_answer_is_named() {
    for root in [
        OrderCreateRoot::MethodResponse,
        OrderCreateRoot::PlaceorderResponse,
        OrderCreateRoot::Method,
        OrderCreateRoot::Bare,
    ] {
        let world = World::start().await;
        let aliexpress = &world.simulators.aliexpress;
        aliexpress.set_settings(AliExpressSettings {
            order_create_root: root,
            ..aliexpress.settings()
        });
        let placed = world.place(1).await.unwrap();
        assert_eq!(placed.supplier_orders.len(), 1, "{root:?}");
    }
}

#[tokio::test]
async fn whatever_happens_to_the_answer_the_exact_repeat_buys_once() {
    for fault in [
        Fault::ServerErrorAfter,
        Fault::TimeoutAfter,
        Fault::MalformedBody,
        Fault::ServerError,
        Fault::HtmlErrorPage,
        Fault::TimeoutBefore,
    ] {
        let world = World::start().await;
        world.fails_next(fault);
        let error = world.place(1).await.unwrap_err();
        assert_eq!(error.effect, Effect::Unknown, "{fault:?}: {error}");
        world.pass(Duration::from_secs(30));
        let placed = world.place(1).await.unwrap();
        // An order that went through is known again, but not under which number.
        assert_eq!(
            placed.supplier_orders.is_empty(),
            fault.has_effect(),
            "{fault:?}"
        );
        assert_eq!(world.orders(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_refusal_is_known_to_have_no_effect() {
    let world = World::start().await;
    world.fails_next(Fault::TooManyRequests);
    let error = world.place(1).await.unwrap_err();
    assert_eq!((error.kind, error.effect), (Kind::Throttled, Effect::None));
    let calls = || world.simulators.aliexpress.counters().calls["aliexpress.ds.order.create"];
    let error = world.place(1).await.unwrap_err();
    assert_eq!((error.effect, &*error.code), (Effect::None, "own-limit"));
    assert_eq!(calls(), 1, "nobody calls during a ban");
    world.pass(Duration::from_secs(5));
    let error = world.place(6).await.unwrap_err();
    assert_eq!((error.kind, error.effect), (Kind::OutOfStock, Effect::None));
    assert_eq!(world.orders(), 0);
}

#[tokio::test]
async fn tokens_are_renewed_when_they_end_or_are_refused() {
    let world = World::start().await;
    let offers = [offer(&PRODUCT.to_string(), &(PRODUCT * 10 + 1).to_string())];
    let us = "US".parse().unwrap();
    let look = async || world.shop.stock(&offers, &us).await.unwrap().remove(0);
    assert_eq!(look().await.unwrap().unwrap().stock, 5);
    world.pass(Duration::from_secs(86_400 - 60));
    look().await.unwrap();
    world.simulators.aliexpress.expire_access_tokens();
    look().await.unwrap();
    let counters = world.simulators.aliexpress.counters();
    assert_eq!((counters.refreshes, counters.refresh_races), (3, 0));
    world.simulators.aliexpress.revoke_consent();
    for _ in 0..3 {
        assert_eq!(look().await.unwrap_err().kind, Kind::ConsentEnded);
    }
    let calls = world.simulators.aliexpress.counters().calls["/auth/token/refresh"];
    assert_eq!(calls, 4, "an ended consent is not asked for again");
}

#[tokio::test]
async fn closed_orders_and_pushes_are_understood() {
    let world = World::start().await;
    let placed = world.place(1).await.unwrap();
    let id = &placed.supplier_orders[0];
    world.pass(Duration::from_secs(60));
    let now = kervan_marketplaces::Clock::now(&*world.clock);
    let pushes = world.simulators.aliexpress.take_due_pushes(now);
    assert_eq!(pushes.len(), 1);
    for push in pushes {
        let body = Bytes::from(push.body.to_vec());
        let push = Unverified::new(push.headers.clone(), body);
        let signals = world.shop.verify(push).await.unwrap();
        assert_eq!(
            signals[0].kind,
            SignalKind::SupplierOrderChanged(id.clone())
        );
    }
    world.pass(Duration::from_secs(86_400));
    let code = "buyer_pay_timeout".to_owned();
    assert_eq!(world.state(id).await, SupplierState::Closed { code });
}
