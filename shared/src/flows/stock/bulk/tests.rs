use super::super::fakes::Merchant;
use crate::flows::Outcome;
use crate::marketplaces::{Effect, Kind};
use crate::metrics::{Count, Measure};
use jiff::SignedDuration;
use std::sync::atomic::Ordering;
use std::time::Duration;

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
    let (shop, skus) = raised(19).await;
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
async fn what_a_limit_holds_back_for_a_moment_is_waited_for() {
    let (shop, skus) = shop(30).await;
    for sku in &skus {
        shop.has(sku, 4).await;
        shop.channels[0].holds_back(sku, Duration::from_millis(3_900));
    }
    let outcome = publish(&shop, &skus).await;
    assert_eq!(outcome, Outcome::Later(Duration::from_millis(3_900)));
    shop.channels[0].does.lock().unwrap().fails.clear();
    assert_eq!(publish(&shop, &skus).await, Outcome::Done);
    all_show(&shop, &skus, 4).await;
    assert!(submitted(&shop).is_empty());
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

#[tokio::test]
async fn what_may_wait_joins_what_waits_already_and_is_counted_by_channel() {
    let (shop, skus) = shop(25).await;
    for sku in &skus {
        shop.has(sku, 6).await;
    }
    // Messages hold ten at the most. The first meets the channel's limit.
    for sku in &skus {
        shop.channels[0].fails(sku, Kind::Throttled, Effect::None);
    }
    for message in skus.chunks(10) {
        assert_eq!(publish(&shop, message).await, Outcome::Done);
    }
    assert_eq!(shop.calls().len(), 10);
    shop.channels[0].does.lock().unwrap().fails.clear();
    // What falls is told at once all the same.
    shop.has("S024", 1).await;
    publish(&shop, &skus[24..]).await;
    assert_eq!(shop.calls().len(), 1);
    shop.minute().await;
    assert_eq!(submitted(&shop), [24]);
    done(&shop, true);
    shop.minute().await;
    all_show(&shop, &skus[..24], 6).await;
}

#[tokio::test]
async fn what_waits_and_is_not_much_is_told_directly_within_a_minute() {
    let (shop, skus) = shop(5).await;
    for sku in &skus {
        shop.has(sku, 6).await;
    }
    shop.channels[0].fails("S000", Kind::Throttled, Effect::None);
    publish(&shop, &skus[..1]).await;
    publish(&shop, &skus[1..]).await;
    assert_eq!(shop.calls().len(), 1);
    shop.channels[0].does.lock().unwrap().fails.clear();
    shop.minute().await;
    all_show(&shop, &skus, 6).await;
    assert!(submitted(&shop).is_empty());
}

#[tokio::test]
async fn a_submission_holds_no_more_bytes_than_the_channel_takes() {
    let (shop, skus) = raised(30).await;
    {
        let mut does = shop.channels[0].does.lock().unwrap();
        does.most_bytes = Some(2_550);
        does.is_done = true;
    }
    shop.minute().await;
    assert_eq!(submitted(&shop), [25]);
    for _ in 0..3 {
        shop.minute().await;
    }
    all_show(&shop, &skus, 6).await;
    // The rest was too little for another.
    assert_eq!((submitted(&shop), shop.calls().len()), (vec![25], 5));
}

/// Works on the channel's message until it need not come back at once; how often it was worked on.
async fn work(shop: &Merchant) -> usize {
    let channel = shop.channels[0].id.clone();
    let task = super::InventoryTask::Bulk { channel };
    for invocation in 1..100 {
        let outcome = super::super::inventory(&shop.kervan, &task).await.unwrap();
        if outcome != Outcome::Later(Duration::from_secs(1)) {
            return invocation;
        }
        shop.clock.advance(SignedDuration::from_secs(1));
    }
    panic!("it does not end");
}

#[tokio::test]
async fn what_one_invocation_cannot_do_the_next_goes_on_with() {
    let (shop, skus) = raised(900).await;
    // 400 listings take 20 seconds to mark, and to note.
    shop.write_us.store(50_000, Ordering::Relaxed);
    assert!(work(&shop).await > 1);
    assert_eq!(submitted(&shop), [900]);
    done(&shop, true);
    shop.advance(2);
    assert!(work(&shop).await > 2);
    shop.write_us.store(0, Ordering::Relaxed);
    all_show(&shop, &skus, 6).await;
    let counted = shop.kervan.metrics.take().counted(Count::ListingsTold);
    assert_eq!(counted, 900 + 900);
    publish(&shop, &skus).await;
    assert!(shop.calls().is_empty());
}

#[tokio::test]
async fn marking_that_was_cut_off_is_given_up_and_all_of_it_handed_in_again() {
    let (shop, skus) = raised(30).await;
    let channel = shop.channels[0].id.clone();
    let mut stored = super::record::load(&shop.kervan, &channel).await.unwrap();
    stored.record.parts = 1;
    stored.record.number = 1;
    let now = shop.kervan.clock.now();
    let step = super::Step::Marking(super::record::Progress::default());
    super::record::write(&shop.kervan, stored, step, now)
        .await
        .unwrap();
    done(&shop, true);
    for _ in 0..4 {
        shop.minute().await;
    }
    assert_eq!(submitted(&shop), [30]);
    all_show(&shop, &skus, 6).await;
}

#[tokio::test]
async fn what_was_told_in_bulk_is_measured_by_its_report() {
    let (shop, skus) = shop(30).await;
    shop.kervan.metrics.take();
    shop.advance(1);
    let began = shop.kervan.clock.now();
    for sku in &skus {
        shop.has(sku, 6).await;
    }
    let all: Vec<&str> = skus.iter().map(String::as_str).collect();
    shop.publish_looked(&all, began).await;
    done(&shop, true);
    shop.minute().await;
    assert_eq!(submitted(&shop), [30]);
    assert_eq!(shop.kervan.metrics.take().counted(Count::ListingsTold), 0);
    shop.minute().await;
    let taken = shop.kervan.metrics.take();
    assert_eq!(taken.counted(Count::ListingsTold), 30);
    let two_minutes = vec![Duration::from_secs(120); 30];
    assert_eq!(taken.times(Measure::EvidenceToPublished), two_minutes);
}

#[tokio::test]
async fn a_price_that_waited_is_not_measured_by_old_evidence() {
    let (shop, skus) = raised(30).await;
    shop.kervan.metrics.take();
    done(&shop, true);
    shop.minute().await;
    shop.minute().await;
    let taken = shop.kervan.metrics.take();
    assert_eq!(taken.counted(Count::ListingsTold), 30);
    assert!(taken.times(Measure::EvidenceToPublished).is_empty());
    all_show(&shop, &skus, 6).await;
}

#[tokio::test]
async fn an_orders_fall_that_goes_in_bulk_is_measured_as_one() {
    let (shop, skus) = shop(30).await;
    shop.kervan.metrics.take();
    shop.advance(1);
    let ordered_at = shop.kervan.clock.now();
    for sku in &skus {
        shop.has(sku, 4).await;
        shop.channels[0].fails(sku, Kind::Throttled, Effect::None);
    }
    let all: Vec<&str> = skus.iter().map(String::as_str).collect();
    shop.publish_after(&all, Some(ordered_at)).await;
    shop.channels[0].does.lock().unwrap().fails.clear();
    done(&shop, true);
    shop.minute().await;
    shop.minute().await;
    let times = shop.kervan.metrics.take().times(Measure::OrderToLowered);
    assert_eq!(times, vec![Duration::from_secs(120); 30]);
}

#[tokio::test]
async fn twenty_five_thousand_are_one_submission_and_all_are_ended_by_its_report() {
    let shop = Merchant::open(&[AMAZON]);
    let skus: Vec<String> = (0..25_000).map(|n| format!("S{n:05}")).collect();
    for sku in &skus {
        shop.waits(sku, 5, 6).await;
    }
    {
        let mut does = shop.channels[0].does.lock().unwrap();
        does.most_in_bulk = Some(25_000);
        does.is_done = true;
    }
    // Two seconds of the table's time for each thousand.
    shop.write_us.store(2_000, Ordering::Relaxed);
    let handing_in = work(&shop).await;
    assert_eq!(submitted(&shop), [25_000]);
    shop.advance(2);
    let ending = work(&shop).await;
    assert!(handing_in > 1 && ending > 1, "{handing_in} and {ending}");
    assert!(handing_in < 10 && ending < 10, "{handing_in} and {ending}");
    shop.write_us.store(0, Ordering::Relaxed);
    let counted = shop.kervan.metrics.take().counted(Count::ListingsTold);
    assert_eq!(counted, 25_000);
    for sku in skus.iter().step_by(499) {
        assert_eq!(shop.shown(sku).await, Some(6));
    }
    work(&shop).await;
    assert_eq!((submitted(&shop).len(), shop.calls().len()), (1, 0));
}
