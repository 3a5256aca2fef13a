use super::super::client::{FREIGHT, ORDER_CREATE};
use super::super::wire::{Freight, List};
use super::*;
use serde_json::json;

fn call_of(operation: &'static str, check: impl FnOnce(&Call<'_>)) {
    let account = "alibaba:main".parse().unwrap();
    check(&Call {
        account: &account,
        operation,
    });
}

#[test]
fn money_is_dollars_and_never_less_than_what_is_paid() {
    call_of(FREIGHT, |call| {
        let cents = |text: &str| money(call, text, Some("USD")).map(|money| money.minor);
        for (text, expected) in [
            ("3.0", 300),
            ("19.1", 1_910),
            ("11", 1_100),
            ("0.1000", 10),
            ("0.1234", 13),
            ("3.6900", 369),
            ("0.0001", 1),
            ("0", 0),
        ] {
            assert_eq!(cents(text), Ok(expected), "{text}");
        }
        for wrong in ["", "-1", "1,5", "1e3", ".5", "3.1x", "3.691x", "1.2.3"] {
            assert_eq!(cents(wrong).unwrap_err().code, "amount", "{wrong}");
        }
        for currency in [None, Some("EUR"), Some("")] {
            let error = money(call, "1", currency).unwrap_err();
            assert_eq!(
                (error.kind, &*error.code),
                (Kind::Refused, "other-currency")
            );
        }
    });
}

#[test]
fn the_cheapest_carrier_is_taken_and_of_equally_cheap_ones_the_quickest() {
    let options = |options| serde_json::from_value::<List<Freight>>(options).unwrap().0;
    let way = |code: &str, fee: &str, days: &str| json!({"vendor_code": code, "delivery_time": days, "fee": {"amount": fee, "currency": "USD"}});
    call_of(FREIGHT, |call| {
        let taken = |ways| carrier(call, &options(ways)).map(|way| way.map(|(code, _)| code));
        let ways = json!([
            way("A", "3", "10~15"),
            way("B", "3.00", "3-9"),
            way("C", "3", "x"),
            way("D", "4", "1")
        ]);
        assert_eq!(taken(ways), Ok(Some("B".to_owned())));
        assert_eq!(taken(json!([])), Ok(None));
        assert_eq!(
            taken(json!([{"vendor_code": "A"}, {"fee": {"amount": "1", "currency": "USD"}}])),
            Ok(None)
        );
        let euro = json!([{"vendor_code": "A", "fee": {"amount": "1", "currency": "EUR"}}]);
        assert!(taken(euro.clone()).is_err());
        let both = json!([euro[0], way("B", "9", "1")]);
        assert_eq!(taken(both), Ok(Some("B".to_owned())));
    });
}

#[test]
fn an_address_is_put_in_the_platforms_words_or_refused_before_anything_is_sent() {
    let buyer = |country: &str, region: &str, phone: &str| Buyer {
        name: " Jane   Doe ".into(),
        phone: phone.into(),
        email: String::new(),
        account_name: "jane1".into(),
        address: crate::domain::Address {
            line1: "1 Main Street".into(),
            line2: String::new(),
            city: "Orlando".into(),
            region: region.into(),
            postal_code: "32807".into(),
            country: country.parse().unwrap(),
        },
    };
    call_of(ORDER_CREATE, |call| {
        let Ok(put) = address(call, &buyer("US", "florida", "(407) 555-0100")) else {
            unreachable!("an address of the United States");
        };
        assert_eq!((&*put.province, &*put.province_code), ("Florida", "FL"));
        assert_eq!(
            (&*put.country, &*put.contact_person),
            ("United States of America", "Jane Doe")
        );
        assert_eq!(
            put.telephone
                .map(|phone| phone.country + &phone.number)
                .as_deref(),
            Some("+14075550100")
        );
        let Ok(put) = address(call, &buyer("UK", "", "")) else {
            unreachable!("an address of the United Kingdom");
        };
        assert_eq!(
            (&*put.country, &*put.country_code),
            ("United Kingdom", "GB")
        );
        assert!(put.telephone.is_none());
        for (wrong, code) in [
            (buyer("US", "Nowhere", ""), "US.province"),
            (
                Buyer {
                    name: " ".into(),
                    ..buyer("DE", "", "")
                },
                "DE.contact_person",
            ),
        ] {
            let error = address(call, &wrong).err().unwrap();
            assert_eq!((error.kind, &*error.code), (Kind::AddressRefused, code));
        }
    });
}

#[test]
fn a_shipping_option_names_its_place_and_its_carrier() {
    assert_eq!(place_and_carrier("CN/EX/1"), Some(("CN", "EX/1")));
    assert_eq!(
        place_and_carrier(&shipping_option("MX", "A")),
        Some(("MX", "A"))
    );
    for wrong in ["", "CN", "/A", "CN/"] {
        assert_eq!(place_and_carrier(wrong), None, "{wrong}");
    }
}
