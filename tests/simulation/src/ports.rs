//! The ports that functions have in the simulation: those of the stage, behind the gate.

use crate::fault::Fault;
use crate::gate::{Gate, Touch};
use crate::monitor::Monitor;
use crate::network::failed;
use async_trait::async_trait;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use kervan::clock::{Clock, ManualClock};
use kervan::http::{Http, HttpError, Sent};
use kervan::queue::{Depth, MemoryQueue, Outgoing, Queue, QueueError, Received};
use kervan::store::{Item, Key, MemoryStore, Page, Store, StoreError, Write, WriteError};
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// How long a process stands still: longer than every lease.
pub(crate) const PAST_EVERY_LEASE: SignedDuration = SignedDuration::from_secs(280);
/// How long a function waits for an answer that does not come.
pub(crate) const NO_ANSWER_AFTER: Duration = Duration::from_secs(15);

/// The clock of the functions: the stage's, whose sleepers wait at the gate.
#[derive(Debug)]
pub(crate) struct GatedClock {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) gate: Gate,
}

#[async_trait]
impl Clock for GatedClock {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn sleep(&self, time: Duration) {
        self.gate.pause(time).await;
    }
}

/// Does what was decided with an effect. `lost` is what the caller gets instead of an answer, by the fault.
async fn effect<T, E, F>(
    gate: &Gate,
    fault: Fault,
    at_last: Timestamp,
    make: impl Fn() -> F,
    lost: impl FnOnce(Fault) -> E,
) -> Result<T, E>
where
    T: Send + 'static,
    E: Send + 'static,
    F: Future<Output = Result<T, E>> + Send + 'static,
{
    match fault {
        Fault::None | Fault::Stall | Fault::Overtaken => make().await,
        Fault::CrashBefore => {
            gate.die().await;
            Err(lost(fault))
        }
        Fault::CrashAfter => {
            let _ = make().await;
            gate.die().await;
            Err(lost(fault))
        }
        Fault::TimeoutDone => {
            let _ = make().await;
            gate.pause(NO_ANSWER_AFTER).await;
            Err(lost(fault))
        }
        Fault::TimeoutNotDone => {
            gate.pause(NO_ANSWER_AFTER).await;
            Err(lost(fault))
        }
        Fault::Error | Fault::Refused => Err(lost(fault)),
        Fault::Late => {
            let work = make();
            gate.detach(
                at_last,
                Box::pin(async move {
                    let _ = work.await;
                }),
            );
            gate.pause(NO_ANSWER_AFTER).await;
            Err(lost(fault))
        }
        Fault::Twice => {
            let _ = make().await;
            make().await
        }
    }
}

/// The table behind the gate.
#[derive(Debug)]
pub(crate) struct GatedStore {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) gate: Gate,
    pub(crate) monitor: Monitor,
}

impl GatedStore {
    async fn read(&self, what: impl FnOnce() -> String + Send) -> Result<(), StoreError> {
        match self.gate.pass(Touch::Read, what).await {
            Fault::None | Fault::Stall | Fault::Overtaken | Fault::Twice => Ok(()),
            Fault::CrashBefore | Fault::CrashAfter => {
                self.gate.die().await;
                Ok(())
            }
            fault => Err(StoreError::Unavailable(fault.words().to_owned())),
        }
    }
}

#[async_trait]
impl Store for GatedStore {
    async fn get(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        self.read(|| format!("table get {} {}", key.pk, key.sk))
            .await?;
        self.store.get(key).await
    }

    async fn query(
        &self,
        pk: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        self.read(|| format!("table query {pk} {prefix}")).await?;
        self.store.query(pk, prefix, after, limit).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), WriteError> {
        let fault = self
            .gate
            .pass(Touch::Effect, || format!("table write {}", told(&writes)))
            .await;
        let store = self.store.clone();
        let monitor = self.monitor.clone();
        let make = move || {
            let (store, monitor, writes) = (store.clone(), monitor.clone(), writes.clone());
            async move {
                let written = store.write(writes.clone()).await;
                if written.is_ok() {
                    monitor.written(&writes).await;
                }
                written
            }
        };
        let lost = |fault: Fault| match fault {
            Fault::Refused => WriteError::Contended,
            _ => WriteError::Store(StoreError::Unavailable(fault.words().to_owned())),
        };
        let late = self.clock.now() + self.gate.late_by();
        effect(&self.gate, fault, late, make, lost).await
    }

    async fn due(
        &self,
        lane: &str,
        from: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Item>, StoreError> {
        self.read(|| format!("table due {lane}")).await?;
        self.store.due(lane, from, until, limit).await
    }
}

/// The items of a transaction in words: what is written, with the events among it.
fn told(writes: &[Write]) -> String {
    let words = writes.iter().map(|write| {
        let key = write.key();
        match write {
            Write::Put { item, .. } if key.sk.starts_with("HISTORY#") => {
                let record: Result<serde_json::Value, _> = serde_json::from_str(&item.body);
                let event = record.map(|record| record["event"].to_string());
                format!("{} {}", key.sk, event.unwrap_or_default())
            }
            Write::Put { item, .. } => format!("{} {} v{}", key.pk, key.sk, item.version),
            Write::Update { add, .. } => format!("{} {} {add:?}", key.pk, key.sk),
            Write::Delete { .. } | Write::DeleteIf { .. } => {
                format!("{} {} deleted", key.pk, key.sk)
            }
        }
    });
    words.collect::<Vec<_>>().join(", ")
}

/// A queue behind the gate.
#[derive(Debug)]
pub(crate) struct GatedQueue {
    pub(crate) name: &'static str,
    pub(crate) queue: Arc<MemoryQueue>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) gate: Gate,
    pub(crate) monitor: Monitor,
}

impl GatedQueue {
    async fn effect<F>(
        &self,
        what: impl FnOnce() -> String + Send,
        make: impl Fn() -> F + Send,
    ) -> Result<(), QueueError>
    where
        F: Future<Output = Result<(), QueueError>> + Send + 'static,
    {
        let fault = self.gate.pass(Touch::Effect, what).await;
        let lost = |fault: Fault| QueueError(fault.words().to_owned());
        let late = self.clock.now() + self.gate.late_by();
        effect(&self.gate, fault, late, make, lost).await
    }
}

#[async_trait]
impl Queue for GatedQueue {
    async fn send(&self, messages: Vec<Outgoing>) -> Result<(), QueueError> {
        self.monitor.sending(self.name, &messages);
        let (queue, monitor) = (self.queue.clone(), self.monitor.clone());
        let what = || {
            let bodies: Vec<&str> = messages.iter().map(|one| one.body.as_str()).collect();
            format!("queue {} send {}", self.name, bodies.join(" "))
        };
        let copy = messages.clone();
        let make = move || {
            let (queue, messages, monitor) = (queue.clone(), copy.clone(), monitor.clone());
            async move {
                let bodies = messages.iter().map(|one| one.body.clone()).collect();
                queue.send(messages).await?;
                monitor.sent(bodies);
                Ok(())
            }
        };
        self.effect(what, make).await
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
        let (queue, receipt) = (self.queue.clone(), receipt.to_owned());
        let make = move || {
            let (queue, receipt) = (queue.clone(), receipt.clone());
            async move { queue.delete(&receipt).await }
        };
        self.effect(|| format!("queue {} delete", self.name), make)
            .await
    }

    async fn release(&self, receipt: &str, after: Duration) -> Result<(), QueueError> {
        let (queue, receipt) = (self.queue.clone(), receipt.to_owned());
        let make = move || {
            let (queue, receipt) = (queue.clone(), receipt.clone());
            async move { queue.release(&receipt, after).await }
        };
        self.effect(|| format!("queue {} release", self.name), make)
            .await
    }

    async fn depth(&self) -> Result<Depth, QueueError> {
        self.queue.depth().await
    }
}

/// The network behind the gate.
pub(crate) struct GatedNetwork {
    pub(crate) network: Arc<dyn Http>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) gate: Gate,
    pub(crate) monitor: Monitor,
}

impl fmt::Debug for GatedNetwork {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("GatedNetwork")
    }
}

#[async_trait]
impl Http for GatedNetwork {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, HttpError> {
        let call = self.monitor.calling(&request);
        let is_read = request.method() == http::Method::GET;
        let (port, path) = (request.uri().port_u16(), request.uri().path().to_owned());
        let fault = self
            .gate
            .pass(Touch::Effect, || {
                format!("call {} {}", request.method(), call.name)
            })
            .await;
        let _in_flight = self.monitor.called(&call, fault);
        // eBay has no key to know this request again by. Nothing on the way repeats one that was answered, and only the
        // function's time-out keeps a process that stood still from sending it after all.
        let is_unrepeatable = call.name.ends_with("/shipping_fulfillment");
        // The same for quantities: whoever counts on an update having landed counts on its sender's end too.
        let is_timed = is_unrepeatable || call.name.ends_with("/bulk_update_price_quantity");
        let fault = match fault {
            Fault::Twice if is_unrepeatable => Fault::None,
            Fault::Stall if is_timed => Fault::CrashBefore,
            fault => fault,
        };
        if fault == Fault::Error {
            let page = Bytes::from_static(b"<html><body>503 Service Unavailable</body></html>");
            let mut answer = http::Response::new(page);
            *answer.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
            return Ok(answer);
        }
        let network = self.network.clone();
        let (head, body) = request.into_parts();
        let make = move || {
            let request = http::Request::from_parts(head.clone(), body.clone());
            let network = network.clone();
            async move { network.send(request).await }
        };
        let lost = |fault: Fault| match fault {
            Fault::Refused => failed(Sent::No, false, "connection refused"),
            _ => failed(Sent::Maybe, true, "no answer in time"),
        };
        let late = self.clock.now() + self.gate.late_by();
        let answer = effect(&self.gate, fault, late, make, lost).await;
        if answer.is_ok() && is_read {
            self.monitor.order_read(port, &path);
        }
        answer
    }
}
