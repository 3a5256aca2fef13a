//! Listings and feeds.

use super::client::Client;
use super::client::MARKETPLACE;
use crate::common::call;
use crate::common::encode;
use axum::body::Body;
use http::Method;
use http::Request;
use http::StatusCode;
use kervan_marketplaces::amazon::AmazonStatus;
use kervan_marketplaces::defaults;
use serde_json::Value;
use serde_json::json;

#[tokio::test]
async fn a_patch_is_accepted_at_once_and_shows_later_and_replace_loses_the_rest() {
    let client = Client::new().await;
    let path = format!(
        "/listings/2021-08-01/items/{}/LAMP?marketplaceIds={MARKETPLACE}",
        defaults::AMAZON_SELLER_ID
    );
    let patch = |op: &str, name: &str| {
        json!({ "productType": "PRODUCT", "patches": [{ "op": op,
        "path": "/attributes/fulfillment_availability",
        "value": [{ name: "DEFAULT", "quantity": 4 }] }] })
    };
    let send = async |body: &Value| client.send(Method::PATCH, &path, Some(body)).await;
    let accepted = send(&patch("merge", "fulfillment_channel_code")).await;
    assert_eq!(accepted.json()["status"], "ACCEPTED");
    assert_eq!(client.amazon.listed_quantity("LAMP"), Some(10));
    client.pass_s(1);
    assert_eq!(client.amazon.listed_quantity("LAMP"), Some(4));
    assert_eq!(client.amazon.listings()[0].lead_time_days, Some(2));
    let camel = send(&patch("merge", "fulfillmentChannelCode")).await;
    assert_eq!(
        (camel.status, camel.json()["status"].clone()),
        (StatusCode::OK, json!("INVALID"))
    );
    assert_eq!(camel.json()["issues"][0]["code"], "90000900");
    send(&patch("replace", "fulfillment_channel_code")).await;
    client.pass_s(1);
    assert_eq!(client.amazon.listings()[0].lead_time_days, None);
    assert_eq!(
        send(&json!({ "patches": [] })).await.status,
        StatusCode::BAD_REQUEST
    );
    let shown = client
        .get(&format!("{path}&includedData=attributes,offers"))
        .await
        .json();
    assert_eq!(shown["offers"][0]["price"]["amount"], "19.99");
    let stranger = client
        .get(&format!(
            "/listings/2021-08-01/items/A2OTHER/LAMP?marketplaceIds={MARKETPLACE}"
        ))
        .await;
    assert_eq!(stranger.status, StatusCode::FORBIDDEN);
    let nowhere = path.split('?').next().unwrap();
    assert_eq!(client.get(nowhere).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_storage_compares_the_content_type_to_the_letter() {
    let client = Client::new().await;
    let announced = json!({ "contentType": "application/json; charset=UTF-8" });
    let place = client
        .post("/feeds/2021-06-30/documents", &announced)
        .await
        .json();
    for wrong in [
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
    ] {
        let got = client.put(&place, wrong, "{}").await;
        assert_eq!(got.status, StatusCode::FORBIDDEN, "{wrong}");
        assert!(String::from_utf8_lossy(&got.body).contains("SignatureDoesNotMatch"));
    }
    let url = place["url"].as_str().unwrap();
    let request = Request::put(url)
        .header("content-type", "application/json; charset=UTF-8")
        .header("x-amz-access-token", &client.token)
        .body(Body::empty())
        .unwrap();
    assert_eq!(
        call(client.amazon.router(), request).await.status,
        StatusCode::FORBIDDEN,
        "a token is a header too many"
    );
    let hand_in = json!({ "feedType": "JSON_LISTINGS_FEED", "marketplaceIds": [MARKETPLACE], "inputFeedDocumentId": place["feedDocumentId"] });
    assert_eq!(
        client
            .post("/feeds/2021-06-30/feeds", &hand_in)
            .await
            .status,
        StatusCode::BAD_REQUEST,
        "nothing was put there"
    );
    assert_eq!(
        client
            .put(&place, "application/json; charset=UTF-8", "{}")
            .await
            .status,
        StatusCode::OK
    );
    client.pass_s(300);
    let late = client
        .put(&place, "application/json; charset=UTF-8", "{}")
        .await;
    assert!(String::from_utf8_lossy(&late.body).contains("AccessDenied"));
    let mut dead = hand_in.clone();
    dead["feedType"] = json!("POST_INVENTORY_AVAILABILITY_DATA");
    assert_eq!(
        client.post("/feeds/2021-06-30/feeds", &dead).await.status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn a_feed_goes_its_way_and_a_broken_one_is_fatal() {
    let client = Client::new().await;
    let message = |id: u64, sku: &str| {
        json!({ "messageId": id, "sku": sku, "operationType": "PATCH", "productType": "PRODUCT",
        "patches": [{ "op": "merge", "path": "/attributes/fulfillment_availability",
            "value": [{ "fulfillment_channel_code": "DEFAULT", "quantity": 6 }] }] })
    };
    let header = json!({ "sellerId": defaults::AMAZON_SELLER_ID, "version": "2.0" });
    let document =
        json!({ "header": header, "messages": [message(1, "LAMP"), message(2, "NONE")] });
    let id = client
        .feed(
            "JSON_LISTINGS_FEED",
            "application/json",
            &document.to_string(),
        )
        .await;
    let status = async || {
        client
            .get(&format!("/feeds/2021-06-30/feeds/{id}"))
            .await
            .json()
    };
    assert_eq!(status().await["processingStatus"], "IN_QUEUE");
    client.pass_s(1);
    assert_eq!(status().await["processingStatus"], "IN_PROGRESS");
    client.pass_s(1);
    let done = status().await;
    assert_eq!(done["processingStatus"], "DONE");
    let result = done["resultFeedDocumentId"].as_str().unwrap();
    let place = client
        .get(&format!("/feeds/2021-06-30/documents/{result}"))
        .await
        .json();
    assert_eq!(place["compressionAlgorithm"], "GZIP");
    let request = Request::get(place["url"].as_str().unwrap())
        .body(Body::empty())
        .unwrap();
    let report = call(client.amazon.router(), request).await;
    assert_eq!(report.body[..2], [0x1f, 0x8b]);
    client.pass_s(1);
    assert_eq!(client.amazon.listed_quantity("LAMP"), Some(6));
    for broken in [
        "{",
        "{}",
        &json!({ "header": header, "messages": [message(1, "LAMP"), message(1, "LAMP")] })
            .to_string(),
    ] {
        let id = client
            .feed("JSON_LISTINGS_FEED", "application/json", broken)
            .await;
        client.pass_s(2);
        let ended = client
            .get(&format!("/feeds/2021-06-30/feeds/{id}"))
            .await
            .json();
        assert_eq!(
            (
                &ended["processingStatus"],
                ended.get("resultFeedDocumentId")
            ),
            (&json!("FATAL"), None)
        );
    }
    let first = client
        .get("/feeds/2021-06-30/feeds?feedTypes=JSON_LISTINGS_FEED&pageSize=3")
        .await
        .json();
    let token = encode(first["nextToken"].as_str().unwrap());
    let second = client
        .get(&format!("/feeds/2021-06-30/feeds?nextToken={token}"))
        .await
        .json();
    assert_eq!(
        (
            first["feeds"].as_array().unwrap().len(),
            second["feeds"][0]["feedId"].clone()
        ),
        (3, json!(id))
    );
    let both = client
        .get(&format!(
            "/feeds/2021-06-30/feeds?nextToken={token}&pageSize=3"
        ))
        .await;
    assert_eq!(both.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        client.get("/feeds/2021-06-30/feeds").await.status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn feeds_of_listings_have_a_bucket_of_their_own() {
    let client = Client::new().await;
    for _ in 0..5 {
        client
            .feed("JSON_LISTINGS_FEED", "application/json", "{}")
            .await;
    }
    let place = client
        .post(
            "/feeds/2021-06-30/documents",
            &json!({ "contentType": "a/b" }),
        )
        .await
        .json();
    client.put(&place, "a/b", "{}").await;
    let mut body = json!({ "feedType": "JSON_LISTINGS_FEED", "marketplaceIds": [MARKETPLACE], "inputFeedDocumentId": place["feedDocumentId"] });
    let sixth = client.post("/feeds/2021-06-30/feeds", &body).await;
    assert_eq!(sixth.status, StatusCode::TOO_MANY_REQUESTS);
    body["feedType"] = json!("POST_ORDER_ACKNOWLEDGEMENT_DATA");
    assert_eq!(
        client.post("/feeds/2021-06-30/feeds", &body).await.status,
        StatusCode::ACCEPTED
    );
}

#[tokio::test]
async fn an_acknowledgement_cancels_a_whole_order_that_is_not_shipped() {
    let client = Client::new().await;
    let (id, line) = client.place(1);
    let document = |line: &str| {
        format!(
            "<?xml version=\"1.0\"?><AmazonEnvelope><Header><DocumentVersion>1.01</DocumentVersion><MerchantIdentifier>{}</MerchantIdentifier></Header><MessageType>OrderAcknowledgement</MessageType><Message><MessageID>1</MessageID><OrderAcknowledgement><AmazonOrderID>{id}</AmazonOrderID><StatusCode>Failure</StatusCode><Item><AmazonOrderItemCode>{line}</AmazonOrderItemCode><CancelReason>NoInventory</CancelReason></Item></OrderAcknowledgement></Message></AmazonEnvelope>",
            defaults::AMAZON_SELLER_ID
        )
    };
    let kind = "POST_ORDER_ACKNOWLEDGEMENT_DATA";
    client.feed(kind, "text/xml", &document("1")).await;
    client.pass_s(2);
    assert_eq!(
        client.amazon.order(&id).unwrap().status,
        AmazonStatus::Unshipped,
        "a line is unknown"
    );
    client.feed(kind, "text/xml", &document(&line)).await;
    client.pass_s(2);
    assert_eq!(
        client.amazon.order(&id).unwrap().status,
        AmazonStatus::Cancelled
    );
    client.feed(kind, "text/xml", "<AmazonEnvelope>").await;
    client.pass_s(2);
    assert_eq!(client.amazon.feeds().last().unwrap().status, "FATAL");
}
