//! Every official sandbox answer and sample of the operations in use, through the public roles.

use crate::amazon::common::{Network, SELLER, US, account, contract, now, order_id, pairs, update};
use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Request, Response};
use jiff::SignedDuration;
use kervan::{
    domain::SignalKind,
    http::{Http, HttpError},
    marketplaces::{
        CallError, CancelOrders, ConfirmParcels, Effect, Examine, Kind, PushInBulk, PushListings,
        ReadNotifications, ReadOrders, Submission, Verdict,
    },
};
use serde_json::{Value, json};
use std::sync::Arc;

const STORAGE: &str = "/Feed_101__POST_PRODUCT_DATA_.xml";

/// The pairs of one operation and status.
fn of(api: &str, operation: &str, status: u16) -> Option<Vec<Value>> {
    let pairs = pairs(api)?.into_iter();
    let is_meant = |pair: &Value| pair["operationId"] == operation && pair["status"] == status;
    let found: Vec<Value> = pairs.filter(is_meant).collect();
    assert!(!found.is_empty(), "{operation} has no {status}");
    Some(found)
}

/// The token server's answer to a refusal.
pub(crate) async fn token_error(status: u16, body: Value) -> CallError {
    #[derive(Debug)]
    struct Refusing(u16, Value);
    #[async_trait]
    impl Http for Refusing {
        async fn send(&self, _: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
            let body = Bytes::from(self.1.to_string());
            Ok(Response::builder().status(self.0).body(body).unwrap())
        }
    }
    let secret = json!({"environment": "production", "marketplace_ids": [US], "client_id": "a",
        "client_secret": "b", "refresh_token": "c", "seller_id": SELLER});
    let clock = Arc::new(kervan::clock::ManualClock::at(now()));
    let http = Arc::new(Refusing(status, body));
    let amazon = crate::amazon::common::account_with(&secret, http, clock);
    // The token store sums an ended consent up; what the server said is seen through the application's own token.
    match amazon.order(&order_id("1")).await.unwrap_err() {
        error if error.kind == Kind::ConsentEnded => error,
        _ => {
            let to = kervan::marketplaces::SubscribeTo {
                queue_arn: Some(crate::amazon::common::QUEUE.to_owned()),
                ..Default::default()
            };
            kervan::marketplaces::Subscribe::subscribe(&amazon, &to)
                .await
                .unwrap_err()
        }
    }
}

#[tokio::test]
async fn orders_of_the_sandbox_are_kept_as_they_are() {
    let Some(single) = of("orders_2026-01-01", "getOrder", 200) else {
        return;
    };
    let searched = of("orders_2026-01-01", "searchOrders", 200).unwrap();
    let found = searched
        .iter()
        .flat_map(|pair| pair["response_body"]["orders"].as_array().unwrap());
    let orders = single
        .iter()
        .map(|pair| &pair["response_body"]["order"])
        .chain(found);
    let mut seen = Vec::new();
    for order in orders {
        let id = order["orderId"].as_str().unwrap();
        let network = Network::default().and(Method::GET, "/orders/", 200, json!({"order": order}));
        let amazon = account(&Arc::new(network), &[US]);
        match amazon.order(&order_id(id)).await {
            Ok(fetched) => {
                let details = &fetched.details;
                let buyer = fetched.buyer.unwrap();
                let line = &details.lines[0];
                seen.push(format!(
                    "{id} {:?} {:?} {} {} fee {} to {} {} / {} / {} / {} {} lines {} {}x{} {}",
                    details.payment,
                    details.cancel,
                    details.fulfilled,
                    details.total,
                    details.fee,
                    details.country.as_str(),
                    buyer.name,
                    buyer.address.line2,
                    buyer.address.city,
                    buyer.address.region,
                    buyer.phone,
                    details.lines.len(),
                    line.quantity,
                    line.sku,
                    line.price,
                ));
                let times = (
                    details.bought_at.to_string(),
                    details.modified_at.to_string(),
                );
                assert_eq!(order["createdTime"], times.0);
                assert_eq!(order["lastUpdatedTime"], times.1);
                assert_eq!(order["buyer"]["buyerEmail"], buyer.email);
            }
            Err(error) => seen.push(format!("{id} {:?} {}", error.kind, error.code)),
        }
    }
    assert_eq!(
        seen,
        [
            "171-9876543-2109876 Paid No false 299.90 BRL fee 29.99 BRL to BR Maria Silva Santos / Apartamento 45, Vila Madalena / São Paulo / SP +55 11 98765-4321 lines 1 1xECHO-DOT-4-BR-PRETO 299.90 BRL",
            "114-9876543-1234567 Unreadable programs.IN_STORE_PICK_UP",
            "250-1234567-8901234 Paid No true 19940 JPY fee 1994 JPY to JP John Smith / Suite 456 / Tokyo /   lines 2 1xECHO-DOT-4-JP-CHARCOAL 5980 JPY",
            "202-7654321-1098765 Paid No true 34.99 GBP fee 3.50 GBP to GB Sarah Thompson / Flat 2A, Greater London / London / England +44 20 7946 0958 lines 1 1xECHO-DOT-4-UK-CHARCOAL-SINGLE 34.99 GBP",
        ]
    );
}

#[tokio::test]
async fn searches_of_the_sandbox_give_ids_and_times_and_the_next_page() {
    let Some(searched) = of("orders_2026-01-01", "searchOrders", 200) else {
        return;
    };
    let mut seen = Vec::new();
    for pair in searched {
        let body = pair["response_body"].clone();
        let network = Network::default().and(Method::GET, "/orders/", 200, body);
        let amazon = account(&Arc::new(network), &[US]);
        let from = now() - SignedDuration::from_hours(1);
        let page = amazon.changed(from, now(), None).await.unwrap();
        let next = page
            .next
            .map(|next| next.rsplit(' ').next().unwrap().to_owned());
        seen.push((
            page.orders[0].0.to_string(),
            page.orders[0].1.to_string(),
            next,
        ));
    }
    assert_eq!(
        seen,
        [
            (
                "250-1234567-8901234".to_owned(),
                "2024-12-25T06:45:00Z".to_owned(),
                Some("2YgYW55IGNhcm5hbCBwbGVhc3VyZS4".to_owned())
            ),
            (
                "202-7654321-1098765".to_owned(),
                "2024-12-24T18:45:00Z".to_owned(),
                None
            ),
        ]
    );
}

#[tokio::test]
async fn the_parcel_of_a_sandbox_order_is_known() {
    let Some(searched) = of("orders_2026-01-01", "searchOrders", 200) else {
        return;
    };
    let order = searched[1]["response_body"]["orders"][0].clone();
    let id = order_id(order["orderId"].as_str().unwrap());
    let network = Network::default().and(Method::GET, "/orders/", 200, json!({"order": order}));
    let amazon = account(&Arc::new(network), &[US]);
    for (number, is_there) in [
        ("15501234567890123456", true),
        ("15501234567890123457", false),
    ] {
        let number = crate::amazon::common::number(number);
        assert_eq!(amazon.is_confirmed(&id, &number).await.unwrap(), is_there);
    }
}

#[tokio::test]
async fn confirmations_of_the_contract_are_sent_as_they_stand_there() {
    let Some(sample) = contract("samples/confirmShipment.json") else {
        return;
    };
    let sandbox = of("orders_v0", "confirmShipment", 204).unwrap();
    assert_eq!(sandbox.len(), 1);
    let theirs = &sample["request"]["body"]["packageDetail"];
    let network = Arc::new(Network::default().and(Method::POST, "/orders/v0/", 204, Value::Null));
    let amazon = account(&network, &[US]);
    let mut parcel =
        crate::amazon::common::parcel("1Z999AA10123456784", "UPS", "79039765272157", 1);
    parcel.shipped_at = "2026-01-15T10:00:00Z".parse().unwrap();
    amazon
        .confirm(&order_id("902-1106328-1059050"), &parcel)
        .await
        .unwrap();
    let sent = network.calls();
    assert_eq!(
        sent[0].uri().path(),
        sample["request"]["path"].as_str().unwrap()
    );
    let body: Value = serde_json::from_slice(sent[0].body()).unwrap();
    let ours = &body["packageDetail"];
    assert_eq!(
        body["marketplaceId"],
        sample["request"]["body"]["marketplaceId"]
    );
    for field in ["carrierCode", "trackingNumber", "shipDate", "orderItems"] {
        assert_eq!(ours[field], theirs[field], "{field}");
    }
    let reference = ours["packageReferenceId"].as_str().unwrap();
    assert!(reference.parse::<u32>().unwrap() > 0);
}

#[tokio::test]
async fn feeds_of_the_sandbox_are_read() {
    let Some(listed) = of("feeds_2021-06-30", "getFeeds", 200) else {
        return;
    };
    let body = |operation, status| {
        of("feeds_2021-06-30", operation, status).unwrap()[0]["response_body"].clone()
    };
    let mut first = listed[0]["response_body"].clone();
    first["nextToken"] = Value::Null;
    let report =
        contract("schemas/feeds/listings-feed-processing-report-schema-v2.example.json").unwrap();
    let network = Network::default()
        .and(Method::POST, "/feeds/2021-06-30/documents", 201, body("createFeedDocument", 201))
        .and(Method::PUT, STORAGE, 200, Value::Null)
        .and(Method::POST, "/feeds/2021-06-30/feeds", 202, body("createFeed", 202))
        .and(Method::GET, "/feeds/2021-06-30/feeds/feedId1", 200, body("getFeed", 200))
        .and(Method::GET, "/feeds/2021-06-30/feeds/", 200, json!({"feedId": "1234567890", "processingStatus": "DONE", "resultFeedDocumentId": "0356"}))
        .and(Method::GET, "/feeds/2021-06-30/feeds", 200, first)
        .and(Method::GET, "/feeds/2021-06-30/documents/", 200, body("getFeedDocument", 200))
        .and(Method::GET, STORAGE, 200, report);
    let amazon = account(&Arc::new(network), &[US]);
    let updates: Vec<_> = (1..=5)
        .map(|n| update(&format!("My-SKU-{n}"), n, "1.00"))
        .collect();
    assert_eq!(amazon.submit(&updates).await.unwrap().id, "3485934");
    let known = amazon.submissions(now()).await.unwrap();
    let at = "2024-03-11T13:16:24.630Z".parse().unwrap();
    assert_eq!(
        known,
        [Submission {
            id: "FeedId1".into(),
            at
        }]
    );
    let cancelled = Submission {
        id: "feedId1".into(),
        at,
    };
    let report = amazon.report(&cancelled, &updates).await.unwrap().unwrap();
    let error = report[0].clone().unwrap_err();
    assert_eq!(
        (error.code.as_str(), error.effect),
        ("CANCELLED", Effect::None)
    );
    // Of five messages the example's report names two and counts two successes: nobody knows of the fifth.
    let worked_off = Submission {
        id: "1234567890".into(),
        at,
    };
    let report = amazon.report(&worked_off, &updates).await.unwrap().unwrap();
    let codes: Vec<String> = report
        .into_iter()
        .map(|one| one.unwrap_err().code)
        .collect();
    assert_eq!(codes[3..], ["90220", "99022"]);
    assert_eq!(codes[0], "summary.messagesAccepted");
    let four = [
        updates[0].clone(),
        updates[1].clone(),
        updates[2].clone(),
        updates[3].clone(),
    ];
    let report = amazon
        .report(&worked_off, &four[..])
        .await
        .unwrap()
        .unwrap();
    assert!(report[0].is_err(), "three were accepted where two are said");
}

#[tokio::test]
async fn the_processing_report_of_an_order_feed_tells_of_the_failure() {
    let Some(folder) = crate::amazon::common::folder() else {
        return;
    };
    let read = |name: &str| std::fs::read(folder.join("samples/feeds_xml").join(name)).unwrap();
    let expected = String::from_utf8(read("POST_ORDER_ACKNOWLEDGEMENT_DATA.cancel.xml")).unwrap();
    let id = "902-1106328-1059050";
    let order = json!({"order": {"orderId": id, "orderItems": [{"orderItemId": "79039765272157"}],
        "fulfillment": {"fulfillmentStatus": "UNSHIPPED"}}});
    let document =
        json!({"feedDocumentId": "d", "url": format!("https://storage.example.com{STORAGE}")});
    let feed = json!({"feedId": "1", "processingStatus": "DONE", "resultFeedDocumentId": "r"});
    let network = Network::default()
        .and(Method::GET, "/orders/", 200, order)
        .and(
            Method::POST,
            "/feeds/2021-06-30/documents",
            201,
            document.clone(),
        )
        .and(Method::PUT, STORAGE, 200, Value::Null)
        .and(
            Method::POST,
            "/feeds/2021-06-30/feeds",
            202,
            json!({"feedId": 1}),
        )
        .and(Method::GET, "/feeds/2021-06-30/feeds/", 200, feed)
        .and(Method::GET, "/feeds/2021-06-30/documents/", 200, document)
        .and_bytes(
            Method::GET,
            STORAGE,
            200,
            Bytes::from(read("processing_report.xml")),
        );
    let network = Arc::new(network);
    let amazon = account(&network, &[US]);
    let error = amazon.cancel(&order_id(id), &[]).await.unwrap_err();
    assert_eq!(
        (error.kind, error.code.as_str(), error.effect),
        (Kind::Refused, "18028", Effect::None)
    );
    let sent = network.sent.lock().unwrap();
    let upload = sent
        .iter()
        .find(|request| request.method() == Method::PUT)
        .unwrap();
    let ours = String::from_utf8(upload.body().to_vec()).unwrap();
    let squeezed = |text: &str| {
        let lines = text.lines().map(str::trim);
        lines.collect::<String>()
    };
    assert_eq!(squeezed(&ours), squeezed(&expected));
}

#[tokio::test]
async fn patches_of_the_sandbox_are_accepted_and_previews_are_no_success() {
    let Some(pairs) = of("listings_items_2021-08-01", "patchListingsItem", 200) else {
        return;
    };
    let mut seen = Vec::new();
    for pair in pairs {
        let body = pair["response_body"].clone();
        let network = Network::default().and(Method::PATCH, "/listings/", 200, body);
        let amazon = account(&Arc::new(network), &[US]);
        let outcome = amazon
            .push(&[update("GM-ZDPI-9B4E", 1, "1.00")], jiff::Timestamp::MAX)
            .await
            .unwrap();
        seen.push(outcome[0].clone().map_err(|error| error.code));
    }
    assert_eq!(seen, [Ok(()), Err("status".to_owned())]);
}

#[tokio::test]
async fn the_sandbox_seller_is_examined() {
    let Some(participations) = of("sellers_v1", "getMarketplaceParticipations", 200) else {
        return;
    };
    let body =
        |operation| of("notifications_v1", operation, 200).unwrap()[0]["response_body"].clone();
    let network = Network::default()
        .and(
            Method::GET,
            "/sellers/",
            200,
            participations[0]["response_body"].clone(),
        )
        .and(
            Method::GET,
            "/notifications/v1/destinations",
            200,
            body("getDestinations"),
        )
        .and(
            Method::GET,
            "/notifications/v1/subscriptions/",
            200,
            body("getSubscription"),
        );
    let amazon = account(&Arc::new(network), &[US, "A2EUQ1WTGCTBG2"]);
    let findings = amazon.examine().await;
    let verdict = |what| {
        findings
            .iter()
            .find(|one| one.what == what)
            .unwrap()
            .verdict
    };
    assert_eq!(
        verdict("participation"),
        Verdict::Bad,
        "the sandbox seller does not sell in Canada"
    );
    assert_eq!(verdict("subscriptions"), Verdict::Good);
    assert_eq!(verdict("clock"), Verdict::Warning, "the answer has no date");
}

#[tokio::test]
async fn the_sandbox_queue_is_known_and_its_subscription_changed() {
    let Some(known) = of("notifications_v1", "getDestinations", 200) else {
        return;
    };
    let body =
        |operation| of("notifications_v1", operation, 200).unwrap()[0]["response_body"].clone();
    for (operation, calls) in [("getDestinations", 4), ("createDestination", 5)] {
        let list = match operation {
            "getDestinations" => known[0]["response_body"].clone(),
            _ => json!({"payload": []}),
        };
        let network = Network::default()
            .and(Method::GET, "/notifications/v1/destinations", 200, list)
            .and(Method::POST, "/notifications/v1/destinations", 200, body("createDestination"))
            .and(Method::GET, "/notifications/v1/subscriptions/", 200, json!({"payload": {"subscriptionId": "old", "destinationId": "elsewhere", "payloadVersion": "1.0"}}))
            .and(Method::DELETE, "/notifications/v1/subscriptions/ORDER_CHANGE/old", 200, body("deleteSubscriptionById"))
            .and(Method::POST, "/notifications/v1/subscriptions/", 200, body("createSubscription"));
        let network = Arc::new(network);
        let amazon = account(&network, &[US]);
        let to = kervan::marketplaces::SubscribeTo {
            queue_arn: Some("arn:aws:sqs:us-east-2:444455556666:queue1".to_owned()),
            ..Default::default()
        };
        let done = kervan::marketplaces::Subscribe::subscribe(&amazon, &to)
            .await
            .unwrap();
        assert_eq!(done[0].done, kervan::marketplaces::SubscribeStep::Changed);
        assert_eq!(network.calls().len(), calls);
    }
}

#[tokio::test]
async fn every_example_of_a_notification_is_read() {
    let Some(file) = contract("samples/notification_examples.json") else {
        return;
    };
    let amazon_of = |seller: &str| {
        let secret = json!({"environment": "production", "marketplace_ids": [US], "client_id": "a",
            "client_secret": "b", "refresh_token": "c", "seller_id": seller});
        let clock = Arc::new(kervan::clock::ManualClock::at(now()));
        crate::amazon::common::account_with(&secret, Arc::new(Network::default()), clock)
    };
    let (mut read, mut of_others) = (0, 0);
    for (_, examples) in file["examples"].as_object().unwrap() {
        for example in examples.as_array().unwrap() {
            let text = example.to_string();
            let ours = amazon_of("A3TH9S8BH6GOGM").read(text.as_bytes()).unwrap();
            let wrapped = json!({"version": "0", "id": "e", "source": "aws.partner/sellingpartnerapi.amazon.com/x", "detail-type": "X", "detail": example});
            let through_bus = amazon_of("A3TH9S8BH6GOGM").read(wrapped.to_string().as_bytes());
            assert_eq!(through_bus.unwrap(), ours, "the bus changes nothing");
            match ours {
                Some(notification) => {
                    read += 1;
                    let is_order = text.contains("ORDER_CHANGE");
                    assert_eq!(!notification.signals.is_empty(), is_order, "{text}");
                    assert!(text.contains(&notification.id), "{}", notification.id);
                }
                None => of_others += 1,
            }
        }
    }
    assert_eq!((read, of_others), (9, 5));
    let order = file["examples"]["OrderChangeNotification.json"][0].to_string();
    let notification = amazon_of("A3TH9S8BH6GOGM")
        .read(order.as_bytes())
        .unwrap()
        .unwrap();
    let changed = SignalKind::OrderChanged(order_id("903-8868176-2219830"));
    assert_eq!(notification.signals[0].kind, changed);
    assert_eq!(notification.id, "d0e9e693-c3ad-4373-979f-ed4ec98dd746");
}
