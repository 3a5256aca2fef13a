//! The ports in memory.

use crate::ports::{cases, queue, seal, secrets, store};
use jiff::{SignedDuration, Timestamp};
use kervan::{
    clock::ManualClock,
    queue::{LONGEST_DELAY, LONGEST_HIDING, MemoryQueue, Outgoing, Queue},
    seal::MemorySeal,
    secrets::MemorySecrets,
    store::MemoryStore,
};
use std::{sync::Arc, time::Duration};

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(Timestamp::now()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn the_store_in_memory_behaves() {
    let clock = clock();
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let given = store::Given {
        store,
        clock,
        buyers: 10_000,
    };
    cases::run("MemoryStore", store::cases(given)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn the_queue_in_memory_behaves() {
    cases::run("MemoryQueue", queue::cases(Arc::new(Queues(clock())))).await;
}

/// Too long for a wait on AWS.
#[tokio::test]
async fn the_longest_delay_and_the_longest_hiding_end_when_they_should() {
    let clock = clock();
    let queue = MemoryQueue::new(clock.clone());
    let message = Outgoing {
        body: "{}".to_owned(),
        delay: LONGEST_DELAY,
    };
    queue.send(vec![message]).await.unwrap();
    for (seconds, deliveries) in [(15 * 60, 1), (12 * 60 * 60, 2)] {
        let receive = || queue.receive(1, LONGEST_HIDING, Duration::ZERO);
        clock.advance(SignedDuration::from_secs(seconds - 1));
        assert_eq!(receive().await.unwrap(), []);
        clock.advance(SignedDuration::from_secs(1));
        assert_eq!(receive().await.unwrap()[0].deliveries, deliveries);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn the_seal_in_memory_behaves() {
    cases::run("MemorySeal", seal::cases(Arc::new(MemorySeal::new()))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn the_secrets_in_memory_behave() {
    let secrets = Arc::new(Vault(MemorySecrets::new()));
    cases::run("MemorySecrets", secrets::cases(secrets)).await;
}

struct Queues(Arc<ManualClock>);

#[async_trait::async_trait]
impl queue::Queues for Queues {
    async fn make(&self, tries: u32) -> queue::Pair {
        let dead_letters = Arc::new(MemoryQueue::new(self.0.clone()));
        let queue = MemoryQueue::new(self.0.clone()).with_dead_letters(tries, dead_letters.clone());
        queue::Pair {
            queue: Arc::new(queue),
            dead_letters,
        }
    }

    async fn pass(&self, seconds: i64) {
        self.0.advance(SignedDuration::from_secs(seconds));
    }
}

struct Vault(MemorySecrets);

#[async_trait::async_trait]
impl secrets::Vault for Vault {
    fn secrets(&self) -> &dyn kervan::secrets::Secrets {
        &self.0
    }

    async fn put(&self, name: &str, text: &str) {
        self.0.put(name, text);
    }
}
