//! Requests and answers against eBay's own OpenAPI documents and sample bodies. They are not part of the project:
//! `KERVAN_CONTRACTS` names the folder that holds them, and without it these tests say so and pass.

use super::*;
use crate::marketplaces::{FreshToken, ebay::auth::Auth};
use std::path::PathBuf;

/// A file of eBay's contract; `None`, said on stderr, where the folder is not named.
fn contract(path: &str) -> Option<Value> {
    let Some(folder) = std::env::var_os("KERVAN_CONTRACTS") else {
        eprintln!("skipped: KERVAN_CONTRACTS is not set, so there is no ebay/{path}");
        return None;
    };
    let mut file = PathBuf::from(folder);
    // cargo runs tests in the crate's folder; the variable is meant from the workspace's.
    if file.is_relative() {
        file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .join(file);
    }
    let file = file.join("ebay").join(path);
    let text = std::fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("{} cannot be read: {error}", file.display()));
    Some(serde_json::from_str(&text).unwrap())
}

/// Whether a path is one of a template with a value in each brace.
fn fits_template(path: &str, template: &str) -> bool {
    let (path, template): (Vec<_>, Vec<_>) =
        (path.split('/').collect(), template.split('/').collect());
    let fits = |(given, wanted): (&&str, &&str)| {
        given == wanted || (wanted.starts_with('{') && !given.is_empty())
    };
    path.len() == template.len() && path.iter().zip(&template).all(fits)
}

/// Every field of a body is one that the schema names.
fn fits_schema(document: &Value, schema: &Value, body: &Value) {
    let schema = match schema["$ref"].as_str() {
        Some(name) => document.pointer(name.trim_start_matches('#')).unwrap(),
        None => schema,
    };
    match body {
        Value::Object(fields) => {
            for (name, value) in fields {
                let property = &schema["properties"][name];
                assert!(property.is_object(), "{name} is not in the contract");
                fits_schema(document, property, value);
            }
        }
        Value::Array(items) => items
            .iter()
            .for_each(|item| fits_schema(document, &schema["items"], item)),
        Value::Number(_) => assert_eq!(schema["type"], "integer"),
        Value::String(_) => assert_eq!(schema["type"], "string"),
        other => panic!("{other} is not sent"),
    }
}

fn fits_contract(request: &Request<Bytes>, document: &Value, operation: &str) {
    let base = document["servers"][0]["variables"]["basePath"]["default"].as_str();
    let path = request.uri().path().strip_prefix(base.unwrap()).unwrap();
    let methods = document["paths"].as_object().unwrap().iter();
    let method = request.method().as_str().to_lowercase();
    let described = methods
        .filter(|(template, _)| fits_template(path, template))
        .map(|(_, methods)| &methods[&method])
        .find(|described| described["operationId"] == operation)
        .unwrap_or_else(|| panic!("{operation} is not {method} {path}"));
    let parameters = described["parameters"].as_array().unwrap();
    for parameter in parameters.iter().filter(|p| p["in"] == "header") {
        let name = parameter["name"].as_str().unwrap();
        assert!(request.headers().contains_key(name), "{operation} {name}");
    }
    for (name, _) in url::form_urlencoded::parse(request.uri().query().unwrap_or("").as_bytes()) {
        let is_known = |p: &Value| p["in"] == "query" && p["name"] == name.as_ref();
        assert!(parameters.iter().any(is_known), "{operation} {name}");
    }
    if !request.body().is_empty() {
        let schema = &described["requestBody"]["content"]["application/json"]["schema"];
        let body = serde_json::from_slice(request.body()).unwrap();
        fits_schema(document, schema, &body);
    }
    assert_eq!(request.headers()["accept"], "application/json");
    assert_eq!(request.headers()["accept-language"], "en-US");
}

#[tokio::test]
async fn every_call_is_one_that_ebay_describes() {
    let files = [
        "specs/sell_fulfillment_v1_oas3.json",
        "specs/sell_inventory_v1_oas3.json",
    ];
    let [Some(fulfillment), Some(inventory)] = files.map(contract) else {
        return;
    };
    let World { network, ebay, .. } = world();
    let id = order_id("110-22!3");
    let number = writes::parcel().tracking_number;
    let _ = ebay.order(&id).await;
    let _ = ebay
        .changed(Timestamp::UNIX_EPOCH, now(), Some("200"))
        .await;
    let _ = ebay.is_confirmed(&id, &number).await;
    let _ = ebay.confirm(&id, &writes::parcel()).await;
    let _ = ebay.push(&[update("A", "a", 1)]).await;
    let asked = network.asked();
    for (request, (document, operation)) in asked.iter().zip([
        (&fulfillment, "getOrder"),
        (&fulfillment, "getOrders"),
        (&fulfillment, "getShippingFulfillments"),
        (&fulfillment, "createShippingFulfillment"),
        (&inventory, "bulkUpdatePriceQuantity"),
    ]) {
        fits_contract(request, document, operation);
    }
    assert_eq!(asked.len(), 5);
}

#[tokio::test]
async fn the_sample_page_and_its_order_are_read() {
    let Some(sample) = contract("samples/getOrders.json") else {
        return;
    };
    let world = world();
    let body = &sample["response"]["body"];
    world
        .network
        .answer(200, body)
        .answer(200, &body["orders"][0]);
    let page = world.ebay.changed(Timestamp::UNIX_EPOCH, now(), None);
    let page = page.await.unwrap();
    assert_eq!(page.next.as_deref(), Some("1"));
    let (id, modified) = &page.orders[0];
    let fetched = world.ebay.order(id).await.unwrap();
    assert_eq!(fetched.details.modified_at, *modified);
    assert_eq!(fetched.details.total.to_string(), "44.99 USD");
    assert_eq!(fetched.details.fee.to_string(), "4.87 USD");
    assert_eq!(fetched.details.lines[0].sku, "LAMP-01-WHITE");
    let buyer = fetched.buyer.unwrap();
    assert_eq!(buyer.name, "Test Buyer");
    assert_eq!(buyer.account_name, "example_buyer");
}

#[tokio::test]
async fn the_sample_writes_are_made_and_their_answers_read() {
    let files = [
        "samples/bulkUpdatePriceQuantity.json",
        "samples/createShippingFulfillment.json",
    ];
    let [Some(bulk), Some(shipment)] = files.map(contract) else {
        return;
    };
    let world = world();
    world.network.answer(200, &bulk["response"]["body"]);
    world.network.answer(207, &bulk["response_partial"]["body"]);
    let mut first = update("LAMP-01-WHITE", "7000000001", 5);
    first.price = Money::parse("19.99", first.price.currency).unwrap();
    let second = update("LAMP-01-WHITE", "7000000002", 1);
    let updates = [first.clone(), second];
    assert!(world.ebay.push(&updates[..1]).await.unwrap()[0].is_ok());
    let outcomes = world.ebay.push(&updates).await.unwrap();
    assert!(outcomes[0].is_ok());
    assert_eq!(outcomes[1].as_ref().unwrap_err().code, "25709");
    let asked = world.network.asked();
    let sent: Value = serde_json::from_slice(asked[0].body()).unwrap();
    assert_eq!(sent, bulk["request"]["body"]);
    assert_eq!(asked[0].uri().to_string(), bulk["request"]["url"]);

    world.network.answer(201, &shipment["response"]["body"]);
    let wanted = &shipment["request"]["body"];
    let parcel = ParcelToConfirm {
        tracking_number: TrackingNumber::parse(wanted["trackingNumber"].as_str().unwrap()).unwrap(),
        carrier: "UPS Ground".into(),
        lines: vec![ParcelLine {
            line: LineId::parse("10000000000001").unwrap(),
            quantity: 2,
        }],
        shipped_at: wanted["shippedDate"].as_str().unwrap().parse().unwrap(),
        not_after: jiff::Timestamp::MAX,
    };
    world.clock.advance(jiff::SignedDuration::from_hours(1));
    let id = order_id("01-23456-78901");
    world.ebay.confirm(&id, &parcel).await.unwrap();
    let asked = world.network.asked();
    let sent: Value = serde_json::from_slice(asked[0].body()).unwrap();
    assert_eq!(&sent, wanted);
    assert_eq!(asked[0].uri().to_string(), shipment["request"]["url"]);
}

#[tokio::test]
async fn the_sample_errors_are_told_apart() {
    let Some(samples) = contract("samples/error_envelopes.json") else {
        return;
    };
    for (name, kind, code) in [
        ("rest", Kind::Refused, "32300"),
        ("post_order", Kind::Refused, "1"),
        ("digital_signature_rejected", Kind::Misconfigured, "215120"),
    ] {
        let world = world();
        world.network.answer(400, &samples[name]);
        let error = world.ebay.order(&order_id("1-1")).await.unwrap_err();
        assert_eq!((error.kind, error.code.as_str()), (kind, code), "{name}");
    }
}

#[tokio::test]
async fn the_sample_tokens_are_asked_for_and_read() {
    let Some(samples) = contract("samples/oauth_token.json") else {
        return;
    };
    let World { network, ebay, .. } = world();
    let config = |environment: &str| {
        let secret = json!({
            "environment": environment, "client_id": "a", "client_secret": "b",
            "refresh_token": "c", "endpoint": "https://h.example.com",
            "verification_token": "x".repeat(32),
        });
        Config::parse(&Secret::new(secret.to_string())).unwrap()
    };
    for environment in ["production", "sandbox"] {
        let auth = Auth::new(
            ebay.id.clone(),
            config(environment),
            ebay.outside.clone(),
            None,
        );
        let sample = &samples["refresh_token"];
        let refresh = Secret::new(sample["form"]["refresh_token"].as_str().unwrap().into());
        network.answer(200, &sample["response"]["body"]);
        let fresh: FreshToken = auth.refresh(&refresh).await.unwrap();
        assert_eq!(
            fresh.access.expose(),
            sample["response"]["body"]["access_token"]
        );
        assert_eq!(
            fresh.expires_at,
            now() + jiff::SignedDuration::from_secs(7200)
        );
        assert!(fresh.refresh.is_none());
        let asked = network.asked();
        assert_eq!(asked[0].uri().to_string(), samples["endpoint"][environment]);
        assert_eq!(
            asked[0].headers()["content-type"],
            "application/x-www-form-urlencoded"
        );
        let sent: Vec<_> = url::form_urlencoded::parse(asked[0].body()).collect();
        for (name, value) in sent {
            assert_eq!(sample["form"][name.as_ref()], value.as_ref());
        }
        for error in samples["errors"].as_array().unwrap() {
            let status = u16::try_from(error["status"].as_u64().unwrap()).unwrap();
            network.answer(status, &error["body"]);
            let refused = auth.refresh(&refresh).await.unwrap_err();
            assert_eq!(
                (refused.retry, refused.effect),
                (Retry::Person, Effect::None)
            );
        }
        network.asked();
    }
}
