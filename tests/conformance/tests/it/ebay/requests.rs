//! Every request that the adapter sends is one that eBay describes: REST calls against its OpenAPI documents, Trading
//! calls against the recorded requests. The adapter sends them to the simulator, so its answers are those that make it
//! send all kinds.

use crate::ebay::common::{World, contract, contract_text, order_id, parcel, refund, update};
use bytes::Bytes;
use http::Request;
use kervan::marketplaces::{
    ConfirmParcels, Examine, PushListings, ReadOrders, Refund, RefundRequest, Subscribe,
    SubscribeTo,
};
use kervan_marketplaces::{
    Money, defaults,
    ebay::{NewListing, NewOrder},
};
use quick_xml::{Reader, events::Event};
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};

const SPECS: [&str; 4] = [
    "sell_fulfillment_v1",
    "sell_inventory_v1",
    "commerce_notification_v1",
    "developer_analytics_v1_beta",
];
/// Headers that a call may have: what the documents name, and what eBay's guides ask of every call.
const HEADERS: [&str; 10] = [
    "authorization",
    "accept",
    "accept-language",
    "content-type",
    "content-language",
    "x-ebay-c-marketplace-id",
    "content-digest",
    "x-ebay-signature-key",
    "signature-input",
    "signature",
];

/// Everything that the adapter can send, in two accounts: one of each API.
async fn all_requests() -> Vec<Request<Bytes>> {
    let mut sent = Vec::new();
    for orders in ["fulfillment", "trading"] {
        let world = World::start(&json!({
            "orders": orders,
            "signing_key_jwe": defaults::EBAY_SIGNING_JWE,
            "signing_private_key": defaults::EBAY_SIGNING_PRIVATE_KEY,
        }))
        .await;
        let simulator = &world.simulators.ebay;
        let lamp = simulator.add_listing(NewListing::new("LAMP", Money::usd(1999), 9));
        let desk = NewListing {
            trading: true,
            ..NewListing::new("DESK", Money::usd(1999), 9)
        };
        let desk = simulator.add_listing(desk);
        let new = NewOrder::of([("LAMP", 1), ("DESK", 1)]);
        let order = order_id(&simulator.place_order(new).unwrap());
        world.pass(Duration::from_secs(10));
        let ebay = &world.ebay;
        let fetched = ebay.order(&order).await.unwrap();
        let lines: Vec<_> = fetched
            .details
            .lines
            .iter()
            .map(|line| line.id.as_str())
            .collect();
        let from = world.now() - jiff::SignedDuration::from_hours(1);
        ebay.changed(from, world.now(), None).await.unwrap();
        for (number, line) in [("PARCEL0001", lines[0]), ("PARCEL0002", lines[1])] {
            ebay.confirm(&order, &parcel(number, &[(line, 1)]))
                .await
                .unwrap();
        }
        let number = parcel("PARCEL0001", &[]).tracking_number;
        ebay.is_confirmed(&order, &number).await.unwrap();
        let item = format!("item:{}", desk.listing_id);
        let updates = [update("LAMP", &lamp.offer_id, 3), update("DESK", &item, 0)];
        assert!(
            ebay.push(&updates, jiff::Timestamp::MAX)
                .await
                .unwrap()
                .iter()
                .all(Result::is_ok)
        );
        ebay.refund(&order, &refund("5.00")).await.unwrap();
        let of_line = RefundRequest {
            line: Some(fetched.details.lines[0].id.clone()),
            ..refund("4.00")
        };
        ebay.refund(&order, &of_line).await.unwrap();
        let to = SubscribeTo {
            queue_arn: None,
            alert_email: Some("ops@example.com".into()),
        };
        ebay.subscribe(&to).await.unwrap();
        simulator.mark_endpoints_down();
        ebay.subscribe(&to).await.unwrap();
        ebay.examine().await;
        // A whole order, and a subscription that leads elsewhere.
        let order = order_id(&simulator.place_order(NewOrder::one("LAMP", 1)).unwrap());
        world.pass(Duration::from_secs(10));
        let fetched = ebay.order(&order).await.unwrap();
        let line = fetched.details.lines[0].id.as_str();
        ebay.confirm(&order, &parcel("PARCEL0003", &[(line, 1)]))
            .await
            .unwrap();
        sent.extend(world.sent());
        sent.extend(moved_elsewhere(&world).await);
    }
    sent
}

/// What is sent where a subscription stands that leads to another endpoint.
async fn moved_elsewhere(world: &World) -> Vec<Request<Bytes>> {
    use crate::ebay::common::{Network, account_before};
    let _ = world;
    let network = Network::saying(|request| {
        let (path, method) = (request.uri().path().to_owned(), request.method().as_str());
        let body = match (method, path.rsplit('/').next().unwrap()) {
            ("GET", "config") => json!({"alertEmail": "ops@example.com"}),
            ("GET", "destination") => json!({"destinations": [{
                "destinationId": "d-1", "status": "ENABLED",
                "deliveryConfig": {"endpoint": crate::ebay::common::ENDPOINT}}]}),
            ("GET", "topic") => json!({"topics": [{
                "topicId": "MARKETPLACE_ACCOUNT_DELETION", "scope": "APPLICATION",
                "supportedPayloads": [{"schemaVersion": "1.0", "format": ["JSON"]}]}]}),
            ("GET", "subscription") if request.uri().query().unwrap().contains("continuation") => {
                json!({"subscriptions": [{"subscriptionId": "s-1", "status": "ENABLED",
                    "topicId": "MARKETPLACE_ACCOUNT_DELETION", "destinationId": "d-0"}]})
            }
            ("GET", "subscription") => {
                json!({"subscriptions": [], "next": "https://elsewhere.example/x?continuation_token=a%2Bb"})
            }
            _ => return (204, String::new()),
        };
        (200, body.to_string())
    });
    let ebay = account_before(&network, &json!({}));
    ebay.subscribe(&SubscribeTo::default()).await.unwrap();
    network.asked()
}

fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(name) => resolve(
            document,
            document.pointer(name.trim_start_matches('#')).unwrap(),
        ),
        None => schema,
    }
}

/// Required fields are there, no field is unknown, and each is of its type, its words and its length.
fn fits_schema(document: &Value, schema: &Value, body: &Value, at: &str) {
    let schema = resolve(document, schema);
    let kind = schema["type"].as_str().unwrap_or("object");
    match body {
        Value::Object(fields) => {
            assert_eq!(kind, "object", "{at}");
            for required in schema["required"].as_array().into_iter().flatten() {
                assert!(
                    fields.contains_key(required.as_str().unwrap()),
                    "{at} lacks {required}"
                );
            }
            for (name, value) in fields {
                let property = &schema["properties"][name];
                assert!(property.is_object(), "{at}.{name} is not in the contract");
                fits_schema(document, property, value, &format!("{at}.{name}"));
            }
        }
        Value::Array(items) => {
            assert_eq!(kind, "array", "{at}");
            items
                .iter()
                .for_each(|item| fits_schema(document, &schema["items"], item, at));
        }
        Value::Number(number) => {
            let fits = (kind == "integer" && number.is_u64()) || kind == "number";
            assert!(fits, "{at}: {number} is no {kind}");
        }
        Value::String(text) => {
            assert_eq!(kind, "string", "{at}");
            if let Some(words) = schema["enum"].as_array() {
                assert!(words.contains(body), "{at}: {text}");
            }
            if let Some(longest) = schema["maxLength"].as_u64() {
                assert!(text.chars().count() as u64 <= longest, "{at} is too long");
            }
        }
        other => panic!("{at}: {other} is not sent"),
    }
}

fn fits_template(path: &str, template: &str) -> bool {
    let (path, template): (Vec<_>, Vec<_>) =
        (path.split('/').collect(), template.split('/').collect());
    let fits = |(given, wanted): (&&str, &&str)| {
        given == wanted || (wanted.starts_with('{') && !given.is_empty())
    };
    path.len() == template.len() && path.iter().zip(&template).all(fits)
}

/// The operation that a request is, checked whole.
fn described(documents: &[Value], request: &Request<Bytes>) -> String {
    let (method, path) = (
        request.method().as_str().to_lowercase(),
        request.uri().path(),
    );
    let mut found = documents.iter().filter_map(|document| {
        let base = document["servers"][0]["variables"]["basePath"]["default"].as_str()?;
        let rest = path.strip_prefix(base)?;
        let mut paths = document["paths"].as_object()?.iter();
        // A plain name comes before a name in braces.
        let fits = |(template, methods): &(&String, &Value)| {
            fits_template(rest, template) && methods[&method].is_object()
        };
        let (_, methods) = paths.find(fits)?;
        Some((document, &methods[&method]))
    });
    let (document, operation) = found
        .next()
        .unwrap_or_else(|| panic!("{method} {path} is in no document"));
    let name = operation["operationId"].as_str().unwrap().to_owned();
    let empty = Vec::new();
    let parameters = operation["parameters"].as_array().unwrap_or(&empty);
    let query: Vec<_> = url::form_urlencoded::parse(request.uri().query().unwrap_or("").as_bytes())
        .map(|(name, _)| name.into_owned())
        .collect();
    for given in &query {
        let is_known = |p: &Value| p["in"] == "query" && p["name"] == given.as_str();
        assert!(parameters.iter().any(is_known), "{name}: {given}");
    }
    for parameter in parameters.iter().filter(|p| p["required"] == true) {
        let wanted = parameter["name"].as_str().unwrap();
        match parameter["in"].as_str().unwrap() {
            "header" => assert!(
                request.headers().contains_key(wanted),
                "{name} lacks {wanted}"
            ),
            "query" => assert!(
                query.iter().any(|given| given == wanted),
                "{name} lacks {wanted}"
            ),
            _ => {}
        }
    }
    for header in request.headers().keys() {
        assert!(HEADERS.contains(&header.as_str()), "{name}: {header}");
    }
    assert_eq!(request.headers()["accept"], "application/json", "{name}");
    assert_eq!(request.headers()["accept-language"], "en-US", "{name}");
    assert!(
        request.headers()["authorization"]
            .to_str()
            .unwrap()
            .starts_with("Bearer "),
        "{name}"
    );
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(
        schema.is_object(),
        !request.body().is_empty(),
        "{name} and its body"
    );
    if schema.is_object() {
        assert_eq!(
            request.headers()["content-type"],
            "application/json",
            "{name}"
        );
        let body = serde_json::from_slice(request.body()).unwrap();
        fits_schema(document, schema, &body, &name);
    }
    name
}

#[tokio::test]
async fn every_call_of_the_sell_apis_is_one_that_ebay_describes() {
    let specs = SPECS.map(|name| contract(&format!("specs/{name}_oas3.json")));
    let documents: Vec<Value> = specs.into_iter().flatten().collect();
    if documents.is_empty() {
        return;
    }
    let is_rest = |request: &Request<Bytes>| {
        let path = request.uri().path();
        !path.ends_with("/oauth2/token")
            && path != "/ws/api.dll"
            && request.uri().host() != Some("hooks.example.com")
    };
    let mut seen = BTreeSet::new();
    for request in all_requests().await.iter().filter(|one| is_rest(one)) {
        seen.insert(described(&documents, request));
    }
    let expected = [
        "bulkUpdatePriceQuantity",
        "createDestination",
        "createShippingFulfillment",
        "createSubscription",
        "enableSubscription",
        "getConfig",
        "getDestinations",
        "getOrder",
        "getOrders",
        "getRateLimits",
        "getShippingFulfillments",
        "getSubscriptions",
        "getTopics",
        "issueRefund",
        "test",
        "updateConfig",
        "updateDestination",
        "updateSubscription",
    ];
    assert_eq!(
        seen.iter().map(String::as_str).collect::<Vec<_>>(),
        expected
    );
}

/// For each element of a document, its path and the names of its children in their order.
fn shape(text: &str) -> Vec<(String, Vec<String>)> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<(String, Vec<String>)> = vec![(String::new(), Vec::new())];
    let mut shape = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                let name = String::from_utf8(start.name().as_ref().to_vec()).unwrap();
                let (parent, children) = open.last_mut().unwrap();
                let path = format!("{parent}/{name}");
                children.push(name);
                open.push((path, Vec::new()));
            }
            Event::End(_) => shape.push(open.pop().unwrap()),
            Event::Eof => return shape,
            _ => {}
        }
    }
}

/// Which of two names comes before the other somewhere.
fn precedences(children: &[String]) -> BTreeSet<(&str, &str)> {
    let names = children.iter().enumerate();
    names
        .flat_map(|(n, first)| {
            children[n + 1..]
                .iter()
                .map(move |then| (&**first, &**then))
        })
        .filter(|(first, then)| first != then)
        .collect()
}

#[tokio::test]
async fn every_call_of_the_trading_api_has_the_headers_and_the_order_of_the_recorded_ones() {
    let Some(headers) = contract("trading/http_headers.json") else {
        return;
    };
    let sent = all_requests().await;
    let mut seen = BTreeSet::new();
    for request in sent.iter().filter(|one| one.uri().path() == "/ws/api.dll") {
        let call = request.headers()["x-ebay-api-call-name"].to_str().unwrap();
        for (name, _) in headers["headers"].as_object().unwrap() {
            let value = request.headers()[name.to_lowercase()].to_str().unwrap();
            assert!(
                !value.is_empty() && !value.starts_with("Bearer"),
                "{call} {name}"
            );
        }
        assert_eq!(request.headers()["content-type"], "text/xml");
        assert_eq!(request.method().as_str(), headers["method"]);
        let ours = String::from_utf8(request.body().to_vec()).unwrap();
        assert!(ours.contains(&format!(
            "<{call}Request xmlns=\"urn:ebay:apis:eBLBaseComponents\">"
        )));
        seen.insert(call.to_owned());
        let Some(recorded) = recorded(call) else {
            continue;
        };
        let recorded = shape(&recorded);
        for (path, children) in shape(&ours) {
            let known = recorded.iter().filter(|(other, _)| *other == path);
            let known: BTreeSet<_> = known.flat_map(|(_, known)| precedences(known)).collect();
            for (first, then) in precedences(&children) {
                let is_turned = known.contains(&(then, first)) && !known.contains(&(first, then));
                assert!(!is_turned, "{call} {path}: {first} before {then}");
            }
        }
    }
    let expected = [
        "CompleteSale",
        "GetNotificationPreferences",
        "GetOrders",
        "GeteBayOfficialTime",
        "ReviseInventoryStatus",
        "SetNotificationPreferences",
    ];
    assert_eq!(
        seen.iter().map(String::as_str).collect::<Vec<_>>(),
        expected
    );
}

fn recorded(call: &str) -> Option<String> {
    let recorded = [
        "CompleteSale",
        "GetOrders",
        "ReviseInventoryStatus",
        "SetNotificationPreferences",
    ];
    recorded
        .contains(&call)
        .then(|| contract_text(&format!("trading/{call}.request.xml")).unwrap())
}
