//! What all marketplaces have in common: the controls under `/_control`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops at the first surprise"
)]

mod common;

use axum::Router;
use axum::body::Body;
use common::Got;
use common::call;
use common::clock;
use http::Method;
use http::Request;
use http::StatusCode;
use kervan_marketplaces::AliExpress;
use kervan_marketplaces::AliExpressConfig;
use kervan_marketplaces::Amazon;
use kervan_marketplaces::AmazonConfig;
use kervan_marketplaces::Cn1688;
use kervan_marketplaces::Cn1688Config;
use kervan_marketplaces::Ebay;
use kervan_marketplaces::EbayConfig;
use kervan_marketplaces::Fault;
use kervan_marketplaces::Icbu;
use kervan_marketplaces::IcbuConfig;
use kervan_marketplaces::Operation;
use kervan_marketplaces::alibaba::cn1688::Cn1688Operation;
use kervan_marketplaces::alibaba::icbu::IcbuOperation;
use kervan_marketplaces::aliexpress::AliExpressOperation;
use kervan_marketplaces::amazon::AmazonOperation;
use kervan_marketplaces::ebay::EbayOperation;
use serde_json::Value;
use serde_json::json;

async fn control(router: &Router, method: Method, path: &str, body: Value) -> Got {
    let request = Request::builder()
        .method(method)
        .uri(format!("/_control{path}"))
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap();
    call(router.clone(), request).await
}

/// The names of a marketplace's operations, `any` among them.
fn names<O: Operation>(all: &[O]) -> Vec<&'static str> {
    let mut names: Vec<_> = all.iter().map(|one| one.name()).collect();
    names.push("any");
    names
}

/// All five with the names of their operations.
fn all() -> Vec<(Router, Vec<&'static str>)> {
    let ebay = Ebay::new(EbayConfig::default(), clock(), 7);
    let amazon = Amazon::new(AmazonConfig::default(), clock(), 7);
    let aliexpress = AliExpress::new(AliExpressConfig::default(), clock(), 7);
    let icbu = Icbu::new(IcbuConfig::default(), clock(), 7);
    let cn1688 = Cn1688::new(Cn1688Config::default(), clock(), 7);
    vec![
        (ebay.router(), names(EbayOperation::ALL)),
        (amazon.router(), names(AmazonOperation::ALL)),
        (aliexpress.router(), names(AliExpressOperation::ALL)),
        (icbu.router(), names(IcbuOperation::ALL)),
        (cn1688.router(), names(Cn1688Operation::ALL)),
    ]
}

/// An error of the control interface that says what was wrong and lists what there is.
fn assert_lists<'a>(got: &Got, wrong: &str, existing: impl IntoIterator<Item = &'a str>) {
    assert_eq!(got.status, StatusCode::UNPROCESSABLE_ENTITY);
    let body = got.json();
    let error = body["error"].as_str().unwrap();
    assert!(error.contains(&format!("`{wrong}`")), "{error}");
    for name in existing {
        assert!(error.contains(&format!("`{name}`")), "{name}: {error}");
    }
}

#[tokio::test]
async fn what_does_not_exist_is_an_error_that_lists_what_does() {
    for (router, operations) in all() {
        let post = async |path: &str, body: Value| control(&router, Method::POST, path, body).await;
        let fault = json!({ "operation": "getNothing", "fault": "refused" });
        let got = post("/faults", fault).await;
        assert_lists(&got, "getNothing", operations.iter().copied());
        let got = post("/limits", json!({ "operation": "getNothing" })).await;
        assert_lists(&got, "getNothing", operations.iter().copied());

        let faults = [
            Fault::Refused,
            Fault::TooManyRequests,
            Fault::ServerError,
            Fault::ServerErrorAfter,
            Fault::HtmlErrorPage,
            Fault::TimeoutBefore,
            Fault::TimeoutAfter,
            Fault::MalformedBody,
        ]
        .map(|fault| json!(fault));
        let got = post("/faults", json!({ "operation": "any", "fault": "rain" })).await;
        assert_lists(&got, "rain", faults.iter().filter_map(Value::as_str));
        let typo = json!({ "operation": "any", "fault": "refused", "time": 3 });
        let got = post("/faults", typo).await;
        assert_lists(&got, "time", ["operation", "fault", "times"]);

        let settings = control(&router, Method::GET, "/settings", json!({})).await;
        let settings = settings.json();
        let fields = settings.as_object().unwrap().keys().map(String::as_str);
        let got = control(&router, Method::PATCH, "/settings", json!({ "colour": 1 })).await;
        assert_lists(&got, "colour", fields);
        let after = control(&router, Method::GET, "/settings", json!({})).await;
        assert_eq!(after.json(), settings);

        let got = post("/tokens/eat", json!({})).await;
        assert_eq!(got.status, StatusCode::NOT_FOUND);
        assert!(got.json()["error"].as_str().unwrap().contains("tokens/eat"));
    }
}

#[tokio::test]
async fn the_shared_controls_answer_alike_everywhere() {
    for (router, operations) in all() {
        let done = async |method: Method, path: &str, body: Value| {
            let got = control(&router, method, path, body).await;
            assert_eq!(got.status, StatusCode::OK, "{path}");
            assert_eq!(got.json(), json!({ "done": true }), "{path}");
        };
        for operation in operations {
            let limit = json!({ "operation": operation, "limit": { "calls": 5, "per_ms": 10 } });
            done(Method::POST, "/limits", limit).await;
            let limit = json!({ "operation": operation, "limit": null });
            done(Method::POST, "/limits", limit).await;
            let fault = json!({ "operation": operation, "fault": "timeout_after" });
            done(Method::POST, "/faults", fault).await;
        }
        done(Method::DELETE, "/faults", json!({})).await;
        done(
            Method::PATCH,
            "/settings",
            json!({ "access_token_s": 1_234 }),
        )
        .await;
        let got = control(&router, Method::GET, "/settings", json!({})).await;
        assert_eq!(got.json()["access_token_s"], 1_234);
        let got = control(&router, Method::GET, "/counters", json!({})).await;
        assert_eq!(got.json()["calls"], json!({}));
        let got = control(
            &router,
            Method::POST,
            "/clock",
            json!({ "advance_ms": 1_000 }),
        )
        .await;
        assert_eq!(got.json()["now"], "2026-11-02T12:00:01Z");
        let got = control(&router, Method::GET, "/clock", json!({})).await;
        assert_eq!(got.json()["now"], "2026-11-02T12:00:01Z");
        done(Method::POST, "/tokens/expire", json!({})).await;
        done(Method::POST, "/tokens/revoke", json!({})).await;
    }
}
