use super::super::fakes::Merchant;
use super::BULK_FROM;
use crate::flows::Outcome;
use crate::marketplaces::{Effect, Kind};

const AMAZON: (&str, usize, Option<u32>, bool) = ("amazon:main", 1, None, true);

/// A shop whose skus show 5 units each.
async fn shop(count: usize) -> (Merchant, Vec<String>) {
    let shop = Merchant::open(&[AMAZON]);
    let skus: Vec<String> = (0..count).map(|n| format!("S{n:03}")).collect();
    for sku in &skus {
        shop.sell(sku, None).await;
        shop.has(sku, 5).await;
        publish(&shop, std::slice::from_ref(sku)).await;
    }
    shop.calls();
    (shop, skus)
}

async fn publish(shop: &Merchant, skus: &[String]) -> Outcome {
    let skus: Vec<&str> = skus.iter().map(String::as_str).collect();
    shop.publish(&skus).await
}

/// The same, with one more unit of each, which is handed in at the next schedule.
async fn raised(count: usize) -> (Merchant, Vec<String>) {
    let (shop, skus) = shop(count).await;
    for sku in &skus {
        shop.has(sku, 6).await;
    }
    assert_eq!(publish(&shop, &skus).await, Outcome::Done);
    (shop, skus)
}

fn submitted(shop: &Merchant) -> Vec<usize> {
    let does = shop.channels[0].does.lock().unwrap();
    let sizes = does.submissions.iter().map(|(_, updates)| updates.len());
    sizes.collect()
}

fn done(shop: &Merchant, is_done: bool) {
    shop.channels[0].does.lock().unwrap().is_done = is_done;
}

async fn all_show(shop: &Merchant, skus: &[String], units: u32) {
    for sku in skus {
        assert_eq!(shop.shown(sku).await, Some(units), "{sku}");
    }
}

#[tokio::test]
async fn many_rises_are_handed_in_together_and_noted_by_the_report() {
    let (shop, skus) = raised(30).await;
    assert!(shop.calls().is_empty());
    shop.minute().await;
    assert_eq!(submitted(&shop), [30]);
    // At work: nothing is told twice.
    publish(&shop, &skus).await;
    shop.minute().await;
    assert!(shop.calls().is_empty());
    assert_eq!(shop.shown("S000").await, None);
    done(&shop, true);
    shop.minute().await;
    all_show(&shop, &skus, 6).await;
    publish(&shop, &skus).await;
    shop.minute().await;
    assert_eq!((submitted(&shop), shop.calls()), (vec![30], Vec::new()));
}

#[tokio::test]
async fn a_few_are_told_directly() {
    let (shop, skus) = raised(BULK_FROM - 1).await;
    assert_eq!(shop.calls().len(), skus.len());
    all_show(&shop, &skus, 6).await;
    shop.minute().await;
    assert!(submitted(&shop).is_empty());
}

#[tokio::test]
async fn zeros_are_never_put_off() {
    let (shop, mut skus) = shop(30).await;
    for sku in &skus[1..] {
        shop.has(sku, 6).await;
    }
    shop.has("S000", 0).await;
    skus.reverse();
    publish(&shop, &skus).await;
    let only = vec![("amazon:main".to_owned(), vec![("S000".to_owned(), 0)])];
    assert_eq!(shop.calls(), only);
}

#[tokio::test]
async fn a_report_with_failures_is_handled_item_by_item() {
    let (shop, skus) = raised(30).await;
    shop.minute().await;
    shop.channels[0].fails("S003", Kind::Unavailable, Effect::None);
    done(&shop, true);
    shop.minute().await;
    assert_eq!(shop.shown("S003").await, None);
    assert_eq!(shop.shown("S004").await, Some(6));
    shop.channels[0].does.lock().unwrap().fails.clear();
    shop.minute().await;
    all_show(&shop, &skus, 6).await;
    // One is too few for a submission.
    assert_eq!((submitted(&shop), shop.calls().len()), (vec![30], 1));
}

#[tokio::test]
async fn what_falls_meanwhile_is_told_at_once_and_once_more_after_the_report() {
    let (shop, _) = raised(30).await;
    shop.minute().await;
    shop.has("S007", 0).await;
    shop.publish(&["S007"]).await;
    let zero = ("amazon:main".to_owned(), vec![("S007".to_owned(), 0)]);
    assert_eq!(shop.calls(), std::slice::from_ref(&zero));
    done(&shop, true);
    shop.minute().await;
    assert_eq!(shop.shown("S007").await, None);
    shop.minute().await;
    assert_eq!(shop.calls(), [zero]);
    assert_eq!(shop.shown("S007").await, Some(0));
}

#[tokio::test]
async fn what_rises_meanwhile_waits_for_the_report() {
    let (shop, _) = raised(30).await;
    shop.minute().await;
    shop.has("S007", 9).await;
    assert_eq!(shop.publish(&["S007"]).await, Outcome::Done);
    assert!(shop.calls().is_empty());
    done(&shop, true);
    shop.minute().await;
    assert_eq!(shop.shown("S007").await, Some(6));
    shop.minute().await;
    assert_eq!(shop.shown("S007").await, Some(9));
}

#[tokio::test]
async fn a_submission_without_an_answer_is_looked_for_before_anything_is_repeated() {
    for was_taken in [true, false] {
        let (shop, skus) = raised(30).await;
        {
            let mut does = shop.channels[0].does.lock().unwrap();
            let error = shop.channels[0].error(Kind::NoAnswer, Effect::Unknown);
            does.submit_fails = Some(error);
            does.takes_unanswered = was_taken;
            does.is_done = true;
        }
        for _ in 0..10 {
            shop.minute().await;
        }
        assert_eq!(submitted(&shop), vec![30; usize::from(was_taken)]);
        if was_taken {
            all_show(&shop, &skus, 6).await;
        }
        for _ in 0..10 {
            shop.minute().await;
        }
        all_show(&shop, &skus, 6).await;
        assert_eq!(submitted(&shop), [30]);
        assert!(shop.calls().is_empty());
    }
}

#[tokio::test]
async fn a_submission_that_was_surely_not_taken_is_made_again() {
    let (shop, skus) = raised(30).await;
    {
        let mut does = shop.channels[0].does.lock().unwrap();
        does.submit_fails = Some(shop.channels[0].error(Kind::Throttled, Effect::None));
        does.is_done = true;
    }
    for _ in 0..4 {
        shop.minute().await;
    }
    assert_eq!(submitted(&shop), [30]);
    all_show(&shop, &skus, 6).await;
}

#[tokio::test]
async fn a_fall_that_a_limit_holds_back_goes_in_bulk() {
    let (shop, skus) = shop(30).await;
    for sku in &skus {
        shop.has(sku, 4).await;
        shop.channels[0].fails(sku, Kind::Throttled, Effect::None);
    }
    assert_eq!(publish(&shop, &skus).await, Outcome::Done);
    shop.channels[0].does.lock().unwrap().fails.clear();
    shop.minute().await;
    assert_eq!(submitted(&shop), [30]);
    done(&shop, true);
    shop.minute().await;
    all_show(&shop, &skus, 4).await;
}

#[tokio::test]
async fn what_never_has_a_report_is_told_anew() {
    let (shop, skus) = raised(30).await;
    shop.minute().await;
    shop.advance(7 * 60);
    // What is old may not raise, but lowers nothing here: the supplier is read again.
    for sku in &skus {
        shop.has(sku, 6).await;
    }
    shop.minute().await;
    done(&shop, true);
    for _ in 0..4 {
        shop.minute().await;
    }
    all_show(&shop, &skus, 6).await;
    assert_eq!(submitted(&shop).len(), 2);
}
