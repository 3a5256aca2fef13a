//! What comes to the door: only what is authentic, fresh and of a known account becomes a signal, and only what is queued
//! is answered with 2xx.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use jiff::SignedDuration;
use kervan::flows::{Intake, LARGEST_PUSH_BYTES, intake};
use kervan::queue::UnsetQueue;
use kervan_end_to_end::{World, WorldOptions};
use kervan_marketplaces::Push;
use std::sync::Arc;

async fn world() -> World {
    let world = World::new(WorldOptions::default());
    world
        .add("LAMP-01", 19_99, 500_001, 7_00, 10)
        .await
        .unwrap();
    world.register_pushes().await.unwrap();
    world
}

/// A push of each marketplace, rightly signed, not yet delivered.
async fn pushes(world: &World) -> Vec<Push> {
    world.look_at_stock().await.unwrap();
    world.buy("LAMP-01", 1).unwrap();
    let mut pushes = world
        .ebay
        .take_due_pushes(kervan::clock::Clock::now(&*world.clock));
    for push in pushes.clone() {
        assert_eq!(world.push(&push).await.status, StatusCode::OK);
    }
    world.settle_queues().await.unwrap();
    world.clock.advance(SignedDuration::from_secs(30));
    world.settle_queues().await.unwrap();
    let supplier = world
        .aliexpress
        .take_due_pushes(kervan::clock::Clock::now(&*world.clock));
    assert!(!supplier.is_empty(), "the supplier pushes nothing");
    pushes.truncate(1);
    pushes.extend(supplier.into_iter().take(1));
    pushes
}

async fn send(world: &World, account: &str, headers: HeaderMap, body: Bytes) -> StatusCode {
    let (marketplace, name) = account.split_once(':').unwrap();
    intake(
        &world.door,
        marketplace,
        name,
        Intake::Push { headers, body },
    )
    .await
    .status
}

fn account(push: &Push) -> &'static str {
    if push.url.contains("/ebay/") {
        "ebay:main"
    } else {
        "aliexpress:main"
    }
}

fn queued(world: &World) -> usize {
    world.orders.bodies().len() + world.tracking.bodies().len()
}

#[tokio::test]
async fn an_unsigned_push_is_refused_and_queues_nothing() {
    let world = world().await;
    for push in pushes(&world).await {
        let before = queued(&world);
        let status = send(&world, account(&push), HeaderMap::new(), push.body.clone()).await;
        assert!(status.is_client_error(), "{status}");
        assert_eq!(queued(&world), before);
    }
}

#[tokio::test]
async fn a_changed_body_or_signature_is_refused_and_queues_nothing() {
    let world = world().await;
    for push in pushes(&world).await {
        let before = queued(&world);
        let mut body = push.body.to_vec();
        body.push(b' ');
        let status = send(&world, account(&push), push.headers.clone(), body.into()).await;
        assert!(status.is_client_error(), "{status}");
        let name = if push.url.contains("/ebay/") {
            "x-ebay-signature"
        } else {
            "authorization"
        };
        let mut headers = push.headers.clone();
        let mut signature = headers[name].to_str().unwrap().to_owned();
        let middle = signature.len() / 2;
        let other = if signature.as_bytes()[middle] == b'0' {
            "1"
        } else {
            "0"
        };
        signature.replace_range(middle..=middle, other);
        headers.insert(name, signature.parse().unwrap());
        let status = send(&world, account(&push), headers, push.body.clone()).await;
        assert!(status.is_client_error(), "{status}");
        assert_eq!(queued(&world), before);
    }
}

#[tokio::test]
async fn a_push_that_is_days_old_is_refused_and_queues_nothing() {
    let world = world().await;
    let pushes = pushes(&world).await;
    world.clock.advance(SignedDuration::from_hours(72));
    for push in pushes {
        let before = queued(&world);
        let answer = world.push(&push).await;
        assert!(answer.status.is_client_error(), "{answer:?}");
        assert_eq!(queued(&world), before);
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_unread() {
    let world = world().await;
    let body = Bytes::from(vec![b'x'; LARGEST_PUSH_BYTES + 1]);
    for account in ["ebay:main", "aliexpress:main"] {
        let status = send(&world, account, HeaderMap::new(), body.clone()).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    }
    assert_eq!(queued(&world), 0);
}

#[tokio::test]
async fn malformed_json_is_refused_even_when_it_is_rightly_signed() {
    let world = world().await;
    let body = Bytes::from_static(b"{\"data\":{\"orderId\":");
    let (key, secret) = (
        kervan_marketplaces::defaults::ALIEXPRESS_APP_KEY,
        kervan_marketplaces::defaults::ALIEXPRESS_APP_SECRET,
    );
    let signature =
        kervan_marketplaces::aliexpress::signature::push_authorization(key, secret, &body);
    let mut headers = HeaderMap::new();
    headers.insert("authorization", signature.parse().unwrap());
    let status = send(&world, "aliexpress:main", headers, body).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(queued(&world), 0);
}

#[tokio::test]
async fn an_unknown_account_is_not_found() {
    let world = world().await;
    let push = &pushes(&world).await[0];
    let before = queued(&world);
    for (marketplace, name) in [
        ("ebay", "other"),
        ("etsy", "main"),
        ("ebay", "../main"),
        ("", ""),
    ] {
        let request = Intake::Push {
            headers: push.headers.clone(),
            body: push.body.clone(),
        };
        let status = intake(&world.door, marketplace, name, request).await.status;
        assert_eq!(status, StatusCode::NOT_FOUND, "{marketplace}:{name}");
    }
    assert_eq!(queued(&world), before);
}

#[tokio::test]
async fn with_the_queue_down_the_marketplace_is_told_to_send_again() {
    let mut world = world().await;
    let pushes = pushes(&world).await;
    world.door.orders = Arc::new(UnsetQueue("KERVAN_ORDERS_QUEUE"));
    world.door.tracking = Arc::new(UnsetQueue("KERVAN_TRACKING_QUEUE"));
    for push in pushes {
        let answer = world.push(&push).await;
        assert!(answer.status.is_server_error(), "{answer:?}");
    }
}

#[tokio::test]
async fn with_the_key_out_of_reach_ebay_is_told_to_send_again() {
    let world = world().await;
    world.look_at_stock().await.unwrap();
    world.buy("LAMP-01", 1).unwrap();
    let push = &world
        .ebay
        .take_due_pushes(kervan::clock::Clock::now(&*world.clock))[0];
    let operation = kervan_marketplaces::ebay::EbayOperation::GetPublicKey;
    world
        .ebay
        .fail_next(operation, kervan_marketplaces::Fault::ServerError, 1);
    let answer = world.push(push).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(queued(&world), 0);
    world.clock.advance(SignedDuration::from_secs(10));
    assert_eq!(world.push(push).await.status, StatusCode::OK);
    assert_eq!(queued(&world), 1);
}
