//! When a write that must not be applied twice may be sent again.

use aws_sdk_dynamodb::config::{
    Builder, Config,
    retry::{ClassifyRetry, RetryAction},
};
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;

/// Sends again only after an answer below 500, which says that the write was refused: too many requests, for example.
/// Without an answer, or with a fault of the service, the write may have been applied; its caller has to read.
pub(super) fn only_after_a_refusal() -> Builder {
    Config::builder().retry_classifier(OnlyAfterARefusal)
}

#[derive(Debug)]
struct OnlyAfterARefusal;

impl ClassifyRetry for OnlyAfterARefusal {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        match context.response() {
            Some(answer) if answer.status().as_u16() < 500 => RetryAction::NoActionIndicated,
            _ => RetryAction::RetryForbidden,
        }
    }

    fn name(&self) -> &'static str {
        "OnlyAfterARefusal"
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        aws::Aws,
        clock::SystemClock,
        store::{Condition, DynamoDb, Item, Key, Store, StoreError, Write, WriteError},
    };
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    const LOST: &str = "";
    const BROKEN: &str = "HTTP/1.1 500 Broken\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    const THROTTLED: &str = "HTTP/1.1 400 Throttled\r\ncontent-length: 35\r\nconnection: close\r\n\r\n\
        {\"__type\":\"x#ThrottlingException\"}  ";

    /// Gives each request the same answer; tells the store there and how many requests came.
    async fn answering(answer: &'static str) -> (DynamoDb, Arc<AtomicU32>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicU32::new(0));
        let seen = requests.clone();
        tokio::spawn(async move {
            loop {
                let (mut connection, _) = listener.accept().await.unwrap();
                let mut request = [0; 8192];
                if connection.read(&mut request).await.unwrap_or_default() > 0 {
                    seen.fetch_add(1, Ordering::SeqCst);
                    let _ = connection.write_all(answer.as_bytes()).await;
                }
            }
        });
        let client = Aws::local(&endpoint).dynamodb();
        (
            DynamoDb::new(client, "any", Arc::new(SystemClock)),
            requests,
        )
    }

    /// How often a write is sent that is answered like this.
    async fn tries(answer: &'static str, write: Write) -> u32 {
        let (store, requests) = answering(answer).await;
        let outcome = store.write(vec![write]).await;
        let unavailable = WriteError::Store(StoreError::Unavailable(String::new()));
        let same = std::mem::discriminant(&unavailable);
        assert_eq!(std::mem::discriminant(&outcome.unwrap_err()), same);
        requests.load(Ordering::SeqCst)
    }

    fn put(only_if: Condition) -> Write {
        let item = Item::new(Key::new("A", "B"), 1, "{}".to_owned());
        Write::Put { item, only_if }
    }

    fn add() -> Write {
        Write::Update {
            key: Key::new("A", "B"),
            set_body: None,
            set_due: None,
            add: vec![("free", -1)],
            only_if: vec![],
        }
    }

    #[tokio::test]
    async fn a_write_that_may_have_been_applied_is_not_sent_again() {
        for answer in [LOST, BROKEN] {
            assert_eq!(tries(answer, put(Condition::Absent)).await, 1);
            assert_eq!(tries(answer, add()).await, 1);
        }
    }

    #[tokio::test]
    async fn a_throttled_write_is_sent_again() {
        assert_eq!(tries(THROTTLED, put(Condition::Absent)).await, 3);
        assert_eq!(tries(THROTTLED, add()).await, 3);
    }

    #[tokio::test]
    async fn a_write_that_may_be_applied_twice_is_sent_again() {
        assert_eq!(tries(LOST, put(Condition::Always)).await, 3);
        assert_eq!(tries(BROKEN, put(Condition::Always)).await, 3);
    }
}
