use super::*;
use crate::decide::landed;
use crate::domain::{LossRule, Rate, Rates, Rules};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

mod steps;
mod tables;

fn money(text: &str) -> Money {
    Amount::try_from(text.to_owned()).unwrap().0
}

struct Case {
    sku: Sku,
    channel: AccountId,
    pricing: Pricing,
    rules: PriceRules,
    rates: Rates,
    offer: OfferId,
}

impl Case {
    /// Rules of one rule, as JSON without its braces.
    fn of(rule: &str) -> Self {
        Self::of_rules(&[rule])
    }

    fn of_rules(rules: &[&str]) -> Self {
        let rules = rules.join(" }, { ");
        let text = format!(r#"{{ "price": {{ "rules": [ {{ {rules} }} ] }} }}"#);
        let rules: Rules = serde_json::from_str(&text).unwrap();
        rules.check().unwrap();
        let mut rates = Rates::default();
        let at = Timestamp::UNIX_EPOCH;
        for (from, to, value) in [("EUR", "USD", "1.1"), ("EUR", "CNY", "7.7")] {
            let (from, to) = (from.parse().unwrap(), to.parse().unwrap());
            let rate = Rate::new(from, to, value.parse().unwrap(), "ECB", at).unwrap();
            assert!(rates.take(rate, at));
        }
        Self {
            sku: Sku::parse("LAMP").unwrap(),
            channel: "ebay:main".parse().unwrap(),
            pricing: Pricing::default(),
            rules: rules.price,
            rates,
            offer: OfferId::new("alibaba:main".parse().unwrap(), "1", "2").unwrap(),
        }
    }

    fn price_of(&self, parts: &[(&str, u32)], steps: &mut Vec<Step>) -> Result<Priced, WhyNot> {
        let part = |(cost, units): &(&str, u32)| self.part(*units, Some(money(cost)));
        let parts: Vec<PricedPart<'_>> = parts.iter().map(part).collect();
        let input = self.input(&parts);
        let with_steps = price(&input, steps);
        assert_eq!(
            price(&input, &mut ()),
            with_steps,
            "asking for steps changes nothing"
        );
        with_steps
    }

    fn part(&self, units: u32, cost: Option<Money>) -> PricedPart<'_> {
        PricedPart {
            sku: &self.sku,
            units,
            offer: cost.map(|cost| PricedOffer {
                id: &self.offer,
                cost,
                shipping: None,
            }),
        }
    }

    fn input<'a>(&'a self, parts: &'a [PricedPart<'a>]) -> Pricable<'a> {
        Pricable {
            sku: &self.sku,
            channel: &self.channel,
            currency: "USD".parse().unwrap(),
            pricing: &self.pricing,
            parts,
            rules: &self.rules,
            exchange: Exchange {
                rates: &self.rates,
                now: Timestamp::UNIX_EPOCH,
                most_age: SignedDuration::from_hours(96),
            },
        }
    }

    fn price(&self, cost: &str) -> Result<Priced, WhyNot> {
        self.price_of(&[(cost, 1)], &mut Vec::new())
    }
}

#[test]
fn each_step_from_cost_to_price_is_told() {
    let rule = r#""margin_percent": 20, "channel_fee_percent": 13, "channel_fee": "0.40 USD",
        "shipping": "2 EUR", "rounding": ".99""#;
    let mut steps = Vec::new();
    // 70 CNY are 10 USD, 2 EUR are 2.20: 12.60 with the fee, which is 67 % of 18.806.
    let priced = Case::of(rule)
        .price_of(&[("70 CNY", 1)], &mut steps)
        .unwrap();
    assert_eq!(priced.price, money("18.99 USD"));
    assert_eq!(priced.least, money("14.49 USD"));
    assert_eq!(
        priced.bearable, priced.least,
        "by default nothing may be lost"
    );
    let told: Vec<_> = steps
        .iter()
        .map(|step| (step.name, step.after.minor))
        .collect();
    let wanted = [
        ("cost", 1000),
        ("shipping", 1220),
        ("fee", 1449),
        ("margin", 1881),
        ("rounding", 1899),
    ];
    assert_eq!(told, wanted);
    assert!(
        steps[0].reason.contains("EUR/CNY 7.7 (ECB"),
        "{}",
        steps[0].reason
    );
}

#[test]
fn a_bundle_costs_what_its_parts_cost() {
    let case = Case::of(r#""markup_percent": 50, "shipping": "1 USD""#);
    let priced = case
        .price_of(&[("3 USD", 2), ("5 USD", 1)], &mut Vec::new())
        .unwrap();
    assert_eq!(
        priced.price,
        money("21 USD"),
        "14 USD with three shippings, and half of it"
    );
}

#[test]
fn limits_hold_and_the_brands_minimum_wins() {
    let mut case = Case::of(
        r#""markup_percent": 50, "shipping": "0 USD", "floor": "10 USD", "ceiling": "30 USD""#,
    );
    let price = |case: &Case, cost| case.price(cost).map(|priced| priced.price);
    assert_eq!(price(&case, "2 USD"), Ok(money("10 USD")));
    assert_eq!(price(&case, "25 USD"), Ok(money("30 USD")));
    case.pricing.floor = Some(money("11 EUR"));
    assert_eq!(
        price(&case, "2 USD"),
        Ok(money("12.10 USD")),
        "the higher floor"
    );
    case.pricing.ceiling = Some(money("28 USD"));
    assert_eq!(
        price(&case, "25 USD"),
        Ok(money("28 USD")),
        "the lower ceiling"
    );
    case.pricing.minimum_advertised = Some(money("29 USD"));
    assert_eq!(price(&case, "25 USD"), Ok(money("29 USD")));
    let below = price(&case, "29.01 USD");
    let least = money("29.01 USD");
    assert_eq!(
        below,
        Err(WhyNot::BelowCost {
            price: money("29 USD"),
            least
        })
    );
}

#[test]
fn what_is_not_known_is_not_guessed() {
    let case =
        Case::of(r#""markup_percent": 50, "shipping": "0 USD", "for": { "skus": ["LAMP"] }"#);
    assert!(matches!(
        case.price("5 GBP"),
        Err(WhyNot::NoRate(NoRate::Missing { .. }))
    ));
    let unshipped = Case::of(r#""markup_percent": 50"#);
    assert!(matches!(
        unshipped.price("5 USD"),
        Err(WhyNot::NoShipping(_))
    ));
    let other = Case::of(r#""markup_percent": 50, "for": { "skus": ["MUG*"] }"#);
    assert_eq!(other.price("5 USD"), Err(WhyNot::NoRule));
}

#[test]
fn the_offer_is_the_one_that_routing_would_choose() {
    let candidate = |variant, rank, cost, free| Candidate {
        offer: OfferId::new("alibaba:main".parse().unwrap(), "1", variant).unwrap(),
        rank,
        landed_minor: Some(money(cost).minor),
        free,
    };
    let offers = [
        candidate("empty", 1, "1 USD", 0),
        candidate("dear", 2, "9 USD", 3),
        candidate("cheap", 2, "8 USD", 1),
        candidate("last", 3, "2 USD", 99),
    ];
    let chosen = |units| first_choice(offers.iter(), units).map(|one| one.offer.variant.as_str());
    assert_eq!(chosen(1), Some("cheap"));
    assert_eq!(chosen(2), Some("dear"));
    assert_eq!(chosen(100), None);
}

#[test]
fn a_loss_that_is_allowed_lowers_the_bearable_price_alone() {
    let mut case = Case::of(r#""markup_percent": 50, "shipping": "0 USD""#);
    case.rules.loss = LossRule {
        most: Some(Amount(money("2 USD"))),
        most_percent: None,
    };
    let priced = case.price("10 USD").unwrap();
    assert_eq!(
        (priced.least, priced.bearable),
        (money("10 USD"), money("8 USD"))
    );
}

#[test]
fn candidates_are_compared_by_what_they_cost_with_shipping_in_one_currency() {
    let case = Case::of(r#""markup_percent": 50"#);
    let exchange = Exchange {
        rates: &case.rates,
        now: Timestamp::UNIX_EPOCH,
        most_age: SignedDuration::from_hours(96),
    };
    let cost = |cost, shipping: Option<&str>| {
        let usd = "USD".parse().unwrap();
        landed(money(cost), shipping.map(money), usd, &exchange)
    };
    // 7 CNY are 1 USD; each amount is rounded up by itself.
    assert_eq!(cost("7.01 CNY", None), Some(101));
    assert_eq!(cost("7.01 CNY", Some("7.01 CNY")), Some(202));
    assert_eq!(cost("7 CNY", Some("0.50 USD")), Some(150));
    assert_eq!(cost("7 CNY", Some("1 GBP")), None, "no rate, no guess");
    let mut late = exchange;
    late.now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(97);
    let usd = "USD".parse().unwrap();
    assert_eq!(landed(money("7 CNY"), None, usd, &late), None);
    assert_eq!(landed(money("1 USD"), None, usd, &late), Some(100));
}

proptest! {
    /// Whatever the fee, the margin is really left once the channel has taken its part, rounded up.
    #[test]
    fn what_the_rule_asks_for_is_left(
        cost in 0_i64..10_000_000,
        fee in 0_u32..5000,
        margin in 0_u32..4900,
        fixed in 0_i64..500,
        profit in 0_i64..5000,
        ending in prop::sample::select(vec!["none", ".99", "whole"]),
    ) {
        let (fee, margin) = (Hundredths(fee), Hundredths(margin));
        let dollars = |minor| Money { minor, currency: "USD".parse().unwrap() }.to_string();
        let rule = format!(
            r#""margin_percent": {margin}, "channel_fee_percent": {fee}, "channel_fee": "{}", "min_profit": "{}",
               "shipping": "0 USD", "rounding": "{ending}""#, dollars(fixed), dollars(profit));
        let priced = Case::of(&rule).price(&dollars(cost)).unwrap();
        let price = i128::from(priced.price.minor);
        let kept = (price * i128::from(fee.0)).div_euclid(10_000)
            + i128::from(price * i128::from(fee.0) % 10_000 != 0);
        let left = price - kept - i128::from(fixed) - i128::from(cost);
        prop_assert!(left >= i128::from(profit));
        let exact = price * (10_000 - i128::from(fee.0)) - (i128::from(fixed) + i128::from(cost)) * 10_000;
        prop_assert!(exact >= price * i128::from(margin.0));
        prop_assert!(priced.bearable.minor <= priced.least.minor && priced.least.minor <= priced.price.minor);
    }
}
