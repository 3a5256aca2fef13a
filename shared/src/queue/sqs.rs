//! The queue on SQS: a standard queue.

use super::{
    Depth, LARGEST_BODY_BYTES, MOST_IN_A_CALL, Outgoing, Queue, QueueError, Received, check,
    check_hiding, whole_seconds,
};
use crate::aws::{self, Fault};
use async_trait::async_trait;
use aws_sdk_sqs::{
    Client,
    config::Config,
    error::{ProvideErrorMetadata, SdkError},
    types::{
        Message, MessageSystemAttributeName, QueueAttributeName, SendMessageBatchRequestEntry,
    },
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use std::{error::Error, time::Duration};

/// The longest wait of a receive (SQS's own limit).
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// Calls that are made side by side: one takes some ten milliseconds, and a run of the poller has hundreds of them.
const SENDS_AT_ONCE: usize = 8;

/// What a queue counts: visible messages, received ones, delayed ones.
const COUNTS: [QueueAttributeName; 3] = [
    QueueAttributeName::ApproximateNumberOfMessages,
    QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
    QueueAttributeName::ApproximateNumberOfMessagesDelayed,
];

/// A queue of SQS.
#[derive(Debug, Clone)]
pub struct Sqs {
    client: Client,
    url: String,
}

impl Sqs {
    /// The queue at `url`.
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self {
            client,
            url: url.into(),
        }
    }

    async fn send_call(&self, messages: &[Outgoing]) -> Result<(), QueueError> {
        let entry = |(place, message): (usize, &Outgoing)| {
            SendMessageBatchRequestEntry::builder()
                .id(place.to_string())
                .message_body(&message.body)
                .delay_seconds(seconds(message.delay))
                .build()
        };
        let entries = messages.iter().enumerate().map(entry);
        let entries = entries
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| QueueError(error.to_string()))?;
        let answer = self
            .client
            .send_message_batch()
            .queue_url(&self.url)
            .set_entries(Some(entries))
            .send()
            .await
            .map_err(|error| failed(&error))?;
        let Some(first) = answer.failed().first() else {
            return Ok(());
        };
        let (count, code) = (answer.failed().len(), first.code());
        let why = first.message().unwrap_or_default();
        Err(QueueError(format!(
            "{count} of {} messages were not taken: {code}: {why}",
            messages.len()
        )))
    }
}

#[async_trait]
impl Queue for Sqs {
    async fn send(&self, messages: Vec<Outgoing>) -> Result<(), QueueError> {
        check(&messages)?;
        let calls = in_calls(&messages).into_iter();
        let sent: Vec<_> = calls.map(|call| self.send_call(call)).collect();
        stream::iter(sent)
            .buffer_unordered(SENDS_AT_ONCE)
            .try_collect()
            .await
    }

    async fn receive(
        &self,
        most: usize,
        visibility: Duration,
        wait: Duration,
    ) -> Result<Vec<Received>, QueueError> {
        check_hiding(visibility)?;
        let wait = wait.min(LONGEST_WAIT);
        let most = most.clamp(1, MOST_IN_A_CALL);
        let patience = Config::builder().timeout_config(aws::timeouts(wait));
        let answer = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(i32::try_from(most).unwrap_or(1))
            .visibility_timeout(seconds(visibility))
            .wait_time_seconds(seconds(wait))
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
            .customize()
            .config_override(patience)
            .send()
            .await
            .map_err(|error| failed(&error))?;
        let messages = answer.messages.unwrap_or_default().into_iter();
        messages.map(received).collect()
    }

    async fn delete(&self, receipt: &str) -> Result<(), QueueError> {
        let call = self.client.delete_message().queue_url(&self.url);
        let sent = call.receipt_handle(receipt).send().await;
        sent.map_err(|error| failed(&error))?;
        Ok(())
    }

    async fn release(&self, receipt: &str, after: Duration) -> Result<(), QueueError> {
        check_hiding(after)?;
        let call = self.client.change_message_visibility().queue_url(&self.url);
        let call = call
            .receipt_handle(receipt)
            .visibility_timeout(seconds(after));
        call.send().await.map_err(|error| failed(&error))?;
        Ok(())
    }

    async fn depth(&self) -> Result<Depth, QueueError> {
        let call = self.client.get_queue_attributes().queue_url(&self.url);
        let call = call.set_attribute_names(Some(COUNTS.to_vec()));
        let answer = call.send().await.map_err(|error| failed(&error))?;
        let counts = answer.attributes.unwrap_or_default();
        let count = |name: &QueueAttributeName| {
            let count = counts.get(name).and_then(|count| count.parse::<u64>().ok());
            count.ok_or_else(|| QueueError(format!("the queue did not say its {name}")))
        };
        let [visible, received, delayed] = &COUNTS;
        Ok(Depth {
            visible: count(visible)?,
            hidden: count(received)? + count(delayed)?,
        })
    }
}

/// Splits so that no call has too many messages or too many bytes.
fn in_calls(messages: &[Outgoing]) -> Vec<&[Outgoing]> {
    let mut calls = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (place, message) in messages.iter().enumerate() {
        bytes += message.body.len();
        if place - start == MOST_IN_A_CALL || bytes > LARGEST_BODY_BYTES {
            calls.extend(messages.get(start..place));
            (start, bytes) = (place, message.body.len());
        }
    }
    calls.extend(messages.get(start..).filter(|rest| !rest.is_empty()));
    calls
}

fn received(message: Message) -> Result<Received, QueueError> {
    let missing = |what: &str| QueueError(format!("a message came without its {what}"));
    let attribute = |name| message.attributes.as_ref()?.get(&name);
    let deliveries = attribute(MessageSystemAttributeName::ApproximateReceiveCount)
        .and_then(|count| count.parse().ok());
    let sent_at = attribute(MessageSystemAttributeName::SentTimestamp)
        .and_then(|time| Timestamp::from_millisecond(time.parse().ok()?).ok());
    Ok(Received {
        id: message.message_id.ok_or_else(|| missing("id"))?,
        receipt: message.receipt_handle.ok_or_else(|| missing("receipt"))?,
        body: message.body.ok_or_else(|| missing("body"))?,
        deliveries: deliveries.ok_or_else(|| missing("count of deliveries"))?,
        sent_at,
    })
}

fn failed<E>(error: &SdkError<E, HttpResponse>) -> QueueError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    QueueError(Fault::of(error).text)
}

fn seconds(duration: Duration) -> i32 {
    i32::try_from(whole_seconds(duration)).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(bodies: &[usize]) -> Vec<usize> {
        let messages = bodies.iter().map(|bytes| Outgoing::now("x".repeat(*bytes)));
        let messages = messages.collect::<Vec<_>>();
        in_calls(&messages).iter().map(|call| call.len()).collect()
    }

    #[test]
    fn a_call_has_at_most_ten_messages() {
        assert_eq!(sizes(&[1; 25]), [10, 10, 5]);
        assert_eq!(sizes(&[1; 10]), [10]);
        assert_eq!(sizes(&[]), [0; 0]);
    }

    #[test]
    fn a_call_has_at_most_so_many_bytes() {
        let half = LARGEST_BODY_BYTES / 2;
        assert_eq!(sizes(&[half, half, half]), [2, 1]);
        assert_eq!(
            sizes(&[LARGEST_BODY_BYTES, 1, LARGEST_BODY_BYTES]),
            [1, 1, 1]
        );
    }

    #[test]
    fn a_part_of_a_second_is_a_whole_one() {
        assert_eq!(seconds(Duration::from_millis(1)), 1);
        assert_eq!(seconds(Duration::from_secs(900)), 900);
        assert_eq!(seconds(Duration::ZERO), 0);
    }
}
