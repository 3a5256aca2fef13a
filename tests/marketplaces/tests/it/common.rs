//! Small clients that call the simulators in-process, signed by hand.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderMap;
use http::Request;
use http::StatusCode;
use kervan_marketplaces::AliExpress;
use kervan_marketplaces::AliExpressConfig;
use kervan_marketplaces::Clock;
use kervan_marketplaces::Ebay;
use kervan_marketplaces::EbayConfig;
use kervan_marketplaces::ManualClock;
use kervan_marketplaces::Money;
use kervan_marketplaces::Takes;
use kervan_marketplaces::WireFault;
use kervan_marketplaces::aliexpress::NewProduct;
use kervan_marketplaces::aliexpress::signature::SignMethod;
use kervan_marketplaces::aliexpress::signature::sign;
use kervan_marketplaces::defaults;
use serde_json::Value;
use tower::ServiceExt;

pub(crate) const ORDERS: &str = "/sell/fulfillment/v1/order";
pub(crate) const BULK: &str = "/sell/inventory/v1/bulk_update_price_quantity";

pub(crate) struct Got {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) wire: Option<WireFault>,
    pub(crate) takes: Option<Takes>,
}

impl Got {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }

    pub(crate) fn error_id(&self) -> u64 {
        self.json()["errors"][0]["errorId"]
            .as_u64()
            .expect("an errorId")
    }
}

pub(crate) async fn call(router: axum::Router, request: Request<Body>) -> Got {
    let response = router.oneshot(request).await.expect("a router answers");
    let wire = response.extensions().get::<WireFault>().copied();
    let takes = response.extensions().get::<Takes>().copied();
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX)
        .await
        .expect("a whole body");
    Got {
        status: parts.status,
        headers: parts.headers,
        body,
        wire,
        takes,
    }
}

pub(crate) fn clock() -> Arc<ManualClock> {
    let start = "2026-11-02T12:00:00Z".parse().expect("a time");
    Arc::new(ManualClock::new(start))
}

pub(crate) struct EbayClient {
    pub(crate) ebay: Ebay,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) token: String,
}

impl EbayClient {
    pub(crate) async fn new() -> Self {
        let clock = clock();
        let ebay = Ebay::new(EbayConfig::default(), clock.clone(), 7);
        let mut client = Self {
            ebay,
            clock,
            token: String::new(),
        };
        client.token = client.refresh().await.json()["access_token"]
            .as_str()
            .expect("a token")
            .to_owned();
        client
    }

    pub(crate) fn advance_ms(&self, ms: u64) {
        self.clock.advance(Duration::from_millis(ms));
    }

    pub(crate) async fn refresh(&self) -> Got {
        let refresh_token = encode(defaults::EBAY_REFRESH_TOKEN);
        self.token_call(&format!(
            "grant_type=refresh_token&refresh_token={refresh_token}"
        ))
        .await
    }

    pub(crate) async fn token_call(&self, form: &str) -> Got {
        let pair = format!(
            "{}:{}",
            defaults::EBAY_CLIENT_ID,
            defaults::EBAY_CLIENT_SECRET
        );
        let request = Request::post("/identity/v1/oauth2/token")
            .header("authorization", format!("Basic {}", STANDARD.encode(pair)))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()))
            .expect("a request");
        call(self.ebay.router(), request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Got {
        let request = Request::get(path)
            .header("host", "ebay.test")
            .header("authorization", format!("Bearer {}", self.token))
            .body(Body::empty())
            .expect("a request");
        call(self.ebay.router(), request).await
    }

    /// GetOrders of the Trading API, by a version of its schema.
    pub(crate) async fn trading_orders(&self, inner: &str, level: &str) -> Got {
        let body = format!(
            "<GetOrdersRequest xmlns=\"urn:ebay:apis:eBLBaseComponents\">{inner}</GetOrdersRequest>"
        );
        let request = Request::post("/ws/api.dll")
            .header("content-type", "text/xml")
            .header("x-ebay-api-call-name", "GetOrders")
            .header("x-ebay-api-compatibility-level", level)
            .header("x-ebay-api-siteid", "0")
            .header("x-ebay-api-iaf-token", &self.token)
            .body(Body::from(body))
            .expect("a request");
        call(self.ebay.router(), request).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Got {
        self.post_with(path, body, &[("content-language", "en-US")])
            .await
    }

    pub(crate) async fn post_with(
        &self,
        path: &str,
        body: &Value,
        headers: &[(&str, &str)],
    ) -> Got {
        let mut request = Request::post(path)
            .header("host", "ebay.test")
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(Body::from(body.to_string()))
            .expect("a request");
        call(self.ebay.router(), request).await
    }
}

pub(crate) struct AliClient {
    pub(crate) aliexpress: AliExpress,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) token: String,
}

impl AliClient {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut AliExpressConfig)) -> Self {
        let clock = clock();
        let mut config = AliExpressConfig::default();
        change(&mut config);
        Self {
            aliexpress: AliExpress::new(config, clock.clone(), 7),
            clock,
            token: defaults::ALIEXPRESS_ACCESS_TOKEN.to_owned(),
        }
    }

    pub(crate) fn clock_ms(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    pub(crate) fn advance_s(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// A business call with `access_token`, signed with sha256.
    pub(crate) async fn business(&self, method: &str, params: &[(&str, String)]) -> Got {
        let mut all = self.common();
        all.push(("access_token".to_owned(), self.token.clone()));
        all.push(("method".to_owned(), method.to_owned()));
        all.extend(
            params
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone())),
        );
        self.send("/sync", "", all).await
    }

    pub(crate) async fn refresh(&self, refresh_token: &str) -> Got {
        let mut all = self.common();
        all.push(("refresh_token".to_owned(), refresh_token.to_owned()));
        self.send("/rest/auth/token/refresh", "/auth/token/refresh", all)
            .await
    }

    pub(crate) fn common(&self) -> Vec<(String, String)> {
        let now_ms = self.clock.now().as_millisecond().to_string();
        [
            ("app_key", defaults::ALIEXPRESS_APP_KEY),
            ("sign_method", "sha256"),
            ("timestamp", now_ms.as_str()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    pub(crate) async fn send(
        &self,
        path: &str,
        prefix: &str,
        params: Vec<(String, String)>,
    ) -> Got {
        let secret = defaults::ALIEXPRESS_APP_SECRET;
        let signature = sign(SignMethod::Sha256, secret, prefix, &params);
        self.send_signed(path, params, &signature).await
    }

    pub(crate) async fn send_signed(
        &self,
        path: &str,
        mut params: Vec<(String, String)>,
        signature: &str,
    ) -> Got {
        params.push(("sign".to_owned(), signature.to_owned()));
        let form: Vec<String> = params
            .iter()
            .map(|(name, value)| format!("{name}={}", encode(value)))
            .collect();
        let request = Request::post(path)
            .header(
                "content-type",
                "application/x-www-form-urlencoded;charset=utf-8",
            )
            .body(Body::from(form.join("&")))
            .expect("a request");
        call(self.aliexpress.router(), request).await
    }

    /// order.create of one unit of each product, answered `result`.
    pub(crate) async fn create(
        &self,
        reference: &str,
        products: &[u64],
        try_to_pay: bool,
    ) -> Value {
        let got = self.create_call(reference, products, try_to_pay).await;
        got.json()["aliexpress_ds_order_create_response"]["result"].clone()
    }

    pub(crate) async fn create_call(
        &self,
        reference: &str,
        products: &[u64],
        try_to_pay: bool,
    ) -> Got {
        let items: Vec<Value> = products
            .iter()
            .map(|id| serde_json::json!({ "product_id": id, "product_count": 1 }))
            .collect();
        let order = serde_json::json!({
            "out_order_id": reference,
            "logistics_address": us_address(),
            "product_items": items,
        });
        let extend = serde_json::json!({ "payment": { "try_to_pay": try_to_pay.to_string() } });
        let params = [
            (
                "param_place_order_request4_open_api_d_t_o",
                order.to_string(),
            ),
            ("ds_extend_request", extend.to_string()),
        ];
        self.business("aliexpress.ds.order.create", &params).await
    }

    pub(crate) async fn order(&self, id: u64) -> Value {
        let query = format!("{{\"order_id\":{id}}}");
        let params = [("single_order_query", query)];
        self.business("aliexpress.trade.ds.order.get", &params)
            .await
            .json()
    }
}

/// A product of one store.
pub(crate) const CUP: u64 = 1_005_001;
/// A product of another.
pub(crate) const LID: u64 = 1_005_002;

/// A marketplace with both products.
pub(crate) fn shop() -> AliClient {
    stocked(AliClient::new())
}

/// The same products put into a marketplace.
pub(crate) fn stocked(client: AliClient) -> AliClient {
    client
        .aliexpress
        .add_product(NewProduct::simple(CUP, 11, Money::usd(500), 10))
        .expect("a product");
    client
        .aliexpress
        .add_product(NewProduct::simple(LID, 22, Money::usd(300), 10))
        .expect("a product");
    client
}

/// The code of a gateway error.
pub(crate) fn error_code(body: &Value) -> &str {
    body["error_response"]["code"].as_str().unwrap_or_default()
}

pub(crate) fn us_address() -> Value {
    serde_json::json!({
        "full_name": "Alma Ashdown",
        "contact_person": "Alma Ashdown",
        "address": "12 Example Street",
        "city": "Vineland",
        "province": "New Jersey",
        "zip": "08360",
        "country": "US",
        "phone_country": "+1",
        "mobile_no": "8565550100",
    })
}

/// True for `true` and `"true"`: the gateway writes both.
pub(crate) fn is_true(value: &Value) -> bool {
    value == &Value::Bool(true) || value == "true"
}

pub(crate) fn encode(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
