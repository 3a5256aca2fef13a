//! The road on the deployed stack: the real programs, built and deployed with SAM as a merchant does it, on a local stack
//! that stands for AWS. One test, because it deploys once; its parts are named in what it prints.

use aws_sdk_sqs::types::QueueAttributeName;
use bytes::Bytes;
use kervan::domain::OrderKey;
use kervan::http::{Http, HttpClient};
use kervan::queue::{Outgoing, Queue};
use kervan_end_to_end::{NEVER_IN_THE_OPEN, known_buyer};
use kervan_infra::shop::{Shop, ShopOptions};
use kervan_marketplaces::aliexpress::signature::push_authorization;
use kervan_marketplaces::ebay::{NewListing, NewOrder};
use kervan_marketplaces::{Money, defaults};
use std::sync::Arc;
use std::time::{Duration, Instant};
use storm::{Damage, storm};

mod ends;
mod kills;
mod storm;

/// Where KERVAN_STORM_SEED names no other: what comes at random comes again with the same number. Which process meets it
/// is up to the machine.
const SEED: u64 = 3;
/// What a killed process had of its queue comes again after this time instead of the template's six minutes, which would
/// only be waited for. It is longer than any of the functions runs.
const VISIBILITY: Duration = Duration::from_secs(70);
/// Enough for what a killed process had of its queue to come again several times; not a figure of speed.
const PATIENCE: Duration = Duration::from_secs(600);

#[tokio::test(flavor = "multi_thread")]
async fn orders_cross_the_deployed_stack_whatever_fails_on_the_way() {
    let progress = Arc::new(|line: &str| eprintln!("{line}"));
    let seed = std::env::var("KERVAN_STORM_SEED");
    let seed = seed.map_or(SEED, |seed| seed.parse().unwrap());
    let options = ShopOptions {
        seed,
        ships_after: Duration::from_secs(30),
        delivers_after: Duration::from_secs(5),
        ..ShopOptions::default()
    };
    let shop = Shop::open(options, progress).await.unwrap();
    shorten_visibility(&shop).await;
    the_door_takes_only_what_is_authentic(&shop).await;
    let poison = a_poison_message(&shop).await;
    let unmapped = an_unmapped_sku(&shop);
    let mut known = NewOrder::one("RUG-SMALL", 1);
    known.buyer = Some(known_buyer());

    eprintln!("The storm, with KERVAN_STORM_SEED={seed}");
    let (started, damage) = (Instant::now(), Damage::default());
    let orders = async {
        let orders = storm(&shop, seed, known, &damage).await;
        eprintln!("The storm is over; waiting for the orders to arrive");
        ends::all_are_done(&shop, &orders, PATIENCE).await;
        orders
    };
    let orders = tokio::select! {
        orders = orders => orders,
        () = storm::ticks(&shop, &damage) => unreachable!("the schedules fire for ever"),
    };
    eprintln!("All orders arrived after {} s", started.elapsed().as_secs());
    ends::everything_was_bought_once(&shop, &orders);
    let parcels = ends::every_parcel_was_confirmed_once(&shop, &orders);
    ends::every_history_makes_its_state(&shop, &orders).await;
    ends::tell(&shop, &damage, orders.len(), parcels);

    it_waits_for_a_person(&shop, &unmapped, "sku_not_mapped").await;
    the_poison_lies_in_the_dead_letter_queue(&shop, &poison).await;
    nothing_was_written_in_the_open(&shop).await;
    shop.close().await;
}

async fn shorten_visibility(shop: &Shop) {
    let queues = &shop.deployment.queues;
    for queue in [&queues.orders, &queues.tracking, &queues.inventory] {
        let seconds = VISIBILITY.as_secs().to_string();
        let request = shop.aws.sqs().set_queue_attributes().queue_url(queue);
        let set = request.attributes(QueueAttributeName::VisibilityTimeout, seconds);
        set.send().await.unwrap();
    }
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

async fn it_waits_for_a_person(shop: &Shop, key: &OrderKey, reason: &str) {
    let order = shop.order(key).await.unwrap().unwrap();
    let attention = order.attention.as_ref();
    let found = attention.map(|attention| attention.reason.code());
    assert_eq!(found.as_deref(), Some(reason), "{order:#?}");
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
    for word in NEVER_IN_THE_OPEN {
        assert!(!written.contains(word), "{word} was written in the open");
    }
}
