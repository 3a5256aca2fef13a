use super::*;
use crate::domain::{AccountId, Sku};
use crate::marketplaces::Effect;
use serde_json::{Value, json};

const NOW: &str = "2026-11-02T08:00:00Z";

fn wire(change: impl FnOnce(&mut Value)) -> Order {
    let mut order = json!({
        "id": "5", "order_status": "WAIT_SELLER_SEND_GOODS", "gmt_create": "2026-07-02 03:04:05",
        "order_amount": {"amount": "25.00", "currency_code": "USD"},
        "receipt_address": {"country": "UK"},
        "child_order_list": [
            {"child_order_id": "1", "sku_code": "A", "product_count": 2, "escrow_fee_rate": "0.0755",
             "product_price": {"amount": "10.00", "currency_code": "USD"}},
            {"id": 2, "product_count": "1", "escrow_fee_rate": 1,
             "product_price": {"amount": "5", "currency_code": "USD"}}],
    });
    change(&mut order);
    serde_json::from_value(order).unwrap()
}

fn read(change: impl FnOnce(&mut Value)) -> Result<FetchedOrder, BadField> {
    order(&wire(change), None, NOW.parse().unwrap())
}

fn details(change: impl FnOnce(&mut Value)) -> OrderDetails {
    read(change).unwrap().details
}

#[test]
fn states_that_may_still_turn_are_the_ones_in_which_nothing_is_bought() {
    for (status, payment, cancel) in [
        ("PLACE_ORDER_SUCCESS", Payment::Pending, Cancel::No),
        ("WAIT_SELLER_EXAMINE_MONEY", Payment::Pending, Cancel::No),
        ("RISK_CONTROL", Payment::Pending, Cancel::No),
        ("IN_FROZEN", Payment::Pending, Cancel::No),
        ("A_NEW_WORD", Payment::Pending, Cancel::No),
        ("WAIT_SELLER_SEND_GOODS", Payment::Paid, Cancel::No),
        ("SELLER_PART_SEND_GOODS", Payment::Paid, Cancel::No),
        ("WAIT_BUYER_ACCEPT_GOODS", Payment::Paid, Cancel::No),
        ("FUND_PROCESSING", Payment::Paid, Cancel::No),
        ("IN_CANCEL", Payment::Paid, Cancel::Requested),
        ("IN_ISSUE", Payment::Paid, Cancel::Requested),
        ("FINISH", Payment::Paid, Cancel::Done),
    ] {
        let order = details(|order| order["order_status"] = json!(status));
        assert_eq!((order.payment, order.cancel), (payment, cancel), "{status}");
    }
    let frozen = details(|order| order["frozen_status"] = json!("IN_FROZEN"));
    assert_eq!(frozen.payment, Payment::Pending);
    let disputed = details(|order| order["issue_status"] = json!("IN_ISSUE"));
    assert_eq!(disputed.cancel, Cancel::Requested);
    let received = details(|order| {
        order["order_status"] = json!("FINISH");
        order["logistics_status"] = json!("BUYER_ACCEPT_GOODS");
    });
    assert_eq!((received.cancel, received.fulfilled), (Cancel::No, true));
}

#[test]
fn money_lines_and_times_are_the_order_s() {
    let order = details(|order| order["over_time_left"] = json!("2026-07-05 00:00:00"));
    assert_eq!((order.total.minor, order.country.as_str()), (2_500, "GB"));
    // 7.55 % of 20.00, and a rate of all of it is a placeholder.
    assert_eq!(order.fee.minor, 151);
    assert_eq!(
        (order.lines[0].price.minor, order.lines[0].quantity),
        (2_000, 2)
    );
    assert_eq!(
        (order.lines[1].id.as_str(), &*order.lines[1].sku),
        ("2", "")
    );
    assert_eq!(
        order.lines[1].ship_by,
        Some("2026-07-05T07:00:00Z".parse().unwrap())
    );
    assert_eq!(order.modified_at, order.bought_at);
    let shipped = details(|order| {
        order["order_status"] = json!("WAIT_BUYER_ACCEPT_GOODS");
        order["over_time_left"] = json!("2026-07-05 00:00:00");
    });
    assert_eq!(
        shipped.lines[0].ship_by, None,
        "that time is for something else now"
    );
}

#[test]
fn what_is_needed_and_missing_is_named() {
    for (change, field) in [
        (
            (|o: &mut Value| o["order_amount"] = Value::Null) as fn(&mut Value),
            "order_amount",
        ),
        (
            |o| o["order_amount"]["amount"] = json!("-1"),
            "order_amount",
        ),
        (
            |o| o["order_amount"]["currency_code"] = json!("dollars"),
            "order_amount",
        ),
        (|o| o["order_status"] = Value::Null, "order_status"),
        (|o| o["gmt_create"] = json!("today"), "gmt_create"),
        (|o| o["gmt_modified"] = json!("today"), "gmt_modified"),
        (|o| o["child_order_list"] = json!([]), "child_order_list"),
        (|o| o["child_order_list"][0] = json!(5), "child_order_list"),
        (
            |o| o["child_order_list"][1]["id"] = json!(""),
            "child_order_id",
        ),
        (
            |o| o["child_order_list"][1]["product_count"] = json!(0),
            "product_count",
        ),
        (
            |o| o["child_order_list"][1]["product_count"] = json!(-3),
            "product_count",
        ),
        (
            |o| o["child_order_list"][1]["product_price"] = json!({}),
            "product_price",
        ),
        (|o| o["receipt_address"] = Value::Null, "country"),
        (
            |o| o["receipt_address"]["country"] = json!("Atlantis"),
            "country",
        ),
    ] {
        assert_eq!(read(change).err(), Some(BadField(field)));
    }
}

#[test]
fn a_buyer_is_whole_or_not_at_all() {
    let receipt = |change: fn(&mut Value)| {
        let mut receipt = json!({"contact_person": " Jane Doe ", "detail_address": "1 Main Street",
            "address2": "1 Main Street", "city": "Belgrade", "country": "SRB", "zip": 11000,
            "phone_country": "+381", "phone_area": "11", "phone_number": "5550100"});
        change(&mut receipt);
        let receipt: Receipt = serde_json::from_value(receipt).unwrap();
        order(&wire(|_| ()), Some(&receipt), NOW.parse().unwrap())
            .unwrap()
            .buyer
    };
    let buyer = receipt(|_| ()).unwrap();
    assert_eq!((&*buyer.name, &*buyer.address.line2), ("Jane Doe", ""));
    assert_eq!(
        (&*buyer.phone, buyer.address.country.as_str()),
        ("+381115550100", "RS")
    );
    assert_eq!(buyer.address.postal_code, "11000");
    let mobile = receipt(|receipt| receipt["mobile_no"] = json!("+381601"));
    assert_eq!(mobile.unwrap().phone, "+381601");
    for needed in ["contact_person", "detail_address", "city"] {
        let mut whole =
            json!({"contact_person": "J D", "detail_address": "1", "city": "B", "country": "RS"});
        whole[needed] = json!("null");
        let receipt: Receipt = serde_json::from_value(whole).unwrap();
        let order = order(&wire(|_| ()), Some(&receipt), NOW.parse().unwrap());
        assert!(order.unwrap().buyer.is_none(), "{needed}");
    }
}

#[test]
fn a_shipment_of_everything_is_the_last_one() {
    let account: AccountId = "aliexpress:shop".parse().unwrap();
    let call = Call {
        account: &account,
        operation: super::super::FULFILL,
    };
    let parts = |units: &[(&str, u32)]| -> Vec<ParcelLine> {
        let part = |(line, quantity): &(&str, u32)| ParcelLine {
            line: LineId::parse(line).unwrap(),
            quantity: *quantity,
        };
        units.iter().map(part).collect()
    };
    let of = |change: fn(&mut Value), units: &[(&str, u32)]| {
        send_type(&call, &wire(change), &parts(units))
    };
    assert_eq!(of(|_| (), &[("1", 2), ("2", 1)]), Ok("all"));
    assert_eq!(of(|_| (), &[("1", 1), ("2", 1), ("1", 1)]), Ok("all"));
    assert_eq!(of(|_| (), &[("1", 2)]), Ok("part"));
    assert_eq!(of(|_| (), &[("1", 1), ("2", 1)]), Ok("part"));
    let second = |order: &mut Value| {
        order["order_status"] = json!("SELLER_PART_SEND_GOODS");
        order["logistic_info_list"] = json!([{"logistics_no": "LP1"}]);
    };
    assert_eq!(of(second, &[("2", 1)]), Ok("part"));
    // The parcel before held a unit at least, and these are the other two.
    assert_eq!(of(second, &[("1", 1), ("2", 1)]), Ok("all"));
    let twice = |order: &mut Value| {
        order["order_status"] = json!("SELLER_PART_SEND_GOODS");
        let parcel = json!({"logistics_no": "LP1"});
        order["logistic_info_list"] = json!([parcel, parcel, {}]);
    };
    assert_eq!(of(twice, &[("2", 1)]), Ok("part"), "it is one parcel");
    for (status, retries) in [
        ("FINISH", false),
        ("WAIT_BUYER_ACCEPT_GOODS", false),
        ("RISK_CONTROL", true),
    ] {
        let mut order = wire(|_| ());
        order.order_status = Some(status.to_owned());
        let error = send_type(&call, &order, &parts(&[("1", 2)])).unwrap_err();
        assert_eq!(
            (error.kind, error.effect),
            (Kind::Refused, Effect::None),
            "{status}"
        );
        assert_eq!(matches!(error.retry, Retry::After(_)), retries, "{status}");
    }
}

#[test]
fn one_call_takes_twenty_products_with_two_hundred_variants_each() {
    let listing = |product: usize, variant: usize| ListingId {
        channel: "aliexpress:shop".parse().unwrap(),
        sku: Sku::parse(&format!("P{product}-{variant}")).unwrap(),
        offer: product.to_string(),
    };
    let listings: Vec<ListingId> = (0..22)
        .flat_map(|product| (0..210).map(move |variant| listing(product, variant)))
        .collect();
    let all: Vec<&ListingId> = listings.iter().collect();
    let places = one_call(&all, 20, 200);
    assert_eq!(places.len(), 4_000);
    assert!(
        places
            .iter()
            .all(|place| place / 210 < 20 && place % 210 < 200)
    );
    // A product without variants for the list is one of the twenty.
    let single: Vec<&ListingId> = all.iter().step_by(210).copied().collect();
    assert_eq!(one_call(&single, 20, 200), (0..20).collect::<Vec<_>>());
}
