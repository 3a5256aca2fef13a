//! The roles of the REST APIs against the simulator.

use crate::ebay::common::{ENDPOINT, World, order_id, parcel, refund, update};
use kervan::marketplaces::{
    ConfirmParcels, Effect, Examine, Finding, Kind, PushListings, ReadOrders, Refund,
    RefundRequest, RefundState, Retry, Subscribe, SubscribeStep, SubscribeTo, Verdict,
    VerifyPushes,
};
use kervan::{domain::SignalKind, marketplaces::Unverified};
use kervan_marketplaces::{
    Fault, Money, defaults,
    ebay::{EbayOperation, EbaySettings, NewListing, NewOrder, PaymentStatus},
};
use serde_json::json;
use std::time::Duration;

fn alert() -> SubscribeTo {
    SubscribeTo {
        queue_arn: None,
        alert_email: Some("ops@example.com".into()),
    }
}

fn signing() -> serde_json::Value {
    json!({
        "signing_key_jwe": defaults::EBAY_SIGNING_JWE,
        "signing_private_key": defaults::EBAY_SIGNING_PRIVATE_KEY,
    })
}

async fn with_order(more: &serde_json::Value, settings: EbaySettings) -> (World, String) {
    let world = World::with(more, settings).await;
    let ebay = &world.simulators.ebay;
    ebay.add_listing(NewListing::new("LAMP", Money::usd(1999), 9));
    let order = ebay.place_order(NewOrder::one("LAMP", 2)).unwrap();
    world.pass(Duration::from_secs(5));
    (world, order)
}

#[tokio::test]
async fn an_order_goes_its_whole_way_over_the_sell_apis() {
    let (world, order) = with_order(&json!({}), EbaySettings::default()).await;
    let from = world.now() - jiff::SignedDuration::from_hours(1);
    world.pass(Duration::from_secs(10));
    let page = world.ebay.changed(from, world.now(), None).await.unwrap();
    assert_eq!(page.orders[0].0.as_str(), order);
    let id = order_id(&order);
    let fetched = world.ebay.order(&id).await.unwrap();
    assert_eq!(fetched.details.total.to_string(), "39.98 USD");
    let line = fetched.details.lines[0].id.as_str().to_owned();
    let parcel = parcel("1Z999AA10123456784", &[(&line, 2)]);
    assert!(
        !world
            .ebay
            .is_confirmed(&id, &parcel.tracking_number)
            .await
            .unwrap()
    );
    world.ebay.confirm(&id, &parcel).await.unwrap();
    assert!(
        world
            .ebay
            .is_confirmed(&id, &parcel.tracking_number)
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn what_is_missing_is_subscribed_to_and_a_repeat_changes_nothing() {
    let world = World::start(&json!({})).await;
    let done = world.ebay.subscribe(&alert()).await.unwrap();
    assert!(done.iter().all(|one| one.done == SubscribeStep::Created));
    assert_eq!(done.len(), 2);
    // Each was tried while it was disabled.
    let tried = world.simulators.ebay.counters().calls["testSubscription"];
    assert_eq!((tried, world.simulators.ebay.pushes().len()), (2, 2));
    world.sent();
    let again = world.ebay.subscribe(&SubscribeTo::default()).await.unwrap();
    assert!(again.iter().all(|one| one.done == SubscribeStep::Existed));
    assert!(
        world
            .sent()
            .iter()
            .all(|one| one.method() == "GET" || one.uri().path().ends_with("token"))
    );

    let ebay = &world.simulators.ebay;
    ebay.add_listing(NewListing::new("LAMP", Money::usd(1999), 9));
    let order = ebay.place_order(NewOrder::one("LAMP", 1)).unwrap();
    let pushes = ebay.take_due_pushes(world.now());
    let last = pushes.last().unwrap();
    assert_eq!(last.url, ENDPOINT);
    let push = Unverified::new(last.headers.clone(), last.body.clone());
    let signals = world.ebay.verify(push).await.unwrap();
    assert_eq!(signals[0].kind, SignalKind::OrderChanged(order_id(&order)));
}

#[tokio::test]
async fn an_endpoint_that_was_marked_down_is_enabled_again() {
    let world = World::start(&json!({})).await;
    world.ebay.subscribe(&alert()).await.unwrap();
    world.simulators.ebay.mark_endpoints_down();
    let findings = world.ebay.examine().await;
    assert!(findings.iter().any(|one| one.verdict == Verdict::Bad && one.says.contains("marked the endpoint down")));
    world.ebay.subscribe(&alert()).await.unwrap();
    let findings = world.ebay.examine().await;
    assert!(
        findings
            .iter()
            .any(|one| one.says == "eBay pushes to the endpoint.")
    );
}

#[tokio::test]
async fn a_lost_answer_leaves_nothing_twice_when_subscribing_again() {
    for operation in [
        EbayOperation::UpdateConfig,
        EbayOperation::CreateDestination,
        EbayOperation::CreateSubscription,
        EbayOperation::EnableSubscription,
    ] {
        let world = World::start(&json!({})).await;
        world
            .simulators
            .ebay
            .fail_next(operation, Fault::ServerErrorAfter, 1);
        let error = world.ebay.subscribe(&alert()).await.unwrap_err();
        assert_eq!(
            (error.kind, error.effect),
            (Kind::Unavailable, Effect::Unknown),
            "{operation:?}"
        );
        world.ebay.subscribe(&alert()).await.unwrap();
        let again = world.ebay.subscribe(&alert()).await.unwrap();
        assert!(
            again.iter().all(|one| one.done == SubscribeStep::Existed),
            "{operation:?}"
        );
    }
}

#[tokio::test]
async fn a_topic_that_ebay_does_not_release_keeps_nobody_from_the_others() {
    let settings = EbaySettings {
        challenge_destinations: false,
        restricted_topics: vec!["ORDER_CONFIRMATION".into()],
        ..EbaySettings::default()
    };
    let world = World::with(&json!({}), settings).await;
    let done = world.ebay.subscribe(&alert()).await.unwrap();
    assert_eq!(done[0].done, SubscribeStep::Created);
    assert_eq!(done[1].done, SubscribeStep::NotAllowed("195011".into()));
    let none = World::start(&json!({})).await;
    let error = none
        .ebay
        .subscribe(&SubscribeTo::default())
        .await
        .unwrap_err();
    assert_eq!(
        (error.retry, error.code.as_str()),
        (Retry::Person, "alert-email")
    );
}

#[tokio::test]
async fn an_endpoint_that_does_not_prove_itself_is_not_taken() {
    // Over the network nobody answers there.
    let world = World::with(&json!({}), EbaySettings::default()).await;
    let error = world.ebay.subscribe(&alert()).await.unwrap_err();
    assert_eq!(
        (error.kind, error.retry, error.code.as_str()),
        (Kind::Misconfigured, Retry::Person, "195020")
    );
}

#[tokio::test]
async fn a_refund_is_signed_pending_and_paid_later() {
    let settings = EbaySettings {
        refunds_need_signature: true,
        ..EbaySettings::default()
    };
    let (world, order) = with_order(&signing(), settings.clone()).await;
    let id = order_id(&order);
    let made = world.ebay.refund(&id, &refund("10.00")).await.unwrap();
    assert_eq!(made.state, RefundState::Pending);
    assert_eq!(world.ebay.refunds(&id).await.unwrap(), vec![made.clone()]);
    world.pass(Duration::from_secs(61));
    let paid = world.ebay.refunds(&id).await.unwrap();
    assert_eq!(
        (paid[0].id.as_str(), paid[0].state),
        (made.id.as_str(), RefundState::Paid)
    );
    let too_much = world.ebay.refund(&id, &refund("30.00")).await.unwrap_err();
    assert_eq!(
        (too_much.code.as_str(), too_much.effect),
        ("34915", Effect::None)
    );
    assert_eq!(world.simulators.ebay.counters().refunds, 1);

    let (unsigned, order) = with_order(&json!({}), settings.clone()).await;
    let error = unsigned
        .ebay
        .refund(&order_id(&order), &refund("1.00"))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind, error.code.as_str()),
        (Kind::Misconfigured, "215120")
    );
    // Where the site says that it must be signed, nothing is sent without a key.
    let (german, order) = with_order(&json!({"marketplace_id": "EBAY_DE"}), settings).await;
    german.sent();
    let error = german
        .ebay
        .refund(&order_id(&order), &refund("1.00"))
        .await
        .unwrap_err();
    assert_eq!(
        (error.retry, error.code.as_str()),
        (Retry::Person, "signing-key")
    );
    assert!(german.sent().is_empty());
}

#[tokio::test]
async fn a_refund_of_one_line_of_several_is_of_that_line_and_is_one_refund() {
    let (world, _) = with_order(&json!({}), EbaySettings::default()).await;
    let ebay = &world.simulators.ebay;
    ebay.add_listing(NewListing::new("DESK", Money::usd(8_00), 9));
    let order = NewOrder::of([("LAMP", 1), ("DESK", 1)]);
    let order = order_id(&ebay.place_order(order).unwrap());
    world.pass(Duration::from_secs(5));
    let details = world.ebay.order(&order).await.unwrap().details;
    let of_line = RefundRequest {
        line: Some(details.lines[1].id.clone()),
        ..refund("8.00")
    };
    let made = world.ebay.refund(&order, &of_line).await.unwrap();
    // It stands at the order and at the line.
    assert_eq!(world.ebay.refunds(&order).await.unwrap(), vec![made]);
    let pending = world.ebay.order(&order).await.unwrap().details;
    assert_eq!(pending.refunded_minor, 8_00);
    let refunding: Vec<u32> = pending.lines.iter().map(|line| line.refunding).collect();
    assert_eq!(refunding, [0, 1]);
    world.pass(Duration::from_secs(61));
    let paid = world.ebay.order(&order).await.unwrap().details;
    let refunded: Vec<u32> = paid.lines.iter().map(|line| line.refunded).collect();
    assert_eq!(refunded, [0, 1]);
    // eBay itself counts what is left of a line.
    let too_much = RefundRequest {
        line: Some(details.lines[1].id.clone()),
        ..refund("8.01")
    };
    let error = world.ebay.refund(&order, &too_much).await.unwrap_err();
    assert_eq!((error.code.as_str(), error.effect), ("34924", Effect::None));
}

#[tokio::test]
async fn a_refund_without_an_answer_is_found_with_the_order() {
    let (world, order) = with_order(&signing(), EbaySettings::default()).await;
    let id = order_id(&order);
    world
        .simulators
        .ebay
        .fail_next(EbayOperation::IssueRefund, Fault::TimeoutAfter, 1);
    let error = world.ebay.refund(&id, &refund("30.00")).await.unwrap_err();
    assert_eq!(
        (error.kind, error.effect),
        (Kind::NoAnswer, Effect::Unknown)
    );
    let found = world.ebay.refunds(&id).await.unwrap();
    assert_eq!(
        (found.len(), found[0].amount.to_string()),
        (1, "30.00 USD".to_owned())
    );
    world
        .simulators
        .ebay
        .fail_next(EbayOperation::IssueRefund, Fault::MalformedBody, 1);
    let error = world.ebay.refund(&id, &refund("1.00")).await.unwrap_err();
    assert_eq!(error.effect, Effect::Unknown);
}

#[tokio::test]
async fn a_refund_that_cannot_be_made_yet_waits_and_one_that_failed_says_so() {
    let settings = EbaySettings {
        refunds_fail: true,
        ..EbaySettings::default()
    };
    let (world, order) = with_order(&json!({}), settings).await;
    let id = order_id(&order);
    world
        .simulators
        .ebay
        .set_payment(&order, PaymentStatus::Pending)
        .unwrap();
    let early = world.ebay.refund(&id, &refund("1.00")).await.unwrap_err();
    assert_eq!((early.code.as_str(), early.effect), ("34929", Effect::None));
    assert!(matches!(early.retry, Retry::After(wait) if wait >= Duration::from_secs(3_600)));
    world
        .simulators
        .ebay
        .set_payment(&order, PaymentStatus::Paid)
        .unwrap();
    world.ebay.refund(&id, &refund("1.00")).await.unwrap();
    world.pass(Duration::from_secs(61));
    assert_eq!(
        world.ebay.refunds(&id).await.unwrap()[0].state,
        RefundState::Failed
    );
}

#[tokio::test]
async fn everything_is_examined_even_where_the_first_thing_is_wrong() {
    let world = World::start(&json!({})).await;
    let verdict = |findings: &[Finding], what: &str| {
        findings
            .iter()
            .filter(|one| one.what == what)
            .map(|one| one.verdict)
            .max()
    };
    world.ebay.subscribe(&alert()).await.unwrap();
    let findings = world.ebay.examine().await;
    assert_eq!(verdict(&findings, "credentials"), Some(Verdict::Good));
    assert_eq!(verdict(&findings, "scopes"), Some(Verdict::Good));
    assert_eq!(verdict(&findings, "subscriptions"), Some(Verdict::Good));
    assert_eq!(verdict(&findings, "quota"), Some(Verdict::Good));
    assert!(findings.iter().filter(|one| one.what == "quota").count() >= 4);
    // Nobody listens at the endpoint.
    assert_eq!(verdict(&findings, "endpoint"), Some(Verdict::Bad));
    // The simulator's answers carry the machine's own time, which is not that of the test.
    assert_eq!(verdict(&findings, "clock"), Some(Verdict::Bad));

    world.simulators.ebay.revoke_consent();
    let findings = world.ebay.examine().await;
    let consent = findings.iter().find(|one| one.what == "consent").unwrap();
    assert_eq!(consent.verdict, Verdict::Bad);
    assert!(consent.to_do.contains("refresh_token"));
    assert!(verdict(&findings, "quota").is_some());
    let wrong = World::start(&json!({"client_secret": "wrong"})).await;
    let findings = wrong.ebay.examine().await;
    assert_eq!(verdict(&findings, "credentials"), Some(Verdict::Bad));
    assert!(
        findings
            .iter()
            .all(|one| one.verdict == Verdict::Good || !one.to_do.is_empty())
    );
}

#[tokio::test]
async fn a_listing_is_set_until_its_revisions_of_the_day_are_used_up() {
    let settings = EbaySettings {
        revisions_per_day: 2,
        ..EbaySettings::default()
    };
    let world = World::with(&json!({}), settings).await;
    let listing = world
        .simulators
        .ebay
        .add_listing(NewListing::new("LAMP", Money::usd(1999), 9));
    for quantity in [0, 2] {
        let pushed = world
            .ebay
            .push(
                &[update("LAMP", &listing.offer_id, quantity)],
                jiff::Timestamp::MAX,
            )
            .await;
        assert!(pushed.unwrap()[0].is_ok());
    }
    let wanted = update("LAMP", &listing.offer_id, 2);
    let missing = update("LAMP", "999", 2).listing;
    let unknown = update("NO-SUCH", &listing.offer_id, 2).listing;
    let ids = [wanted.listing.clone(), missing, unknown];
    let read = kervan::marketplaces::Account::read_listings(&world.ebay)
        .unwrap()
        .read(&ids)
        .await;
    let shown = read[0].clone().unwrap().unwrap();
    assert_eq!((shown.quantity, Some(shown.price)), (2, wanted.price));
    assert_eq!((&read[1], &read[2]), (&Ok(None), &Ok(None)));
    let refused = world
        .ebay
        .push(
            &[update("LAMP", &listing.offer_id, 1)],
            jiff::Timestamp::MAX,
        )
        .await
        .unwrap();
    assert_eq!(refused[0].as_ref().unwrap_err().retry, Retry::Permanent);
    assert_eq!(world.ebay.revisions_per_day(), Some(250));
}
