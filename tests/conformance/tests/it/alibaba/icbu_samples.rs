//! Every sample of Alibaba.com's operations through the roles.

use crate::alibaba::common::{
    Gateway, buyer, contract, folder, icbu_secret, of_gateway, offer, place, plain_line, quote,
    reference, sample,
};
use bytes::Bytes;
use http::HeaderMap;
use kervan::{
    domain::{SignalKind, SupplierOrderId},
    marketplaces::{Account, Placed, SupplierState, Unverified},
};
use serde_json::{Value, json};
use std::sync::Arc;

/// Samples that tests here decode.
pub(crate) const DECODED: [&str; 12] = [
    "buynow.order.create",
    "order.freight.calculate",
    "order.get",
    "order.list",
    "order.logistics.query",
    "order.logistics.tracking.get",
    "order.pay.failed",
    "order.pay.success",
    "product.description",
    "product.inventory",
    "token.refresh",
    "webhook.order",
];
/// Samples of operations that are not used, of requests, and of pushes that say nothing.
const OTHERS: [&str; 7] = [
    "buynow.order.create.request",
    "local.product.check",
    "order.fund.query",
    "product.check",
    "shipping.freight.calculate",
    "token.create",
    "webhook.product",
];

fn body(name: &str) -> Option<Value> {
    sample(&format!("icbu/samples/{name}.json"))
}

fn saying(answers: &[(&'static str, &Value)]) -> Arc<dyn Account> {
    let gateway = answers
        .iter()
        .fold(Gateway::new(), |gateway, (operation, body)| {
            gateway.saying(operation, (*body).clone())
        });
    of_gateway(&icbu_secret(), &Arc::new(gateway))
}

#[test]
fn every_sample_is_decoded_or_known_to_be_of_no_use() {
    let Some(folder) = folder() else {
        return;
    };
    let folder = folder.join("icbu/samples");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let name = name.strip_suffix(".json").unwrap();
        assert!(
            DECODED.contains(&name) || OTHERS.contains(&name),
            "{name} is a new sample"
        );
    }
}

#[tokio::test]
async fn a_product_is_priced_by_the_number_of_units_and_shipped_by_the_quoted_carrier() {
    let Some((product, inventory)) = body("product.description").zip(body("product.inventory"))
    else {
        return;
    };
    // The samples are of two products: the stock is given the first one's variant.
    let mut inventory = inventory;
    inventory["result"]["result_data"][0]["inventory_list"][0]["sku_id"] = json!("105613018158");
    let freight = body("order.freight.calculate").unwrap();
    let account = saying(&[
        ("/eco/buyer/product/description", &product),
        ("/eco/buyer/product/inventory", &inventory),
        ("/order/freight/calculate", &freight),
    ]);
    let goods = offer(1_601_206_892_606_u64, "105613018158");
    for (quantity, cents) in [(12, 1_234), (49, 1_234), (50, 369), (1_000, 369)] {
        let terms = quote(&account, goods.clone(), quantity, "US")
            .await
            .unwrap();
        let terms = &terms.lines[0];
        assert_eq!(terms.unit_cost.minor, cents, "{quantity}");
        assert_eq!((terms.shipping.minor, terms.stock), (300, 1_196));
        let carrier = "CN/seller_oversea_distributor_sellers_shipping_method_1";
        assert_eq!(terms.shipping_option, carrier);
        assert_eq!(terms.variant_attributes, "xxxxxxxxx");
    }
    let few = quote(&account, goods.clone(), 11, "US").await.unwrap_err();
    assert_eq!(few.code, "below-minimum");
    let stock = account.read_stock().unwrap();
    let seen = stock.stock(&[goods], &"US".parse().unwrap()).await.unwrap();
    let evidence = seen[0].as_ref().unwrap().as_ref().unwrap();
    assert_eq!(
        (evidence.stock, evidence.cost.to_string().as_str()),
        (1_196, "12.34 USD")
    );
}

#[tokio::test]
async fn an_order_is_placed_whether_or_not_its_payment_works() {
    for payment in ["order.pay.success", "order.pay.failed"] {
        let Some((created, paid)) = body("buynow.order.create").zip(body(payment)) else {
            return;
        };
        let account = saying(&[
            ("/buynow/order/create", &created),
            ("/alibaba/dropshipping/order/pay", &paid),
        ]);
        let lines = [plain_line(offer(1, "2"), 1, "USD", "CN/CARRIER")];
        let placed = place(&account, &lines, &buyer()).await.unwrap();
        assert_eq!(placed.supplier_orders[0].as_str(), "234193410001028893");
    }
}

#[tokio::test]
async fn an_order_is_read_with_what_became_of_it() {
    let Some(order) = body("order.get") else {
        return;
    };
    let tracking = body("order.logistics.tracking.get").unwrap();
    let logistics = body("order.logistics.query").unwrap();
    let id = SupplierOrderId::parse("234193410001028893").unwrap();
    let read = async |status: &str, tracking: &Value| {
        let mut order = order.clone();
        if !status.is_empty() {
            order["value"]["trade_status"] = json!(status);
        }
        let account = saying(&[
            ("/alibaba/order/get", &order),
            ("/order/logistics/tracking/get", tracking),
            ("/order/logistics/query", &logistics),
        ]);
        account.buy().unwrap().supplier_order(&id).await.unwrap()
    };
    assert_eq!(read("", &tracking).await.state, SupplierState::Unpaid);
    let sent = read("wait_confirm_receipt", &tracking).await;
    assert_eq!(sent.parcels[0].tracking_number.as_str(), "776705370628");
    assert_eq!(
        (sent.parcels[0].carrier.as_str(), sent.parcels[0].delivered),
        ("FEDEX", true)
    );
    assert_eq!(
        sent.state,
        SupplierState::Delivered,
        "its one parcel has arrived"
    );
    let untracked = json!({"code": "0", "tracking_list": []});
    let done = read("trade_success", &untracked).await;
    assert_eq!(done.parcels[0].tracking_number.as_str(), "123432");
    assert_eq!(done.parcels[0].carrier, "EX_ASP_OCEAN_EXPRESS");
    assert!(
        read("wait_confirm_receipt", &untracked)
            .await
            .parcels
            .is_empty()
    );
}

#[tokio::test]
async fn every_documented_status_is_a_state() {
    let Some((enums, order)) = contract("icbu/enums.json").zip(body("order.get")) else {
        return;
    };
    let tracking = json!({"code": "0", "tracking_list": []});
    for status in enums["trade_status"].as_array().unwrap() {
        let mut order = order.clone();
        order["value"]["trade_status"] = status.clone();
        let account = saying(&[
            ("/alibaba/order/get", &order),
            ("/order/logistics/tracking/get", &tracking),
            ("/order/logistics/query", &json!({"code": "0", "value": {}})),
        ]);
        let id = SupplierOrderId::parse("1").unwrap();
        let state = account
            .buy()
            .unwrap()
            .supplier_order(&id)
            .await
            .unwrap()
            .state;
        let status = status.as_str().unwrap();
        let expected = match status {
            "unpay" => SupplierState::Unpaid,
            "to_be_audited" | "paying" | "paid" | "captured" | "undeliver" => {
                SupplierState::Processing
            }
            "delivering" => SupplierState::PartlyShipped,
            "wait_confirm_receipt" => SupplierState::Shipped,
            "trade_success" => SupplierState::Delivered,
            "trade_close" | "frozen" | "charge_back" => SupplierState::Closed {
                code: status.to_owned(),
            },
            other => panic!("{other} is a new status"),
        };
        assert_eq!(state, expected);
    }
}

#[tokio::test]
async fn a_search_needs_the_whole_list() {
    let Some((list, order)) = body("order.list").zip(body("order.get")) else {
        return;
    };
    let since = jiff::Timestamp::from_second(1_754_000_000).unwrap();
    let look = async |list: &Value, order: &Value| {
        let account = saying(&[("/alibaba/order/list", list), ("/alibaba/order/get", order)]);
        account.buy().unwrap().look_up(&reference(), since).await
    };
    // The sample shows one order of 264,930: that proves nothing.
    assert!(look(&list, &order).await.is_err());
    let mut whole = list.clone();
    whole["value"]["total_count"] = json!("1");
    let nameless = look(&whole, &order).await.unwrap_err();
    assert_eq!(nameless.code, "reference-not-shown");
    let mut ours = order.clone();
    ours["value"]["channel_refer_id"] = json!(reference().as_str());
    let id = SupplierOrderId::parse("271207727001028893").unwrap();
    let placed = Placed {
        supplier_orders: vec![id],
    };
    assert_eq!(look(&whole, &ours).await.unwrap(), Some(placed));
    ours["value"]["channel_refer_id"] = json!("SO-1001");
    assert_eq!(look(&whole, &ours).await.unwrap(), None);
}

#[tokio::test]
async fn a_token_of_text_numbers_is_used() {
    let Some(token) = body("token.refresh") else {
        return;
    };
    let gateway = Gateway::new()
        .saying("/auth/token/refresh", token)
        .saying("/alibaba/order/get", body("order.get").unwrap());
    let gateway = Arc::new(gateway);
    let account = of_gateway(&icbu_secret(), &gateway);
    let id = SupplierOrderId::parse("1").unwrap();
    account.buy().unwrap().supplier_order(&id).await.unwrap();
    let sent = gateway.sent_to("/alibaba/order/get");
    assert_eq!(sent.form["access_token"], "ACCESS_TOKEN_EXAMPLE");
}

#[tokio::test]
async fn a_push_of_an_order_is_a_signal_and_one_of_a_product_is_none() {
    let Some((order, products)) = body("webhook.order").zip(body("webhook.product")) else {
        return;
    };
    let sent = async |push: &Value| {
        let at = push["timestamp"].as_i64().unwrap();
        let clock = kervan::clock::ManualClock::at(jiff::Timestamp::from_second(at).unwrap());
        let gateway = Arc::new(Gateway::new());
        let account = crate::alibaba::common::account(&icbu_secret(), gateway, Arc::new(clock));
        let body = push.to_string();
        let signature = kervan_marketplaces::aliexpress::signature::push_authorization(
            "500123",
            crate::alibaba::common::APP_SECRET,
            body.as_bytes(),
        );
        let mut headers = HeaderMap::new();
        headers.insert("authorization", signature.parse().unwrap());
        let push = Unverified::new(headers, Bytes::from(body));
        account.verify_pushes().unwrap().verify(push).await.unwrap()
    };
    let id = SupplierOrderId::parse("255201166001024316").unwrap();
    assert_eq!(
        sent(&order).await[0].kind,
        SignalKind::SupplierOrderChanged(id)
    );
    for product in products.as_array().unwrap() {
        assert!(sent(product).await.is_empty());
    }
}
