//! The road on the deployed stack: the real programs, built and deployed with SAM as a merchant does it, on a local stack
//! that stands for AWS. One test, because it deploys once; its parts are named in what it prints.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, in its helpers too, and says how far it is"
)]

use bytes::Bytes;
use kervan::domain::{Order, OrderKey, Phase};
use kervan::http::{Http, HttpClient};
use kervan::queue::{Outgoing, Queue};
use kervan_end_to_end::{BUYER_WORDS, known_buyer};
use kervan_infra::shop::{Shop, ShopOptions};
use kervan_marketplaces::aliexpress::{AliExpressOperation, signature::push_authorization};
use kervan_marketplaces::ebay::{EbayOperation, NewListing, NewOrder};
use kervan_marketplaces::{Fault, Money, defaults};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Orders that go through beside those that meet a fault.
const PLAIN_ORDERS: u32 = 10;
/// Enough for a lease to run out and for a message's five deliveries; not a figure of speed.
const PATIENCE: Duration = Duration::from_secs(420);

#[tokio::test(flavor = "multi_thread")]
async fn orders_cross_the_deployed_stack_whatever_fails_on_the_way() {
    let progress = Arc::new(|line: &str| eprintln!("{line}"));
    let options = ShopOptions {
        ships_after: Duration::from_secs(2),
        delivers_after: Duration::from_secs(2),
        ..ShopOptions::default()
    };
    let shop = Shop::open(options, progress).await.unwrap();
    the_door_takes_only_what_is_authentic(&shop).await;
    let poison = a_poison_message(&shop).await;
    let unmapped = an_unmapped_sku(&shop);
    let faulty = orders_that_meet_faults(&shop).await;
    let plain: Vec<OrderKey> = (0..PLAIN_ORDERS)
        .map(|index| shop.buy(shop.basket(3, index)).unwrap())
        .collect();
    let all: Vec<OrderKey> = faulty.into_iter().chain(plain).collect();
    eprintln!("Waiting for {} orders to arrive", all.len());
    for key in &all {
        wait_for(&shop, key, "done", |order| order.phase == Phase::Done).await;
    }
    wait_for(&shop, &unmapped, "in the attention list", |order| {
        order
            .attention
            .as_ref()
            .is_some_and(|a| a.reason.code() == "sku_not_mapped")
    })
    .await;
    nothing_happened_twice(&shop, all.len());
    the_poison_lies_in_the_dead_letter_queue(&shop, &poison).await;
    nothing_was_written_in_the_open(&shop).await;
    shop.close().await;
}

async fn post(shop: &Shop, account: (&str, &str), headers: &[(&str, &str)], body: &[u8]) -> u16 {
    let mut request = http::Request::post(shop.deployment.webhook_url(account.0, account.1))
        .header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Bytes::copy_from_slice(body)).unwrap();
    let client = HttpClient::new(Duration::from_secs(30)).unwrap();
    client.send(request).await.unwrap().status().as_u16()
}

async fn the_door_takes_only_what_is_authentic(shop: &Shop) {
    eprintln!("The door");
    let body = br#"{"data":{"orderId":1},"message_type":53,"timestamp":1}"#;
    for account in [("ebay", "main"), ("aliexpress", "main")] {
        let status = post(shop, account, &[], body).await;
        assert!(
            (400..500).contains(&status),
            "unsigned at {account:?}: {status}"
        );
    }
    let signed = |body: &[u8]| {
        push_authorization(
            defaults::ALIEXPRESS_APP_KEY,
            defaults::ALIEXPRESS_APP_SECRET,
            body,
        )
    };
    let supplier = ("aliexpress", "main");
    let wrong = signed(b"another body");
    assert_eq!(
        post(shop, supplier, &[("authorization", &wrong)], body).await,
        401
    );
    let stale = signed(body);
    let status = post(shop, supplier, &[("authorization", &stale)], body).await;
    assert!((400..500).contains(&status), "a push of 1970: {status}");
    let broken = b"{\"data\":";
    assert_eq!(
        post(
            shop,
            supplier,
            &[("authorization", &signed(broken))],
            broken
        )
        .await,
        400
    );
    assert_eq!(post(shop, ("ebay", "other"), &[], body).await, 404);
    let large = vec![b'x'; 200 * 1024];
    assert_eq!(post(shop, supplier, &[], &large).await, 413);
    assert!(
        shop.logs()
            .await
            .unwrap()
            .iter()
            .all(|line| !line.text.contains("A push was queued."))
    );
}

/// Three messages that no worker understands, in front of all orders.
async fn a_poison_message(shop: &Shop) -> Vec<String> {
    let bodies: Vec<String> = (0..3)
        .map(|number| format!("{{\"kind\":\"nonsense\",\"number\":{number}}}"))
        .collect();
    let messages = bodies.iter().cloned().map(Outgoing::now).collect();
    shop.queue(&shop.deployment.queues.orders)
        .send(messages)
        .await
        .unwrap();
    bodies
}

fn an_unmapped_sku(shop: &Shop) -> OrderKey {
    shop.simulators
        .ebay
        .add_listing(NewListing::new("NOT-MAPPED", Money::usd(9_99), 5));
    shop.buy(NewOrder::one("NOT-MAPPED", 1)).unwrap()
}

/// One order whose purchase is answered too late, one whose confirmation is, one of a known buyer; every push twice.
async fn orders_that_meet_faults(shop: &Shop) -> Vec<OrderKey> {
    let (ebay, aliexpress) = (&shop.simulators.ebay, &shop.simulators.aliexpress);
    let mut settings = ebay.settings();
    settings.push_copies = 2;
    ebay.set_settings(settings);
    let mut settings = aliexpress.settings();
    settings.repeat_answers_first_ids = true;
    aliexpress.set_settings(settings);
    aliexpress.fail_next(AliExpressOperation::OrderCreate, Fault::TimeoutAfter, 1);
    ebay.fail_next(
        EbayOperation::CreateShippingFulfillment,
        Fault::TimeoutAfter,
        1,
    );
    let lost_answer = shop.buy(NewOrder::one("TEAPOT-08", 1)).unwrap();
    let mut known = NewOrder::one("RUG-SMALL", 1);
    known.buyer = Some(known_buyer());
    vec![lost_answer, shop.buy(known).unwrap()]
}

async fn wait_for(shop: &Shop, key: &OrderKey, what: &str, is: impl Fn(&Order) -> bool) {
    let started = Instant::now();
    loop {
        let order = shop.order(key).await.unwrap();
        if order.as_ref().is_some_and(&is) {
            return;
        }
        if started.elapsed() > PATIENCE {
            let log = kervan_infra::process::last_lines(&shop.stack().log_file());
            panic!("{key} is not {what}: {order:#?}\n{log}");
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Counted at the marketplaces, not in our own table.
fn nothing_happened_twice(shop: &Shop, arrived: usize) {
    let supplier = shop.simulators.aliexpress.counters();
    assert_eq!(supplier.purchases_by_out_order_id.len(), arrived);
    assert!(
        supplier
            .purchases_by_out_order_id
            .values()
            .all(|times| *times == 1),
        "{supplier:?}"
    );
    assert_eq!(supplier.purchases_without_reference, 0);
    assert_eq!(supplier.refresh_races, 0);
    assert!(
        supplier.repeats_recognised >= 1,
        "the lost answer was not looked into"
    );
    assert_eq!(shop.simulators.ebay.counters().duplicate_fulfillments, 0);
}

async fn the_poison_lies_in_the_dead_letter_queue(shop: &Shop, poison: &[String]) {
    eprintln!("Waiting for the dead-letter queue");
    let dead = shop.queue(&shop.deployment.queues.orders_dead_letters);
    let started = Instant::now();
    let mut found: Vec<String> = Vec::new();
    while found.len() < poison.len() && started.elapsed() < PATIENCE {
        let received = dead
            .receive(10, Duration::from_secs(600), Duration::from_secs(2))
            .await;
        found.extend(received.unwrap().into_iter().map(|message| message.body));
    }
    found.sort();
    assert_eq!(found, poison);
}

/// Searches everything that came out: every item of the table, every log line, every message that is left.
async fn nothing_was_written_in_the_open(shop: &Shop) {
    let mut written = String::new();
    let mut pages = shop
        .aws
        .dynamodb()
        .scan()
        .table_name(&shop.deployment.table)
        .into_paginator()
        .items()
        .send();
    while let Some(item) = pages.next().await {
        written.push_str(&format!("{:?}\n", item.unwrap()));
    }
    let logs = shop.logs().await.unwrap();
    assert!(logs.len() > 20, "the functions' logs were not found");
    for line in &logs {
        written.push_str(&line.text);
    }
    written.push_str(&std::fs::read_to_string(shop.stack().log_file()).unwrap());
    let secrets = [
        defaults::EBAY_CLIENT_SECRET,
        defaults::EBAY_REFRESH_TOKEN,
        defaults::ALIEXPRESS_APP_SECRET,
        defaults::ALIEXPRESS_REFRESH_TOKEN,
    ];
    for word in BUYER_WORDS.into_iter().chain(secrets) {
        assert!(!written.contains(word), "{word} was written in the open");
    }
}
