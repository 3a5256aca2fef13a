use super::*;
use crate::domain::AccountId;
use crate::marketplaces::aliexpress::client;
use serde_json::{Value, json};

fn with_call<T>(operation: &'static str, run: impl FnOnce(&Call<'_>) -> T) -> T {
    let account: AccountId = "aliexpress:main".parse().unwrap();
    run(&Call {
        account: &account,
        operation,
    })
}

fn usd() -> Currency {
    "USD".parse().unwrap()
}

fn created(result: Value) -> Result<Vec<String>, CallError> {
    let created: Created = serde_json::from_value(result).unwrap();
    let placed = with_call(client::ORDER_CREATE, |call| placed(call, &created))?;
    let numbers = placed.supplier_orders.iter();
    Ok(numbers.map(ToString::to_string).collect())
}

fn in_state(order: Value) -> SupplierState {
    let order: Order = serde_json::from_value(order).unwrap();
    with_call(client::ORDER_GET, |call| state(call, &order)).unwrap()
}

fn option_of(options: Value) -> Result<(String, Money), CallError> {
    let freight = json!({"success": "true", "delivery_options": options});
    let freight: Freight = serde_json::from_value(freight).unwrap();
    with_call(client::FREIGHT_QUERY, |call| {
        shipping(call, &freight, usd())
    })
}

#[test]
fn numbers_of_an_order_come_wrapped_bare_as_text_and_many() {
    let two = ["8198352049851315", "30000000000000001"];
    for list in [
        json!({"number": [8198352049851315_u64, 30000000000000001_u64]}),
        json!(["8198352049851315", 30000000000000001_u64]),
    ] {
        for success in [json!(true), json!("true")] {
            let result = json!({"is_success": success, "order_list": list});
            assert_eq!(created(result).unwrap(), two);
        }
    }
}

#[test]
fn an_order_that_is_created_but_unpaid_is_placed() {
    let result = json!({
        "is_success": "true",
        "error_msg": "OrderCreated, autoPay fail:APIPayFail",
        "error_code": "APIPayFail",
        "order_list": {"number": [1000000000]},
    });
    assert_eq!(created(result).unwrap(), ["1000000000"]);
}

#[test]
fn a_repeated_order_is_placed_with_and_without_its_numbers() {
    let repeated = |list: Value| {
        created(json!({
            "is_success": false,
            "error_code": "REPEATED_ORDER_ERROR",
            "order_list": list,
        }))
        .unwrap()
    };
    assert_eq!(repeated(json!({"number": [7]})), ["7"]);
    assert!(repeated(Value::Null).is_empty());
}

#[test]
fn an_answer_that_does_not_say_both_things_leaves_a_doubt() {
    for result in [
        json!({"is_success": true}),
        json!({"is_success": true, "order_list": {"number": [1, {}]}}),
        json!({"is_success": true, "order_list": [1.5e30]}),
        json!({"order_list": null}),
        json!({"is_success": false}),
        json!({"is_success": false, "error_code": "NEW_CODE"}),
    ] {
        assert_eq!(
            created(result.clone()).unwrap_err().effect,
            Effect::Unknown,
            "{result}"
        );
    }
}

#[test]
fn a_refusal_is_without_effect_unless_it_names_orders() {
    let refused = |list: Value| {
        created(json!({
            "is_success": "false",
            "error_code": "INVENTORY_HOLD_ERROR",
            "order_list": list,
        }))
        .unwrap_err()
    };
    let nothing = refused(Value::Null);
    assert_eq!(
        (nothing.kind, nothing.effect),
        (Kind::OutOfStock, Effect::None)
    );
    assert!(matches!(nothing.retry, Retry::After(_)));
    let part = refused(json!([5]));
    assert_eq!((part.retry, part.effect), (Retry::Person, Effect::Happened));
}

#[test]
fn the_cheapest_option_with_tracking_is_taken() {
    let option = |code: &str, fee: &str, tracking: bool, days: u32| {
        json!({"code": code, "shipping_fee_cent": fee, "shipping_fee_currency": "USD",
               "tracking": tracking, "max_delivery_days": days})
    };
    let (code, fee) = option_of(json!({"delivery_option_d_t_o": [
        option("UNTRACKED", "0.50", false, 9),
        option("DEAR", "172.71", true, 5),
        option("SLOW", "2.00", true, 40),
        option("QUICK", "2.00", true, 20),
    ]}))
    .unwrap();
    assert_eq!((code.as_str(), fee.minor), ("QUICK", 200));
    let (code, _) = option_of(json!([option("ONLY", "1", false, 9)])).unwrap();
    assert_eq!(code, "ONLY");
}

#[test]
fn shipping_may_be_free_but_not_in_another_currency_or_missing() {
    let free = json!([{"code": "FREE", "free_shipping": "true", "tracking": true}]);
    assert_eq!(option_of(free).unwrap().1, Money::zero(usd()));
    let euro = json!([{"code": "X", "shipping_fee_cent": "1", "shipping_fee_currency": "EUR"}]);
    assert_eq!(option_of(euro).unwrap_err().kind, Kind::Refused);
    let unpriced = json!([{"code": "X"}]);
    assert_eq!(option_of(unpriced).unwrap_err().kind, Kind::Unreadable);
    assert_eq!(option_of(json!([])).unwrap_err().kind, Kind::NotDeliverable);
}

#[test]
fn each_status_has_a_state() {
    let of = |status: &str, logistics: &str| {
        in_state(json!({"order_status": status, "logistics_status": logistics}))
    };
    let cases = [
        ("PLACE_ORDER_SUCCESS", "NO_LOGISTICS", SupplierState::Unpaid),
        ("PAYMENT_PROCESSING", "", SupplierState::Processing),
        ("RISK_CONTROL", "", SupplierState::Processing),
        (
            "WAIT_SELLER_SEND_GOODS",
            "WAIT_SELLER_SEND_GOODS",
            SupplierState::Processing,
        ),
        (
            "SELLER_PART_SEND_GOODS",
            "SELLER_SEND_PART_GOODS",
            SupplierState::PartlyShipped,
        ),
        ("SELLER_PART_SEND_GOODS", "", SupplierState::PartlyShipped),
        ("WAIT_BUYER_ACCEPT_GOODS", "", SupplierState::Shipped),
        (
            "WAIT_SELLER_SEND_GOODS",
            "SELLER_SEND_GOODS",
            SupplierState::Shipped,
        ),
        (
            "FUND_PROCESSING",
            "SELLER_SEND_GOODS",
            SupplierState::Shipped,
        ),
        (
            "FUND_PROCESSING",
            "BUYER_ACCEPT_GOODS",
            SupplierState::Delivered,
        ),
        ("FINISH", "BUYER_ACCEPT_GOODS", SupplierState::Delivered),
        ("FINISH", "NO_LOGISTICS", closed("FINISH")),
        ("IN_CANCEL", "", closed("IN_CANCEL")),
        ("A_NEW_STATUS", "A_NEW_ONE", SupplierState::Processing),
    ];
    for (status, logistics, state) in cases {
        assert_eq!(of(status, logistics), state, "{status} {logistics}");
    }
}

#[test]
fn an_order_is_closed_only_when_all_of_its_lines_are() {
    let of = |reasons: Value| {
        in_state(json!({
            "order_status": "FINISH",
            "logistics_status": "BUYER_ACCEPT_GOODS",
            "child_order_list": {"aeop_child_order_info": reasons},
        }))
    };
    let cancelled = json!([{"end_reason": "CANCELED"}, {"end_reason": "buyer_pay_timeout"}]);
    assert_eq!(of(cancelled), closed("CANCELED"));
    let part = json!([{"end_reason": "CANCELED"}, {"product_count": 1}]);
    assert_eq!(of(part), SupplierState::Delivered);
    let done = json!([{"end_reason": "buyer_confirm_timeout_accept"}]);
    assert_eq!(of(done), SupplierState::Delivered);
}

fn parcels_of(state: &SupplierState, order: Value, details: Value) -> Vec<SupplierParcel> {
    let order: Order = serde_json::from_value(order).unwrap();
    let tracking = json!({"ret": true, "data": {"tracking_detail_line_list": details}});
    let tracking: Tracking = serde_json::from_value(tracking).unwrap();
    parcels(state, &order, Some(&tracking))
}

fn units(parcel: &SupplierParcel) -> Vec<(&str, u32)> {
    let units = parcel.contents.iter();
    units
        .map(|content| (content.product.as_str(), content.quantity))
        .collect()
}

#[test]
fn parcels_are_read_and_unreadable_numbers_left_out() {
    let found = parcels_of(
        &SupplierState::Shipped,
        json!({"logistics_info_list": [{"logistics_no": "LP1234"}]}),
        json!({"tracking_detail": [
            {"mail_no": "LP-00 99", "carrier_name": "Standard",
             "package_item_list": {"package_item": [{"item_id": 7, "quantity": "2"}]},
             "detail_node_list": [{"tracking_detail_desc": "Package delivered"}]},
            {"mail_no": "LP0099", "package_item_list": [{"item_id": "8", "quantity": 1}]},
            {"mail_no": "CP0_318495001"},
            {"carrier_name": "no number"},
        ]}),
    );
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].tracking_number.as_str(), "LP0099");
    assert_eq!(units(&found[0]), [("7", 2), ("8", 1)]);
    assert!(found[0].delivered);
}

#[test]
fn the_orders_own_number_counts_only_for_what_arrived_untracked() {
    let order = json!({"logistics_info_list": {"aeop_order_logistics_info": [
        {"logistics_no": "LP00675700340000", "logistics_service": "CAINIAO"},
        {"logistics_no": "LP00675700340000"},
        {"logistics_no": "?"},
    ]}});
    assert!(parcels_of(&SupplierState::Shipped, order.clone(), json!([])).is_empty());
    let found = parcels_of(&SupplierState::Delivered, order, json!([]));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].carrier, "CAINIAO");
    assert!(found[0].contents.is_empty());
}

#[test]
fn only_an_arrival_is_a_delivery() {
    for arrived in ["Package delivered.", "Delivered, front door", "Delivered"] {
        assert!(is_delivery(&arrived.to_lowercase()), "{arrived}");
    }
    for other in [
        "Out for delivery",
        "Your package arrived at local facility.",
        "Package could not be delivered",
        "Undelivered",
        "Delivered to the airline",
        "Your parcel was not delivered",
    ] {
        assert!(!is_delivery(&other.to_lowercase()), "{other}");
    }
}

#[test]
fn an_order_arrives_with_its_last_parcel() {
    let parcel = |delivered| SupplierParcel {
        tracking_number: TrackingNumber::parse("LP1234").unwrap(),
        carrier: String::new(),
        contents: Vec::new(),
        delivered,
    };
    let state = |state, parcels| supplier_order(state, parcels).state;
    let shipped = SupplierState::Shipped;
    assert_eq!(
        state(shipped.clone(), vec![parcel(true)]),
        SupplierState::Delivered
    );
    assert_eq!(
        state(shipped.clone(), vec![parcel(true), parcel(false)]),
        shipped
    );
    let part = SupplierState::PartlyShipped;
    assert_eq!(state(part.clone(), vec![parcel(true)]), part);
    let done = supplier_order(SupplierState::Delivered, vec![parcel(false)]);
    assert!(done.parcels[0].delivered);
}

#[test]
fn a_variant_has_terms_and_a_missing_one_has_none() {
    let answer = |product: Value| -> Result<Product, CallError> {
        let answer: ProductAnswer = serde_json::from_value(product).unwrap();
        with_call(client::PRODUCT_GET, |call| super::product(call, answer))
    };
    let read = |variant: Value| {
        let skus = json!({"ae_item_sku_info_d_t_o": [variant]});
        let found = answer(json!({"result": {"ae_item_sku_info_dtos": skus}})).unwrap();
        with_call(client::PRODUCT_GET, |call| terms(call, &found, "12", usd()))
    };
    let full = json!({"sku_id": 12, "sku_price": "5.00", "offer_sale_price": "3.94",
                      "currency_code": "USD", "sku_available_stock": "57", "sku_attr": "14:1#A"});
    let found = read(full.clone()).unwrap().unwrap();
    assert_eq!((found.unit_cost.minor, found.stock), (394, 57));
    assert_eq!(found.variant_attributes, "14:1#A");
    assert_eq!(read(json!({"sku_id": "13"})).unwrap(), None);
    let without = |field: &str| {
        let mut variant = full.clone();
        variant.as_object_mut().unwrap().remove(field);
        read(variant)
    };
    assert_eq!(
        without("offer_sale_price")
            .unwrap()
            .unwrap()
            .unit_cost
            .minor,
        500
    );
    assert_eq!(
        without("sku_available_stock").unwrap_err().kind,
        Kind::Unreadable
    );
    assert_eq!(without("currency_code").unwrap_err().kind, Kind::Refused);
    let gone = answer(json!({"rsp_code": 404, "rsp_msg": "ITEM_ID_NOT_FOUND"}));
    assert_eq!(gone.err().unwrap().kind, Kind::NotFound);
    let elsewhere = answer(json!({"rsp_code": "605"}));
    assert_eq!(elsewhere.err().unwrap().kind, Kind::NotDeliverable);
    let offline = json!({"ae_item_base_info_dto": {"product_status_type": "offline"}});
    assert_eq!(
        answer(json!({"result": offline})).err().unwrap().kind,
        Kind::NotFound
    );
}
