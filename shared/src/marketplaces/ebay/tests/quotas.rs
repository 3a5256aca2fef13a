//! Limits shared with other functions.

use super::*;
use crate::{limiter::Limiter, store::MemoryStore};

fn limited() -> World {
    let World {
        network,
        clock,
        ebay,
    } = world();
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let outside = Outside {
        limiter: Some(Arc::new(Limiter::new(store, clock.clone()))),
        ..ebay.outside.clone()
    };
    let config = ebay.client.config.clone();
    let tokens = Arc::new(Tokens::default());
    let ebay = Ebay::with_tokens(ebay.id.clone(), config, outside, Some(tokens));
    World {
        network,
        clock,
        ebay,
    }
}

/// Requests so far, those for a token of the application apart.
fn calls(world: &World) -> usize {
    let asked = world.network.asked();
    let is_call = |one: &&Request<Bytes>| !one.uri().path().ends_with("/token");
    asked.iter().filter(is_call).count()
}

const REVISED: &str =
    "<ReviseInventoryStatusResponse><Ack>Success</Ack></ReviseInventoryStatusResponse>";

#[tokio::test]
async fn after_a_refusal_for_too_many_nothing_of_that_api_is_sent() {
    let world = limited();
    let id = order_id("11-11111-11111");
    world.network.answer(429, "");
    assert_eq!(world.ebay.order(&id).await.unwrap_err().code, "http-429");
    let error = world
        .ebay
        .is_confirmed(&id, &TrackingNumber::parse("ABCD1").unwrap())
        .await;
    let error = error.unwrap_err();
    assert_eq!(
        (
            error.kind,
            error.effect,
            error.code.as_str(),
            error.operation
        ),
        (
            Kind::Throttled,
            Effect::None,
            "own-limit",
            "getShippingFulfillments"
        )
    );
    // Of that API; the application's own quota is asked for in vain.
    assert_eq!(calls(&world), 1);
    let answer = json!({"responses": [{"statusCode": 200, "offerId": "a"}]});
    world.network.answer(200, answer);
    assert!(
        world
            .ebay
            .push(&[update("A", "a", 1)], jiff::Timestamp::MAX)
            .await
            .unwrap()[0]
            .is_ok()
    );
    world.clock.advance(jiff::SignedDuration::from_secs(90));
    world.network.answer(200, order_json());
    world.ebay.order(&id).await.unwrap();
}

#[tokio::test]
async fn a_used_up_quota_of_the_trading_api_is_told_to_all() {
    let world = limited();
    let refused = "<ReviseInventoryStatusResponse><Ack>Failure</Ack><Errors><ErrorCode>518</ErrorCode></Errors></ReviseInventoryStatusResponse>";
    world.network.answer(200, refused);
    let item = [update("A", "item:110000000001", 1)];
    assert_eq!(
        world
            .ebay
            .push(&item, jiff::Timestamp::MAX)
            .await
            .unwrap_err()
            .code,
        "518"
    );
    let error = world
        .ebay
        .push(&item, jiff::Timestamp::MAX)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind, error.code.as_str()),
        (Kind::Throttled, "own-limit")
    );
    // Of that API; the application's own quota is asked for in vain.
    assert_eq!(calls(&world), 1);
}

#[tokio::test]
async fn stock_leaves_a_part_of_the_quota_to_orders() {
    let world = limited();
    let item = [update("A", "item:110000000001", 1)];
    let mut sent = 0;
    loop {
        world.network.answer(200, REVISED);
        match world.ebay.push(&item, jiff::Timestamp::MAX).await {
            Ok(outcomes) => assert!(outcomes[0].is_ok()),
            Err(error) => {
                assert_eq!(error.code, "own-limit");
                break;
            }
        }
        sent += 1;
        assert!(sent <= limits::TRADING_CALLS_PER_DAY / 10);
    }
    assert!(sent >= limits::TRADING_CALLS_PER_DAY / 40, "{sent}");
    // What is left of the answers is not for this call.
    world.network.answers.lock().unwrap().clear();
    world.network.asked();
    let time = "<GeteBayOfficialTimeResponse><Ack>Success</Ack><Timestamp>2026-01-15T12:00:00.000Z</Timestamp></GeteBayOfficialTimeResponse>";
    world.network.answer(200, time);
    assert_eq!(world.ebay.client.official_time().await.unwrap(), now());
}

#[tokio::test]
async fn a_larger_quota_than_the_quoted_one_is_learned_when_it_is_needed() {
    let world = limited();
    world.network.answer(429, "");
    let id = order_id("11-11111-11111");
    world.ebay.order(&id).await.unwrap_err();
    world.network.asked();
    let token = json!({"access_token": "application", "expires_in": 7200});
    let rate = json!({"limit": 10_000_000, "remaining": 5, "timeWindow": 86_400});
    let api =
        json!({"apiContext": "sell", "apiName": "Fulfillment", "resources": [{"rates": [rate]}]});
    world
        .network
        .answer(200, token)
        .answer(200, json!({"rateLimits": [api]}));
    for _ in 0..2 {
        assert_eq!(world.ebay.order(&id).await.unwrap_err().code, "own-limit");
    }
    // Asked once, however often calls are kept back.
    let asked = world.network.asked();
    let paths: Vec<_> = asked.iter().map(|one| one.uri().path()).collect();
    assert_eq!(
        paths,
        [
            "/identity/v1/oauth2/token",
            "/developer/analytics/v1_beta/rate_limit/"
        ]
    );
    let told = serde_json::from_value(json!({"rateLimits": [{"apiContext": "TradingAPI",
        "resources": [{"rates": [{"limit": 864, "timeWindow": 86_400}, {"limit": 1, "timeWindow": 0}]}]}]}));
    assert_eq!(convert::rates(&told.unwrap()), [("trading", 9_000)]);
}
