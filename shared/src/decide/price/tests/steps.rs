//! How a price comes about, step by step and with every reason, as a person reads it.

use super::*;

/// The rule as JSON without its braces, the listing's limits, what each part costs with its units, and the steps.
type Row = (
    &'static str,
    &'static str,
    Pricing,
    &'static [(&'static str, u32)],
    &'static [&'static str],
);

/// In the steps, `@ EUR/USD` stands for the rate with its value, source and time.
fn check(rows: &[Row]) {
    for (name, rule, limits, parts, wanted) in rows {
        let mut case = Case::of(rule);
        case.pricing = limits.clone();
        let mut steps = Vec::new();
        case.price_of(parts, &mut steps).unwrap();
        let told: Vec<_> = steps.iter().map(line).collect();
        assert_eq!(told, with_rates(wanted), "{name}");
    }
}

fn with_rates(lines: &[&str]) -> Vec<String> {
    let line = |line: &&str| {
        line.replace("@ EUR/USD", "at EUR/USD 1.1 (ECB, 1970-01-01T00:00:00Z)")
            .replace("@ EUR/CNY", "at EUR/CNY 7.7 (ECB, 1970-01-01T00:00:00Z)")
    };
    lines.iter().map(line).collect()
}

fn line(step: &Step) -> String {
    let before = step.before.unwrap().decimal();
    let after = step.after.decimal();
    format!("{} {before} -> {after}: {}", step.name, step.reason)
}

fn limits(floor: Option<&str>, ceiling: Option<&str>, minimum_advertised: Option<&str>) -> Pricing {
    Pricing {
        floor: floor.map(money),
        ceiling: ceiling.map(money),
        minimum_advertised: minimum_advertised.map(money),
        ..Pricing::default()
    }
}

fn none() -> Pricing {
    Pricing::default()
}

#[test]
fn a_price_is_found_from_cost_fee_and_what_shall_be_left() {
    check(&[
        (
            // 12.60 USD with the fee, which are 87 %, then 67 % of the price.
            "a margin, a fee and an ending",
            r#""margin_percent": 20, "channel_fee_percent": 13, "channel_fee": "0.40 USD",
                "shipping": "2 EUR", "rounding": ".99""#,
            none(),
            &[("70 CNY", 1)],
            &[
                "cost 0.00 -> 10.00: 1 × LAMP by alibaba:main/1/2: 70.00 CNY, @ EUR/CNY, @ EUR/USD",
                "shipping 10.00 -> 12.20: 1 × LAMP by alibaba:main/1/2: 2.00 EUR, @ EUR/USD",
                "fee 12.20 -> 14.49: the channel keeps 13 % and 0.40 USD",
                "margin 14.49 -> 18.81: 20 % of the price are left",
                "rounding 18.81 -> 18.99: upward to .99",
            ],
        ),
        (
            // 11.10 USD with the fee are 90 % of the price; 12.35 with an eighth of the cost; 13.30 with the profit.
            "a markup and a least profit, the fee in another currency",
            r#""markup_percent": 12.5, "channel_fee_percent": 10, "channel_fee": "1 EUR",
                "min_profit": "2 EUR", "shipping": "0 USD""#,
            none(),
            &[("10 USD", 1)],
            &[
                "cost 0.00 -> 10.00: 1 × LAMP by alibaba:main/1/2: 10.00 USD",
                "shipping 10.00 -> 10.00: 1 × LAMP by alibaba:main/1/2: 0.00 USD",
                "fee 10.00 -> 12.34: the channel keeps 10 % and 1.10 USD (1.00 EUR, @ EUR/USD)",
                "markup 12.34 -> 13.73: 12.5 % on top of the cost",
                "least profit 13.73 -> 14.78: at least 2.20 USD (2.00 EUR, @ EUR/USD) are left",
            ],
        ),
        (
            "a least profit alone, for two parts",
            r#""min_profit": "3 USD", "shipping": "1 USD""#,
            none(),
            &[("10 USD", 2), ("5 USD", 1)],
            &[
                "cost 0.00 -> 20.00: 2 × LAMP by alibaba:main/1/2: 20.00 USD",
                "shipping 20.00 -> 22.00: 2 × LAMP by alibaba:main/1/2: 2.00 USD",
                "cost 22.00 -> 27.00: 1 × LAMP by alibaba:main/1/2: 5.00 USD",
                "shipping 27.00 -> 28.00: 1 × LAMP by alibaba:main/1/2: 1.00 USD",
                "fee 28.00 -> 28.00: the channel keeps 0 % and 0.00 USD",
                "least profit 28.00 -> 31.00: at least 3.00 USD are left",
            ],
        ),
        (
            "a markup that already leaves the least profit, and a whole price that stays",
            r#""markup_percent": 50, "min_profit": "3 USD", "shipping": "0 USD", "rounding": "whole""#,
            none(),
            &[("10 USD", 1)],
            &[
                "cost 0.00 -> 10.00: 1 × LAMP by alibaba:main/1/2: 10.00 USD",
                "shipping 10.00 -> 10.00: 1 × LAMP by alibaba:main/1/2: 0.00 USD",
                "fee 10.00 -> 10.00: the channel keeps 0 % and 0.00 USD",
                "markup 10.00 -> 15.00: 50 % on top of the cost",
                "least profit 15.00 -> 15.00: at least 3.00 USD are left",
            ],
        ),
    ]);
}

/// Rows whose price without limits is the cost with a markup of 50 %; only the steps of limits are in them.
fn check_limits(rows: &[(&str, &str, Pricing, &str, &[&str])]) {
    for (name, rule, limits, cost, wanted) in rows {
        let rule = format!(r#""markup_percent": 50, "shipping": "0 USD"{rule}"#);
        let mut case = Case::of(&rule);
        case.pricing = limits.clone();
        let mut steps = Vec::new();
        case.price_of(&[(cost, 1)], &mut steps).unwrap();
        let told: Vec<_> = steps.iter().skip(4).map(line).collect();
        assert_eq!(told, with_rates(wanted), "{name}");
    }
}

#[test]
fn floors_raise_and_ceilings_lower_and_the_brands_minimum_comes_last() {
    let both = r#", "floor": "10 USD", "ceiling": "30 USD""#;
    check_limits(&[
        ("no limit", "", none(), "10 USD", &[]),
        (
            "below the rule's floor",
            both,
            none(),
            "6.66 USD",
            &["floor of the rule 9.99 -> 10.00: not below 10.00 USD"],
        ),
        ("within the rule's limits", both, none(), "10 USD", &[]),
        (
            "above the rule's ceiling",
            both,
            none(),
            "20.02 USD",
            &["ceiling of the rule 30.03 -> 30.00: not above 30.00 USD"],
        ),
        (
            "the listing's floor is higher",
            both,
            limits(Some("12 USD"), None, None),
            "2 USD",
            &["floor 3.00 -> 12.00: not below 12.00 USD"],
        ),
        (
            "the rule's floor is higher",
            both,
            limits(Some("9 USD"), None, None),
            "2 USD",
            &[
                "floor 3.00 -> 9.00: not below 9.00 USD",
                "floor of the rule 9.00 -> 10.00: not below 10.00 USD",
            ],
        ),
        (
            "the rule's ceiling is lower",
            both,
            limits(None, Some("40 USD"), None),
            "28 USD",
            &[
                "ceiling 42.00 -> 40.00: not above 40.00 USD",
                "ceiling of the rule 40.00 -> 30.00: not above 30.00 USD",
            ],
        ),
        (
            "a floor in another currency is rounded up",
            "",
            limits(Some("10.01 EUR"), None, None),
            "2 USD",
            &["floor 3.00 -> 11.02: not below 11.02 USD (10.01 EUR, @ EUR/USD)"],
        ),
        (
            "a ceiling in another currency is rounded down",
            "",
            limits(None, Some("10.01 EUR"), None),
            "10 USD",
            &["ceiling 15.00 -> 11.01: not above 11.01 USD (10.01 EUR, @ EUR/USD)"],
        ),
        (
            "the brand's minimum wins over the ceiling",
            both,
            limits(None, None, Some("31 USD")),
            "28 USD",
            &[
                "ceiling of the rule 42.00 -> 30.00: not above 30.00 USD",
                "minimum advertised price 30.00 -> 31.00: not below 31.00 USD",
            ],
        ),
    ]);
}
