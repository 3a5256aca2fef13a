//! Every documented error of the operations that are used has its row: what it is, what to do, and whether something
//! happened.

use crate::ebay::common::{
    ENDPOINT, Network, account_before, contract, order_id, parcel, refund, update,
};
use http::{Method, Request};
use kervan::marketplaces::ebay::Ebay;
use kervan::marketplaces::{
    CallError, ConfirmParcels, Effect, PushListings, ReadOrders, Refund, Retry, Subscribe,
    SubscribeStep, SubscribeTo, Subscribed, Unverified, VerifyPushes,
};
use serde_json::json;
use std::sync::Arc;

/// The operations that are used, with the end of their path. What their errors come to is in [`ROWS`].
const OPERATIONS: [(&str, &str, &str); 18] = [
    ("getOrder", "GET", "/order/01-1"),
    ("getOrders", "GET", "/order"),
    ("getShippingFulfillments", "GET", "/shipping_fulfillment"),
    ("createShippingFulfillment", "POST", "/shipping_fulfillment"),
    ("issueRefund", "POST", "/issue_refund"),
    (
        "bulkUpdatePriceQuantity",
        "POST",
        "/bulk_update_price_quantity",
    ),
    ("getPublicKey", "GET", "/public_key/"),
    ("getConfig", "GET", "/config"),
    ("updateConfig", "PUT", "/config"),
    ("getTopics", "GET", "/topic"),
    ("getDestinations", "GET", "/destination"),
    ("createDestination", "POST", "/destination"),
    ("updateDestination", "PUT", "/destination/d-1"),
    ("getSubscriptions", "GET", "/subscription"),
    ("createSubscription", "POST", "/subscription"),
    ("updateSubscription", "PUT", "/subscription/s-1"),
    ("enableSubscription", "POST", "/enable"),
    ("test", "POST", "/test"),
];

/// Operation, error id, and kind, retry and effect; or what the role makes of it.
#[rustfmt::skip]
const ROWS: &[(&str, &[u64], &str)] = &[
    ("getOrder", &[32100], "NotFound permanent none"),
    ("getOrder", &[32800], "Refused permanent none"),
    ("getOrder", &[30500], "Unavailable later none"),
    ("getOrders", &[30700, 30800, 30810, 30820, 30830, 30840, 30900, 31000, 31100, 32800], "Refused permanent none"),
    ("getOrders", &[30850], "Refused later none"),
    ("getOrders", &[30500], "Unavailable later none"),
    ("getShippingFulfillments", &[32100], "NotFound permanent none"),
    ("getShippingFulfillments", &[30500], "Unavailable later none"),
    ("createShippingFulfillment", &[32100], "NotFound permanent none"),
    ("createShippingFulfillment", &[32200, 32210, 32300, 32500, 32600, 34100, 34200, 34300], "Refused permanent none"),
    ("createShippingFulfillment", &[32400], "AccountBlocked person none"),
    ("createShippingFulfillment", &[34500], "Refused later unknown"),
    ("createShippingFulfillment", &[30500], "Unavailable later unknown"),
    ("issueRefund", &[34901, 34902, 34903, 34905, 34906, 34907, 34908, 34909, 34910, 34911, 34912, 34914, 34915, 34916, 34917, 34920, 34921, 34923, 34918, 34924], "Refused permanent none"),
    ("issueRefund", &[34922, 34929], "Refused later none"),
    ("issueRefund", &[34913], "NotFound permanent none"),
    ("issueRefund", &[34919], "Misconfigured person none"),
    ("issueRefund", &[34925, 34926, 34927, 34928, 34930], "AccountBlocked person none"),
    ("issueRefund", &[34900], "Unavailable later unknown"),
    ("bulkUpdatePriceQuantity", &[25002, 25709, 25759], "Refused permanent none"),
    ("bulkUpdatePriceQuantity", &[25001], "Unavailable later unknown"),
    ("getPublicKey", &[195_001], "push answered with 412"),
    ("getPublicKey", &[195_000], "push answered with 500"),
    ("getConfig", &[195_026], "goes on: Existed"),
    ("getConfig", &[195_000], "Unavailable later none"),
    ("updateConfig", &[195_025], "Misconfigured person none"),
    ("updateConfig", &[195_000], "Unavailable later unknown"),
    ("getTopics", &[195_004, 195_005], "Refused permanent none"),
    ("getTopics", &[195_000], "Unavailable later none"),
    ("getDestinations", &[195_004, 195_005], "Refused permanent none"),
    ("getDestinations", &[195_000], "Unavailable later none"),
    ("createDestination", &[195_016, 195_018], "Refused permanent none"),
    ("createDestination", &[195_017, 195_019, 195_003, 195_020], "Misconfigured person none"),
    ("createDestination", &[195_021], "Unreadable later unknown"),
    ("createDestination", &[195_000], "Unavailable later unknown"),
    ("updateDestination", &[195_016, 195_018], "Refused permanent none"),
    ("updateDestination", &[195_017, 195_019, 195_020], "Misconfigured person none"),
    ("updateDestination", &[195_022], "NotFound permanent none"),
    ("updateDestination", &[195_021], "Refused later unknown"),
    ("updateDestination", &[195_000], "Unavailable later unknown"),
    ("getSubscriptions", &[195_004, 195_005], "Refused permanent none"),
    ("getSubscriptions", &[195_000], "Unavailable later none"),
    ("createSubscription", &[195_006, 195_007, 195_008, 195_009, 195_010, 195_027], "Refused permanent none"),
    ("createSubscription", &[195_011], "not allowed 195011"),
    ("createSubscription", &[195_003], "Misconfigured person none"),
    ("createSubscription", &[195_012], "Unreadable later unknown"),
    ("createSubscription", &[195_015], "Refused later unknown"),
    ("createSubscription", &[195_000], "Unavailable later unknown"),
    ("updateSubscription", &[195_006, 195_007, 195_008, 195_009, 195_010], "Refused permanent none"),
    ("updateSubscription", &[195_013], "NotFound permanent none"),
    ("updateSubscription", &[195_012, 195_015], "Refused later unknown"),
    ("updateSubscription", &[195_014], "not allowed 195014"),
    ("updateSubscription", &[195_000], "Unavailable later unknown"),
    ("enableSubscription", &[195_013], "NotFound permanent none"),
    ("enableSubscription", &[195_014], "not allowed 195014"),
    ("enableSubscription", &[195_015], "Refused later unknown"),
    ("enableSubscription", &[195_000], "Unavailable later unknown"),
    ("test", &[195_013, 195_000], "goes on: Changed"),
];

fn says(error: &CallError) -> String {
    let retry = match error.retry {
        Retry::Permanent => "permanent",
        Retry::Person => "person",
        Retry::After(_) => "later",
    };
    let effect = match error.effect {
        Effect::None => "none",
        Effect::Happened => "happened",
        Effect::Unknown => "unknown",
    };
    format!("{:?} {retry} {effect}", error.kind)
}

/// What a subscriber is told, so that it comes as far as the operation.
fn scene(operation: &str, request: &Request<bytes::Bytes>) -> (u16, String) {
    let is_read = request.method() == Method::GET;
    let path = request.uri().path();
    let destination = |status| {
        json!({"destinations": [{"destinationId": "d-1", "status": status,
                "deliveryConfig": {"endpoint": ENDPOINT}}]})
    };
    let subscription = |status, at| {
        json!({"subscriptions": [{"subscriptionId": "s-1", "status": status, "destinationId": at,
                "topicId": "MARKETPLACE_ACCOUNT_DELETION"}]})
    };
    let body = match path.rsplit('/').next().unwrap() {
        "config" if is_read && operation == "updateConfig" => json!({}),
        "config" if is_read => json!({"alertEmail": "ops@example.com"}),
        "topic" => json!({"topics": [{"topicId": "MARKETPLACE_ACCOUNT_DELETION",
            "scope": "APPLICATION", "supportedPayloads": [{"schemaVersion": "1.0"}]}]}),
        "destination" if is_read => match operation {
            "createDestination" => json!({"destinations": []}),
            "updateDestination" => destination("MARKED_DOWN"),
            _ => destination("ENABLED"),
        },
        "subscription" if is_read => match operation {
            "createSubscription" => json!({"subscriptions": []}),
            "updateSubscription" => subscription("ENABLED", "d-0"),
            "enableSubscription" | "test" => subscription("DISABLED", "d-1"),
            _ => subscription("ENABLED", "d-1"),
        },
        _ => return (204, String::new()),
    };
    (200, body.to_string())
}

fn subscribed(outcome: Result<Vec<Subscribed>, CallError>) -> String {
    match outcome {
        Err(error) => says(&error),
        Ok(done) => match &done[0].done {
            SubscribeStep::NotAllowed(code) => format!("not allowed {code}"),
            step => format!("goes on: {step:?}"),
        },
    }
}

/// What an operation's error comes to, through the role that makes the call.
async fn outcome(ebay: &Ebay, operation: &str) -> String {
    let id = order_id("01-1");
    let parcel = parcel("1Z999AA10123456784", &[("1001", 1)]);
    let from = "2026-01-01T00:00:00Z".parse().unwrap();
    let until = "2026-01-02T00:00:00Z".parse().unwrap();
    let told = match operation {
        "getOrder" => ebay.order(&id).await.err(),
        "getOrders" => ebay.changed(from, until, None).await.err(),
        "getShippingFulfillments" => ebay.is_confirmed(&id, &parcel.tracking_number).await.err(),
        "createShippingFulfillment" => ebay.confirm(&id, &parcel).await.err(),
        "issueRefund" => ebay.refund(&id, &refund("1.00")).await.err(),
        "bulkUpdatePriceQuantity" => match ebay
            .push(&[update("A", "1", 1)], jiff::Timestamp::MAX)
            .await
        {
            Ok(outcomes) => outcomes[0].clone().err(),
            Err(error) => Some(error),
        },
        "getPublicKey" => {
            let header = "eyJhbGciOiJlY2RzYSIsImtpZCI6Ijk5MzYyNjFhLTdkN2ItNDYyMS1hMGYxLTk2Y2NiNDI4YWY0OSIsInNpZ25hdHVyZSI6Ik1FWUNJUUN5LzlYdWlzL2pwL3VkVDFqdXFYbldYdG9jSlcyTmFNdE9iN1phYlJQbXdRSWhBSXZJbmlIdDZXNjBncThpeHR1SXlEUjkyMWZlSURPNFR4Uy9kbExPZVU0OCIsImRpZ2VzdCI6IlNIQTEifQ==";
            let mut headers = http::HeaderMap::new();
            headers.insert("x-ebay-signature", header.parse().unwrap());
            let push = Unverified::new(headers, bytes::Bytes::from_static(b"{}"));
            let refused = ebay.verify(push).await.unwrap_err();
            return format!("push answered with {}", refused.status.as_u16());
        }
        _ => {
            let to = SubscribeTo {
                queue_arn: None,
                alert_email: Some("ops@example.com".into()),
            };
            return subscribed(ebay.subscribe(&to).await);
        }
    };
    told.map_or_else(|| "no error".to_owned(), |error| says(&error))
}

#[tokio::test]
async fn every_documented_error_of_a_used_operation_has_its_row() {
    let Some(documented) = contract("samples/rest_error_codes.json") else {
        return;
    };
    let mut wrong = Vec::new();
    let mut met = 0;
    for (operation, method, end) in OPERATIONS {
        let of_operation = documented["errors"].as_array().unwrap().iter();
        let of_operation = of_operation.filter(|one| one["operationId"] == operation);
        for one in of_operation {
            let id = one["errorId"].as_u64().unwrap();
            let status = u16::try_from(one["http_status"].as_u64().unwrap()).unwrap();
            let entry = json!({"errors": [{"errorId": id, "domain": one["domain"],
                "category": one["category"], "message": "Jane Doe"}]});
            let network: Arc<Network> = Network::saying(move |request| {
                let path = request.uri().path();
                if request.method() == method
                    && (path.ends_with(end) || (end.ends_with('/') && path.contains(end)))
                {
                    return (status, entry.to_string());
                }
                scene(operation, request)
            });
            let ebay = account_before(&network, &json!({}));
            let came = outcome(&ebay, operation).await;
            let row = ROWS
                .iter()
                .find(|(name, ids, _)| *name == operation && ids.contains(&id));
            match row {
                Some((_, _, expected)) if *expected == came => met += 1,
                Some((_, _, expected)) => {
                    wrong.push(format!("{operation} {id}: {came}, not {expected}"))
                }
                None => wrong.push(format!("{operation} {id} has no row: {came}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // A row for what is not documented would be a row that nobody sees fail.
    let rows: usize = ROWS.iter().map(|(_, ids, _)| ids.len()).sum();
    assert_eq!(rows, met);
    // getRateLimits documents no error; six calls are the Trading API's.
    let spoken = OPERATIONS.len() + 1 + 6;
    let samples = crate::ebay::samples::DECODED.len();
    println!("coverage ebay: {spoken} operations, {samples} samples decoded, {met} codes mapped");
}

#[tokio::test]
async fn every_trading_code_of_the_notes_has_its_row() {
    #[rustfmt::skip]
    let rows = [
        ("930", "RequestError", "Misconfigured person none"),
        ("931", "RequestError", "ConsentEnded person none"),
        ("932", "RequestError", "ConsentEnded person none"),
        ("21916984", "RequestError", "ConsentEnded person none"),
        ("21917053", "RequestError", "TokenInvalid later none"),
        ("518", "RequestError", "Throttled later none"),
        ("21916750", "RequestError", "Refused permanent none"),
        ("21919188", "RequestError", "Refused permanent none"),
        ("21916286", "RequestError", "Refused permanent none"),
        ("21919474", "RequestError", "Refused permanent none"),
        ("12345", "RequestError", "Refused permanent none"),
        ("10007", "SystemError", "Unavailable later unknown"),
    ];
    for (code, class, expected) in rows {
        let answer = format!(
            "<ReviseInventoryStatusResponse><Ack>Failure</Ack><Errors><ShortMessage>Jane</ShortMessage><ErrorCode>{code}</ErrorCode><SeverityCode>Error</SeverityCode><ErrorClassification>{class}</ErrorClassification></Errors></ReviseInventoryStatusResponse>"
        );
        let ebay = account_before(&Network::always(200, answer), &json!({}));
        let error = match ebay
            .push(&[update("A", "item:110000000001", 1)], jiff::Timestamp::MAX)
            .await
        {
            Err(error) => error,
            Ok(outcomes) => outcomes[0].clone().unwrap_err(),
        };
        assert_eq!(says(&error), expected, "{code}");
        assert_eq!(error.code, code);
    }
}
