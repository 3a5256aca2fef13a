//! Many senders and receivers at once, some of which die.

use super::{LONG, Queues};
use crate::ports::cases::{Case, cases};
use kervan::queue::{Outgoing, Queue};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

const MESSAGES: usize = 1_000;
const SENDERS: usize = 4;
const RECEIVERS: usize = 8;
/// A receiver dies with every so manyth message: it neither deletes nor releases it.
const DIES_WITH: usize = 7;
/// Hidden so briefly that what the dead had comes again within the test.
const BRIEFLY: Duration = Duration::from_secs(2);
/// A receiver that finds nothing so often in a row goes home; SQS may give nothing though there is something.
const MOST_EMPTY: usize = 20;

pub(super) fn cases(queues: Arc<dyn Queues>) -> Vec<Case> {
    cases![queues;
        no_message_is_lost_between_senders_and_receivers_of_which_some_die,
    ]
}

async fn no_message_is_lost_between_senders_and_receivers_of_which_some_die(
    queues: Arc<dyn Queues>,
) {
    let pair = queues.make(5).await;
    let senders = (0..SENDERS).map(|sender| tokio::spawn(send_part(pair.queue.clone(), sender)));
    let senders = senders.collect::<Vec<_>>();
    let worked = Arc::new(Mutex::new(BTreeSet::new()));
    let receivers = |dies| {
        let receivers = (0..RECEIVERS).map(|_| {
            let (queue, worked) = (pair.queue.clone(), worked.clone());
            tokio::spawn(receive(queue, worked, dies))
        });
        receivers.collect::<Vec<_>>()
    };
    let mortal = receivers(true);
    for task in senders {
        task.await.unwrap();
    }
    let mut abandoned = BTreeSet::new();
    for task in mortal {
        abandoned.extend(task.await.unwrap());
    }
    assert!(!abandoned.is_empty(), "no receiver died");
    queues.pass(BRIEFLY.as_secs().try_into().unwrap()).await;
    for task in receivers(false) {
        task.await.unwrap();
    }
    let worked = worked.lock().unwrap().clone();
    let all = (0..MESSAGES).map(body).collect::<BTreeSet<_>>();
    assert!(worked == all, "{} of {}", worked.len(), all.len());
    for queue in [&pair.queue, &pair.dead_letters] {
        let left = queue.receive(10, LONG, Duration::ZERO).await.unwrap();
        assert_eq!(left, []);
    }
}

fn body(number: usize) -> String {
    format!("{{\"number\":{number}}}")
}

async fn send_part(queue: Arc<dyn Queue>, sender: usize) {
    let part = (0..MESSAGES).filter(|number| number % SENDERS == sender);
    let messages = part.map(|number| Outgoing::now(body(number)));
    let messages = messages.collect::<Vec<_>>();
    // Not all in one send, so that receivers are at work meanwhile.
    for some in messages.chunks(23) {
        queue.send(some.to_vec()).await.unwrap();
        tokio::task::yield_now().await;
    }
}

/// Works until nothing comes any more; returns what it had when it died.
async fn receive(
    queue: Arc<dyn Queue>,
    worked: Arc<Mutex<BTreeSet<String>>>,
    dies: bool,
) -> BTreeSet<String> {
    let (mut abandoned, mut seen, mut empty) = (BTreeSet::new(), 0, 0);
    while empty < MOST_EMPTY {
        let batch = queue.receive(10, BRIEFLY, Duration::ZERO).await.unwrap();
        empty = if batch.is_empty() { empty + 1 } else { 0 };
        if batch.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        for message in batch {
            seen += 1;
            if dies && seen % DIES_WITH == 0 {
                abandoned.insert(message.body);
                continue;
            }
            worked.lock().unwrap().insert(message.body);
            queue.delete(&message.receipt).await.unwrap();
        }
    }
    abandoned
}
