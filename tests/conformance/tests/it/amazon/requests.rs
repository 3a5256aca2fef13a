//! Every request that the adapter can send, against Amazon's models.

use crate::amazon::common::{Network, QUEUE, US, account, contract, now, order_id, parcel, update};
use crate::amazon::model;
use bytes::Bytes;
use http::{Method, Request};
use jiff::SignedDuration;
use kervan::marketplaces::{
    CancelOrders, ConfirmParcels, Examine, PushInBulk, PushListings, ReadOrders, Subscribe,
    SubscribeTo,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

const MODELS: [&str; 6] = [
    "orders_2026-01-01",
    "ordersV0",
    "listingsItems_2021-08-01",
    "feeds_2021-06-30",
    "notifications",
    "sellers",
];

/// What the adapter can call.
const OPERATIONS: [&str; 15] = [
    "confirmShipment",
    "createDestination",
    "createFeed",
    "createFeedDocument",
    "createSubscription",
    "deleteSubscriptionById",
    "getDestinations",
    "getFeed",
    "getFeedDocument",
    "getFeeds",
    "getMarketplaceParticipations",
    "getOrder",
    "getSubscription",
    "patchListingsItem",
    "searchOrders",
];

/// The operations that the models have a request of, for the coverage.
pub(crate) const VALIDATED: usize = OPERATIONS.len();

fn order_json() -> Value {
    json!({"order": {
        "orderId": "111-1234567-1234567",
        "createdTime": "2026-01-15T10:00:00Z",
        "lastUpdatedTime": "2026-01-15T10:00:00Z",
        "salesChannel": {"channelName": "AMAZON", "marketplaceId": US},
        "fulfillment": {"fulfillmentStatus": "UNSHIPPED", "fulfilledBy": "MERCHANT"},
        "proceeds": {"grandTotal": {"amount": "10.00", "currencyCode": "USD"}},
        "orderItems": [{
            "orderItemId": "1", "quantityOrdered": 1,
            "product": {"price": {"unitPrice": {"amount": "10.00", "currencyCode": "USD"}}},
        }],
    }})
}

/// Amazon as everything that the roles do finds it.
fn network() -> Network {
    let storage = "https://storage.example.com/x";
    let feeds = "/feeds/2021-06-30";
    let document = json!({"feedDocumentId": "document", "url": storage});
    let feed = json!({"feedId": "f", "feedType": "JSON_LISTINGS_FEED", "processingStatus": "DONE",
        "createdTime": "2026-01-15T11:59:00Z", "resultFeedDocumentId": "report"});
    let report =
        json!({"header": {"feedId": "f"}, "issues": [], "summary": {"messagesAccepted": 2}});
    let page = json!({"orders": [], "pagination": {"nextToken": "a+/b=="}});
    let subscription = json!({"payload": {"subscriptionId": "s/1", "destinationId": "elsewhere"}});
    Network::default()
        .and(Method::GET, "/orders/2026-01-01/orders/", 200, order_json())
        .and(Method::GET, "/orders/2026-01-01/orders", 200, page)
        .and(Method::POST, "/orders/v0/orders/", 204, Value::Null)
        .and(
            Method::PATCH,
            "/listings/",
            200,
            json!({"status": "ACCEPTED"}),
        )
        .and(
            Method::POST,
            "/feeds/2021-06-30/documents",
            201,
            document.clone(),
        )
        .and(Method::PUT, "/x", 200, Value::Null)
        .and(
            Method::POST,
            "/feeds/2021-06-30/feeds",
            202,
            json!({"feedId": "f"}),
        )
        .and(Method::GET, "/feeds/2021-06-30/feeds/", 200, feed.clone())
        .and(
            Method::GET,
            "/feeds/2021-06-30/feeds",
            200,
            json!({"feeds": [feed], "nextToken": "t"}),
        )
        .and(Method::GET, "/feeds/2021-06-30/documents/", 200, document)
        .and(Method::GET, "/x", 200, report)
        .and(
            Method::GET,
            "/notifications/v1/destinations",
            200,
            json!({"payload": []}),
        )
        .and(
            Method::POST,
            "/notifications/v1/destinations",
            200,
            json!({"payload": {"destinationId": "d", "name": "n", "resource": {}}}),
        )
        .and(
            Method::GET,
            "/notifications/v1/subscriptions/",
            200,
            subscription.clone(),
        )
        .and(
            Method::POST,
            "/notifications/v1/subscriptions/",
            200,
            subscription,
        )
        .and(
            Method::DELETE,
            "/notifications/v1/subscriptions/",
            200,
            json!({}),
        )
        .and(Method::GET, "/sellers/v1/", 200, json!({"payload": []}))
        .and(Method::GET, feeds, 404, Value::Null)
}

/// Everything that the adapter does, once.
async fn everything(marketplaces: &[&str]) -> Vec<Request<Bytes>> {
    let network = Arc::new(network());
    let amazon = account(&network, marketplaces);
    let id = order_id("111-1234567-1234567");
    let updates = [update("A/B+C&D", 5, "19.99"), update("SKU-2", 0, "1234.50")];
    amazon.order(&id).await.unwrap();
    let from = now() - SignedDuration::from_hours(1);
    let first = amazon.changed(from, now(), None).await.unwrap();
    let _ = amazon.changed(from, now(), first.next.as_deref()).await;
    for carrier in ["UPS", "Lucky Parcels"] {
        amazon
            .confirm(&id, &parcel("1Z999AA10123456784", carrier, "1", 1))
            .await
            .unwrap();
    }
    amazon
        .is_confirmed(
            &id,
            &parcel("1Z999AA10123456784", "UPS", "1", 1).tracking_number,
        )
        .await
        .unwrap();
    amazon.push(&updates, jiff::Timestamp::MAX).await.unwrap();
    let handed_in = amazon.submit(&updates).await.unwrap();
    amazon.report(&handed_in, &updates).await.unwrap().unwrap();
    let _ = amazon.submissions(from).await;
    let _ = amazon.cancel(&id, &[]).await;
    let to = SubscribeTo {
        queue_arn: Some(QUEUE.to_owned()),
        ..SubscribeTo::default()
    };
    amazon.subscribe(&to).await.unwrap();
    amazon.examine().await;
    network.calls()
}

#[tokio::test]
async fn every_request_is_one_of_the_models() {
    let mut models = Vec::new();
    for name in MODELS {
        let Some(model) = contract(&format!("models/{name}.json")) else {
            return;
        };
        models.push(model);
    }
    let operations: Vec<_> = models.iter().flat_map(model::operations).collect();
    let mut met = BTreeSet::new();
    for marketplaces in [&[US][..], &[US, "A2EUQ1WTGCTBG2"]] {
        for request in everything(marketplaces).await {
            // A path with a fixed word counts before one with a name in its place.
            let mut matching = operations
                .iter()
                .filter(|one| one.matched(&request).is_some());
            let what = format!("{} {}", request.method(), request.uri());
            let operation = matching
                .next()
                .unwrap_or_else(|| panic!("{what} is in no model"));
            let objections = operation.objections(&request);
            assert!(
                objections.is_empty(),
                "{} {what}: {objections:?}",
                operation.id
            );
            met.insert(operation.id);
        }
    }
    let known: BTreeSet<&str> = OPERATIONS.into_iter().collect();
    assert_eq!(met, known);
}

#[tokio::test]
async fn the_checker_objects_to_what_is_wrong() {
    let Some(model) = contract("models/ordersV0.json") else {
        return;
    };
    let operations = model::operations(&model);
    let confirm = operations
        .iter()
        .find(|one| one.id == "confirmShipment")
        .unwrap();
    let wrong = json!({
        "marketplaceId": US, "unknown": 1,
        "packageDetail": {"packageReferenceId": 7, "carrierCode": "UPS", "orderItems": {}},
    });
    let request = Request::post("https://x/orders/v0/orders/1/shipmentConfirmation?a=b")
        .body(Bytes::from(wrong.to_string()))
        .unwrap();
    let objections = confirm.objections(&request).join("; ");
    for part in [
        "unknown parameter a",
        "body.unknown is unknown",
        "packageReferenceId is no",
        "orderItems is no",
        "\"trackingNumber\" is missing",
        "x-amz-access-token is missing",
    ] {
        assert!(objections.contains(part), "{part} in {objections}");
    }
}

/// The documents of feeds, against their schema's rules.
#[tokio::test]
async fn a_feed_of_listings_is_what_its_schema_says() {
    let Some(schema) = contract("schemas/feeds/listings-feed-schema-v2.json") else {
        return;
    };
    let network = Arc::new(network());
    let amazon = account(&network, &[US]);
    let updates = [update("A/B+C&D", 5, "19.99"), update("SKU-2", 0, "1234.50")];
    amazon.submit(&updates).await.unwrap();
    let sent = network.sent.lock().unwrap();
    let place = sent
        .iter()
        .find(|request| request.uri().path().ends_with("/documents"));
    let place: Value = serde_json::from_slice(place.unwrap().body()).unwrap();
    let upload = sent
        .iter()
        .find(|request| request.method() == Method::PUT)
        .unwrap();
    let content_type = upload.headers()["content-type"].to_str().unwrap();
    assert_eq!(place["contentType"], content_type, "to the letter");
    assert_eq!(
        upload.headers().len(),
        1,
        "no other header, above all no token"
    );
    let feed: Value = serde_json::from_slice(upload.body()).unwrap();
    assert_eq!(
        feed["header"]["version"],
        schema["properties"]["header"]["properties"]["version"]["const"]
    );
    let message = &schema["properties"]["messages"]["items"];
    let known = |fields: &Value, schema: &Value| {
        let fields = fields.as_object().unwrap();
        fields
            .keys()
            .all(|name| schema["properties"].get(name).is_some())
    };
    assert!(known(&feed["header"], &schema["properties"]["header"]));
    for (place, one) in feed["messages"].as_array().unwrap().iter().enumerate() {
        assert!(known(one, message), "{one}");
        assert_eq!(one["messageId"], place + 1);
        let operations = message["properties"]["operationType"]["enum"]
            .as_array()
            .unwrap();
        assert!(operations.contains(&one["operationType"]));
        for patch in one["patches"].as_array().unwrap() {
            let patches = &message["properties"]["patches"]["items"];
            assert!(known(patch, patches), "{patch}");
            let ops = patches["properties"]["op"]["enum"].as_array().unwrap();
            assert!(ops.contains(&patch["op"]));
        }
    }
    assert_eq!(feed["messages"][0]["patches"][1]["value"][0]["our_price"][0]["schedule"][0]["value_with_tax"].to_string(), "19.99");
    assert_eq!(schema["properties"]["messages"]["maxItems"], amazon.most());
}
