//! A shop's calls against the parameter tables, its answers against the samples, in JSON and in XML.

use crate::aliexpress::common::{APP_SECRET, Gateway, contract, folder, seller_at};
use kervan::{
    domain::{ChannelOrderId, LineId, ListingId, Money, ParcelLine, Payment, Sku, TrackingNumber},
    marketplaces::{
        CallError, ConfirmParcels, Effect, Examine, Kind, ListingUpdate, ParcelToConfirm,
        PushInBulk, PushListings, ReadOrders, Retry, Submission, Verdict,
        aliexpress::{
            Shop,
            signature::{Scheme, sign},
        },
    },
    secrets::Secret,
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

const ORDERS: &str = "aliexpress.solution.order.get";
const INFO: &str = "aliexpress.solution.order.info.get";
const RECEIPT: &str = "aliexpress.solution.order.receiptinfo.get";
const FULFILL: &str = "aliexpress.solution.order.fulfill";
const SERVICES: &str = "aliexpress.logistics.redefining.listlogisticsservice";
const STOCKS: &str = "aliexpress.solution.batch.product.inventory.update";
const PRICES: &str = "aliexpress.solution.batch.product.price.update";
const SUBMIT: &str = "aliexpress.solution.feed.submit";
const QUERY: &str = "aliexpress.solution.feed.query";
const LIST: &str = "aliexpress.solution.feed.list.get";
const PROFILE: &str = "aliexpress.solution.merchant.profile.get";

/// Samples of the seller API that the tests below read.
pub(crate) const READ: [&str; 10] = [
    "aliexpress_logistics_redefining_listlogisticsservice",
    "aliexpress_solution_batch_product_inventory_update",
    "aliexpress_solution_batch_product_price_update",
    "aliexpress_solution_feed_list_get",
    "aliexpress_solution_feed_query",
    "aliexpress_solution_feed_submit",
    "aliexpress_solution_merchant_profile_get",
    "aliexpress_solution_order_fulfill",
    "aliexpress_solution_order_get",
    "aliexpress_solution_order_receiptinfo_get",
];

/// Samples of calls that Kervan does not make.
const OTHERS: [&str; 9] = [
    "aliexpress_logistics_ds_trackinginfo_query",
    "aliexpress_postproduct_redefining_categoryforecast",
    "aliexpress_postproduct_redefining_categoryforecast.2",
    "aliexpress_postproduct_redefining_findaeproductbyidfordropshipper",
    "aliexpress_solution_product_info_get",
    "aliexpress_solution_product_list_get",
    "aliexpress_solution_product_schema_get",
    "aliexpress_solution_seller_category_tree_query",
    "oauth_token_old_top",
];

const NOW: i64 = 1_790_000_000;
const TOP: &str = "top";

fn sample(name: &str) -> Option<Value> {
    Some(contract(&format!("samples/seller_top/{name}.json"))?["body"].clone())
}

/// The order of which the contract has no sample, with the names of its page (apiId 42707).
fn info() -> Value {
    json!({"aliexpress_solution_order_info_get_response": {"result": {"data": {
        "id": 1_160_045_860_056_286_u64, "order_status": "WAIT_SELLER_SEND_GOODS",
        "gmt_create": "2017-10-12 12:12:12", "gmt_modified": "2017-10-12 13:12:12",
        "order_amount": {"amount": "4.04", "currency_code": "USD"},
        "receipt_address": {"country": "RU"}, "buyerloginid": "ru1",
        "child_order_list": {"global_aeop_tp_child_order_dto": [{"id": 23_457_890, "sku_code": "12",
            "product_count": 2, "product_price": {"amount": "1.01", "currency_code": "USD"}}]},
    }}}})
}

fn order_id() -> ChannelOrderId {
    ChannelOrderId::parse("1160045860056286").unwrap()
}

fn update(product: u64, code: &str) -> ListingUpdate {
    ListingUpdate::new(
        ListingId {
            channel: "aliexpress:shop".parse().unwrap(),
            sku: Sku::parse(code).unwrap(),
            offer: product.to_string(),
        },
        7,
        Money {
            minor: 1_299,
            currency: "USD".parse().unwrap(),
        },
    )
}

fn parcel(carrier: &str, units: u32) -> ParcelToConfirm {
    ParcelToConfirm {
        tracking_number: TrackingNumber::parse("RR123456785CN").unwrap(),
        carrier: carrier.to_owned(),
        lines: vec![ParcelLine {
            line: LineId::parse("23457890").unwrap(),
            quantity: units,
        }],
        shipped_at: jiff::Timestamp::UNIX_EPOCH,
        not_after: jiff::Timestamp::MAX,
    }
}

fn updated() -> Value {
    json!({"update_success": true, "update_successful_list": [{"product_id": 9}]})
}

/// A gateway that answers every call of a shop.
fn everything() -> Gateway {
    let services = json!({"result_success": true, "result_list": [
        {"service_name": "CPAM", "display_name": "China Post", "tracking_no_regex": "^[A-Z]{2}[0-9]{9}[A-Z]{2}$"},
        {"service_name": "Other"}]});
    Gateway::saying(
        ORDERS,
        json!({"result": {"success": true, "total_count": 0}}),
    )
    .and(INFO, info())
    .and(RECEIPT, json!({"result": {"country": "RU"}}))
    .and(FULFILL, json!({"result": {"result_success": "true"}}))
    .and(SERVICES, services)
    .and(STOCKS, updated())
    .and(PRICES, updated())
    .and(SUBMIT, json!({"job_id": "200000000060024475"}))
    .and(QUERY, json!({"job_id": 1, "total_item_count": 0}))
    .and(LIST, json!({"total_count": 0, "total_page": 0}))
}

/// Makes every call once.
async fn everything_sent(further: Value) -> Arc<Gateway> {
    let gateway = Arc::new(everything());
    let shop = seller_at(NOW, &gateway, further);
    let at = |seconds| jiff::Timestamp::from_second(NOW + seconds).unwrap();
    shop.changed(at(-7_200), at(-3_600), None).await.unwrap();
    shop.order(&order_id()).await.unwrap();
    shop.confirm(&order_id(), &parcel("Lucky Parcels", 2))
        .await
        .unwrap();
    assert_eq!(
        shop.push(&[update(9, "12")], jiff::Timestamp::MAX)
            .await
            .unwrap(),
        [Ok(())]
    );
    shop.submit(&[update(9, "12")]).await.unwrap();
    let job = Submission {
        id: "S1".to_owned(),
        at: at(0),
    };
    assert_eq!(shop.report(&job, &[update(9, "12")]).await, Ok(None));
    shop.submissions(at(-600)).await.unwrap();
    gateway
}

/// The parameters of a call by path, lists with `[]`, as the seller's tables name them.
fn paths(prefix: &str, value: &Value, found: &mut BTreeMap<String, Value>) {
    found.insert(prefix.to_owned(), value.clone());
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                paths(&format!("{prefix}.{name}"), value, found);
            }
        }
        Value::Array(entries) => {
            let inner = format!("{prefix}[]");
            for entry in entries {
                paths(&inner, entry, found);
            }
        }
        _ => {}
    }
}

#[tokio::test]
async fn every_call_of_a_shop_keeps_to_its_parameter_table() {
    let system = [
        "app_key",
        "format",
        "method",
        "session",
        "sign",
        "sign_method",
        "simplify",
        "timestamp",
        "v",
    ];
    for further in [json!({}), json!({"gateway": TOP})] {
        let gateway = everything_sent(further).await;
        for method in [ORDERS, RECEIPT, FULFILL, STOCKS, SUBMIT, QUERY] {
            let Some(table) = contract(&format!("apis/seller/{method}.json")) else {
                return;
            };
            let call = gateway.sent_to(method);
            let mut sent = BTreeMap::new();
            for (name, text) in call
                .iter()
                .filter(|(name, _)| !system.contains(&name.as_str()))
            {
                let value = match serde_json::from_str(text) {
                    Ok(value @ (Value::Object(_) | Value::Array(_))) => value,
                    _ => Value::String(text.clone()),
                };
                paths(name, &value, &mut sent);
            }
            sent.retain(|path, _| !path.ends_with("[]"));
            for row in table["request"].as_array().unwrap() {
                let path = row["path"].as_str().unwrap();
                let Some(value) = sent.remove(path) else {
                    assert_eq!(row["required"], false, "{method} lacks {path}");
                    continue;
                };
                // On the top level everything is text.
                let fits = match row["type"].as_str().unwrap() {
                    "Number" if !path.contains('.') => {
                        value.as_str().unwrap().parse::<u64>().is_ok()
                    }
                    "Number" => value.is_u64(),
                    "String" => value.is_string(),
                    "Object" => value.is_object(),
                    "Object[]" | "String[]" => value.is_array(),
                    other => panic!("{other} is a new type"),
                };
                assert!(fits, "{method}: {path} is {value}");
            }
            assert!(sent.is_empty(), "{method} does not know {sent:?}");
        }
    }
}

#[tokio::test]
async fn the_old_gateway_gets_its_own_signature_and_its_own_time() {
    for (method, scheme) in [("md5", Scheme::Md5), ("hmac", Scheme::HmacMd5)] {
        let gateway = everything_sent(json!({"gateway": TOP, "sign_method": method})).await;
        let secret = Secret::new(APP_SECRET.to_owned());
        let mut seen = 0;
        for mut call in gateway.sent.lock().unwrap().clone() {
            if call["method"].starts_with('/') {
                continue;
            }
            let signature = call.remove("sign").unwrap();
            let pairs = call
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()));
            assert_eq!(sign(scheme, &secret, "", pairs).unwrap(), signature);
            assert_eq!((&*call["sign_method"], &*call["v"]), (method, "2.0"));
            // 2026-09-21T14:13:20Z.
            assert_eq!(call["timestamp"], "2026-09-21 22:13:20");
            seen += 1;
        }
        assert_eq!(seen, 12);
    }
}

#[tokio::test]
async fn what_is_sent_says_what_was_asked_for() {
    let gateway = everything_sent(json!({})).await;
    let json_of = |method: &str, name: &str| -> Value {
        serde_json::from_str(&gateway.sent_to(method)[name]).unwrap()
    };
    let query = json_of(ORDERS, "param0");
    // September is summer time.
    assert_eq!(query["modified_date_start"], "2026-09-21 05:13:20");
    assert_eq!(query["modified_date_end"], "2026-09-21 06:13:20");
    let list = "mutiple_product_update_list";
    let skus = |fields: Value| json!([{"product_id": 9, "multiple_sku_update_list": [fields]}]);
    assert_eq!(
        json_of(STOCKS, list),
        skus(json!({"sku_code": "12", "inventory": 7}))
    );
    assert_eq!(
        json_of(PRICES, list),
        skus(json!({"sku_code": "12", "price": "12.99"}))
    );
    let items = json_of(SUBMIT, "item_list");
    let content: Value = serde_json::from_str(items[0]["item_content"].as_str().unwrap()).unwrap();
    assert_eq!(content["aliexpress_product_id"], 9);
    assert_eq!(content["multiple_sku_update_list"][0]["inventory"], 7);
    let fulfill = gateway.sent_to(FULFILL);
    assert_eq!(
        (&*fulfill["service_name"], &*fulfill["send_type"]),
        ("Other", "all")
    );
    assert!(fulfill["tracking_website"].starts_with("https://"));
}

#[test]
fn no_sample_of_the_seller_is_left_unread() {
    let Some(folder) = folder() else { return };
    for file in std::fs::read_dir(folder.join("samples/seller_top")).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let name = name.trim_end_matches(".json");
        assert!(
            OTHERS.contains(&name) || READ.contains(&name),
            "{name} is new"
        );
    }
}

fn seller(method: &'static str, body: Value) -> Shop {
    let gateway = everything().and(method, body);
    seller_at(NOW, &Arc::new(gateway), json!({}))
}

#[tokio::test]
async fn the_samples_of_orders_are_read() {
    let (Some(orders), Some(receipt)) = (
        sample("aliexpress_solution_order_get"),
        sample("aliexpress_solution_order_receiptinfo_get"),
    ) else {
        return;
    };
    let span = (
        jiff::Timestamp::UNIX_EPOCH,
        jiff::Timestamp::from_second(NOW).unwrap(),
    );
    let page = seller(ORDERS, orders)
        .changed(span.0, span.1, None)
        .await
        .unwrap();
    // Its error code stands beside a success, and says nothing.
    let changed = "2017-10-12T19:12:12Z".parse().unwrap();
    assert_eq!(page.orders, [(order_id(), changed)]);
    assert_eq!(page.next, None);

    let order = seller(RECEIPT, receipt).order(&order_id()).await.unwrap();
    let (details, buyer) = (order.details, order.buyer.unwrap());
    assert_eq!((details.total.minor, details.payment), (404, Payment::Paid));
    assert_eq!(details.modified_at, "2017-10-12T20:12:12Z".parse().unwrap());
    let line = &details.lines[0];
    assert_eq!(
        (line.id.as_str(), &*line.sku, line.price.minor),
        ("23457890", "12", 202)
    );
    assert_eq!(
        (&*buyer.name, buyer.address.country.as_str()),
        ("Jane Doe", "RU")
    );
    assert_eq!(
        (&*buyer.address.line1, &*buyer.address.line2),
        ("1 Example Street", "Unit 2")
    );
    assert_eq!(
        (&*buyer.address.city, &*buyer.address.region),
        ("Babenki", "Moscow")
    );
    assert_eq!(
        (&*buyer.address.postal_code, &*buyer.phone),
        ("400120", "+45550100")
    );
}

#[tokio::test]
async fn the_samples_of_shipments_are_read_in_json_and_in_xml() {
    let (Some(fulfilled), Some(services), Some(folder)) = (
        sample("aliexpress_solution_order_fulfill"),
        sample("aliexpress_logistics_redefining_listlogisticsservice"),
        folder(),
    ) else {
        return;
    };
    let xml = |name: &str| {
        let path = folder.join("samples/xml").join(name);
        Value::String(std::fs::read_to_string(path).unwrap())
    };
    let confirm = async |body: Value| {
        let gateway = Arc::new(
            everything()
                .and(FULFILL, body)
                .and(SERVICES, services.clone()),
        );
        let shop = seller_at(NOW, &gateway, json!({"gateway": TOP}));
        let outcome = shop.confirm(&order_id(), &parcel("China Post", 1)).await;
        (outcome, gateway)
    };
    let (outcome, gateway) = confirm(fulfilled).await;
    assert_eq!(outcome, Ok(()));
    let sent = gateway.sent_to(FULFILL);
    assert_eq!(
        (&*sent["service_name"], &*sent["send_type"]),
        ("CPAM", "part")
    );
    assert_eq!(
        confirm(xml("solution_order_fulfill.ok.xml")).await.0,
        Ok(())
    );
    let limited = confirm(xml("error.rate_limit.xml")).await.0.unwrap_err();
    let wait = Retry::After(Duration::from_secs(3));
    assert_eq!(
        (limited.kind, limited.retry, limited.effect),
        (Kind::Throttled, wait, Effect::None)
    );
    let refused = confirm(xml("error.remote_service.xml"))
        .await
        .0
        .unwrap_err();
    assert_eq!(
        (refused.kind, refused.effect),
        (Kind::Refused, Effect::None)
    );
    assert_eq!(refused.code, "isv.invalid-parameter");
}

#[tokio::test]
async fn the_samples_of_updates_are_failures_whatever_their_flag_says() {
    for (method, name) in [
        (STOCKS, "aliexpress_solution_batch_product_inventory_update"),
        (PRICES, "aliexpress_solution_batch_product_price_update"),
    ] {
        let Some(body) = sample(name) else { return };
        let gateway = everything()
            .and(
                STOCKS,
                json!({"update_success": true, "update_successful_list": [
                {"product_id": 123}, {"product_id": 1234}, {"product_id": 5}]}),
            )
            .and(method, body);
        let shop = seller_at(NOW, &Arc::new(gateway), json!({}));
        let updates = [update(123, "a"), update(1234, "b"), update(5, "c")];
        let outcomes = shop.push(&updates, jiff::Timestamp::MAX).await.unwrap();
        assert!(outcomes.iter().all(Result::is_err), "{name}: {outcomes:?}");
    }
}

#[tokio::test]
async fn the_samples_of_submissions_and_of_the_profile_are_read() {
    let (Some(submitted), Some(report), Some(list), Some(profile)) = (
        sample("aliexpress_solution_feed_submit"),
        sample("aliexpress_solution_feed_query"),
        sample("aliexpress_solution_feed_list_get"),
        sample("aliexpress_solution_merchant_profile_get"),
    ) else {
        return;
    };
    let updates = [update(33_030_372_006, "a")];
    let submission = seller(SUBMIT, submitted).submit(&updates).await.unwrap();
    assert_eq!(submission.id, "S200000000060024475+P200000000060024475");

    // The sample's item has the name that its seller gave it; ours are made of the product.
    let mut ours = report.clone();
    let root = &mut ours["aliexpress_solution_feed_query_response"];
    let item = &mut root["result_list"]["single_item_response_dto"][0];
    item["item_content_id"] = json!("33030372006-0");
    let job = Submission {
        id: "S200000000060054475+P200000000060054475".to_owned(),
        at: submission.at,
    };
    assert_eq!(
        seller(QUERY, ours).report(&job, &updates).await,
        Ok(Some(vec![Ok(())]))
    );
    let unsaid = seller(QUERY, report)
        .report(&job, &updates)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(unsaid[0].as_ref().unwrap_err().kind, Kind::Unreadable);

    // Its one job makes a product, which is none of ours.
    assert_eq!(
        seller(LIST, list).submissions(submission.at).await,
        Ok(Vec::new())
    );
    let findings = seller(PROFILE, profile.clone()).examine().await;
    assert!(
        findings
            .iter()
            .all(|finding| finding.verdict == Verdict::Good),
        "{findings:?}"
    );
    let mut forbidden = profile;
    forbidden["aliexpress_solution_merchant_profile_get_response"]["product_posting_forbidden"] =
        json!("true");
    let findings = seller(PROFILE, forbidden).examine().await;
    assert!(findings.iter().any(|finding| finding.what == "shop"));
}

#[tokio::test]
async fn every_gateway_error_of_the_samples_has_its_axes_for_a_shipment() {
    let Some(samples) = contract("samples/errors.json") else {
        return;
    };
    let confirm = async |name: &str| -> CallError {
        let shop = seller(FULFILL, samples["body"][name].clone());
        shop.confirm(&order_id(), &parcel("China Post", 2))
            .await
            .unwrap_err()
    };
    for (name, kind) in [
        ("signature", Kind::Misconfigured),
        ("api_call_limit", Kind::Throttled),
        ("illegal_access_token", Kind::ConsentEnded),
        ("top_rate_limit", Kind::Throttled),
    ] {
        let error = confirm(name).await;
        assert_eq!((error.kind, error.effect), (kind, Effect::None), "{name}");
    }
}
