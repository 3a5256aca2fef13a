//! Every sample and recorded answer of the operations that are used, through the public roles.

use crate::ebay::common::{
    Network, account, account_before, contract, contract_text, order_id, parcel, refund, update,
};
use kervan::{
    clock::ManualClock,
    domain::{Cancel, Money, Payment},
    marketplaces::{
        CallError, ConfirmParcels, Effect, Kind, PushListings, ReadOrders, Refund, RefundState,
        Retry, Subscribe, SubscribeTo,
    },
};
use serde_json::{Value, json};
use std::sync::Arc;

/// The files whose answers are decoded here, or in `vectors` for pushes.
pub(crate) const DECODED: [&str; 17] = [
    "platform_notifications/FixedPriceTransaction.xml",
    "platform_notifications/ItemSold.xml",
    "samples/bulkUpdatePriceQuantity.json",
    "samples/createShippingFulfillment.json",
    "samples/error_envelopes.json",
    "samples/getOrders.json",
    "samples/issueRefund.json",
    "samples/oauth_token.json",
    "trading/CompleteSale.response.success.xml",
    "trading/GetOrders.response.empty.xml",
    "trading/GetOrders.response.shipped_with_tracking.xml",
    "trading/GetOrders.response.three_line_items.xml",
    "trading/ReviseInventoryStatus.response.failure_ended_item_21916750.xml",
    "trading/ReviseInventoryStatus.response.failure_selling_limit_21919188.xml",
    "trading/ReviseInventoryStatus.response.success.xml",
    "trading/SetNotificationPreferences.response.success.xml",
    "trading/error.auth_token_invalid_931.xml",
];

#[test]
fn no_sample_of_the_contract_is_left_out() {
    let Some(folder) = crate::ebay::common::folder() else {
        return;
    };
    let mut found: Vec<String> = Vec::new();
    for part in ["platform_notifications", "samples", "trading"] {
        for entry in std::fs::read_dir(folder.join(part)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            // Requests and tables are looked at by `requests` and `codes`.
            let is_answer = !name.contains(".request.")
                && name != "http_headers.json"
                && name != "rest_error_codes.json";
            if is_answer {
                found.push(format!("{part}/{name}"));
            }
        }
    }
    found.sort();
    assert_eq!(found, DECODED);
}

fn trading() -> Value {
    json!({"orders": "trading"})
}

fn at(text: &str) -> jiff::Timestamp {
    text.parse().unwrap()
}

#[tokio::test]
async fn the_sample_page_and_its_order_are_read() {
    let Some(sample) = contract("samples/getOrders.json") else {
        return;
    };
    let page = sample["response"]["body"].clone();
    let order = page["orders"][0].clone();
    let network = Network::saying(move |request| {
        let is_page = request.uri().query().is_some();
        (
            200,
            if is_page {
                page.to_string()
            } else {
                order.to_string()
            },
        )
    });
    let ebay = account_before(&network, &json!({}));
    let page = ebay
        .changed(at("2025-06-01T00:00:00Z"), at("2026-01-15T12:00:00Z"), None)
        .await;
    let page = page.unwrap();
    assert_eq!(page.next.as_deref(), Some("1"));
    let (id, modified) = &page.orders[0];
    let fetched = ebay.order(id).await.unwrap();
    assert_eq!(fetched.details.modified_at, *modified);
    assert_eq!(fetched.details.total.to_string(), "44.99 USD");
    assert_eq!(fetched.details.fee.to_string(), "4.87 USD");
    assert_eq!(fetched.details.payment, Payment::Paid);
    assert_eq!(fetched.details.lines[0].sku, "LAMP-01-WHITE");
    let buyer = fetched.buyer.unwrap();
    assert_eq!(
        (buyer.name.as_str(), buyer.account_name.as_str()),
        ("Test Buyer", "example_buyer")
    );
    assert!(ebay.refunds(id).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_sample_writes_are_made_and_their_answers_read() {
    let Some(bulk) = contract("samples/bulkUpdatePriceQuantity.json") else {
        return;
    };
    let [shipment, money] = ["createShippingFulfillment", "issueRefund"]
        .map(|name| contract(&format!("samples/{name}.json")).unwrap());
    let body = bulk["response"]["body"].clone();
    let network = Network::always(200, body);
    let ebay = account_before(&network, &json!({}));
    let first = update("LAMP-01-WHITE", "7000000001", 5);
    assert!(
        ebay.push(std::slice::from_ref(&first), jiff::Timestamp::MAX)
            .await
            .unwrap()[0]
            .is_ok()
    );
    let asked = network.asked();
    let sent: Value = serde_json::from_slice(asked[0].body()).unwrap();
    assert_eq!(sent, bulk["request"]["body"]);
    assert_eq!(asked[0].uri().to_string(), bulk["request"]["url"]);

    let network = Network::always(207, &bulk["response_partial"]["body"]);
    let ebay = account_before(&network, &json!({}));
    let updates = [first, update("LAMP-01-WHITE", "7000000002", 1)];
    let outcomes = ebay.push(&updates, jiff::Timestamp::MAX).await.unwrap();
    assert!(outcomes[0].is_ok());
    assert_eq!(outcomes[1].as_ref().unwrap_err().code, "25709");

    let network = Network::always(201, &shipment["response"]["body"]);
    let ebay = account_before(&network, &json!({}));
    let parcel = parcel("1Z999AA10123456784", &[("10000000000001", 2)]);
    ebay.confirm(&order_id("01-23456-78901"), &parcel)
        .await
        .unwrap();
    let asked = network.asked();
    let sent: Value = serde_json::from_slice(asked[0].body()).unwrap();
    assert_eq!(sent, shipment["request"]["body"]);
    assert_eq!(asked[0].uri().to_string(), shipment["request"]["url"]);

    let network = Network::always(200, &money["response"]["body"]);
    let ebay = account_before(&network, &json!({}));
    let made = ebay
        .refund(&order_id("01-23456-78901"), &refund("10.00"))
        .await
        .unwrap();
    assert_eq!(
        (made.id.as_str(), made.state),
        ("5000000000", RefundState::Pending)
    );
    let asked = network.asked();
    let sent: Value = serde_json::from_slice(asked[0].body()).unwrap();
    let wanted = &money["request"]["body"];
    assert_eq!(sent["reasonForRefund"], wanted["reasonForRefund"]);
    assert_eq!(sent["comment"], wanted["comment"]);
    // The sample pays back one line, we the order.
    assert_eq!(
        sent["orderLevelRefundAmount"],
        wanted["refundItems"][0]["refundAmount"]
    );
    assert_eq!(asked[0].uri().to_string(), money["request"]["url"]);
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
        let network = Network::always(400, &samples[name]);
        let ebay = account_before(&network, &json!({}));
        let error = ebay.order(&order_id("1-1")).await.unwrap_err();
        assert_eq!((error.kind, error.code.as_str()), (kind, code), "{name}");
    }
    let fields = samples["trading_xml"]["Errors"].as_object().unwrap();
    let fields: String = fields
        .iter()
        .map(|(name, value)| format!("<{name}>{}</{name}>", value.to_string().trim_matches('"')))
        .collect();
    let answer = format!(
        "<GetOrdersResponse><Ack>Failure</Ack><Errors>{fields}</Errors></GetOrdersResponse>"
    );
    let ebay = account_before(&Network::always(200, answer), &trading());
    let error = ebay.order(&order_id("1-1")).await.unwrap_err();
    assert_eq!(
        (error.kind, error.retry, error.code.as_str()),
        (Kind::Misconfigured, Retry::Person, "930")
    );
}

/// Tokens are asked for by the network of fixed answers itself, so they are asked for here by hand.
#[derive(Debug)]
struct TokenEndpoint {
    status: u16,
    body: String,
    asked: std::sync::Mutex<Vec<http::Request<bytes::Bytes>>>,
}

#[async_trait::async_trait]
impl kervan::http::Http for TokenEndpoint {
    async fn send(
        &self,
        request: http::Request<bytes::Bytes>,
    ) -> Result<http::Response<bytes::Bytes>, kervan::http::HttpError> {
        self.asked.lock().unwrap().push(request);
        let answer = http::Response::builder().status(self.status);
        Ok(answer.body(self.body.clone().into()).unwrap())
    }
}

#[tokio::test]
async fn the_sample_tokens_are_asked_for_and_read() {
    let Some(samples) = contract("samples/oauth_token.json") else {
        return;
    };
    let call = async |environment: &str, status: u16, body: &Value| {
        let endpoint = Arc::new(TokenEndpoint {
            status,
            body: body.to_string(),
            asked: std::sync::Mutex::default(),
        });
        let more = json!({"environment": environment, "refresh_token": samples["refresh_token"]["form"]["refresh_token"]});
        let clock = Arc::new(ManualClock::at(at("2026-01-15T12:00:00Z")));
        let ebay = account(&more, endpoint.clone(), clock);
        let error = ebay.order(&order_id("1-1")).await.unwrap_err();
        let asked = std::mem::take(&mut *endpoint.asked.lock().unwrap());
        (error, asked)
    };
    for environment in ["production", "sandbox"] {
        let sample = &samples["refresh_token"];
        let (_, asked) = call(environment, 200, &sample["response"]["body"]).await;
        assert_eq!(asked[0].uri().to_string(), samples["endpoint"][environment]);
        assert_eq!(
            asked[0].headers()["content-type"],
            "application/x-www-form-urlencoded"
        );
        // Without a scope the token has all of the consent's.
        let sent: Vec<_> = url::form_urlencoded::parse(asked[0].body()).collect();
        assert_eq!(sent.len(), 2);
        for (name, value) in sent {
            assert_eq!(sample["form"][name.as_ref()], value.as_ref());
        }
        let bearer = format!(
            "Bearer {}",
            sample["response"]["body"]["access_token"].as_str().unwrap()
        );
        assert_eq!(asked[1].headers()["authorization"], bearer);
    }
    for error in samples["errors"].as_array().unwrap() {
        let status = u16::try_from(error["status"].as_u64().unwrap()).unwrap();
        let (refused, _) = call("production", status, &error["body"]).await;
        assert_eq!(
            (refused.retry, refused.effect),
            (Retry::Person, Effect::None),
            "{error}"
        );
    }
}

async fn trading_order(file: &str, id: &str) -> Option<kervan::marketplaces::FetchedOrder> {
    let answer = contract_text(&format!("trading/GetOrders.response.{file}.xml"))?;
    let ebay = account_before(&Network::always(200, answer), &trading());
    let (from, until) = (at("2025-12-20T00:00:00Z"), at("2026-01-15T12:00:00Z"));
    let page = ebay.changed(from, until, None).await.unwrap();
    assert_eq!((page.orders.len(), page.next), (1, None));
    assert_eq!(page.orders[0].0.as_str(), id);
    Some(ebay.order(&order_id(id)).await.unwrap())
}

#[tokio::test]
async fn the_recorded_order_of_three_lines_is_read() {
    let Some(fetched) = trading_order("three_line_items", "270357010").await else {
        return;
    };
    let details = &fetched.details;
    let skus: Vec<_> = details.lines.iter().map(|line| line.sku.as_str()).collect();
    assert_eq!((skus.len(), skus[0]), (3, "testSku501_W"));
    assert_eq!(details.lines[0].id.as_str(), "110142400319-27273537001");
    assert_eq!(details.total.to_string(), "6.86 USD");
    assert_eq!(details.lines[0].price.to_string(), "1.14 USD");
    let sum = details
        .lines
        .iter()
        .map(|line| line.price.minor)
        .sum::<i64>();
    assert!(sum <= details.total.minor);
    assert_eq!(
        (details.payment, details.cancel, details.country.as_str()),
        (Payment::Paid, Cancel::No, "US")
    );
    let buyer = fetched.buyer.unwrap();
    assert_eq!(
        (buyer.name.as_str(), buyer.address.line2.as_str()),
        ("Test Buyer", "")
    );
}

#[tokio::test]
async fn the_recorded_order_that_was_shipped_shows_its_parcel() {
    let Some(fetched) = trading_order("shipped_with_tracking", "24-07558-27052").await else {
        return;
    };
    let details = &fetched.details;
    assert!(details.fulfilled);
    assert_eq!(details.lines[0].sku, "DET 9782940");
    assert_eq!(details.lines[0].ship_by, Some(at("2021-09-03T04:59:59Z")));
    assert_eq!(details.modified_at, at("2021-10-04T18:19:57Z"));
    // The code stands in the name's place there.
    assert_eq!(details.country.as_str(), "US");
    assert_eq!(fetched.buyer.unwrap().account_name, "testuser_buyer");
    let answer = contract_text("trading/GetOrders.response.shipped_with_tracking.xml").unwrap();
    let ebay = account_before(&Network::always(200, answer), &trading());
    let id = order_id("24-07558-27052");
    for (number, found) in [("1Z999AA10123456784", true), ("1Z999AA10123456785", false)] {
        let number = parcel(number, &[]).tracking_number;
        assert_eq!(ebay.is_confirmed(&id, &number).await.unwrap(), found);
    }
}

#[tokio::test]
async fn the_recorded_empty_page_is_empty_and_no_order() {
    let Some(answer) = contract_text("trading/GetOrders.response.empty.xml") else {
        return;
    };
    let ebay = account_before(&Network::always(200, answer), &trading());
    let page = ebay
        .changed(at("2025-12-20T00:00:00Z"), at("2026-01-15T12:00:00Z"), None)
        .await
        .unwrap();
    assert!(page.orders.is_empty() && page.next.is_none());
    let error = ebay.order(&order_id("1-1")).await.unwrap_err();
    assert_eq!(
        (error.kind, error.code.as_str()),
        (Kind::NotFound, "no-order")
    );
}

#[tokio::test]
async fn the_recorded_answers_of_a_sale_and_of_preferences_are_taken() {
    let Some(sale) = contract_text("trading/CompleteSale.response.success.xml") else {
        return;
    };
    let orders = contract_text("trading/GetOrders.response.three_line_items.xml").unwrap();
    let set = contract_text("trading/SetNotificationPreferences.response.success.xml").unwrap();
    let network = Network::saying(move |request| {
        let call = request.headers().get("x-ebay-api-call-name");
        let body = match call.map(|call| call.to_str().unwrap()) {
            Some("CompleteSale") => sale.clone(),
            Some("SetNotificationPreferences") => set.clone(),
            Some("GetNotificationPreferences") => {
                "<GetNotificationPreferencesResponse><Ack>Success</Ack></GetNotificationPreferencesResponse>".to_owned()
            }
            Some(_) => orders.clone(),
            None if request.uri().path().ends_with("/config") => json!({"alertEmail": "a@example.com"}).to_string(),
            None if request.uri().path().ends_with("/destination") => json!({"destinations": [{
                "destinationId": "d", "status": "ENABLED", "deliveryConfig": {"endpoint": crate::ebay::common::ENDPOINT}}]}).to_string(),
            None => json!({}).to_string(),
        };
        (200, body)
    });
    let ebay = account_before(&network, &trading());
    let parcel = parcel("PARCEL0001", &[("110142400319-27273537001", 1)]);
    ebay.confirm(&order_id("270357010"), &parcel).await.unwrap();
    let sent = network.asked().pop().unwrap();
    let sent = String::from_utf8(sent.body().to_vec()).unwrap();
    assert!(
        sent.contains("<OrderLineItemID>110142400319-27273537001</OrderLineItemID>"),
        "{sent}"
    );
    let done = ebay.subscribe(&SubscribeTo::default()).await.unwrap();
    assert_eq!(done.len(), 4);
    let sent = network.asked().pop().unwrap();
    assert_eq!(
        sent.headers()["x-ebay-api-call-name"],
        "SetNotificationPreferences"
    );
}

async fn revised(file: &str, item: &str, sku: &str) -> Option<Result<(), CallError>> {
    let answer = contract_text(&format!(
        "trading/ReviseInventoryStatus.response.{file}.xml"
    ))?;
    let ebay = account_before(&Network::always(200, answer), &json!({}));
    let mut update = update(sku, &format!("item:{item}"), 5);
    update.price = Money::parse("1.00", "USD".parse().unwrap()).ok();
    Some(
        ebay.push(&[update], jiff::Timestamp::MAX)
            .await
            .unwrap()
            .remove(0),
    )
}

#[tokio::test]
async fn the_recorded_revisions_are_judged() {
    let Some(fine) = revised("success", "110136942332", "ANY").await else {
        return;
    };
    fine.unwrap();
    for (file, item, sku, code) in [
        (
            "failure_ended_item_21916750",
            "110136942332",
            "ANY",
            "21916750",
        ),
        (
            "failure_selling_limit_21919188",
            "161414202734",
            "xxx-xxx",
            "21919188",
        ),
        (
            "failure_selling_limit_21919188",
            "999999999999",
            "xxx-xxx",
            "21919188",
        ),
    ] {
        let error = revised(file, item, sku).await.unwrap().unwrap_err();
        assert_eq!(
            (error.code.as_str(), error.retry, error.effect),
            (code, Retry::Permanent, Effect::None)
        );
    }
    // An error that names one of two leaves the other in doubt, because the call as a whole failed.
    let answer =
        contract_text("trading/ReviseInventoryStatus.response.failure_ended_item_21916750.xml")
            .unwrap();
    let ebay = account_before(&Network::always(200, answer.clone()), &json!({}));
    let updates = [
        update("A", "item:110136942332", 1),
        update("B", "item:110136942333", 1),
    ];
    let outcomes = ebay.push(&updates, jiff::Timestamp::MAX).await.unwrap();
    assert_eq!(outcomes[0].as_ref().unwrap_err().code, "21916750");
    assert_eq!(outcomes[1].as_ref().unwrap_err().effect, Effect::Unknown);
    // In part failed: what is echoed was made.
    let echo = "<InventoryStatus><ItemID>110136942333</ItemID></InventoryStatus></ReviseInventoryStatusResponse>";
    let partly = answer
        .replace("Failure", "PartialFailure")
        .replace("</ReviseInventoryStatusResponse>", echo);
    let ebay = account_before(&Network::always(200, partly), &json!({}));
    let outcomes = ebay.push(&updates, jiff::Timestamp::MAX).await.unwrap();
    assert!(outcomes[0].is_err() && outcomes[1].is_ok());
}

#[tokio::test]
async fn the_recorded_token_error_needs_the_seller() {
    let Some(answer) = contract_text("trading/error.auth_token_invalid_931.xml") else {
        return;
    };
    let answer = answer.replace("GeteBayOfficialTime", "GetOrders");
    let ebay = account_before(&Network::always(200, answer), &trading());
    let error = ebay.order(&order_id("1-1")).await.unwrap_err();
    assert_eq!(
        (error.kind, error.code.as_str()),
        (Kind::ConsentEnded, "931")
    );
}

#[tokio::test]
async fn an_answer_that_is_cut_off_or_hostile_is_never_a_success() {
    let bomb = "<!DOCTYPE a [<!ENTITY b \"bb\">]><CompleteSaleResponse><Ack>&b;</Ack></CompleteSaleResponse>";
    let deep = format!(
        "{}<Ack>Success</Ack>",
        "<ReviseInventoryStatusResponse>".repeat(100_000)
    );
    for hostile in [
        "",
        "<html><body>Success</body></html>",
        "{\"Ack\":\"Success\"}",
        "<ReviseInventoryStatusResponse><Ack>Success</Ack>",
        "<GetOrdersResponse><Ack>Success</Ack></GetOrdersResponse>",
        "<ReviseInventoryStatusResponse></ReviseInventoryStatusResponse>",
        "<ReviseInventoryStatusResponse><Ack>Perhaps</Ack></ReviseInventoryStatusResponse>",
        "<ReviseInventoryStatusResponse><Ack>Success</Ack><Ack>Failure</Ack></ReviseInventoryStatusResponse>",
        bomb,
        &deep,
    ] {
        let ebay = account_before(&Network::always(200, hostile), &json!({}));
        let error = match ebay
            .push(&[update("A", "item:110136942332", 1)], jiff::Timestamp::MAX)
            .await
        {
            Ok(outcomes) => outcomes[0].clone().unwrap_err(),
            Err(error) => error,
        };
        assert_eq!(
            (error.kind, error.effect),
            (Kind::Unreadable, Effect::Unknown)
        );
    }
    let warned = "<ReviseInventoryStatusResponse><Ack>Warning</Ack><Errors><ErrorCode>1</ErrorCode><SeverityCode>Warning</SeverityCode></Errors></ReviseInventoryStatusResponse>";
    let ebay = account_before(&Network::always(200, warned), &json!({}));
    assert!(
        ebay.push(&[update("A", "item:110136942332", 1)], jiff::Timestamp::MAX)
            .await
            .unwrap()[0]
            .is_ok()
    );
}
