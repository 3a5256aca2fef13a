//! Tokens, subscriptions and the look at the set-up.

use super::*;
use crate::marketplaces::SubscribeStep;

const ARN: &str = "arn:aws:sqs:us-east-1:1:q";

fn to() -> SubscribeTo {
    SubscribeTo {
        queue_arn: Some(ARN.to_owned()),
        ..SubscribeTo::default()
    }
}

fn grantless() -> Value {
    json!({"access_token": "grantless", "token_type": "bearer", "expires_in": "3600"})
}

fn known() -> Value {
    json!({"payload": [{"destinationId": "other"}, {"destinationId": "d", "resource": {"sqs": {"arn": ARN}}}]})
}

#[tokio::test]
async fn the_sellers_token_is_asked_for_with_the_refresh_token_in_the_body_alone() {
    let world = world();
    let answer = json!({"access_token": "Atza|1", "refresh_token": "Atzr|2", "expires_in": 3600});
    world.network.answer(200, answer);
    let auth = &world.amazon.client.auth;
    let fresh = auth.refresh(&Secret::new("Atzr|1&x".into())).await.unwrap();
    assert_eq!(
        (fresh.access.expose(), fresh.expires_at),
        ("Atza|1", now() + jiff::SignedDuration::from_hours(1))
    );
    assert_eq!(fresh.refresh.unwrap().expose(), "Atzr|2");
    let asked = world.network.asked();
    assert_eq!(asked[0].uri(), "https://api.amazon.com/auth/o2/token");
    let form: Vec<(String, String)> = url::form_urlencoded::parse(asked[0].body())
        .into_owned()
        .collect();
    let names: Vec<&str> = form.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["grant_type", "refresh_token", "client_id", "client_secret"]
    );
    assert_eq!(form[1].1, "Atzr|1&x");
    assert!(!asked[0].headers().contains_key("authorization"));
    for body in [
        "{}",
        "[]",
        "",
        "<html>",
        "{\"access_token\":\"\",\"expires_in\":1}",
        "{\"access_token\":\"a\\nb\",\"expires_in\":1}",
        "{\"access_token\":\"a\"}",
        "{\"access_token\":7,\"expires_in\":1}",
    ] {
        world.network.answer(200, body);
        let error = auth.refresh(&Secret::new("x".into())).await.unwrap_err();
        assert_eq!(
            (error.kind, error.effect),
            (Kind::Unreadable, Effect::None),
            "{body}"
        );
    }
    let empty = json!({"access_token": "a", "refresh_token": "", "expires_in": 1});
    world.network.answer(200, empty);
    assert!(
        auth.refresh(&Secret::new("x".into()))
            .await
            .unwrap()
            .refresh
            .is_none()
    );
}

#[tokio::test]
async fn a_grantless_token_is_kept_until_shortly_before_its_end_and_renewed_when_refused() {
    let world = world();
    world.network.answer(200, grantless());
    for _ in 0..2 {
        world.network.answer(200, known()).answer(
            200,
            json!({"payload": {"subscriptionId": "s", "destinationId": "d"}}),
        );
        let done = world.amazon.client.subscribe(&to()).await.unwrap();
        assert_eq!(done[0].done, SubscribeStep::Existed);
    }
    let asked = world.network.asked();
    assert_eq!(asked.len(), 5);
    assert!(
        String::from_utf8_lossy(asked[0].body())
            .contains("scope=sellingpartnerapi%3A%3Anotifications")
    );
    assert_eq!(asked[1].headers()["x-amz-access-token"], "grantless");
    assert_eq!(
        asked[2].headers()["x-amz-access-token"],
        "token-0",
        "a subscription is the seller's"
    );

    world
        .network
        .answer(403, expired())
        .answer(200, grantless())
        .answer(200, known());
    world
        .network
        .answer(404, "")
        .answer(200, json!({"payload": {"subscriptionId": "s"}}));
    assert_eq!(
        world.amazon.client.subscribe(&to()).await.unwrap()[0].done,
        SubscribeStep::Created
    );
    world.clock.advance(jiff::SignedDuration::from_mins(56));
    world.network.asked();
    world.network.answer(400, json!({"error": "invalid_scope"}));
    let error = world.amazon.client.subscribe(&to()).await.unwrap_err();
    assert_eq!(
        (error.kind, error.operation),
        (Kind::Misconfigured, "clientCredentials")
    );
}

#[tokio::test]
async fn what_exists_already_by_a_lost_answer_is_read_back() {
    let world = world();
    let nothing = json!({"payload": []});
    // The destination conflicts and is there; so does the subscription.
    world
        .network
        .answer(200, grantless())
        .answer(200, &nothing)
        .answer(409, "")
        .answer(200, known());
    world.network.answer(404, "").answer(409, "").answer(
        200,
        json!({"payload": {"subscriptionId": "s", "destinationId": "d"}}),
    );
    let done = world.amazon.client.subscribe(&to()).await.unwrap();
    assert_eq!(
        (done[0].topic.as_str(), &done[0].done),
        ("ORDER_CHANGE", &SubscribeStep::Created)
    );
    // It conflicts and is not there: the name is another queue's.
    world
        .network
        .answer(200, &nothing)
        .answer(409, "")
        .answer(200, &nothing);
    let error = world.amazon.client.subscribe(&to()).await.unwrap_err();
    assert_eq!((error.kind, error.effect), (Kind::Refused, Effect::Unknown));
}

#[tokio::test]
async fn a_subscription_to_another_queue_is_changed_and_one_that_is_denied_said() {
    let world = world();
    world.network.answer(200, grantless()).answer(200, known());
    world.network.answer(
        200,
        json!({"payload": {"subscriptionId": "s/1", "destinationId": "old"}}),
    );
    world
        .network
        .answer(200, "{}")
        .answer(200, json!({"payload": {"subscriptionId": "s2"}}));
    assert_eq!(
        world.amazon.client.subscribe(&to()).await.unwrap()[0].done,
        SubscribeStep::Changed
    );
    let asked = world.network.asked();
    assert_eq!(
        (asked[3].method().as_str(), asked[3].uri().path()),
        (
            "DELETE",
            "/notifications/v1/subscriptions/ORDER_CHANGE/s%2F1"
        )
    );
    assert_eq!(asked[3].headers()["x-amz-access-token"], "grantless");

    let denied = json!({"errors": [{"code": "Unauthorized", "message": "m"}]});
    world
        .network
        .answer(200, known())
        .answer(404, "")
        .answer(403, denied);
    let done = world.amazon.client.subscribe(&to()).await.unwrap();
    assert_eq!(
        done[0].done,
        SubscribeStep::NotAllowed("Unauthorized".into())
    );
}

#[tokio::test]
async fn each_fault_of_the_set_up_is_found_and_something_to_do_said() {
    let world = world();
    let participates = |is: Value, suspended: bool| {
        json!({"payload": [{"marketplace": {"id": "ATVPDKIKX0DER"},
        "participation": {"isParticipating": is, "hasSuspendedListings": suspended}}]})
    };
    let late = "Thu, 15 Jan 2026 11:50:00 GMT";
    let on_time = "Thu, 15 Jan 2026 12:00:10 GMT";
    world.network.answer(200, "");
    let rows = [
        (
            participates(json!(true), false),
            on_time,
            Verdict::Good,
            Verdict::Good,
        ),
        (
            participates(json!("true"), true),
            late,
            Verdict::Bad,
            Verdict::Warning,
        ),
        (
            participates(json!(false), false),
            "nonsense",
            Verdict::Warning,
            Verdict::Bad,
        ),
        (
            json!({"payload": null}),
            on_time,
            Verdict::Good,
            Verdict::Warning,
        ),
    ];
    for (body, date, clock, participation) in rows {
        world.network.answers.lock().unwrap().clear();
        world.network.answer_with(200, &[("date", date)], &body);
        world
            .network
            .answer(400, json!({"error": "invalid_client"}))
            .answer(404, "");
        let findings = world.amazon.client.examine().await;
        let verdict = |what| {
            findings
                .iter()
                .find(|one| one.what == what)
                .unwrap()
                .verdict
        };
        assert_eq!(
            (verdict("clock"), verdict("participation")),
            (clock, participation),
            "{body}"
        );
        assert_eq!(
            (verdict("application"), verdict("subscriptions")),
            (Verdict::Bad, Verdict::Warning)
        );
        assert!(
            findings
                .iter()
                .all(|one| one.verdict == Verdict::Good || !one.to_do.is_empty())
        );
    }
    let silent = world.amazon.client.examine().await;
    let bad = |what| {
        silent
            .iter()
            .any(|one| one.what == what && one.verdict == Verdict::Bad)
    };
    assert!(bad("reachability") && bad("application") && bad("subscriptions"));
}
