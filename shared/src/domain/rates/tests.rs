use super::*;
use proptest::prelude::*;

fn currency(code: &str) -> Currency {
    code.parse().unwrap()
}

fn money(minor: i64, code: &str) -> Money {
    Money {
        minor,
        currency: currency(code),
    }
}

fn now() -> Timestamp {
    "2026-01-15T12:00:00Z".parse().unwrap()
}

fn rate(from: &str, to: &str, value: &str) -> Rate {
    let value = value.parse().unwrap();
    Rate::new(currency(from), currency(to), value, "ECB", now()).unwrap()
}

fn rates(all: &[(&str, &str, &str)]) -> Rates {
    let mut rates = Rates::default();
    for (from, to, value) in all {
        assert!(rates.take(rate(from, to, value), now()));
    }
    rates
}

fn exchange(rates: &Rates) -> Exchange<'_> {
    Exchange {
        rates,
        now: now(),
        most_age: SignedDuration::from_hours(96),
    }
}

#[test]
fn what_we_pay_is_rounded_up_and_what_we_get_down() {
    let rates = rates(&[("EUR", "USD", "1.0832")]);
    let to_usd = |minor, toward| {
        let converted = exchange(&rates).convert(money(minor, "EUR"), currency("USD"), toward);
        converted.unwrap().money.minor
    };
    // 9.99 EUR are 10.821168 USD.
    assert_eq!(to_usd(999, Toward::Cost), 1083);
    assert_eq!(to_usd(999, Toward::Proceeds), 1082);
    assert_eq!(to_usd(10_000, Toward::Cost), 10_832);
    assert_eq!(to_usd(-999, Toward::Proceeds), -1083);
}

#[test]
fn minor_units_of_both_currencies_are_minded() {
    let rates = rates(&[("EUR", "JPY", "161.5"), ("EUR", "KWD", "0.334")]);
    let convert = |from, to: &str| {
        let converted = exchange(&rates).convert(from, currency(to), Toward::Cost);
        converted.unwrap()
    };
    assert_eq!(convert(money(1000, "EUR"), "JPY").money, money(1615, "JPY"));
    assert_eq!(convert(money(1615, "JPY"), "EUR").money, money(1000, "EUR"));
    assert_eq!(convert(money(1000, "EUR"), "KWD").money, money(3340, "KWD"));
    let across = convert(money(1615, "JPY"), "KWD");
    assert_eq!(across.money, money(3340, "KWD"));
    assert_eq!(across.rates.len(), 2, "both rates are named");
}

#[test]
fn old_missing_and_future_rates_count_as_none() {
    let mut rates = rates(&[("EUR", "USD", "1.0832")]);
    let usd = currency("USD");
    let mut late = exchange(&rates);
    late.now = now() + SignedDuration::from_hours(97);
    let error = late.convert(money(1, "EUR"), usd, Toward::Cost);
    assert!(matches!(error, Err(NoRate::TooOld { .. })));
    let error = exchange(&rates).convert(money(1, "CNY"), usd, Toward::Cost);
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("price rates set CNY/USD")
    );
    let mut future = rate("EUR", "CNY", "7.8");
    future.at = now() + SignedDuration::from_hours(25);
    assert!(!rates.take(future, now()));
    let mut older = rate("USD", "EUR", "2");
    older.at = now() - SignedDuration::from_hours(1);
    assert!(
        !rates.take(older, now()),
        "an older rate replaces no newer one"
    );
    assert_eq!(rates.all().len(), 1);
    let same = rate("USD", "EUR", "0.92");
    assert!(rates.take(same.clone(), now()));
    assert_eq!(
        rates.all(),
        [same],
        "a pair is kept once, in either direction"
    );
}

#[test]
fn a_rate_is_read_as_it_is_written() {
    for text in ["1.0832", "0.000000001", "1000000000", "161.5"] {
        assert_eq!(text.parse::<RateValue>().unwrap().to_string(), text);
    }
    for wrong in [
        "",
        "0",
        "-1",
        "1e3",
        "1,2",
        "0.0000000001",
        "1000000001",
        ".5",
        "NaN",
    ] {
        assert!(wrong.parse::<RateValue>().is_err(), "{wrong} was taken");
    }
    let stored = serde_json::to_string(&rates(&[("EUR", "USD", "1.0832")])).unwrap();
    assert!(stored.contains(r#""value":"1.0832""#), "{stored}");
    let read: Rates = serde_json::from_str(&stored).unwrap();
    assert_eq!(read, rates(&[("EUR", "USD", "1.0832")]));
}

#[test]
fn a_rate_that_is_too_old_hides_no_newer_way() {
    let mut rates = rates(&[("EUR", "USD", "1.1"), ("EUR", "CNY", "7.7")]);
    let old = Rate {
        at: now() - SignedDuration::from_hours(97),
        ..rate("USD", "CNY", "6")
    };
    assert!(rates.take(old, now()));
    let dollars = |rates: &Rates| {
        let converted = exchange(rates).convert(money(700, "CNY"), currency("USD"), Toward::Cost);
        converted.map(|it| (it.money.minor, it.rates.len()))
    };
    assert_eq!(dollars(&rates), Ok((100, 2)));
    // Where no way is new enough, the newest is named.
    let cross = |hours| Rate {
        at: now() - SignedDuration::from_hours(hours),
        ..rate("EUR", "CNY", "7.7")
    };
    let mut older = Rates::default();
    for rate in [rate("EUR", "USD", "1.1"), cross(98)] {
        assert!(older.take(rate, now()));
    }
    let direct = rates.all().iter().find(|it| it.from.code() == "USD");
    assert!(older.take(direct.unwrap().clone(), now()));
    let at = now() - SignedDuration::from_hours(97);
    let (from, to) = (currency("CNY"), currency("USD"));
    assert_eq!(dollars(&older), Err(NoRate::TooOld { from, to, at }));
}

proptest! {
    #[test]
    fn there_and_back_costs_never_shrink_and_proceeds_never_grow(
        minor in 0_i64..1_000_000_000_000,
        nanos in 1_000_000_u64..1_000_000_000_000_000,
    ) {
        let mut rates = Rates::default();
        let value = RateValue(nanos);
        rates.take(Rate { value, ..rate("EUR", "USD", "1") }, now());
        let there_and_back = |toward| {
            let there = exchange(&rates).convert(money(minor, "EUR"), currency("USD"), toward).unwrap();
            exchange(&rates).convert(there.money, currency("EUR"), toward).unwrap().money.minor
        };
        prop_assert!(there_and_back(Toward::Cost) >= minor);
        prop_assert!(there_and_back(Toward::Proceeds) <= minor);
    }

    #[test]
    fn the_two_roundings_lie_around_the_exact_value(
        minor in -1_000_000_000_000_i64..1_000_000_000_000,
        first in 1_000_000_u64..1_000_000_000_000,
        second in 1_000_000_u64..1_000_000_000_000,
    ) {
        let mut rates = Rates::default();
        rates.take(Rate { value: RateValue(first), ..rate("EUR", "USD", "1") }, now());
        rates.take(Rate { value: RateValue(second), ..rate("EUR", "CNY", "1") }, now());
        let to = |toward| exchange(&rates).convert(money(minor, "USD"), currency("CNY"), toward).unwrap().money.minor;
        let (up, down) = (i128::from(to(Toward::Cost)), i128::from(to(Toward::Proceeds)));
        let exact = i128::from(minor) * i128::from(second);
        prop_assert!(down * i128::from(first) <= exact && exact <= up * i128::from(first));
        prop_assert!(up - down <= 1);
    }

    /// The exact fraction in numbers that hold it, by long division: what is left out and what is 64 bits wide changes nothing.
    #[test]
    fn a_conversion_is_the_exact_fraction_rounded_once(
        minor in prop_oneof![-100_000_i64..100_000, -1_000_000_000_000_i64..1_000_000_000_000],
        first in prop_oneof![1_u64..1_000, 1_000_000_u64..10_000_000_000_000],
        second in prop_oneof![1_u64..1_000, 1_000_000_u64..10_000_000_000_000],
        ways in (any::<bool>(), any::<bool>(), any::<bool>()),
        places in prop::sample::select(vec![("JPY", "KWD"), ("KWD", "JPY"), ("USD", "CNY")]),
    ) {
        let (is_along, also_along, is_across) = ways;
        let (from, to) = places;
        let middle = if is_across { "EUR" } else { to };
        let leg = |is_along, from, to, nanos| {
            let rate = if is_along { rate(from, to, "1") } else { rate(to, from, "1") };
            Rate { value: RateValue(nanos), ..rate }
        };
        let mut rates = Rates::default();
        rates.take(leg(is_along, from, middle, first), now());
        if is_across {
            rates.take(leg(also_along, middle, to, second), now());
        }
        let one = 1_000_000_000_i128;
        let (mut over, mut under) = if is_along { (i128::from(first), one) } else { (one, i128::from(first)) };
        if is_across && also_along {
            (over, under) = (over * i128::from(second), under * one);
        } else if is_across {
            (over, under) = (over * one, under * i128::from(second));
        }
        over *= i128::from(10_u32.pow(currency(to).exponent()));
        under *= i128::from(10_u32.pow(currency(from).exponent()));
        for toward in [Toward::Cost, Toward::Proceeds] {
            let got = exchange(&rates).convert(money(minor, from), currency(to), toward);
            let Ok(got) = got else { continue };
            // got = ⌈minor · over / under⌉ or ⌊…⌋, without a product that 128 bits cannot hold.
            let (whole, rest) = (over.div_euclid(under), over.rem_euclid(under));
            let Some(part) = i128::from(minor).checked_mul(rest) else { continue };
            let down = i128::from(minor) * whole + part.div_euclid(under);
            let is_whole = part.rem_euclid(under) == 0;
            let up = i128::from(toward == Toward::Cost && !is_whole);
            prop_assert_eq!(i128::from(got.money.minor), down + up);
        }
    }

    #[test]
    fn no_amount_makes_it_panic(minor: i64, nanos in 1_u64..=1_000_000_000_000_000_000) {
        let mut rates = Rates::default();
        rates.take(Rate { value: RateValue(nanos), ..rate("EUR", "KWD", "1") }, now());
        for (from, to) in [("EUR", "KWD"), ("KWD", "EUR")] {
            let _ = exchange(&rates).convert(money(minor, from), currency(to), Toward::Cost);
        }
    }
}
