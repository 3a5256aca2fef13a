//! A small client that calls the simulated Amazon in-process.

use crate::common::Got;
use crate::common::call;
use crate::common::clock;
use crate::common::encode;
use axum::body::Body;
use http::Method;
use http::Request;
use http::StatusCode;
use kervan_marketplaces::Amazon;
use kervan_marketplaces::AmazonConfig;
use kervan_marketplaces::Clock;
use kervan_marketplaces::ManualClock;
use kervan_marketplaces::Money;
use kervan_marketplaces::amazon::AmazonNewListing;
use kervan_marketplaces::amazon::AmazonNewOrder;
use kervan_marketplaces::defaults;
use serde_json::Value;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

pub(crate) const ORDERS: &str = "/orders/2026-01-01/orders";
pub(crate) const MARKETPLACE: &str = defaults::AMAZON_MARKETPLACE_ID;

pub(crate) struct Client {
    pub(crate) amazon: Amazon,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) token: String,
}

impl Client {
    pub(crate) async fn new() -> Self {
        let clock = clock();
        let amazon = Amazon::new(AmazonConfig::default(), clock.clone(), 7);
        amazon.add_listing(AmazonNewListing::new("LAMP", Money::usd(1999), 10));
        let mut client = Self {
            amazon,
            clock,
            token: String::new(),
        };
        client.token = client.fresh().await;
        client
    }

    pub(crate) async fn fresh(&self) -> String {
        let refresh_token = encode(defaults::AMAZON_REFRESH_TOKEN);
        let form = format!("grant_type=refresh_token&refresh_token={refresh_token}");
        self.token_call(&form).await.json()["access_token"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    pub(crate) async fn grantless(&self) -> String {
        let scope = encode("sellingpartnerapi::notifications");
        let form = format!("grant_type=client_credentials&scope={scope}");
        self.token_call(&form).await.json()["access_token"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    pub(crate) async fn token_call(&self, form: &str) -> Got {
        let (id, secret) = (defaults::AMAZON_CLIENT_ID, defaults::AMAZON_CLIENT_SECRET);
        self.plain_token_call(&format!("{form}&client_id={id}&client_secret={secret}"))
            .await
    }

    pub(crate) async fn plain_token_call(&self, form: &str) -> Got {
        let request = Request::post("/auth/o2/token")
            .header(
                "content-type",
                "application/x-www-form-urlencoded;charset=UTF-8",
            )
            .body(Body::from(form.to_owned()))
            .unwrap();
        call(self.amazon.router(), request).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Got {
        self.send_as(&self.token, method, path, body).await
    }

    pub(crate) async fn send_as(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Got {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "amazon.test")
            .header("x-amz-access-token", token);
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        call(self.amazon.router(), request.body(body).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Got {
        self.send(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Got {
        self.send(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn control(&self, method: Method, path: &str, body: Option<&Value>) -> Got {
        self.send(method, &format!("/_control{path}"), body).await
    }

    pub(crate) fn pass_s(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub(crate) fn place(&self, quantity: u32) -> (String, String) {
        let id = self
            .amazon
            .place_order(AmazonNewOrder::one("LAMP", quantity))
            .unwrap();
        let line = self.amazon.order(&id).unwrap().lines[0]
            .order_item_id
            .clone();
        (id, line)
    }

    pub(crate) async fn confirm(&self, id: &str, detail: &Value) -> Got {
        let body = json!({ "marketplaceId": MARKETPLACE, "packageDetail": detail });
        self.post(
            &format!("/orders/v0/orders/{id}/shipmentConfirmation"),
            &body,
        )
        .await
    }

    /// Puts a document into the storage and hands it in.
    pub(crate) async fn feed(&self, feed_type: &str, content_type: &str, document: &str) -> String {
        let place = self
            .post(
                "/feeds/2021-06-30/documents",
                &json!({ "contentType": content_type }),
            )
            .await;
        assert_eq!(place.status, StatusCode::CREATED);
        let place = place.json();
        let put = self.put(&place, content_type, document).await;
        assert_eq!(put.status, StatusCode::OK);
        let body = json!({ "feedType": feed_type, "marketplaceIds": [MARKETPLACE],
            "inputFeedDocumentId": place["feedDocumentId"] });
        let made = self.post("/feeds/2021-06-30/feeds", &body).await;
        assert_eq!(made.status, StatusCode::ACCEPTED);
        made.json()["feedId"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn put(&self, place: &Value, content_type: &str, document: &str) -> Got {
        let url = place["url"].as_str().unwrap();
        let request = Request::put(url)
            .header("content-type", content_type)
            .body(Body::from(document.to_owned()))
            .unwrap();
        call(self.amazon.router(), request).await
    }
}

pub(crate) fn code(got: &Got) -> (u16, String) {
    let code = got.json()["errors"][0]["code"].as_str().unwrap().to_owned();
    (got.status.as_u16(), code)
}

pub(crate) fn detail(line: &str, quantity: u32) -> Value {
    json!({
        "packageReferenceId": "11", "carrierCode": "UPS", "trackingNumber": "1Z999AA10123456784",
        "shipDate": "2026-11-02T12:00:00Z", "orderItems": [{ "orderItemId": line, "quantity": quantity }],
    })
}
