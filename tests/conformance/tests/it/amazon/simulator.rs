//! The roles against the simulator, over real connections and on one clock that is moved by hand.

use crate::amazon::common::{QUEUE, account_with, number, order_id, parcel, update};
use jiff::{SignedDuration, Timestamp};
use kervan::{
    clock::Clock,
    domain::{Cancel, ChannelOrderId, LineId, Payment, SignalKind},
    http::HttpClient,
    marketplaces::{
        CancelOrders, ConfirmParcels, Effect, Examine, Kind, PushInBulk, PushListings,
        ReadNotifications, ReadOrders, Retry, Subscribe, SubscribeStep, SubscribeTo, Verdict,
        amazon::Amazon,
    },
};
use kervan_marketplaces::{
    Clock as _, Fault, ManualClock, Money, Simulators, SimulatorsConfig,
    amazon::{
        AmazonBucket, AmazonNewListing, AmazonNewOrder, AmazonOperation, AmazonSettings,
        AmazonStatus,
    },
    defaults,
};
use serde_json::json;
use std::{sync::Arc, time::Duration};

/// The simulator's clock, as Kervan asks it.
#[derive(Clone)]
struct OneClock(Arc<ManualClock>);

impl std::fmt::Debug for OneClock {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("OneClock")
    }
}

#[async_trait::async_trait]
impl Clock for OneClock {
    fn now(&self) -> Timestamp {
        kervan_marketplaces::Clock::now(&*self.0)
    }

    async fn sleep(&self, time: Duration) {
        kervan_marketplaces::Clock::advance(&*self.0, time);
    }
}

pub(crate) struct World {
    pub(crate) simulators: Simulators,
    clock: Arc<ManualClock>,
    pub(crate) amazon: Amazon,
}

impl World {
    pub(crate) async fn start() -> Self {
        let clock = Arc::new(ManualClock::new("2026-11-02T08:00:00Z".parse().unwrap()));
        let config = SimulatorsConfig {
            clock: clock.clone(),
            hang_ms: 3_000,
            push_tick_ms: 3_600_000,
            ..SimulatorsConfig::default()
        };
        let simulators = Simulators::start(config).await.unwrap();
        let secret = json!({
            "environment": simulators.amazon_url(),
            "marketplace_ids": [defaults::AMAZON_MARKETPLACE_ID],
            "client_id": defaults::AMAZON_CLIENT_ID,
            "client_secret": defaults::AMAZON_CLIENT_SECRET,
            "refresh_token": defaults::AMAZON_REFRESH_TOKEN,
            "seller_id": defaults::AMAZON_SELLER_ID,
        });
        let http = Arc::new(HttpClient::new(Duration::from_millis(700)).unwrap());
        let amazon = account_with(&secret, http, Arc::new(OneClock(clock.clone())));
        let listing = AmazonNewListing::new("LAMP-1/+&=?", Money::usd(1999), 10);
        simulators.amazon.add_listing(listing);
        Self {
            simulators,
            clock,
            amazon,
        }
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    fn now(&self) -> Timestamp {
        kervan_marketplaces::Clock::now(&*self.clock)
    }

    pub(crate) fn place(&self, order: AmazonNewOrder) -> (ChannelOrderId, String) {
        let id = self.simulators.amazon.place_order(order).unwrap();
        let line = self.simulators.amazon.order(&id).unwrap().lines[0]
            .order_item_id
            .clone();
        (order_id(&id), line)
    }

    fn fails_next(&self, operation: AmazonOperation, fault: Fault) {
        self.simulators.amazon.fail_next(operation, fault, 1);
    }

    /// Everything that changed in the last hour, page by page.
    async fn changed(&self) -> Vec<ChannelOrderId> {
        let (until, mut found, mut page) = (self.now(), Vec::new(), None);
        let from = until - SignedDuration::from_hours(1);
        loop {
            let read = self
                .amazon
                .changed(from, until, page.as_deref())
                .await
                .unwrap();
            found.extend(read.orders.into_iter().map(|(id, _)| id));
            match read.next {
                Some(next) => page = Some(next),
                None => return found,
            }
        }
    }
}

#[tokio::test]
async fn an_order_goes_its_whole_way() {
    let world = World::start().await;
    let (id, line) = world.place(AmazonNewOrder::one("LAMP-1/+&=?", 2).pending());
    let pending = world.amazon.order(&id).await.unwrap();
    assert_eq!(pending.details.payment, Payment::Pending);
    assert!(pending.buyer.is_none());

    world.simulators.amazon.pay_order(id.as_str()).unwrap();
    let paid = world.amazon.order(&id).await.unwrap();
    let shown = world.simulators.amazon.order(id.as_str()).unwrap();
    assert_eq!(paid.details.payment, Payment::Paid);
    assert_eq!(paid.details.cancel, Cancel::No);
    assert_eq!(paid.details.total.to_string(), "39.98 USD");
    assert_eq!(paid.details.fee.to_string(), "6.00 USD");
    let first = &paid.details.lines[0];
    assert_eq!((first.sku.as_str(), first.quantity), ("LAMP-1/+&=?", 2));
    assert_eq!(first.price.to_string(), "39.98 USD");
    assert_eq!(first.id.as_str(), line);
    let buyer = paid.buyer.unwrap();
    assert_eq!(buyer.name, shown.buyer.full_name);
    assert_eq!(buyer.address.line1, shown.buyer.address_line1);
    assert_eq!(buyer.address.city, shown.buyer.city);
    assert_eq!(buyer.phone, shown.buyer.phone);

    world.pass(10);
    let mut sent = parcel("1Z999AA10123456784", "UPS", &line, 2);
    sent.shipped_at = world.now();
    assert!(
        !world
            .amazon
            .is_confirmed(&id, &sent.tracking_number)
            .await
            .unwrap()
    );
    world.amazon.confirm(&id, &sent).await.unwrap();
    assert!(
        world
            .amazon
            .is_confirmed(&id, &sent.tracking_number)
            .await
            .unwrap()
    );
    let shown = world.simulators.amazon.order(id.as_str()).unwrap();
    assert_eq!(shown.status, AmazonStatus::Shipped);
    assert_eq!(shown.packages[0].carrier_code, "UPS");
    assert!(world.amazon.order(&id).await.unwrap().details.fulfilled);
}

#[tokio::test]
async fn a_repeated_confirmation_edits_the_package_whatever_became_of_the_first() {
    let world = World::start().await;
    let (id, line) = world.place(AmazonNewOrder::one("LAMP-1/+&=?", 2));
    world.pass(10);
    let mut sent = parcel("LP00123456789012", "Cainiao", &line, 1);
    sent.shipped_at = world.now();
    world.fails_next(AmazonOperation::ConfirmShipment, Fault::TimeoutAfter);
    let lost = world.amazon.confirm(&id, &sent).await.unwrap_err();
    assert_eq!((lost.kind, lost.effect), (Kind::NoAnswer, Effect::Unknown));
    world.amazon.confirm(&id, &sent).await.unwrap();
    let mut rest = parcel("LP00123456789013", "Cainiao", &line, 1);
    rest.shipped_at = world.now();
    world.amazon.confirm(&id, &rest).await.unwrap();
    let shown = world.simulators.amazon.order(id.as_str()).unwrap();
    let edits: Vec<u32> = shown.packages.iter().map(|package| package.edits).collect();
    assert_eq!(edits, [1, 0]);
    assert_eq!(shown.packages[0].carrier_code, "Other");
    assert_eq!(shown.packages[0].carrier_name.as_deref(), Some("Cainiao"));
    let counters = world.simulators.amazon.counters();
    assert_eq!((counters.packages, counters.duplicate_packages), (2, 0));

    // The order is closed now: a third parcel meets PackageToUpdateNotFound, and the order does not show it.
    let mut third = parcel("LP00123456789014", "Cainiao", &line, 1);
    third.shipped_at = world.now();
    let closed = world.amazon.confirm(&id, &third).await.unwrap_err();
    let axes = (closed.kind, closed.retry, closed.code.as_str());
    assert_eq!(
        axes,
        (Kind::Refused, Retry::Permanent, "PackageToUpdateNotFound")
    );

    let before = world.simulators.amazon.counters().calls;
    let invalid = parcel("1Z999", "UPS", &line, 1);
    let refused = world.amazon.confirm(&id, &invalid).await.unwrap_err();
    let axes = (refused.retry, refused.effect, refused.code.as_str());
    assert_eq!(
        axes,
        (Retry::Permanent, Effect::None, "tracking-number-pattern")
    );
    assert_eq!(world.simulators.amazon.counters().calls, before);
}

#[tokio::test]
async fn a_sweep_finds_every_order_once_over_several_pages() {
    let world = World::start().await;
    world
        .simulators
        .amazon
        .set_quantity("LAMP-1/+&=?", 1_000)
        .unwrap();
    let mut placed = Vec::new();
    for _ in 0..230 {
        placed.push(world.place(AmazonNewOrder::one("LAMP-1/+&=?", 1)).0);
    }
    let mut by_amazon = AmazonNewOrder::one("LAMP-1/+&=?", 1);
    by_amazon.by_amazon = true;
    world.place(by_amazon);
    assert_eq!(
        world.changed().await,
        [],
        "they are younger than two minutes"
    );
    world.pass(200);
    let mut found = world.changed().await;
    found.sort();
    placed.sort();
    assert_eq!(found, placed);
}

#[tokio::test]
async fn a_page_that_died_lets_the_span_be_read_anew() {
    let world = World::start().await;
    let settings = AmazonSettings {
        page_token_s: 60,
        ..world.simulators.amazon.settings()
    };
    world.simulators.amazon.set_settings(settings);
    world
        .simulators
        .amazon
        .set_quantity("LAMP-1/+&=?", 1_000)
        .unwrap();
    for _ in 0..101 {
        world.place(AmazonNewOrder::one("LAMP-1/+&=?", 1));
    }
    world.pass(200);
    let (from, until) = (world.now() - SignedDuration::from_hours(1), world.now());
    let first = world.amazon.changed(from, until, None).await.unwrap();
    world.pass(61);
    let died = world
        .amazon
        .changed(from, until, first.next.as_deref())
        .await
        .unwrap_err();
    assert_eq!(
        (died.kind, died.code.as_str()),
        (Kind::Refused, "page-ended")
    );
    assert!(matches!(died.retry, Retry::After(_)));
    assert_eq!(world.changed().await.len(), 101);
}

#[tokio::test]
async fn a_cancelled_order_and_one_that_shall_be_are_not_bought() {
    let world = World::start().await;
    let (asked, _) = world.place(AmazonNewOrder::one("LAMP-1/+&=?", 1));
    world
        .simulators
        .amazon
        .request_cancel(asked.as_str(), "Changed my mind")
        .unwrap();
    let details = world.amazon.order(&asked).await.unwrap().details;
    assert_eq!(
        (details.cancel, details.payment),
        (Cancel::Requested, Payment::Paid)
    );
    world
        .simulators
        .amazon
        .cancel_order(asked.as_str())
        .unwrap();
    assert_eq!(
        world.amazon.order(&asked).await.unwrap().details.cancel,
        Cancel::Done
    );
}

#[tokio::test]
async fn a_listing_is_patched_and_keeps_what_was_not_sent() {
    let world = World::start().await;
    let updates = [
        update("LAMP-1/+&=?", 9, "19.99"),
        update("UNKNOWN", 1, "1.00"),
        update("LAMP-1/+&=?", 3, "17.50"),
    ];
    let outcomes = world
        .amazon
        .push(&updates, jiff::Timestamp::MAX)
        .await
        .unwrap();
    assert_eq!((&outcomes[0], &outcomes[2]), (&Ok(()), &Ok(())));
    let refused = outcomes[1].clone().unwrap_err();
    assert_eq!(
        (refused.kind, refused.code.as_str()),
        (Kind::Refused, "13013")
    );
    world.pass(1);
    let listing = &world.simulators.amazon.listings()[0];
    assert_eq!((listing.quantity, listing.price.cents), (3, 1_750));
    assert_eq!((listing.lead_time_days, listing.changes), (Some(2), 1));
    let ids = updates.map(|update| update.listing);
    let read = kervan::marketplaces::Account::read_listings(&world.amazon)
        .unwrap()
        .read(&ids)
        .await;
    let shown = read[0].clone().unwrap().unwrap();
    let price = update("LAMP-1/+&=?", 3, "17.50").price.unwrap();
    assert_eq!((shown.quantity, shown.price), (3, price));
    assert_eq!((&read[1], &read[2]), (&Ok(None), &read[0]));
}

#[tokio::test]
async fn a_feed_sets_many_listings_and_reports_on_each() {
    let world = World::start().await;
    for n in 0..40 {
        let listing = AmazonNewListing::new(format!("S-{n}"), Money::usd(500), 1);
        world.simulators.amazon.add_listing(listing);
    }
    let mut updates: Vec<_> = (0..40)
        .map(|n| update(&format!("S-{n}"), n, "4.99"))
        .collect();
    updates.push(update("UNKNOWN", 1, "1.00"));
    updates.push(update("S-0", 77, "4.99"));
    let handed_in = world.amazon.submit(&updates).await.unwrap();
    assert_eq!(handed_in.at, world.now());
    let report = world.amazon.report(&handed_in, &updates).await.unwrap();
    assert_eq!(report, None, "it is at work");
    let known = world
        .amazon
        .submissions(world.now() - SignedDuration::from_mins(5))
        .await;
    assert_eq!(known.unwrap(), std::slice::from_ref(&handed_in));
    world.pass(5);
    let report = world
        .amazon
        .report(&handed_in, &updates)
        .await
        .unwrap()
        .unwrap();
    let failed: Vec<usize> = (0..42).filter(|place| report[*place].is_err()).collect();
    assert_eq!(failed, [40]);
    assert_eq!(report[40].clone().unwrap_err().code, "13013");
    world.pass(1);
    assert_eq!(world.simulators.amazon.listed_quantity("S-0"), Some(77));
    assert_eq!(world.simulators.amazon.listed_quantity("S-39"), Some(39));
    // The simulator refuses an upload whose content type is not that of its place, to the letter.
    assert_eq!(world.simulators.amazon.counters().feeds, 1);
}

#[tokio::test]
async fn a_lost_hand_in_is_found_among_the_feeds_before_a_repeat() {
    let world = World::start().await;
    let updates = [update("LAMP-1/+&=?", 4, "19.99")];
    let before = world.now() - SignedDuration::from_secs(1);
    world.fails_next(AmazonOperation::CreateFeed, Fault::TimeoutAfter);
    let lost = world.amazon.submit(&updates).await.unwrap_err();
    assert_eq!(lost.effect, Effect::Unknown);
    let found = world.amazon.submissions(before).await.unwrap();
    assert_eq!(found.len(), 1);
    world.pass(5);
    let report = world
        .amazon
        .report(&found[0], &updates)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(report, [Ok(())]);

    world.fails_next(AmazonOperation::UploadFeedDocument, Fault::TimeoutAfter);
    let unsent = world.amazon.submit(&updates).await.unwrap_err();
    assert_eq!(
        unsent.effect,
        Effect::None,
        "a document that nobody hands in does nothing"
    );
    assert_eq!(world.simulators.amazon.counters().feeds, 1);
}

#[tokio::test]
async fn a_feed_that_ended_without_a_report_is_no_success() {
    let world = World::start().await;
    let updates = [update("LAMP-1/+&=?", 4, "19.99")];
    for (is_fatal, effect) in [(true, Effect::Unknown), (false, Effect::None)] {
        let handed_in = world.amazon.submit(&updates).await.unwrap();
        world
            .simulators
            .amazon
            .end_feed(&handed_in.id, is_fatal)
            .unwrap();
        let report = world
            .amazon
            .report(&handed_in, &updates)
            .await
            .unwrap()
            .unwrap();
        let error = report[0].clone().unwrap_err();
        assert_eq!((error.kind, error.effect), (Kind::Unavailable, effect));
    }
}

#[tokio::test]
async fn an_order_is_cancelled_by_feed_and_only_once() {
    let world = World::start().await;
    let (id, line) = world.place(AmazonNewOrder::one("LAMP-1/+&=?", 1));
    let lines = [LineId::parse(&line).unwrap()];
    world.amazon.cancel(&id, &lines).await.unwrap();
    world.pass(5);
    let shown = world.simulators.amazon.order(id.as_str()).unwrap();
    assert_eq!(shown.status, AmazonStatus::Cancelled);
    world.amazon.cancel(&id, &lines).await.unwrap();
    assert_eq!(world.simulators.amazon.counters().feeds, 1);

    // What cannot be cancelled is said by the report.
    let (other, _) = world.place(AmazonNewOrder::of([("LAMP-1/+&=?", 1), ("LAMP-1/+&=?", 2)]));
    let part = [LineId::parse("1").unwrap()];
    let refused = world.amazon.cancel(&other, &part).await.unwrap_err();
    assert_eq!(
        (refused.kind, refused.code.as_str()),
        (Kind::Refused, "18028")
    );
    world.amazon.cancel(&other, &[]).await.unwrap();
    world.pass(5);
    let shown = world.simulators.amazon.order(other.as_str()).unwrap();
    assert_eq!(shown.status, AmazonStatus::Cancelled);
}

#[tokio::test]
async fn notifications_are_subscribed_to_once_and_read() {
    let world = World::start().await;
    let to = SubscribeTo {
        queue_arn: Some(QUEUE.to_owned()),
        ..SubscribeTo::default()
    };
    let steps = async |to: &SubscribeTo| {
        let done = world.amazon.subscribe(to).await.unwrap();
        done.into_iter().map(|one| one.done).collect::<Vec<_>>()
    };
    assert_eq!(steps(&to).await, [SubscribeStep::Created]);
    assert_eq!(steps(&to).await, [SubscribeStep::Existed]);

    let (id, _) = world.place(AmazonNewOrder::one("LAMP-1/+&=?", 1).pending());
    world.simulators.amazon.pay_order(id.as_str()).unwrap();
    let messages = world.simulators.amazon.take_due_notifications(world.now());
    assert_eq!(messages.len(), 2);
    for message in &messages {
        let read = world.amazon.read(message.body.as_bytes()).unwrap().unwrap();
        assert_eq!(read.id, message.id);
        assert_eq!(read.signals[0].kind, SignalKind::OrderChanged(id.clone()));
        assert_eq!(message.queue_arn, QUEUE);
    }

    let elsewhere = SubscribeTo {
        queue_arn: Some(format!("{QUEUE}-2")),
        ..SubscribeTo::default()
    };
    let conflict = world.amazon.subscribe(&elsewhere).await;
    assert!(conflict.is_err(), "the name of the destination is taken");
    let nowhere = world
        .amazon
        .subscribe(&SubscribeTo::default())
        .await
        .unwrap_err();
    assert_eq!(nowhere.code, "queue-arn-missing");
}

#[tokio::test]
async fn a_token_that_ended_early_is_renewed_and_a_consent_that_ended_is_not() {
    let world = World::start().await;
    let (id, _) = world.place(AmazonNewOrder::one("LAMP-1/+&=?", 1));
    world.amazon.order(&id).await.unwrap();
    world.simulators.amazon.expire_access_tokens();
    world.amazon.order(&id).await.unwrap();
    let counters = world.simulators.amazon.counters();
    assert_eq!((counters.tokens_issued, counters.unauthorized), (2, 1));
    // A token that is unknown, rather than expired, is no reason to try again.
    world.simulators.amazon.revoke_consent();
    let refused = world.amazon.order(&id).await.unwrap_err();
    assert_eq!(refused.kind, Kind::Misconfigured);
    world.pass(3_600);
    let ended = world.amazon.order(&id).await.unwrap_err();
    assert_eq!(
        (ended.kind, ended.retry),
        (Kind::ConsentEnded, Retry::Person)
    );
}

#[tokio::test]
async fn too_many_calls_are_held_back_at_the_rate_that_amazon_names() {
    let world = World::start().await;
    let (id, _) = world.place(AmazonNewOrder::one("LAMP-1/+&=?", 1));
    let bucket = AmazonBucket {
        calls_per_million_s: 20_000,
        burst: 1,
    };
    world
        .simulators
        .amazon
        .set_bucket(AmazonOperation::GetOrder, Some(bucket));
    world.amazon.order(&id).await.unwrap();
    let throttled = world.amazon.order(&id).await.unwrap_err();
    let wait = Retry::After(Duration::from_secs(50));
    assert_eq!((throttled.kind, throttled.retry), (Kind::Throttled, wait));
    // The next one is not even sent.
    let held = world.amazon.order(&id).await.unwrap_err();
    assert_eq!(
        (held.kind, held.code.as_str()),
        (Kind::Throttled, "own-limit")
    );
    assert_eq!(world.simulators.amazon.counters().calls["getOrder"], 2);
    world.pass(120);
    world.amazon.order(&id).await.unwrap();
}

#[tokio::test]
async fn every_fault_of_the_wire_is_an_error_and_never_a_success() {
    let world = World::start().await;
    let (id, line) = world.place(AmazonNewOrder::one("LAMP-1/+&=?", 1));
    world.amazon.order(&id).await.unwrap();
    world.pass(10);
    let mut sent = parcel("1Z999AA10123456784", "UPS", &line, 1);
    sent.shipped_at = world.now();
    for (fault, kind, effect) in [
        (Fault::Refused, Kind::NoAnswer, Effect::Unknown),
        (Fault::ServerError, Kind::Unavailable, Effect::Unknown),
        (Fault::HtmlErrorPage, Kind::Unavailable, Effect::Unknown),
        (Fault::TimeoutBefore, Kind::NoAnswer, Effect::Unknown),
    ] {
        world.fails_next(AmazonOperation::ConfirmShipment, fault);
        let error = world.amazon.confirm(&id, &sent).await.unwrap_err();
        assert_eq!((error.kind, error.effect), (kind, effect), "{fault:?}");
        assert!(
            !world
                .amazon
                .is_confirmed(&id, &number("1Z999AA10123456784"))
                .await
                .unwrap()
        );
        world.fails_next(AmazonOperation::GetOrder, fault);
        let error = world.amazon.order(&id).await.unwrap_err();
        assert_eq!(error.effect, Effect::None, "{fault:?}");
    }
    world.fails_next(AmazonOperation::GetOrder, Fault::MalformedBody);
    let cut = world.amazon.order(&id).await.unwrap_err();
    assert_eq!((cut.kind, cut.effect), (Kind::Unreadable, Effect::None));
    world.fails_next(AmazonOperation::PatchListingsItem, Fault::MalformedBody);
    let cut = world
        .amazon
        .push(&[update("LAMP-1/+&=?", 1, "19.99")], jiff::Timestamp::MAX)
        .await
        .unwrap();
    let cut = cut[0].clone().unwrap_err();
    assert_eq!((cut.kind, cut.effect), (Kind::Unreadable, Effect::Unknown));
    // Under a lease that is over nothing is sent.
    let calls = world.simulators.amazon.counters().calls["confirmShipment"];
    sent.not_after = world.now();
    let late = world.amazon.confirm(&id, &sent).await.unwrap_err();
    assert_eq!(late.kind, Kind::TooLate);
    assert_eq!(
        world.simulators.amazon.counters().calls["confirmShipment"],
        calls
    );
}

#[tokio::test]
async fn the_set_up_is_examined_without_being_changed() {
    let world = World::start().await;
    let findings = world.amazon.examine().await;
    let verdicts: Vec<_> = findings.iter().map(|one| (one.what, one.verdict)).collect();
    let expected = [
        ("credentials", Verdict::Good),
        ("reachability", Verdict::Good),
        ("clock", Verdict::Good),
        ("participation", Verdict::Good),
        ("application", Verdict::Good),
        ("subscriptions", Verdict::Warning),
    ];
    assert_eq!(verdicts, expected);
    assert!(
        findings
            .iter()
            .all(|one| (one.verdict == Verdict::Good) == one.to_do.is_empty())
    );
    world.simulators.amazon.revoke_consent();
    world.pass(3_600);
    let findings = world.amazon.examine().await;
    let bad = |what| {
        findings
            .iter()
            .any(|one| one.what == what && one.verdict == Verdict::Bad)
    };
    assert!(bad("credentials") && bad("reachability") && bad("subscriptions"));
}
