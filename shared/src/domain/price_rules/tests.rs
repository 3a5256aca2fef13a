use super::*;
use crate::domain::Rules;
use proptest::prelude::*;

const GOOD: &str = r#"{ "price": {
  "rules": [
    { "for": { "skus": ["MUG-*", "LAMP"], "channels": ["ebay:main"] }, "margin_percent": 12.5, "min_profit": "2 EUR",
      "rounding": ".99", "channel_fee_percent": "13.25", "channel_fee": "0.40 USD", "shipping": "0 USD" },
    { "markup_percent": 40, "jump_factor": 2 }
  ],
  "loss": { "most": "5.00 USD", "most_percent": 10 }
} }"#;

#[test]
fn rules_are_read_exactly_and_written_as_they_are_read() {
    let rules: Rules = serde_json::from_str(GOOD).unwrap();
    rules.check().unwrap();
    let first = &rules.price.rules[0];
    assert_eq!(first.margin_percent, Some(Hundredths(1250)));
    assert_eq!(first.channel_fee_percent, Hundredths(1325));
    assert_eq!(first.jump_factor, JumpFactor::default());
    assert_eq!(rules.price.rules[1].jump_factor.0, Hundredths(200));
    let text = serde_json::to_string(&rules).unwrap();
    assert_eq!(serde_json::from_str::<Rules>(&text).unwrap(), rules);
}

#[test]
fn what_is_wrong_is_told_with_what_would_be_right() {
    for (from, to, told) in [
        ("12.5", "87", "together must be below 100"),
        (
            "\"markup_percent\": 40",
            "\"ceiling\": \"1 USD\"",
            "rule 2: needs margin_percent",
        ),
        ("\"MUG-*\"", "\"a b\"", "followed by *"),
        ("\"jump_factor\": 2", "\"jump_factor\": 1", "1.01 to 100"),
        ("\"most_percent\": 10", "\"most_percent\": 101", "0 to 100"),
        ("\"2 EUR\"", "\"2 EUR\", \"markup_percent\": 3", "not both"),
    ] {
        assert!(GOOD.contains(from));
        let rules: Rules = serde_json::from_str(&GOOD.replace(from, to)).unwrap();
        let error = rules.check().unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
    for (from, to, told) in [
        ("12.5", "12.555", "two digits"),
        ("12.5", "-1", "at least 0"),
        (".99", "99", "must be none, whole"),
        ("2 EUR", "2EUR", "19.99 USD"),
        ("min_profit", "min_proft", "unknown field"),
    ] {
        let error = serde_json::from_str::<Rules>(&GOOD.replace(from, to)).unwrap_err();
        assert!(error.to_string().contains(told), "{error}");
    }
}

#[test]
fn a_rule_fits_by_sku_channel_and_supplier() {
    let rules: Rules = serde_json::from_str(GOOD).unwrap();
    let ebay: AccountId = "ebay:main".parse().unwrap();
    let amazon: AccountId = "amazon:main".parse().unwrap();
    let sku = |text| Sku::parse(text).unwrap();
    let mut scope = rules.price.rules[0].scope.clone();
    assert!(scope.fits(&sku("MUG-7"), &ebay, [].iter()));
    assert!(!scope.fits(&sku("MUG"), &ebay, [].iter()));
    assert!(!scope.fits(&sku("LAMP-2"), &ebay, [].iter()));
    assert!(!scope.fits(&sku("LAMP"), &amazon, [].iter()));
    scope.suppliers = vec!["alibaba:main".parse().unwrap()];
    assert!(scope.fits(&sku("LAMP"), &ebay, scope.suppliers.iter()));
    let both = [
        scope.suppliers[0].clone(),
        "aliexpress:main".parse().unwrap(),
    ];
    assert!(
        !scope.fits(&sku("LAMP"), &ebay, both.iter()),
        "all parts' suppliers must fit"
    );
}

proptest! {
    #[test]
    fn rounding_goes_up_by_less_than_a_unit_and_ends_as_asked(
        minor in 0_i64..1_000_000_000,
        ending in 0_u8..100,
        code in prop::sample::select(vec!["USD", "JPY", "KWD"]),
    ) {
        let price = Money { minor, currency: code.parse().unwrap() };
        let unit = 10_i64.pow(price.currency.exponent());
        let rounded = Rounding::Ending(ending).up(price).unwrap();
        prop_assert!(rounded.minor >= minor && rounded.minor - minor < unit);
        let hundredths = if unit < 100 { 0 } else { rounded.minor % unit / (unit / 100) };
        prop_assert_eq!(hundredths, if unit < 100 { 0 } else { i64::from(ending) });
        prop_assert_eq!(Rounding::Ending(ending).up(rounded), Some(rounded));
    }
}
