//! What a price may be and why there is none, row by row.

use super::*;

#[test]
fn a_quotient_is_rounded_up_in_numbers_of_every_size() {
    let big = 1_i128 << 70;
    let most = i128::from(i64::MAX);
    let rows: &[(i128, i128, Option<i64>)] = &[
        (6, 2, Some(3)),
        (7, 2, Some(4)),
        (8, 2, Some(4)),
        (0, 5, Some(0)),
        (-7, 2, Some(-3)),
        (-8, 2, Some(-4)),
        (1, 1, Some(1)),
        (1, 0, None),
        (1, -1, None),
        (most, 1, Some(i64::MAX)),
        // Beyond 64 bits.
        (most + 1, 1, None),
        (big, 1 << 10, Some(1 << 60)),
        (big + 1, 1 << 10, Some((1 << 60) + 1)),
        (big - 1, 1 << 10, Some(1 << 60)),
        (big + (1 << 10), 1 << 10, Some((1 << 60) + 1)),
        (-big, 1 << 10, Some(-(1 << 60))),
        (-big - 1, 1 << 10, Some(-(1 << 60))),
        (big, 1, None),
        (i128::MAX, 10, None),
    ];
    for (over, under, wanted) in rows {
        assert_eq!(quotient(*over, *under), *wanted, "{over} / {under}");
    }
}

/// The rule as JSON without its braces, what a unit costs, and the price with the lowest at which nothing is lost.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    Result<(&'static str, &'static str), WhyNot>,
);

fn check(rows: &[Row]) {
    for (name, rule, cost, wanted) in rows {
        let priced = Case::of(rule).price(cost);
        let priced = priced.map(|priced| (priced.price, priced.least));
        let wanted = wanted.clone();
        let wanted = wanted.map(|(price, least)| (money(price), money(least)));
        assert_eq!(priced, wanted, "{name}");
    }
}

#[test]
fn a_price_leaves_what_the_rule_asks_for_once_the_channel_has_its_part() {
    check(&[
        (
            // 11 USD are 60 % of the price.
            "the margin is a part of the price, as the fee is",
            r#""margin_percent": 30, "channel_fee_percent": 10, "channel_fee": "1 USD", "shipping": "0 USD""#,
            "10 USD",
            Ok(("18.34 USD", "12.23 USD")),
        ),
        (
            // 11 and 5 USD are 90 % of the price.
            "the markup is a part of the cost, without the fee",
            r#""markup_percent": 50, "channel_fee_percent": 10, "channel_fee": "1 USD", "shipping": "0 USD""#,
            "10 USD",
            Ok(("17.78 USD", "12.23 USD")),
        ),
        (
            // 13 USD are 80 % of the price; 10 % would already be left at 15.72.
            "of margin and least profit the higher counts",
            r#""margin_percent": 10, "channel_fee_percent": 20, "channel_fee": "1 USD", "min_profit": "2 USD", "shipping": "0 USD""#,
            "10 USD",
            Ok(("16.25 USD", "13.75 USD")),
        ),
        (
            "without a margin nothing is left, and nothing lost",
            r#""margin_percent": 0, "shipping": "0 USD""#,
            "10 USD",
            Ok(("10 USD", "10 USD")),
        ),
    ]);
}

#[test]
fn a_price_is_never_below_cost() {
    let below = WhyNot::BelowCost {
        price: money("9.99 USD"),
        least: money("10 USD"),
    };
    let up_to_10 = r#""markup_percent": 50, "shipping": "0 USD", "ceiling": "10 USD""#;
    check(&[
        (
            "below the ceiling",
            up_to_10,
            "6 USD",
            Ok(("9 USD", "6 USD")),
        ),
        (
            "at the ceiling",
            up_to_10,
            "10 USD",
            Ok(("10 USD", "10 USD")),
        ),
        (
            "above the ceiling",
            r#""markup_percent": 50, "shipping": "0 USD", "ceiling": "9.99 USD""#,
            "10 USD",
            Err(below),
        ),
    ]);
}

#[test]
fn amounts_beyond_every_reason_have_no_price() {
    let case = Case::of(r#""markup_percent": 50, "shipping": "0 USD""#);
    let parts: &[(&str, u32)] = &[("9000000000000 USD", u32::MAX)];
    let priced = case.price_of(parts, &mut Vec::new());
    assert_eq!(priced, Err(WhyNot::TooLarge));
}

#[test]
fn the_first_rule_that_fits_counts_alone() {
    let by = |scope: &str, markup: u32| {
        format!(r#""markup_percent": {markup}, "shipping": "0 USD", "for": {{ {scope} }}"#)
    };
    let other_sku = by(r#""skus": ["MUG"]"#, 10);
    let other_channel = by(r#""channels": ["ebay:other"]"#, 20);
    let other_supplier = by(r#""suppliers": ["alibaba:other"]"#, 30);
    let supplier = by(r#""suppliers": ["alibaba:main"]"#, 40);
    let all = by("", 50);
    let rows = [
        (vec![&*all, &*supplier], Ok(("15 USD", 1))),
        (vec![&*supplier, &*all], Ok(("14 USD", 1))),
        (vec![&*other_sku, &*all, &*supplier], Ok(("15 USD", 2))),
        (
            vec![&*other_channel, &*other_supplier, &*supplier],
            Ok(("14 USD", 3)),
        ),
        (
            vec![&*other_sku, &*other_channel, &*other_supplier],
            Err(WhyNot::NoRule),
        ),
    ];
    for (rules, wanted) in rows {
        let priced = Case::of_rules(&rules).price("10 USD");
        let priced = priced.map(|priced| (priced.price, priced.rule));
        let wanted = wanted.map(|(price, rule)| (money(price), rule));
        assert_eq!(priced, wanted, "{rules:?}");
    }
}

#[test]
fn without_an_offer_for_each_part_there_is_no_price() {
    let case = Case::of(r#""markup_percent": 50, "shipping": "0 USD""#);
    let part = |cost: Option<&str>| case.part(1, cost.map(money));
    let no_offer = || Err(WhyNot::NoOffer(case.sku.clone()));
    let rows = [
        ("an offer", vec![part(Some("10 USD"))], Ok("10 USD")),
        ("none", vec![part(None)], no_offer()),
        (
            "one of two",
            vec![part(Some("10 USD")), part(None)],
            no_offer(),
        ),
    ];
    for (name, parts, wanted) in rows {
        let wanted = wanted.map(money);
        let priced = price(&case.input(&parts), &mut ());
        let least = priced.map(|priced| priced.least);
        assert_eq!(least, wanted, "{name}");
        assert_eq!(least_bearable(&case.input(&parts)), wanted, "{name}");
    }
}

#[test]
fn the_bearable_price_loses_what_an_order_may_lose_and_no_more() {
    let tenth = Some(Hundredths(1000));
    // The fee in percent, what may be lost as money and as a part of the price, the least price, the bearable one.
    let rows = [
        ("nothing may be lost", 0, None, None, "10 USD", "10 USD"),
        ("money", 0, Some("2 USD"), None, "10 USD", "8 USD"),
        // A tenth of 10.00 leads to 9.00, and a tenth of that may be lost.
        ("a part of the price", 0, None, tenth, "10 USD", "9.10 USD"),
        (
            "the lower of both",
            0,
            Some("0.50 USD"),
            tenth,
            "10 USD",
            "9.50 USD",
        ),
        // 8.00 USD are 80 % of the price.
        (
            "money, and a fee",
            20,
            Some("2 USD"),
            None,
            "12.50 USD",
            "10 USD",
        ),
        // A tenth of 12.50 leads to 10.94, of which 1.09 may be lost: 8.91 USD are 80 % of the price.
        (
            "a part, and a fee",
            20,
            None,
            tenth,
            "12.50 USD",
            "11.14 USD",
        ),
    ];
    for (name, fee, most, most_percent, least, bearable) in rows {
        let rule =
            format!(r#""markup_percent": 50, "channel_fee_percent": {fee}, "shipping": "0 USD""#);
        let mut case = Case::of(&rule);
        case.rules.loss = LossRule {
            most: most.map(|most| Amount(money(most))),
            most_percent,
        };
        let priced = case.price("10 USD").unwrap();
        let wanted = (money(least), money(bearable));
        assert_eq!((priced.least, priced.bearable), wanted, "{name}");
        let parts = [case.part(1, Some(money("10 USD")))];
        let alone = least_bearable(&case.input(&parts));
        assert_eq!(alone, Ok(money(bearable)), "{name}");
    }
}

#[test]
fn an_offer_is_chosen_only_with_enough_units_and_never_with_none() {
    let offer = |free| Candidate {
        offer: OfferId::new("alibaba:main".parse().unwrap(), "1", "2").unwrap(),
        rank: 1,
        landed_minor: Some(100),
        free,
    };
    // Free units, wanted units, whether the offer is chosen.
    let rows = [
        (5, 4, true),
        (5, 5, true),
        (5, 6, false),
        (1, 0, true),
        (0, 0, false),
        (-1, 0, false),
    ];
    for (free, units, wanted) in rows {
        let offers = [offer(free)];
        let chosen = first_choice(offers.iter(), units).is_some();
        assert_eq!(chosen, wanted, "{units} of {free}");
    }
}

#[test]
fn a_price_follows_on_the_one_before_up_to_the_factor() {
    // The price before, the new one, the factor in hundredths.
    let rows = [
        ("10 USD", "10 USD", 150, Change::Same),
        ("10 USD", "14.99 USD", 150, Change::Take),
        ("10 USD", "15 USD", 150, Change::Take),
        ("10 USD", "15.01 USD", 150, Change::Hold),
        ("15 USD", "10 USD", 150, Change::Take),
        ("15.01 USD", "10 USD", 150, Change::Hold),
        ("10 USD", "20 USD", 200, Change::Take),
        ("10 USD", "20.01 USD", 200, Change::Hold),
        ("10 USD", "0 USD", 150, Change::Hold),
        ("0 USD", "10 USD", 150, Change::Take),
        ("0.01 USD", "10 USD", 150, Change::Hold),
        ("10 USD", "10 EUR", 150, Change::Hold),
        ("0 USD", "10 EUR", 150, Change::Hold),
    ];
    for (old, new, factor, wanted) in rows {
        let change = price_step(money(old), money(new), Hundredths(factor));
        assert_eq!(change, wanted, "{old} to {new} by {factor}");
    }
}
