use super::fixture::{listing, now, put, shop, usd};
use super::*;

/// What is told of a listing at 15.00 USD, whose rules come to half on top of this cost.
async fn told(cost: &str, held: Option<(&str, bool)>) -> String {
    let store = shop().await;
    let listing = listing("LAMP", "15", held);
    put(&store, &listing, cost).await;
    let mut out = Vec::new();
    let sku = &listing.id.sku;
    explain(&store, sku, None, now(), false, &mut out)
        .await
        .unwrap();
    String::from_utf8(out).unwrap()
}

#[tokio::test]
async fn a_price_that_a_person_has_refused_does_not_wait_for_one() {
    let text = told("20", None).await;
    assert!(
        text.contains("too far from 15.00 USD: it waits for a person"),
        "{text}"
    );
    let text = told("20", Some(("30", true))).await;
    assert!(
        text.contains("a person has said no to it, and 15.00 USD stays"),
        "{text}"
    );
    let text = told("20", Some(("29", true))).await;
    assert!(
        text.contains("it waits for a person"),
        "another price: {text}"
    );
}

#[tokio::test]
async fn a_listing_that_would_lose_is_told_to_show_no_units() {
    let text = told("20", None).await;
    let right = "shows no units, because each sale at 15.00 USD would lose more than an order may; orders are bought \
                 from 20.00 USD on";
    assert!(text.contains(right), "{text}");
    assert!(!told("10", None).await.contains("no units"));
    assert!(!told("12", None).await.contains("no units"), "it is taken");
}

#[tokio::test]
async fn the_rates_of_fee_profit_and_limits_are_told() {
    use kervan::domain::{Rate, Rules};
    use kervan::flows::{rates, rules};

    let store = shop().await;
    let text = r#"{ "price": { "rules": [ { "markup_percent": 1, "shipping": "0 USD", "channel_fee": "0.30 EUR",
        "min_profit": "2 EUR", "floor": "15.50 EUR" } ] } }"#;
    let rules: Rules = serde_json::from_str(text).unwrap();
    rules::set(&store, &rules).await.unwrap();
    let (euro, dollar) = ("EUR".parse().unwrap(), "USD".parse().unwrap());
    let rate = Rate::new(euro, dollar, "1.1".parse().unwrap(), "my bank", now()).unwrap();
    rates::add(&store, &[rate], now()).await.unwrap();
    let listing = listing("LAMP", "15", None);
    put(&store, &listing, "10").await;
    let explained = price::explain(&store, &listing.id.sku, now()).await;
    let explained = explained.unwrap().remove(0);
    let at = ", at EUR/USD 1.1 (my bank, 2026-01-15T12:00:00Z)";
    for (name, reason) in [
        (
            "fee",
            format!("the channel keeps 0 % and 0.33 USD (0.30 EUR{at})"),
        ),
        (
            "least profit",
            format!("at least 2.20 USD (2.00 EUR{at}) are left"),
        ),
        (
            "floor of the rule",
            format!("not below 17.05 USD (15.50 EUR{at})"),
        ),
    ] {
        let step = explained.steps.iter().find(|step| step.name == name);
        assert_eq!(step.map(|step| &step.reason), Some(&reason), "{name}");
    }
    assert_eq!(explained.outcome.unwrap().0.price, usd("17.05"));
}
