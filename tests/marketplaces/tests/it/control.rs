//! What all marketplaces have in common: the controls under `/_control` and copies of a marketplace.

use std::time::Duration;

use crate::common::AliClient;
use crate::common::CUP;
use crate::common::Got;
use crate::common::LID;
use crate::common::call;
use crate::common::clock;
use crate::common::encode;
use crate::common::stocked;
use axum::Router;
use axum::body::Body;
use http::Method;
use http::Request;
use http::StatusCode;
use kervan_marketplaces::AliExpress;
use kervan_marketplaces::AliExpressConfig;
use kervan_marketplaces::Amazon;
use kervan_marketplaces::AmazonConfig;
use kervan_marketplaces::Clock;
use kervan_marketplaces::Cn1688;
use kervan_marketplaces::Cn1688Config;
use kervan_marketplaces::Ebay;
use kervan_marketplaces::EbayConfig;
use kervan_marketplaces::Fault;
use kervan_marketplaces::Icbu;
use kervan_marketplaces::IcbuConfig;
use kervan_marketplaces::Marketplace;
use kervan_marketplaces::Money;
use kervan_marketplaces::Operation;
use kervan_marketplaces::Simulator;
use kervan_marketplaces::alibaba::cn1688::Cn1688Operation;
use kervan_marketplaces::alibaba::cn1688::Cn1688Product;
use kervan_marketplaces::alibaba::icbu::IcbuOperation;
use kervan_marketplaces::alibaba::icbu::IcbuProduct;
use kervan_marketplaces::aliexpress::AliExpressOperation;
use kervan_marketplaces::aliexpress::NewListing as ShopListing;
use kervan_marketplaces::aliexpress::NewListingSku;
use kervan_marketplaces::aliexpress::NewSale;
use kervan_marketplaces::aliexpress::signature::SignMethod;
use kervan_marketplaces::aliexpress::signature::sign;
use kervan_marketplaces::amazon::AmazonNewListing;
use kervan_marketplaces::amazon::AmazonNewOrder;
use kervan_marketplaces::amazon::AmazonOperation;
use kervan_marketplaces::defaults;
use kervan_marketplaces::ebay::EbayOperation;
use kervan_marketplaces::ebay::NewListing;
use kervan_marketplaces::ebay::NewOrder;
use serde_json::Value;
use serde_json::json;

const SEED: u64 = 7;

fn ebay() -> Ebay {
    let ebay = Ebay::new(EbayConfig::default(), clock(), SEED);
    ebay.add_listing(NewListing::new("LAMP", Money::usd(1_999), 5));
    ebay
}

fn amazon() -> Amazon {
    let amazon = Amazon::new(AmazonConfig::default(), clock(), SEED);
    amazon.add_listing(AmazonNewListing::new("LAMP", Money::usd(1_999), 5));
    amazon
}

fn aliexpress() -> AliExpress {
    let aliexpress = AliExpress::new(AliExpressConfig::default(), clock(), SEED);
    let client = stocked(ali_client(aliexpress));
    let mug = NewListingSku {
        sku_code: "MUG".to_owned(),
        price: Money::usd(900),
        inventory: 5,
    };
    let listing = ShopListing {
        product_id: 9,
        skus: vec![mug],
    };
    client.aliexpress.add_listing(listing).unwrap();
    client.aliexpress
}

fn icbu() -> Icbu {
    let icbu = Icbu::new(IcbuConfig::default(), clock(), SEED);
    let product = IcbuProduct::simple(5, "c8G3==", "3.69", "CN", 4);
    icbu.add_product(product).unwrap();
    icbu
}

fn cn1688() -> Cn1688 {
    let cn1688 = Cn1688::new(Cn1688Config::default(), clock(), SEED);
    let product = Cn1688Product::simple(5, "seller-1", "b266e072", 1_805, 9);
    cn1688.add_product(product).unwrap();
    cn1688
}

fn ali_client(aliexpress: AliExpress) -> AliClient {
    AliClient {
        aliexpress,
        clock: clock(),
        token: defaults::ALIEXPRESS_ACCESS_TOKEN.to_owned(),
    }
}

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
    vec![
        (ebay().router(), names(EbayOperation::ALL)),
        (amazon().router(), names(AmazonOperation::ALL)),
        (aliexpress().router(), names(AliExpressOperation::ALL)),
        (icbu().router(), names(IcbuOperation::ALL)),
        (cn1688().router(), names(Cn1688Operation::ALL)),
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

/// Everything that the control interface shows.
async fn shown(router: &Router) -> Vec<Value> {
    let mut shown = Vec::new();
    for path in [
        "/orders",
        "/listings",
        "/products",
        "/sales",
        "/tokens",
        "/settings",
        "/counters",
        "/clock",
    ] {
        let got = control(router, Method::GET, path, json!({})).await;
        // A method or a path that a marketplace lacks has no JSON.
        shown.push(serde_json::from_slice(&got.body).unwrap_or_default());
    }
    shown
}

/// `act` does something that draws ids and answers with them; the number tells repeated calls apart.
async fn assert_forks<M: Marketplace>(
    origin: Simulator<M>,
    act: impl AsyncFn(Simulator<M>, u32) -> Value,
) {
    let before = act(origin.clone(), 0).await;
    let fork_clock = clock();
    let fork = origin.fork(fork_clock.clone());
    let (here, there) = (origin.router(), fork.router());
    let at_first = shown(&here).await;
    assert_eq!(shown(&there).await, at_first);

    // The same calls have the same ids, and each is seen in one of them alone.
    let in_fork = act(fork.clone(), 1).await;
    assert_ne!(in_fork, before);
    assert_eq!(shown(&here).await, at_first);
    let changed = shown(&there).await;
    assert_ne!(changed, at_first);
    assert_eq!(act(origin.clone(), 1).await, in_fork);
    assert_eq!(shown(&here).await, changed);

    // Neither do controls reach the other one, in either direction.
    for (one, other) in [(&here, &there), (&there, &here)] {
        let (before, untouched) = (shown(one).await, shown(other).await);
        let change = json!({ "access_token_s": 1_234 });
        control(one, Method::PATCH, "/settings", change).await;
        let fault = json!({ "operation": "any", "fault": "server_error", "times": 9 });
        control(one, Method::POST, "/faults", fault).await;
        control(one, Method::POST, "/clock", json!({ "advance_ms": 1_000 })).await;
        assert_ne!(shown(one).await, before);
        assert_eq!(shown(other).await, untouched);
        control(one, Method::DELETE, "/faults", json!({})).await;
        control(one, Method::POST, "/tokens/revoke", json!({})).await;
        assert_eq!(shown(other).await, untouched);
    }
    fork_clock.advance(Duration::from_secs(60));
    assert_ne!(origin.clock().now(), fork.clock().now());
}

#[tokio::test]
async fn a_fork_of_a_channel_and_its_origin_go_their_own_ways_with_the_same_ids() {
    assert_forks(ebay(), async |ebay: Ebay, _| {
        let id = ebay.place_order(NewOrder::one("LAMP", 1)).unwrap();
        json!(ebay.order(&id).unwrap())
    })
    .await;
    assert_forks(amazon(), async |amazon: Amazon, _| {
        let id = amazon.place_order(AmazonNewOrder::one("LAMP", 1)).unwrap();
        json!(amazon.order(&id).unwrap())
    })
    .await;
    assert_forks(aliexpress(), async |aliexpress: AliExpress, _| {
        let sale = NewSale {
            lines: vec![("MUG".to_owned(), 1)],
            paid: true,
            buyer: None,
        };
        let id = aliexpress.sell(sale).unwrap();
        json!(aliexpress.sale(id).unwrap())
    })
    .await;
}

#[tokio::test]
async fn a_fork_of_a_supplier_and_its_origin_go_their_own_ways_with_the_same_ids() {
    assert_forks(aliexpress(), async |aliexpress, number| {
        let client = ali_client(aliexpress);
        let reference = format!("SO-{number}");
        client.create(&reference, &[CUP, LID], true).await
    })
    .await;
    assert_forks(icbu(), async |icbu, number| icbu_order(&icbu, number).await).await;
    assert_forks(cn1688(), async |cn1688: Cn1688, _| {
        let form = format!(
            "grant_type=refresh_token&client_id={}&client_secret={}&refresh_token={}",
            defaults::CN1688_APP_KEY,
            defaults::CN1688_APP_SECRET,
            encode(defaults::CN1688_REFRESH_TOKEN),
        );
        let path = format!(
            "/openapi/http/1/system.oauth2/getToken/{}",
            defaults::CN1688_APP_KEY
        );
        call(cn1688.router(), form_request(&path, form))
            .await
            .json()
    })
    .await;
}

fn form_request(path: &str, form: String) -> Request<Body> {
    let kind = "application/x-www-form-urlencoded;charset=utf-8";
    let request = Request::post(path).header("content-type", kind);
    request.body(Body::from(form)).unwrap()
}

async fn icbu_order(icbu: &Icbu, number: u32) -> Value {
    let goods = json!([{ "product_id": "5", "sku_id": "51", "quantity": "1" }]);
    let logistics = json!({
        "shipment_address": {
            "country": "United States of America", "country_code": "US", "city": "New York",
            "address": "1 Example Street", "contact_person": "Alma Ashdown",
        },
        "carrier_code": "EX_ASP_JYC_FEDEX",
    });
    let path = "/buynow/order/create";
    let mut params = [
        ("access_token", defaults::ALIBABA_ACCESS_TOKEN.to_owned()),
        ("app_key", defaults::ALIBABA_APP_KEY.to_owned()),
        ("channel_refer_id", format!("SO-{number}")),
        ("logistics_detail", logistics.to_string()),
        ("product_list", goods.to_string()),
        ("sign_method", "sha256".to_owned()),
        ("timestamp", clock().now().as_millisecond().to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec();
    let secret = defaults::ALIBABA_APP_SECRET;
    let signature = sign(SignMethod::Sha256, secret, path, &params);
    params.push(("sign".to_owned(), signature));
    let pairs: Vec<_> = params
        .iter()
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect();
    let request = form_request(&format!("/rest{path}"), pairs.join("&"));
    let answer = call(icbu.router(), request).await.json();
    assert_eq!(answer["code"], "0", "{answer}");
    answer
}
