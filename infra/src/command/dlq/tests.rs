use super::*;
use jiff::SignedDuration;
use kervan::clock::ManualClock;
use kervan::queue::{MemoryQueue, Outgoing};
use serde_json::Value;
use std::sync::atomic::{AtomicU32, Ordering};

fn now() -> Timestamp {
    "2026-02-03T04:05:06Z".parse().unwrap()
}

async fn send(queue: &dyn Queue, bodies: &[&str]) {
    let messages = bodies.iter().map(|body| Outgoing::now((*body).to_owned()));
    queue.send(messages.collect()).await.unwrap();
}

const ORDER: &str = r#"{"account":"ebay:main","kind":"order_changed","id":"01-1","seen_at":"2026-02-03T01:00:00Z"}"#;
const ERASED: &str = r#"{"account":"ebay:main","kind":"person_erased","id":["ab12","cd34"],"seen_at":"2026-02-03T01:00:00Z"}"#;
const PUBLISH: &str = r#"{"task":"publish","skus":["A","B","C","D","E","F","G"]}"#;

struct Shop {
    clock: Arc<ManualClock>,
    queues: Vec<(Arc<MemoryQueue>, Arc<MemoryQueue>)>,
    pairs: Vec<Pair>,
}

/// Four queues with dead letters: signals, one of them unreadable, and a task.
async fn shop() -> Shop {
    let clock = Arc::new(ManualClock::at(now()));
    let queue = || Arc::new(MemoryQueue::new(clock.clone()));
    let queues: Vec<_> = Name::ALL.iter().map(|_| (queue(), queue())).collect();
    let pair =
        |(name, (dead_letters, source)): (&Name, &(Arc<MemoryQueue>, Arc<MemoryQueue>))| Pair {
            name: *name,
            dead_letters: dead_letters.clone(),
            source: source.clone(),
        };
    let pairs = Name::ALL.iter().zip(&queues).map(pair).collect();
    send(&*queues[0].0, &[ORDER, "not\n json", ERASED]).await;
    send(&*queues[2].0, &[PUBLISH]).await;
    clock.advance(SignedDuration::from_hours(3));
    Shop {
        clock,
        queues,
        pairs,
    }
}

async fn listed(shop: &Shop, limit: usize, as_json: bool) -> String {
    let (mut out, now) = (Vec::new(), shop.clock.now());
    list(&shop.pairs, limit, now, as_json, " --local", &mut out)
        .await
        .unwrap();
    String::from_utf8(out).unwrap()
}

#[tokio::test]
async fn dead_letters_are_listed_with_what_they_are_about_and_stay() {
    let shop = shop().await;
    let text = listed(&shop, 100, false).await;
    for part in [
        "orders: 3 messages\n",
        "order ebay:main/01-1 may have changed, seen 2026-02-03 01:00:00Z\n",
        "cannot be read: not\u{fffd} json\n",
        "a person of ebay:main is to be erased (2 pseudonyms)",
        "2026-02-03 04:05:06Z (3 h)  received 1 time  ",
        "tracking: 0 messages\n",
        "publish A, B, C, D, E, 2 more\n",
        "\n  cargo kervan dlq redrive orders --local\n  cargo kervan dlq redrive inventory --local\n",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    assert!(!text.contains('\u{1b}'));
    // They are there and visible at once, for the next who looks.
    let again: Value = serde_json::from_str(&listed(&shop, 100, true).await).unwrap();
    let orders = &again["queues"][0];
    assert_eq!(
        (&orders["count"], &orders["has_more"]),
        (&json!(3), &json!(false))
    );
    let messages = orders["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 3);
    assert_eq!(messages[0]["deliveries"], 2);
    assert_eq!(messages[0]["content"]["signal"]["id"], "01-1");
    assert!(messages[1]["content"]["unreadable"].is_string());
    assert_eq!(again["queues"][1]["messages"], json!([]));
}

#[tokio::test]
async fn a_long_list_says_that_there_is_more() {
    let shop = shop().await;
    let text = listed(&shop, 2, false).await;
    assert!(text.contains("orders: 3 messages\n"), "{text}");
    assert!(text.contains("… and 1 more"), "{text}");
}

#[tokio::test]
async fn nothing_that_lies_in_a_queue_makes_the_list_panic() {
    let long = "x".repeat(100_000);
    for body in [
        "",
        "null",
        "[]",
        "{}",
        "\"\u{0}\"",
        &"[".repeat(10_000),
        &"ü".repeat(161),
        &long,
    ] {
        for name in Name::ALL {
            let received = Received {
                id: "1".to_owned(),
                receipt: "1/1".to_owned(),
                body: body.to_owned(),
                deliveries: 6,
                sent_at: None,
            };
            let row = Message::read(name, received).as_row(now());
            let begins = match name {
                // What else is in one can be a buyer's, so nothing of it is shown.
                Name::Notifications => "a notification of Amazon",
                _ => "cannot be read",
            };
            assert!(row[3].starts_with(begins), "{row:?}");
            assert!(row[3].chars().count() < 200);
        }
    }
}

fn how(limit: Option<u64>, dry_run: bool) -> redrive::How {
    redrive::How {
        limit,
        dry_run,
        as_json: false,
    }
}

async fn redriven(shop: &Shop, how: redrive::How) -> (bool, String) {
    let mut out = Vec::new();
    let good = redrive::redrive(&shop.pairs, how, &mut out).await.unwrap();
    (good, String::from_utf8(out).unwrap())
}

#[tokio::test]
async fn messages_go_back_to_the_queues_that_they_came_from() {
    let shop = shop().await;
    let (good, text) = redriven(&shop, how(None, true)).await;
    assert!(
        good && text.starts_with("orders: 3 messages would be sent back\n"),
        "{text}"
    );
    assert_eq!(shop.queues[0].0.bodies().len(), 3);
    let (good, text) = redriven(&shop, how(Some(1), false)).await;
    assert!(
        good && text.contains("orders: 1 message sent back, about 2 left\n"),
        "{text}"
    );
    let (good, _) = redriven(&shop, how(None, false)).await;
    assert!(good);
    for (dead_letters, _) in &shop.queues {
        assert!(dead_letters.bodies().is_empty());
    }
    assert_eq!(shop.queues[0].1.bodies(), [ORDER, "not\n json", ERASED]);
    assert!(shop.queues[1].1.bodies().is_empty());
    assert_eq!(shop.queues[2].1.bodies(), [PUBLISH]);
}

#[tokio::test]
async fn many_messages_all_go_back() {
    let shop = shop().await;
    let bodies: Vec<String> = (0..137)
        .map(|number| format!("{{\"n\":{number}}}"))
        .collect();
    let all: Vec<&str> = bodies.iter().map(String::as_str).collect();
    send(&*shop.queues[1].0, &all).await;
    let (good, text) = redriven(&shop, how(None, false)).await;
    assert!(
        good && text.contains("tracking: 137 messages sent back\n"),
        "{text}"
    );
    assert_eq!(shop.queues[1].1.bodies().len(), 137);
}

/// A queue that fails at its n-th call of a kind.
#[derive(Debug)]
struct Broken {
    queue: Arc<MemoryQueue>,
    sends: AtomicU32,
    deletes: AtomicU32,
}

impl Broken {
    fn fails(left: &AtomicU32) -> bool {
        left.fetch_sub(1, Ordering::Relaxed) == 1
    }
}

#[async_trait::async_trait]
impl Queue for Broken {
    async fn send(&self, messages: Vec<Outgoing>) -> Result<(), QueueError> {
        if Self::fails(&self.sends) {
            return Err(QueueError("no answer in time".to_owned()));
        }
        self.queue.send(messages).await
    }

    async fn receive(
        &self,
        most: usize,
        visibility: Duration,
        wait: Duration,
    ) -> Result<Vec<Received>, QueueError> {
        self.queue.receive(most, visibility, wait).await
    }

    async fn delete(&self, receipt: &str) -> Result<(), QueueError> {
        if Self::fails(&self.deletes) {
            return Err(QueueError("no answer in time".to_owned()));
        }
        self.queue.delete(receipt).await
    }

    async fn release(&self, receipt: &str, after: Duration) -> Result<(), QueueError> {
        self.queue.release(receipt, after).await
    }

    async fn depth(&self) -> Result<Depth, QueueError> {
        self.queue.depth().await
    }
}

#[tokio::test]
async fn a_message_that_cannot_be_sent_or_removed_is_never_lost() {
    for (sends, deletes) in [(1, 0), (2, 0), (0, 1), (0, 13)] {
        let mut shop = shop().await;
        let bodies: Vec<String> = (0..22)
            .map(|number| format!("{{\"n\":{number}}}"))
            .collect();
        let all: Vec<&str> = bodies.iter().map(String::as_str).collect();
        send(&*shop.queues[1].0, &all).await;
        shop.pairs.truncate(2);
        let mut pair = shop.pairs.remove(1);
        let broken = |queue: &Arc<MemoryQueue>| Broken {
            queue: queue.clone(),
            sends: sends.into(),
            deletes: deletes.into(),
        };
        pair.dead_letters = Arc::new(broken(&shop.queues[1].0));
        pair.source = Arc::new(broken(&shop.queues[1].1));
        shop.pairs = vec![pair];
        let (good, text) = redriven(&shop, how(None, false)).await;
        assert!(!good, "{text}");
        let mut left = shop.queues[1].0.bodies();
        left.extend(shop.queues[1].1.bodies());
        for body in &bodies {
            assert!(left.contains(body), "{body} was lost: {text}");
        }
    }
}
