//! The behaviour of a queue.

mod concurrency;
mod protocol;

use crate::ports::cases::{Case, cases};
use kervan::queue::{Depth, LARGEST_BODY_BYTES, LONGEST_DELAY, Outgoing, Queue, Received};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// A queue and where its dead letters go.
pub(crate) struct Pair {
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) dead_letters: Arc<dyn Queue>,
}

/// Makes queues, and lets time pass for them.
#[async_trait::async_trait]
pub(crate) trait Queues: Send + Sync {
    /// New ones, where a message is tried so often.
    async fn make(&self, tries: u32) -> Pair;
    async fn pass(&self, seconds: i64);
}

/// Longer than any case takes.
const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_secs(1);

pub(crate) fn cases(queues: Arc<dyn Queues>) -> Vec<Case> {
    let mut cases = basics(queues.clone());
    cases.extend(protocol::cases(queues.clone()));
    cases.extend(concurrency::cases(queues));
    cases
}

fn basics(queues: Arc<dyn Queues>) -> Vec<Case> {
    cases![queues;
        what_was_sent_is_received_once_while_it_is_hidden,
        a_message_comes_again_unless_it_was_deleted,
        a_delayed_message_comes_later,
        a_released_message_comes_when_it_was_told_to,
        a_deleted_message_never_comes_again,
        many_messages_all_arrive,
        a_message_tried_too_often_becomes_a_dead_letter,
        what_is_too_large_is_refused_before_anything_is_sent,
        an_empty_batch_is_fine,
        visible_and_hidden_messages_are_counted,
        the_time_of_sending_stays_over_deliveries,
    ]
}

async fn one(queue: &dyn Queue, visibility: Duration) -> Option<Received> {
    let mut received = queue.receive(1, visibility, Duration::ZERO).await.unwrap();
    assert!(received.len() <= 1);
    received.pop()
}

async fn send(queue: &dyn Queue, body: &str) {
    let message = Outgoing::now(body.to_owned());
    queue.send(vec![message]).await.unwrap();
}

async fn what_was_sent_is_received_once_while_it_is_hidden(queues: Arc<dyn Queues>) {
    let queue = queues.make(5).await.queue;
    let body = "{\"order\":\"01-1\",\"ü\":\"😀\\n<&>\"}";
    send(&*queue, body).await;
    let received = one(&*queue, LONG).await.unwrap();
    assert_eq!((received.body.as_str(), received.deliveries), (body, 1));
    assert_eq!(one(&*queue, LONG).await, None);
}

async fn a_message_comes_again_unless_it_was_deleted(queues: Arc<dyn Queues>) {
    let queue = queues.make(5).await.queue;
    send(&*queue, "{}").await;
    let first = one(&*queue, SHORT).await.unwrap();
    queues.pass(1).await;
    let second = one(&*queue, LONG).await.unwrap();
    assert_eq!(second.id, first.id);
    assert_eq!((first.deliveries, second.deliveries), (1, 2));
    assert_ne!(second.receipt, first.receipt);
}

async fn a_delayed_message_comes_later(queues: Arc<dyn Queues>) {
    let queue = queues.make(5).await.queue;
    let message = Outgoing {
        body: "{}".to_owned(),
        delay: Duration::from_millis(1_500),
    };
    queue.send(vec![message]).await.unwrap();
    assert_eq!(one(&*queue, LONG).await, None);
    queues.pass(2).await;
    assert_eq!(one(&*queue, LONG).await.unwrap().deliveries, 1);
}

async fn a_released_message_comes_when_it_was_told_to(queues: Arc<dyn Queues>) {
    let queue = queues.make(5).await.queue;
    send(&*queue, "{}").await;
    let first = one(&*queue, LONG).await.unwrap();
    queue.release(&first.receipt, Duration::ZERO).await.unwrap();
    let second = one(&*queue, LONG).await.unwrap();
    assert_eq!((&second.id, second.deliveries), (&first.id, 2));
    queue.release(&second.receipt, SHORT).await.unwrap();
    assert_eq!(one(&*queue, LONG).await, None);
    queues.pass(1).await;
    assert_eq!(one(&*queue, LONG).await.unwrap().deliveries, 3);
}

async fn a_deleted_message_never_comes_again(queues: Arc<dyn Queues>) {
    let queue = queues.make(5).await.queue;
    send(&*queue, "{}").await;
    let received = one(&*queue, SHORT).await.unwrap();
    queue.delete(&received.receipt).await.unwrap();
    queues.pass(1).await;
    assert_eq!(one(&*queue, LONG).await, None);
}

async fn many_messages_all_arrive(queues: Arc<dyn Queues>) {
    let queue = queues.make(5).await.queue;
    let sent = (0..25).map(|number| format!("{{\"n\":{number}}}"));
    let sent = sent.collect::<BTreeSet<_>>();
    let messages = sent.iter().cloned().map(Outgoing::now).collect();
    queue.send(messages).await.unwrap();
    let mut received = BTreeSet::new();
    // SQS may give fewer than asked for.
    for _ in 0..50 {
        for message in queue.receive(10, LONG, Duration::ZERO).await.unwrap() {
            queue.delete(&message.receipt).await.unwrap();
            assert!(received.insert(message.body));
        }
    }
    assert_eq!(received, sent);
}

async fn a_message_tried_too_often_becomes_a_dead_letter(queues: Arc<dyn Queues>) {
    let Pair {
        queue,
        dead_letters,
    } = queues.make(2).await;
    send(&*queue, "{\"poison\":true}").await;
    for deliveries in [1, 2] {
        let received = one(&*queue, LONG).await.unwrap();
        assert_eq!(received.deliveries, deliveries);
        assert_eq!(one(&*dead_letters, LONG).await, None);
        queue
            .release(&received.receipt, Duration::ZERO)
            .await
            .unwrap();
    }
    assert_eq!(one(&*queue, LONG).await, None);
    let dead = one(&*dead_letters, LONG).await.unwrap();
    assert_eq!(dead.body, "{\"poison\":true}");
}

async fn what_is_too_large_is_refused_before_anything_is_sent(queues: Arc<dyn Queues>) {
    let queue = queues.make(5).await.queue;
    let bad = [
        Outgoing::now("x".repeat(LARGEST_BODY_BYTES + 1)),
        Outgoing::now(String::new()),
        Outgoing {
            body: "{}".to_owned(),
            delay: LONGEST_DELAY + SHORT,
        },
    ];
    for message in bad {
        let good = Outgoing::now("{}".to_owned());
        assert!(queue.send(vec![good, message]).await.is_err());
    }
    assert_eq!(one(&*queue, LONG).await, None);
    send(&*queue, &"x".repeat(LARGEST_BODY_BYTES)).await;
    let received = one(&*queue, LONG).await.unwrap();
    assert_eq!(received.body.len(), LARGEST_BODY_BYTES);
}

async fn an_empty_batch_is_fine(queues: Arc<dyn Queues>) {
    let queue = queues.make(5).await.queue;
    queue.send(Vec::new()).await.unwrap();
    assert_eq!(one(&*queue, LONG).await, None);
}

async fn visible_and_hidden_messages_are_counted(queues: Arc<dyn Queues>) {
    let queue = queues.make(5).await.queue;
    assert_eq!(queue.depth().await.unwrap(), Depth::default());
    for body in ["1", "2", "3"] {
        send(&*queue, body).await;
    }
    let delayed = Outgoing {
        body: "4".to_owned(),
        delay: LONG,
    };
    queue.send(vec![delayed]).await.unwrap();
    let received = one(&*queue, LONG).await.unwrap();
    let depth = |visible, hidden| Depth { visible, hidden };
    assert_eq!(queue.depth().await.unwrap(), depth(2, 2));
    queue.delete(&received.receipt).await.unwrap();
    assert_eq!(queue.depth().await.unwrap(), depth(2, 1));
}

async fn the_time_of_sending_stays_over_deliveries(queues: Arc<dyn Queues>) {
    let queue = queues.make(5).await.queue;
    send(&*queue, "{}").await;
    let first = one(&*queue, SHORT).await.unwrap();
    queues.pass(2).await;
    let second = one(&*queue, SHORT).await.unwrap();
    assert!(first.sent_at.is_some());
    assert_eq!(second.sent_at, first.sent_at);
}
