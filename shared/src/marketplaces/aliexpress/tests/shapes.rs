//! Every answer means the same in every shape that AliExpress sends it in: lists wrapped, bare or alone, numbers and
//! booleans as text, the root with its whole name, a part of it, or none.

use super::*;

/// The same answer in another shape; `choices` decide.
pub(in crate::marketplaces::aliexpress) fn reshaped(
    value: &Value,
    choices: &mut impl Iterator<Item = u8>,
) -> Value {
    let choice = choices.next().unwrap_or(0);
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(name, field)| (name.clone(), reshaped(field, choices)))
                .collect(),
        ),
        Value::Array(entries) => {
            let entries: Vec<Value> = entries
                .iter()
                .map(|entry| reshaped(entry, choices))
                .collect();
            match (choice % 4, entries.as_slice()) {
                (0, []) => Value::Null,
                (1, []) => json!({}),
                (1, [single]) => json!({"an_entry": single}),
                (1 | 2, _) => json!({ "an_entry": entries }),
                _ => Value::Array(entries),
            }
        }
        Value::Number(number) if choice.is_multiple_of(2) => json!(number.to_string()),
        Value::Bool(flag) if choice.is_multiple_of(3) => json!(flag.to_string()),
        Value::Bool(flag) if choice % 3 == 1 => json!(flag.to_string().to_uppercase()),
        Value::String(text) if choice.is_multiple_of(2) && !text.starts_with('0') => text
            .parse::<u64>()
            .map_or_else(|_| value.clone(), |number| json!(number)),
        _ => value.clone(),
    }
}

/// The answer under the root of its method.
pub(in crate::marketplaces::aliexpress) fn rooted(method: &str, inner: Value, choice: u8) -> Value {
    let name = method.replace('.', "_");
    match choice % 3 {
        0 => json!({ format!("{name}_response"): inner }),
        1 => json!({ name: inner, "code": "0" }),
        _ => inner,
    }
}

/// All choices of one run, as many as are asked for.
pub(in crate::marketplaces::aliexpress) fn endless(
    choices: &[u8],
) -> impl Iterator<Item = u8> + use<'_> {
    choices.iter().copied().cycle()
}

/// The answers of a purchase's whole way, in the order in which they are asked for.
fn answers() -> [(&'static str, Value); 5] {
    [
        (
            client::PRODUCT_GET,
            json!({"rsp_code": 200, "result": {
            "ae_item_base_info_dto": {"product_status_type": "onSelling"},
            "ae_item_sku_info_dtos": [
                {"sku_id": "11", "sku_attr": "14:1", "sku_available_stock": 0,
                 "offer_sale_price": "1.00", "currency_code": "USD"},
                {"sku_id": "12", "sku_attr": "14:175#Black", "sku_available_stock": 57,
                 "offer_sale_price": "3.94", "currency_code": "USD"},
            ]}}),
        ),
        (
            client::FREIGHT_QUERY,
            json!({"result": {"success": true, "code": 200, "delivery_options": [
                {"code": "SLOW", "shipping_fee_cent": "9.99", "shipping_fee_currency": "USD",
                 "tracking": true, "max_delivery_days": 60, "free_shipping": false},
                {"code": "STD", "shipping_fee_cent": "1.99", "shipping_fee_currency": "USD",
                 "tracking": true, "max_delivery_days": 9, "free_shipping": false},
            ]}}),
        ),
        (
            client::ORDER_CREATE,
            json!({"result": {"is_success": true, "order_list": [8_198_352_049_851_315_u64]}}),
        ),
        (
            client::ORDER_GET,
            json!({"result": {"order_status": "WAIT_BUYER_ACCEPT_GOODS",
                "logistics_status": "SELLER_SEND_GOODS",
                "child_order_list": [{"product_id": 7, "end_reason": ""}],
                "logistics_info_list": [{"logistics_no": "LP001", "logistics_service": "STD"}]}}),
        ),
        (
            client::TRACKING_GET,
            json!({"result": {"ret": true, "code": 0, "data": {"tracking_detail_line_list": [
                {"mail_no": "RR123456785CN", "carrier_name": "China Post",
                 "package_item_list": [{"item_id": 7, "sku_id": 12, "quantity": 2}],
                 "detail_node_list": [{"tracking_detail_desc": "Left the country"}]},
            ]}}}),
        ),
    ]
}

/// What the roles make of the answers.
fn understood(answers: [Value; 5]) -> (Quote, Placed, SupplierOrder) {
    let gateway = Arc::new(Gateway::default());
    let shop = shop(gateway.clone());
    for answer in answers {
        gateway.will_say(&answer);
    }
    let wanted = [Wanted {
        line: LineId::parse("1").unwrap(),
        offer: line("7", "12").offer,
        quantity: 2,
    }];
    let ship_to = &"US".parse().unwrap();
    let wanted = QuoteRequest {
        wanted: &wanted,
        ship_to,
    };
    let quote = block_on(shop.quote(&wanted)).unwrap();
    let placed = place(&shop, &[line("7", "12")], &buyer()).unwrap();
    let order = block_on(shop.supplier_order(&placed.supplier_orders[0])).unwrap();
    (quote, placed, order)
}

#[test]
fn the_answers_mean_what_they_say() {
    let (quote, placed, order) =
        understood(answers().map(|(method, answer)| rooted(method, answer, 0)));
    let terms = &quote.lines[0];
    assert_eq!(
        (terms.unit_cost.minor, terms.shipping.minor, terms.stock),
        (394, 199, 57)
    );
    assert_eq!(
        (&*terms.shipping_option, &*terms.variant_attributes),
        ("STD", "14:175#Black")
    );
    assert_eq!(placed.supplier_orders[0].as_str(), "8198352049851315");
    assert_eq!(order.state, SupplierState::Shipped);
    assert_eq!(order.parcels[0].contents[0].quantity, 2);
}

proptest! {
    #[test]
    fn every_shape_of_the_answers_means_the_same(
        choices in prop::collection::vec(any::<u8>(), 1..64), roots in any::<[u8; 5]>(),
    ) {
        let expected = understood(answers().map(|(method, answer)| rooted(method, answer, 0)));
        let mut choices = endless(&choices);
        let mut roots = roots.into_iter();
        let shaped = answers().map(|(method, answer)| {
            let answer = reshaped(&answer, &mut choices);
            rooted(method, answer, roots.next().unwrap_or(0))
        });
        let (quote, placed, order) = understood(shaped);
        prop_assert_eq!(quote.lines, expected.0.lines);
        prop_assert_eq!(placed, expected.1);
        prop_assert_eq!(order.state, expected.2.state);
        prop_assert_eq!(order.parcels, expected.2.parcels);
    }
}
