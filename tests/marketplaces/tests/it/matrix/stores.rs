//! The suppliers' APIs, as the table has them.

use axum::Router;
use kervan_marketplaces::Clock;
use kervan_marketplaces::defaults;
use serde_json::Value;
use std::time::Duration;

use super::channel::id;
use super::supplier::Store;
use crate::actions_alibaba::TRADE;
use crate::alibaba_client::CnClient;
use crate::alibaba_client::IcbuClient;
use crate::alibaba_client::owned;
use crate::alibaba_client::units;
use crate::common::AliClient;
use crate::common::CUP;
use crate::common::Got;
use crate::common::stocked;

/// The order that an answer names at this place.
fn named(place: &Value) -> Option<String> {
    (!place.is_null()).then(|| id(place))
}

pub(crate) struct AliExpress(AliClient);

impl Store for AliExpress {
    const COLUMN: &'static str = "AliExpress";

    fn open() -> Self {
        Self(stocked(AliClient::with(|config| {
            config.settings.mixed_types = false;
            config.settings.order_visible_after_ms = 0;
        })))
    }

    fn router(&self) -> Router {
        self.0.aliexpress.router()
    }

    fn pass_s(&self, seconds: u64) {
        self.0.advance_s(seconds);
    }

    async fn buy(&self) -> Value {
        self.0.create("SO-1", &[CUP], false).await
    }

    fn bought(answer: &Value) -> Option<String> {
        named(&answer["order_list"]["number"][0])
    }

    async fn order(&self, order_id: &str) -> Got {
        let query = format!("{{\"order_id\":{order_id}}}");
        let params = [("single_order_query", query)];
        self.0
            .business("aliexpress.trade.ds.order.get", &params)
            .await
    }

    async fn tracking(&self, order_id: &str) -> Got {
        let params = [
            ("ae_order_id", order_id.to_owned()),
            ("language", "en_US".to_owned()),
        ];
        self.0
            .business("aliexpress.ds.order.tracking.get", &params)
            .await
    }

    async fn tokens(&self) -> Got {
        self.0.refresh(defaults::ALIEXPRESS_REFRESH_TOKEN).await
    }
}

pub(crate) struct Alibaba(IcbuClient);

impl Alibaba {
    async fn ask(&self, path: &str, name: &str, value: &str) -> Got {
        let params = owned(&[
            (name, value),
            ("access_token", defaults::ALIBABA_ACCESS_TOKEN),
        ]);
        self.0
            .send(path, params, defaults::ALIBABA_APP_SECRET)
            .await
    }
}

impl Store for Alibaba {
    const COLUMN: &'static str = "Alibaba.com";

    fn open() -> Self {
        Self(IcbuClient::new())
    }

    fn router(&self) -> Router {
        self.0.icbu.router()
    }

    fn pass_s(&self, seconds: u64) {
        self.0.clock.advance(Duration::from_secs(seconds));
    }

    async fn buy(&self) -> Value {
        self.0.order(|_, _| ()).await
    }

    fn bought(answer: &Value) -> Option<String> {
        named(&answer["value"]["trade_id"])
    }

    async fn order(&self, order_id: &str) -> Got {
        self.ask("/alibaba/order/get", "e_trade_id", order_id).await
    }

    async fn tracking(&self, order_id: &str) -> Got {
        let path = "/order/logistics/tracking/get";
        self.ask(path, "trade_id", order_id).await
    }

    async fn tokens(&self) -> Got {
        let params = owned(&[("refresh_token", defaults::ALIBABA_REFRESH_TOKEN)]);
        let secret = defaults::ALIBABA_APP_SECRET;
        self.0.send("/auth/token/refresh", params, secret).await
    }
}

pub(crate) struct Cn1688(CnClient);

impl Cn1688 {
    async fn ask(&self, api: &str, order_id: &str) -> Got {
        let params = owned(&[
            ("webSite", "1688"),
            ("orderId", order_id),
            ("access_token", defaults::CN1688_ACCESS_TOKEN),
        ]);
        let path = format!("param2/1/{api}/{}", defaults::CN1688_APP_KEY);
        self.0
            .send(&path, params, defaults::CN1688_APP_SECRET)
            .await
    }
}

impl Store for Cn1688 {
    const COLUMN: &'static str = "1688";

    fn open() -> Self {
        Self(CnClient::new())
    }

    fn router(&self) -> Router {
        self.0.cn1688.router()
    }

    fn pass_s(&self, seconds: u64) {
        self.0.clock.advance(Duration::from_secs(seconds));
    }

    async fn buy(&self) -> Value {
        self.0.order(units(2), &[]).await
    }

    fn bought(answer: &Value) -> Option<String> {
        named(&answer["result"]["orderId"])
    }

    async fn order(&self, order_id: &str) -> Got {
        let api = format!("{TRADE}/alibaba.trade.get.buyerView");
        self.ask(&api, order_id).await
    }

    async fn tracking(&self, order_id: &str) -> Got {
        let api = "com.alibaba.logistics/alibaba.trade.getLogisticsTraceInfo.buyerView";
        self.ask(api, order_id).await
    }

    async fn tokens(&self) -> Got {
        let (key, secret) = (defaults::CN1688_APP_KEY, defaults::CN1688_APP_SECRET);
        let params = owned(&[
            ("grant_type", "refresh_token"),
            ("client_id", key),
            ("client_secret", secret),
            ("refresh_token", defaults::CN1688_REFRESH_TOKEN),
        ]);
        let path = format!("http/1/system.oauth2/getToken/{key}");
        self.0.send(&path, params, secret).await
    }
}
