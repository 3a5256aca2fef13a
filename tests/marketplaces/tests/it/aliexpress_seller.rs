//! AliExpress's shop: both gateways, orders, shipments, listings and jobs.

use crate::common::AliClient;
use crate::common::Got;
use crate::common::error_code;
use crate::common::is_true;
use kervan_marketplaces::Fault;
use kervan_marketplaces::Money;
use kervan_marketplaces::RateLimit;
use kervan_marketplaces::WireFault;
use kervan_marketplaces::aliexpress::AliExpressOperation as Operation;
use kervan_marketplaces::aliexpress::NewListing;
use kervan_marketplaces::aliexpress::NewListingSku;
use kervan_marketplaces::aliexpress::NewSale;
use kervan_marketplaces::aliexpress::SaleStatus;
use kervan_marketplaces::aliexpress::signature::SignMethod;
use kervan_marketplaces::aliexpress::signature::sign;
use kervan_marketplaces::defaults;
use serde_json::Value;
use serde_json::json;

const MUG: u64 = 1_005_009;
const ORDERS: &str = "aliexpress.solution.order.get";
const INFO: &str = "aliexpress.solution.order.info.get";
const FULFILL: &str = "aliexpress.solution.order.fulfill";
const STOCKS: &str = "aliexpress.solution.batch.product.inventory.update";

/// A marketplace with one shop's product, called with the shop's token.
fn shop() -> AliClient {
    let mut client = AliClient::with(|config| {
        config.settings.mixed_types = false;
        config.settings.access_token_s = 10 * 86_400;
    });
    client.token = defaults::ALIEXPRESS_SHOP_ACCESS_TOKEN.to_owned();
    let sku = NewListingSku {
        sku_code: "MUG".to_owned(),
        price: Money::usd(1_250),
        inventory: 10,
    };
    let new = NewListing {
        product_id: MUG,
        skus: vec![sku],
    };
    client.aliexpress.add_listing(new).unwrap();
    client
}

fn sold(client: &AliClient, units: u32) -> u64 {
    let sale = NewSale {
        buyer: None,
        lines: vec![("MUG".to_owned(), units)],
        paid: true,
    };
    client.aliexpress.sell(sale).unwrap()
}

/// A call of the old gateway, whose clock says 20:00 at noon.
async fn old(
    client: &AliClient,
    method: &str,
    further: &[(&str, &str)],
    scheme: SignMethod,
) -> Got {
    let mut params: Vec<(String, String)> = [
        ("app_key", defaults::ALIEXPRESS_APP_KEY),
        ("method", method),
        ("session", defaults::ALIEXPRESS_SHOP_ACCESS_TOKEN),
        ("v", "2.0"),
        ("timestamp", "2026-11-02 20:00:00"),
        (
            "sign_method",
            if scheme == SignMethod::Md5 {
                "md5"
            } else {
                "hmac"
            },
        ),
    ]
    .iter()
    .filter(|(name, _)| further.iter().all(|(other, _)| other != name))
    .chain(further)
    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
    .collect();
    params.retain(|(_, value)| !value.is_empty());
    let signature = sign(scheme, defaults::ALIEXPRESS_APP_SECRET, "", &params);
    client.send_signed("/router/rest", params, &signature).await
}

fn text(got: &Got) -> String {
    String::from_utf8(got.body.to_vec()).unwrap()
}

async fn fulfill(client: &AliClient, order: u64, service: &str, number: &str, send: &str) -> Value {
    let params = [
        ("out_ref", order.to_string()),
        ("service_name", service.to_owned()),
        ("logistics_no", number.to_owned()),
        ("send_type", send.to_owned()),
    ];
    client.business(FULFILL, &params).await.json()
}

#[tokio::test]
async fn the_old_gateway_answers_in_xml_unless_it_is_asked_for_json() {
    let client = shop();
    let order = sold(&client, 1);
    let query = [("param0", "{\"current_page\":1,\"page_size\":20}")];
    for scheme in [SignMethod::Md5, SignMethod::HmacMd5] {
        let got = text(&old(&client, ORDERS, &query, scheme).await);
        assert!(got.starts_with("<?xml"), "{got}");
        let list = format!(
            "<target_list><order_dto><gmt_create>2026-11-02 04:00:00</gmt_create><gmt_update>2026-11-02 04:00:00</gmt_update><order_id>{order}</order_id>"
        );
        assert!(got.contains(&list), "{got}");
        let json = old(&client, ORDERS, &[query[0], ("format", "json")], scheme)
            .await
            .json();
        let list = &json["aliexpress_solution_order_get_response"]["result"]["target_list"];
        assert_eq!(list["order_dto"][0]["order_id"], order);
    }
}

#[tokio::test]
async fn the_old_gateway_refuses_by_its_numbers() {
    let client = shop();
    let code = async |further: &[(&str, &str)]| {
        let mut all = vec![("format", "json")];
        all.extend(further);
        old(&client, INFO, &all, SignMethod::Md5).await.json()["error_response"].clone()
    };
    // The session stands alone in the defaults, so it is replaced and not taken away.
    assert_eq!(code(&[("session", "forged")]).await["code"], 27);
    assert_eq!(code(&[("app_key", "1")]).await["code"], 29);
    assert_eq!(code(&[("v", "")]).await["code"], 40);
    assert_eq!(
        code(&[("timestamp", "2026-11-02 20:10:01")]).await["code"],
        31
    );
    assert_eq!(
        code(&[("method", "aliexpress.ds.product.get")]).await["code"],
        22
    );
    let missing = code(&[]).await;
    assert_eq!(missing["code"], 40);
    let bad = code(&[("param1", "{\"order_id\":\"x\"}")]).await;
    assert_eq!(
        (&bad["code"], &bad["sub_code"]),
        (&json!(50), &json!("isv.invalid-parameter"))
    );
    let limit = RateLimit {
        calls: 0,
        per_ms: 1_000,
    };
    client
        .aliexpress
        .set_rate_limit(Operation::SolutionOrderInfoGet, Some(limit));
    let banned = code(&[]).await;
    assert_eq!(banned["code"], 7);
    assert!(
        banned["sub_msg"]
            .as_str()
            .unwrap()
            .contains("will last for 1 more seconds")
    );
    let params = vec![
        (
            "app_key".to_owned(),
            defaults::ALIEXPRESS_APP_KEY.to_owned(),
        ),
        ("method".to_owned(), INFO.to_owned()),
        ("v".to_owned(), "2.0".to_owned()),
        ("timestamp".to_owned(), "2026-11-02 20:00:00".to_owned()),
        ("sign_method".to_owned(), "md5".to_owned()),
    ];
    let forged = text(&client.send_signed("/router/rest", params, "00").await);
    assert!(
        forged.contains("<error_response><code>25</code>"),
        "{forged}"
    );
}

#[tokio::test]
async fn a_buyers_token_opens_no_shop_and_the_other_way_round() {
    let mut client = shop();
    let product = [
        ("product_id", "1".to_owned()),
        ("ship_to_country", "US".to_owned()),
    ];
    let got = client
        .business("aliexpress.ds.product.get", &product)
        .await
        .json();
    assert_eq!(
        got["error_response"]["sub_code"],
        "isv.insufficient-permission"
    );
    client.token = defaults::ALIEXPRESS_ACCESS_TOKEN.to_owned();
    let got = client
        .business("aliexpress.solution.merchant.profile.get", &[])
        .await
        .json();
    assert_eq!(
        got["error_response"]["sub_code"],
        "isv.insufficient-permission"
    );
    client.token = defaults::ALIEXPRESS_SHOP_ACCESS_TOKEN.to_owned();
    let renewed = client
        .refresh(defaults::ALIEXPRESS_SHOP_REFRESH_TOKEN)
        .await
        .json();
    client.token = renewed["access_token"].as_str().unwrap().to_owned();
    let got = client
        .business("aliexpress.solution.merchant.profile.get", &[])
        .await
        .json();
    assert!(got["aliexpress_solution_merchant_profile_get_response"]["shop_id"].is_u64());
    let (_, buyers) = client.aliexpress.current_tokens();
    assert_eq!(buyers.as_deref(), Some(defaults::ALIEXPRESS_REFRESH_TOKEN));
}

#[tokio::test]
async fn orders_are_listed_by_pacific_times_and_pages() {
    let client = shop();
    for _ in 0..3 {
        sold(&client, 1);
        client.advance_s(60);
    }
    let list = async |query: Value| {
        let got = client
            .business(ORDERS, &[("param0", query.to_string())])
            .await
            .json();
        let result = &got["aliexpress_solution_order_get_response"]["result"];
        let found = result["target_list"]["order_dto"]
            .as_array()
            .map_or(0, Vec::len);
        (found, result["total_page"].clone(), got)
    };
    let (found, pages, _) = list(json!({"current_page": 1, "page_size": 2})).await;
    assert_eq!((found, pages), (2, json!(2)));
    let (found, ..) = list(json!({"current_page": 2, "page_size": 2})).await;
    assert_eq!(found, 1);
    let (found, ..) = list(json!({"current_page": 1, "page_size": 50,
        "modified_date_start": "2026-11-02 04:01:00", "modified_date_end": "2026-11-02 04:01:00"}))
    .await;
    assert_eq!(found, 1, "both ends count");
    for wrong in [
        json!({"current_page": 0, "page_size": 2}),
        json!({"current_page": 1, "page_size": 51}),
        json!({"page_size": 2}),
        json!({"current_page": 1, "page_size": 2, "modified_date_start": "2026-11-02T04:01:00Z"}),
    ] {
        let (_, _, got) = list(wrong).await;
        assert_eq!(got["error_response"]["sub_code"], "isv.invalid-parameter");
    }
}

#[tokio::test]
async fn a_shipment_is_declared_in_parts_until_it_is_whole() {
    let client = shop();
    let order = sold(&client, 2);
    let part = fulfill(&client, order, "CPAM", "RR123456785CN", "part").await;
    let root = "aliexpress_solution_order_fulfill_response";
    assert!(is_true(&part[root]["result"]["result_success"]), "{part}");
    let state = |client: &AliClient| client.aliexpress.sale(order).unwrap().status;
    assert_eq!(state(&client), SaleStatus::SellerPartSendGoods);
    fulfill(&client, order, "CAINIAO_STANDARD", "LP123", "all").await;
    assert_eq!(state(&client), SaleStatus::WaitBuyerAcceptGoods);
    let param1 = [("param1", format!("{{\"order_id\":{order}}}"))];
    let got = client.business(INFO, &param1).await.json();
    let data = &got["aliexpress_solution_order_info_get_response"]["result"]["data"];
    let parcels = &data["logistic_info_list"]["global_aeop_tp_logistic_info_dto"];
    assert_eq!(parcels[1]["logistics_no"], "LP123");
    assert_eq!(data["logistics_status"], "SELLER_SEND_GOODS");
    for (number, service, reason) in [
        (order, "CPAM", "无需重复操作"),
        (sold(&client, 1), "CPAM", "更换货运跟踪号"),
        (5, "CPAM", "不属于当前账号"),
    ] {
        let refused = fulfill(&client, number, service, "LP123", "all").await;
        let result = &refused[root]["result"];
        assert_eq!(result["error_code"], "-999");
        assert!(
            result["error_desc"].as_str().unwrap().contains(reason),
            "{refused}"
        );
    }
    for (service, send) in [("NOPE", "all"), ("CPAM", "half"), ("Other", "all")] {
        let got = fulfill(&client, sold(&client, 1), service, "RR123456785CN", send).await;
        assert_eq!(
            got["error_response"]["sub_code"], "isv.invalid-parameter",
            "{service}"
        );
    }
    assert_eq!(client.aliexpress.counters().shipments.len(), 2);
}

#[tokio::test]
async fn a_shipment_may_be_declared_although_nobody_is_told() {
    let client = shop();
    for (fault, wire) in [
        (Fault::TimeoutAfter, true),
        (Fault::ServerErrorAfter, false),
    ] {
        let order = sold(&client, 1);
        client
            .aliexpress
            .fail_next(Operation::SolutionOrderFulfill, fault, 1);
        let params = [
            ("out_ref", order.to_string()),
            ("service_name", "CPAM".to_owned()),
            ("logistics_no", "RR123456785CN".to_owned()),
            ("send_type", "all".to_owned()),
        ];
        let got = client.business(FULFILL, &params).await;
        assert_eq!(got.wire == Some(WireFault::Hang), wire);
        assert_eq!(client.aliexpress.sale(order).unwrap().shipments.len(), 1);
    }
}

#[tokio::test]
async fn updates_are_looked_at_as_a_whole_and_done_product_by_product() {
    let client = shop();
    let update = async |list: Value| {
        let params = [("mutiple_product_update_list", list.to_string())];
        client.business(STOCKS, &params).await.json()
    };
    let product = |id: u64, code: &str, units: Value| json!({"product_id": id, "multiple_sku_update_list": [{"sku_code": code, "inventory": units}]});
    let done = update(json!([
        product(MUG, "MUG", json!(3)),
        product(9, "X", json!(1))
    ]))
    .await;
    let root = &done["aliexpress_solution_batch_product_inventory_update_response"];
    assert_eq!(root["update_success"], false);
    let failed = &root["update_failed_list"]["synchronize_product_response_dto"];
    assert_eq!(failed[0]["product_id"], 9);
    assert_eq!(client.aliexpress.listings()[0].inventory, 3);
    let many = vec![product(MUG, "MUG", json!(1)); 21];
    let skus = vec![json!({"sku_code": "MUG", "inventory": 1}); 201];
    for wrong in [
        json!([]),
        json!(many),
        json!([{"product_id": MUG, "multiple_sku_update_list": skus}]),
        json!([product(MUG, "MUG", json!(-1))]),
        json!([product(MUG, "MUG", json!("three"))]),
        json!([product(MUG, "", json!(1))]),
    ] {
        let got = update(wrong).await;
        assert_eq!(got["error_response"]["sub_code"], "isv.invalid-parameter");
    }
    // The key is misspelt, and has to be.
    let right = [("multiple_product_update_list", "[]".to_owned())];
    let got = client.business(STOCKS, &right).await.json();
    assert_eq!(error_code(&got), "MissingParameter");
    assert_eq!(client.aliexpress.listings()[0].inventory, 3);
}

#[tokio::test]
async fn a_job_takes_its_time_and_a_day_has_three_hundred_of_a_type() {
    let client = shop();
    let content = json!({"aliexpress_product_id": MUG,
        "multiple_sku_update_list": [{"sku_code": "MUG", "price": "9.99"}]});
    let items = json!([{"item_content_id": "a", "item_content": content.to_string()},
        {"item_content_id": "b", "item_content": "{}"}]);
    let submit = async |kind: &str| {
        let params = [
            ("operation_type", kind.to_owned()),
            ("item_list", items.to_string()),
        ];
        client
            .business("aliexpress.solution.feed.submit", &params)
            .await
            .json()
    };
    let job = submit("PRODUCT_PRICES_UPDATE").await;
    let job = job["aliexpress_solution_feed_submit_response"]["job_id"].to_string();
    let report = async || {
        let params = [("job_id", job.clone())];
        let got = client
            .business("aliexpress.solution.feed.query", &params)
            .await
            .json();
        got["aliexpress_solution_feed_query_response"].clone()
    };
    assert!(report().await.get("result_list").is_none());
    client.advance_s(1);
    let done = report().await;
    assert_eq!(
        (&done["success_item_count"], &done["total_item_count"]),
        (&json!(1), &json!(2))
    );
    let results = &done["result_list"]["single_item_response_dto"];
    assert!(
        results[1]["item_execution_result"]
            .as_str()
            .unwrap()
            .contains("\"success\":false")
    );
    assert_eq!(client.aliexpress.listings()[0].price, Money::usd(999));
    for _ in 1..300 {
        submit("PRODUCT_PRICES_UPDATE").await;
    }
    assert_eq!(
        error_code(&submit("PRODUCT_PRICES_UPDATE").await),
        "ApiCallLimit"
    );
    assert_eq!(error_code(&submit("PRODUCT_STOCKS_UPDATE").await), "");
    client.advance_s(86_400);
    assert_eq!(error_code(&submit("PRODUCT_PRICES_UPDATE").await), "");
    let params = [
        ("current_page", "4".to_owned()),
        ("page_size", "100".to_owned()),
    ];
    let got = client
        .business("aliexpress.solution.feed.list.get", &params)
        .await
        .json();
    let jobs = &got["aliexpress_solution_feed_list_get_response"];
    assert_eq!(
        (&jobs["total_count"], &jobs["total_page"]),
        (&json!(302), &json!(4))
    );
    assert_eq!(
        jobs["job_list"]["batch_operation_job_dto"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}
