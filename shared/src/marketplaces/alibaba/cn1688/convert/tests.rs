use super::super::client::{CREATE_ORDER, PREVIEW};
use super::super::wire::{LogisticsAnswer, PreviewAnswer};
use super::*;
use serde_json::json;

fn call_of(operation: &'static str, check: impl FnOnce(&Call<'_>)) {
    let account = "alibaba:cn".parse().unwrap();
    check(&Call {
        account: &account,
        operation,
    });
}

#[test]
fn yuan_become_fen_without_floating_points_noise_and_never_too_few() {
    call_of(PREVIEW, |call| {
        for (text, fen) in [
            ("18", 1_800),
            ("18.5", 1_850),
            ("0.30000000000000004", 30),
            ("17.999999999999996", 1_800),
            ("0.301", 31),
            ("6.15", 615),
        ] {
            assert_eq!(yuan(call, text).map(|money| money.minor), Ok(fen), "{text}");
        }
        for wrong in ["", "-1", "1e21", "NaN", "1.2.3", ".5"] {
            assert!(yuan(call, wrong).is_err(), "{wrong}");
        }
    });
}

#[test]
fn a_units_price_is_never_below_its_part_of_the_sum() {
    let fen = |minor| Money {
        minor,
        currency: "CNY".parse().unwrap(),
    };
    assert_eq!(unit_cost(fen(3_600), 2), fen(1_800));
    assert_eq!(unit_cost(fen(100), 3), fen(34));
    assert_eq!(unit_cost(fen(0), 0), fen(0));
}

#[test]
fn sums_of_a_split_preview_are_added_and_a_discount_costs_nothing_less() {
    let parts = |parts| {
        let answer = json!({"orderPreviewResuslt": parts});
        serde_json::from_value::<PreviewAnswer>(answer)
            .unwrap()
            .parts
    };
    call_of(PREVIEW, |call| {
        let of = |previews| {
            let sums = sums(call, &parts(previews));
            sums.map(|(goods, rest)| (goods.minor, rest.minor))
        };
        let part = json!({"sumPayment": 4400, "sumCarriage": 800, "sumPaymentNoCarriage": 3600});
        assert_eq!(of(json!([part, part])), Ok((7_200, 1_600)));
        assert_eq!(
            of(json!([{"sumPaymentNoCarriage": "3600", "sumCarriage": "800"}])),
            Ok((3_600, 800))
        );
        assert_eq!(
            of(json!([{"cargoList": [{"amount": 36.5}], "sumPayment": 4400}])),
            Ok((3_650, 750))
        );
        assert_eq!(
            of(json!([{"sumPayment": 3000, "sumPaymentNoCarriage": 3600}])),
            Ok((3_600, 0))
        );
        assert!(of(json!([{"sumPayment": 4400}])).is_err());
        assert!(of(json!([{"sumPayment": -1, "sumPaymentNoCarriage": -1}])).is_err());
        let refused = of(json!([{"status": false, "resultCode": "500_004"}])).unwrap_err();
        assert_eq!(refused.kind, Kind::OutOfStock);
        let modes = |list: &[&str]| {
            parts(json!([{"tradeModeNameList": list}, {"tradeModeNameList": ["b", "a"]}]))
        };
        let wanted = ["a".to_owned(), "b".to_owned()];
        let taken = |list: &[&str]| trade_type(call, &modes(list), &wanted);
        assert_eq!(
            taken(&["b", "c"]).as_deref(),
            Ok("b"),
            "the first that both parts offer"
        );
        assert_eq!(taken(&["c"]).unwrap_err().kind, Kind::NotFound);
        assert!(trade_type(call, &[], &wanted).is_err());
    });
}

#[test]
fn a_line_that_is_in_two_parcels_is_not_counted_twice() {
    let order: Order = serde_json::from_value(json!({"productItems": [
        {"productID": 7, "specId": "ab", "quantity": 3, "subItemIDString": "11"},
        {"productID": 8, "quantity": 1, "subItemIDString": "12"}]}))
    .unwrap();
    let of = |logistics| {
        let answer = json!({"result": logistics});
        let answer: LogisticsAnswer = serde_json::from_value(answer).unwrap();
        parcels(&order, &answer.result, &[])
    };
    let told = of(json!([
        {"logisticsBillNo": "YT0001", "orderEntryIds": "11"},
        {"logisticsBillNo": "YT0002", "orderEntryIds": "11,12", "status": "SIGN"}]));
    assert!(
        told.iter().all(|parcel| parcel.contents.is_empty()),
        "nobody says how many of 11 are where"
    );
    assert_eq!((told[0].delivered, told[1].delivered), (false, true));
    let told = of(json!([
        {"logisticsBillNo": "YT0001", "orderEntryIds": "11",
         "logisticsOrderGoods": [{"tradeOrderItemId": 11, "quantity": 2.0}]},
        {"logisticsBillNo": "YT0002", "orderEntryIds": "12", "status": "CANCEL"},
        {"logisticsBillNo": "not one!", "orderEntryIds": "12"},
        {"orderEntryIds": "12"}]));
    assert_eq!(told.len(), 1);
    assert_eq!(
        (
            told[0].contents[0].quantity,
            told[0].contents[0].variant.as_deref()
        ),
        (2, Some("ab"))
    );
}

#[test]
fn a_buyer_in_china_is_put_in_the_platforms_words() {
    let buyer = |country: &str, phone: &str| Buyer {
        name: "张三".into(),
        phone: phone.into(),
        email: String::new(),
        account_name: "z".into(),
        address: crate::domain::Address {
            line1: "网商路699号".into(),
            line2: "滨江区".into(),
            city: "杭州市".into(),
            region: "浙江省".into(),
            postal_code: "310000".into(),
            country: country.parse().unwrap(),
        },
    };
    call_of(CREATE_ORDER, |call| {
        for phone in ["13800000000", "+86 138-0000-0000", "0086 13800000000"] {
            let address = buyer_address(call, &buyer("CN", phone)).ok().unwrap();
            assert_eq!(
                (&*address.mobile, &*address.area_text),
                ("13800000000", "滨江区")
            );
        }
        let error = buyer_address(call, &buyer("CN", "")).err().unwrap();
        assert_eq!(
            (error.kind, &*error.code),
            (Kind::AddressRefused, "CN.mobile")
        );
        let error = buyer_address(call, &buyer("US", "1")).err().unwrap();
        assert_eq!(error.kind, Kind::NotDeliverable);
    });
}

#[test]
fn a_message_names_orders_wherever_they_stand_and_bottomless_ones_end() {
    let of = |data: Value| {
        let message: Message = serde_json::from_value(json!({"data": data})).unwrap();
        signals(&message).len()
    };
    assert_eq!(
        of(json!({"orderId": 5, "x": [{"orderId": "5"}, {"orderId": "6"}]})),
        2
    );
    assert_eq!(of(json!(r#"{"orderId": 5}"#)), 1, "data as text");
    assert_eq!(of(json!({"orderId": ["5"], "productIds": "7"})), 0);
    assert_eq!(of(json!({"orderId": "5; drop"})), 0);
    assert_eq!(of(Value::Null), 0);
    let mut deep = json!({"orderId": 5});
    for _ in 0..100 {
        deep = json!([deep]);
    }
    assert_eq!(of(deep), 0);
}

#[test]
fn times_are_chinas() {
    let at = "2018-08-02T13:11:13Z".parse().unwrap();
    assert_eq!(time(at), "20180802211113000+0800");
}
