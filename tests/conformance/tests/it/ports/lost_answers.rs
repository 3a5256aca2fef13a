//! Writes whose answer is lost on its way back: what the store on AWS promises where the one in memory has nothing to
//! lose. A proxy stands before the local stack and breaks connections off after the effect.

use crate::ports::store::{Given, add, item, put};
use kervan::{
    aws::Aws,
    store::{Condition, DynamoDb, Guard, Key, StoreError, Write, WriteError},
};
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What the cases are given: the table directly, and through the proxy.
#[derive(Clone)]
pub(crate) struct Lossy {
    direct: Given,
    through: Given,
    to_lose: Arc<AtomicU32>,
}

impl Lossy {
    pub(crate) async fn new(direct: Given, endpoint: &str, table: &str) -> Self {
        let to_lose = Arc::new(AtomicU32::new(0));
        let proxy = proxy(endpoint, to_lose.clone()).await;
        let client = Aws::local(&proxy).dynamodb();
        let store = DynamoDb::new(client, table, direct.clock.clone());
        let through = Given {
            store: Arc::new(store),
            clock: direct.clock.clone(),
            buyers: direct.buyers,
        };
        Self {
            direct,
            through,
            to_lose,
        }
    }

    /// Writes with so many answers lost.
    async fn write(&self, answers: u32, writes: Vec<Write>) -> Result<(), WriteError> {
        self.to_lose.store(answers, Ordering::SeqCst);
        let outcome = self.through.store.write(writes).await;
        assert_eq!(self.to_lose.load(Ordering::SeqCst), 0, "no answer was lost");
        outcome
    }
}

/// Sends again under the same token, and DynamoDB knows it: the caller does not even notice.
pub(crate) async fn a_transaction_whose_answer_is_lost_is_applied_once(lossy: Lossy) {
    let offer = stocked(&lossy, "LOST1").await;
    for (answers, left) in [(1, 9), (2, 8)] {
        let order = item("LOST1-orders", &answers.to_string());
        let writes = vec![put(order, Condition::Absent), take(&offer)];
        lossy.write(answers, writes).await.unwrap();
        assert_eq!(free(&lossy, &offer).await, left);
    }
}

/// Every answer of every attempt is lost: the outcome is a doubt, and the caller who makes the write again learns from
/// his own version that it was applied.
pub(crate) async fn a_transaction_of_which_nothing_is_heard_is_a_doubt_that_its_version_settles(
    lossy: Lossy,
) {
    let offer = stocked(&lossy, "LOST2").await;
    let order = item("LOST2-orders", "A");
    let writes = vec![put(order.clone(), Condition::Absent), take(&offer)];
    doubt(lossy.write(3, writes.clone()).await);
    assert_eq!(free(&lossy, &offer).await, 9);
    let again = lossy.direct.store.write(writes).await;
    assert!(
        matches!(&again, Err(WriteError::Conflict(places)) if *places == [0]),
        "{again:?}"
    );
    assert_eq!(free(&lossy, &offer).await, 9);
    assert_eq!(lossy.direct.get(&order.key).await, Some(order));
}

/// Not sent again, because nothing would tell the second one from the first.
pub(crate) async fn a_single_write_whose_answer_is_lost_is_a_doubt_and_applied_once(lossy: Lossy) {
    let offer = stocked(&lossy, "LOST3").await;
    doubt(lossy.write(1, vec![take(&offer)]).await);
    assert_eq!(free(&lossy, &offer).await, 9);
    let mut changed = item("LOST3", "OFFER#1");
    changed.version = 2;
    let put = put(changed.clone(), Condition::Version(1));
    doubt(lossy.write(1, vec![put]).await);
    assert_eq!(lossy.direct.get(&offer).await, Some(changed));
}

/// A read is sent again.
pub(crate) async fn a_read_whose_answer_is_lost_is_read_again(lossy: Lossy) {
    let offer = stocked(&lossy, "LOST4").await;
    lossy.to_lose.store(2, Ordering::SeqCst);
    let read = lossy.through.store.get(&offer).await.unwrap();
    assert_eq!(read.unwrap().counters["free"], 10);
    assert_eq!(lossy.to_lose.load(Ordering::SeqCst), 0);
}

async fn stocked(lossy: &Lossy, pk: &str) -> Key {
    let mut offer = item(pk, "OFFER#1");
    offer.counters.insert("free".to_owned(), 10);
    lossy.direct.keep(offer.clone()).await;
    offer.key
}

async fn free(lossy: &Lossy, offer: &Key) -> i64 {
    lossy.direct.get(offer).await.unwrap().counters["free"]
}

fn take(offer: &Key) -> Write {
    add(offer, vec![("free", -1)], vec![Guard::AtLeast("free", 1)])
}

fn doubt(outcome: Result<(), WriteError>) {
    let doubt = matches!(outcome, Err(WriteError::Store(StoreError::Unavailable(_))));
    assert!(doubt, "{outcome:?}");
}

/// Where it listens. As long as there are answers to lose, a connection is broken off when its answer begins.
async fn proxy(endpoint: &str, to_lose: Arc<AtomicU32>) -> String {
    let stack = endpoint.trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(&stack).await.unwrap();
            tokio::spawn(pass(client, server, to_lose.clone()));
        }
    });
    format!("http://{address}")
}

async fn pass(client: TcpStream, server: TcpStream, to_lose: Arc<AtomicU32>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let up = tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
    let mut answer = vec![0; 64 * 1024];
    while let Ok(bytes @ 1..) = from_server.read(&mut answer).await {
        let order = Ordering::SeqCst;
        if to_lose
            .fetch_update(order, order, |left| left.checked_sub(1))
            .is_ok()
        {
            break;
        }
        if to_client.write_all(&answer[..bytes]).await.is_err() {
            break;
        }
    }
    up.abort();
}
