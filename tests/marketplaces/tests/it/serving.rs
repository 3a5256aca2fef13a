//! The simulators over real sockets: control by HTTP, broken wires, delivered pushes.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::extract::Query;
use axum::extract::State;
use axum::routing::get;
use kervan_marketplaces::Simulators;
use kervan_marketplaces::SimulatorsConfig;
use kervan_marketplaces::defaults;
use kervan_marketplaces::ebay::signature::challenge_response;
use serde_json::Value;
use serde_json::json;

async fn start() -> (Simulators, reqwest::Client) {
    let config = SimulatorsConfig {
        hang_ms: 300,
        ..SimulatorsConfig::default()
    };
    let simulators = Simulators::start(config).await.unwrap();
    // A provider of TLS is installed by the simulators, though nothing here uses TLS.
    (
        simulators,
        reqwest::Client::builder().no_proxy().build().unwrap(),
    )
}

async fn control(client: &reqwest::Client, base: &str, path: &str, body: Value) -> Value {
    let url = format!("{base}/_control/{path}");
    let request = client.post(url).header("content-type", "application/json");
    let response = request.body(body.to_string()).send().await.unwrap();
    assert!(
        response.status().is_success(),
        "{path}: {}",
        response.status()
    );
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

async fn token_status(client: &reqwest::Client, base: &str) -> reqwest::Result<u16> {
    let url = format!("{base}/identity/v1/oauth2/token");
    Ok(client.post(url).send().await?.status().as_u16())
}

#[tokio::test]
async fn control_over_http_does_what_the_handle_does() {
    let (simulators, client) = start().await;
    let ebay = simulators.ebay_url();
    let listing =
        json!({ "sku": "LAMP", "price": { "value": "19.99", "currency": "USD" }, "quantity": 3 });
    control(&client, &ebay, "listings", listing).await;
    let order = json!({ "lines": [{ "sku": "LAMP", "quantity": 2 }] });
    let made = control(&client, &ebay, "orders", order).await;
    let view = simulators
        .ebay
        .order(made["order_id"].as_str().unwrap())
        .unwrap();
    assert_eq!(view.total.decimal(), "39.98");
    assert_eq!(simulators.ebay.listed_quantity("LAMP"), Some(1));
    let aliexpress = simulators.aliexpress_url();
    let product = json!({
        "product_id": 5, "store_id": 1,
        "skus": [{ "sku_id": 51, "price": { "value": "2.50", "currency": "USD" }, "stock": 4 }],
    });
    control(&client, &aliexpress, "products", product).await;
    control(
        &client,
        &aliexpress,
        "products/5/skus/51/stock",
        json!({ "stock": 7 }),
    )
    .await;
    assert_eq!(simulators.aliexpress.stock(5, 51), Some(7));
    let change = json!({ "ships_after_ms": 10 }).to_string();
    let url = format!("{aliexpress}/_control/settings");
    let patch = client
        .patch(url)
        .header("content-type", "application/json")
        .body(change);
    assert!(patch.send().await.unwrap().status().is_success());
    assert_eq!(simulators.aliexpress.settings().ships_after_ms, Some(10));
    let before = simulators.ebay.clock().now();
    control(&client, &ebay, "clock", json!({ "advance_ms": 86_400_000 })).await;
    assert!(simulators.aliexpress.clock().now().as_second() - before.as_second() >= 86_400);
}

#[tokio::test]
async fn a_refused_call_breaks_the_connection_and_a_hanging_one_never_answers() {
    let (simulators, client) = start().await;
    let ebay = simulators.ebay_url();
    let fault = |name: &str| json!({ "operation": "token", "fault": name });
    control(&client, &ebay, "faults", fault("refused")).await;
    let broken = token_status(&client, &ebay).await.unwrap_err();
    assert!(broken.is_request() && !broken.is_timeout(), "{broken:?}");
    control(&client, &ebay, "faults", fault("timeout_before")).await;
    let started = std::time::Instant::now();
    assert!(token_status(&client, &ebay).await.is_err());
    assert!(started.elapsed() >= Duration::from_millis(300));
    assert_eq!(token_status(&client, &ebay).await.unwrap(), 400);
}

#[derive(Clone, Default)]
struct Endpoint {
    url: Arc<Mutex<String>>,
    seen: Arc<Mutex<Vec<Value>>>,
}

async fn answer_challenge(
    State(endpoint): State<Endpoint>,
    Query(query): Query<Value>,
) -> Json<Value> {
    let url = endpoint.url.lock().unwrap().clone();
    let code = query["challenge_code"].as_str().unwrap();
    let response = challenge_response(code, defaults::EBAY_VERIFICATION_TOKEN, &url);
    Json(json!({ "challengeResponse": response }))
}

/// Fails the first time.
async fn take(State(endpoint): State<Endpoint>, Json(body): Json<Value>) -> http::StatusCode {
    let mut seen = endpoint.seen.lock().unwrap();
    seen.push(body);
    if seen.len() == 1 {
        http::StatusCode::SERVICE_UNAVAILABLE
    } else {
        http::StatusCode::NO_CONTENT
    }
}

#[tokio::test]
async fn a_registered_endpoint_gets_what_is_due_and_again_what_it_refused() {
    let (simulators, client) = start().await;
    let endpoint = Endpoint::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    *endpoint.url.lock().unwrap() = url.clone();
    let router = Router::new().route("/hook", get(answer_challenge).post(take));
    let server = axum::serve(listener, router.with_state(endpoint.clone()));
    tokio::spawn(async move { server.await });
    let mut settings = simulators.ebay.settings();
    settings.deletion_push_gaps_ms = vec![50, 50];
    simulators.ebay.set_settings(settings);
    let ebay = simulators.ebay_url();
    control(&client, &ebay, "endpoint", json!({ "endpoint": url })).await;
    control(
        &client,
        &ebay,
        "accounts/delete",
        json!({ "username": "alma_1" }),
    )
    .await;
    for _ in 0..100 {
        if endpoint.seen.lock().unwrap().len() == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let seen = endpoint.seen.lock().unwrap().clone();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[1]["notification"]["data"]["username"], "alma_1");
    assert_eq!(
        seen[0]["notification"]["notificationId"],
        seen[1]["notification"]["notificationId"]
    );
    let wrong = json!({ "endpoint": format!("{ebay}/nowhere") }).to_string();
    let post = client
        .post(format!("{ebay}/_control/endpoint"))
        .header("content-type", "application/json");
    assert_eq!(post.body(wrong).send().await.unwrap().status(), 422);
}

#[tokio::test]
async fn dropping_the_simulators_frees_the_port() {
    let (simulators, client) = start().await;
    let ebay = simulators.ebay_url();
    assert_eq!(token_status(&client, &ebay).await.unwrap(), 400);
    drop(simulators);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(
        reqwest::Client::builder()
            .no_proxy()
            .build()
            .unwrap()
            .get(&ebay)
            .send()
            .await
            .is_err()
    );
}
