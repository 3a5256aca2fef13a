//! What AWS and the marketplaces do around the functions: they deliver messages and pushes, and run the schedules.

use super::{End, Flag, Instance, Run, Sender, Simulation};
use crate::gate::Gate;
use crate::monitor::Monitor;
use crate::plain_supplier::{PlainSupplier, Shelf, plain_supplier};
use crate::ports::{GatedClock, GatedNetwork, GatedQueue, GatedStore};
use crate::stage::{Ports, Stage};
use crate::world::{VISIBILITY, messages};
use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};
use kervan::Kervan;
use kervan::domain::Signal;
use kervan::flows::{self, FlowError, Intake, InventoryTask};
use kervan::handler;
use kervan::queue::{MemoryQueue, Queue};
use kervan_marketplaces::{Ebay, Push};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// The schedules run so often.
pub(super) const TICK: SignedDuration = SignedDuration::from_mins(5);
/// And so seldom, where nothing is left to find.
const LONGEST_TICK: SignedDuration = SignedDuration::from_hours(1);

impl Simulation {
    /// A demand to erase with a signature that fits another body.
    pub(super) fn forge(&mut self) {
        self.stage
            .ebay
            .delete_account(&crate::stage::known_buyer().username);
        let due = self.stage.ebay.take_due_pushes(self.now());
        for mut push in due {
            if push.topic.contains("DELETION") {
                // eBay never sent it; somebody did, who has the text and no key.
                self.stage.ebay.push_answered(push.id, Some(200));
                let mut body = push.body.to_vec();
                body.push(b' ');
                push.body = body.into();
                push.id = u64::MAX;
            }
            self.forged.push(push);
        }
    }

    pub(super) fn next_push(&self) -> Option<Timestamp> {
        let supplier = self.stage.aliexpress.next_due();
        let second = self.stage.second_ebay.as_ref().and_then(Ebay::next_due);
        let channels = self.stage.ebay.next_due().into_iter().chain(second);
        channels.chain(supplier).min()
    }

    pub(super) fn queues(&self) -> [(&'static str, &Arc<MemoryQueue>); 3] {
        [
            ("order-forwarder", &self.stage.orders),
            ("tracking-updater", &self.stage.tracking),
            ("inventory-poller", &self.stage.inventory),
        ]
    }

    fn begin(
        &mut self,
        what: &'static str,
        instance: Instance,
        push: Option<(Sender, u64)>,
        future: Pin<Box<dyn Future<Output = End> + Send>>,
    ) {
        let id = self.next_run;
        self.next_run += 1;
        self.tell(|| format!("{what}#{id} begins"));
        self.monitor.began(id);
        let run = Run {
            what,
            future,
            flag: Arc::new(Flag(AtomicBool::new(true))),
            started: self.now(),
            stood_still: false,
            instance,
            push,
        };
        self.runs.insert(id, run);
    }

    fn worker(&mut self, what: &'static str) -> Arc<Kervan> {
        let idle = self.workers.get_mut(what).and_then(Vec::pop);
        idle.unwrap_or_else(|| Arc::new(self.stage.worker(&self.ports)))
    }

    pub(super) fn deliver_pushes(&mut self) {
        let now = self.now();
        let mut pushes: Vec<(Sender, Push)> = Vec::new();
        let mut add = |from, due: Vec<Push>| pushes.extend(due.into_iter().map(|one| (from, one)));
        add(Sender::Ebay, std::mem::take(&mut self.forged));
        add(Sender::Ebay, self.stage.ebay.take_due_pushes(now));
        if let Some(second) = &self.stage.second_ebay {
            add(Sender::SecondEbay, second.take_due_pushes(now));
        }
        add(Sender::Supplier, self.stage.aliexpress.take_due_pushes(now));
        for (from, push) in pushes {
            let idle = self.doors.pop();
            let door = idle.unwrap_or_else(|| Arc::new(self.stage.door(&self.ports)));
            let working = door.clone();
            let id = push.id;
            let future = async move {
                let (marketplace, account) = match from {
                    Sender::Ebay => ("ebay", "main"),
                    Sender::SecondEbay => ("ebay", "second"),
                    Sender::Supplier => ("aliexpress", "main"),
                };
                let wait_ms = push.wait_ms;
                let request = Intake::Push {
                    headers: push.headers,
                    body: push.body,
                };
                let answer = flows::intake(&working, marketplace, account, request).await;
                End::Door {
                    from,
                    push: push.id,
                    status: answer.status.as_u16(),
                    wait_ms,
                }
            };
            let push = Some((from, id));
            self.begin(
                "webhook-intake",
                Instance::Door(door),
                push,
                Box::pin(future),
            );
        }
    }

    pub(super) fn deliver_batch(&mut self, place: usize) {
        let most = self.choices.batch();
        let (what, raw) = self.queues()[place];
        let raw = raw.clone();
        let queue = [
            &self.ports.orders,
            &self.ports.tracking,
            &self.ports.inventory,
        ][place]
            .clone();
        // A receive has no effect that could be lost: it hides messages for a while.
        let received = raw.receive(most, VISIBILITY, Duration::ZERO).now_or_never();
        let received = received.and_then(Result::ok).unwrap_or_default();
        if received.is_empty() {
            return;
        }
        let worker = self.worker(what);
        let working = worker.clone();
        let monitor = self.monitor.clone();
        let future = async move {
            let messages = messages(&received);
            let (kervan, monitor) = (&*working, &monitor);
            let forward = |signal: Signal| async move {
                monitor.worked(&signal, flows::forward(kervan, &signal).await)
            };
            let track = |signal: Signal| async move {
                monitor.worked(&signal, flows::track(kervan, &signal).await)
            };
            let look = |task: InventoryTask| async move {
                monitor.worked(&task, flows::inventory(kervan, &task).await)
            };
            let failed = match what {
                "order-forwarder" => handler::batch(&queue, messages, forward).await,
                "tracking-updater" => handler::batch(&queue, messages, track).await,
                _ => handler::batch(&queue, messages, look).await,
            };
            let done = received.iter().filter(|one| !failed.contains(&one.id));
            for message in done {
                monitor.deleting(&message.body);
                // What AWS fails to delete comes again.
                let _ = queue.delete(&message.receipt).await;
            }
            End::Quiet
        };
        self.begin(what, Instance::Worker(worker), None, Box::pin(future));
    }

    pub(super) fn tick(&mut self) {
        self.next_tick = self.next_useful_tick();
        self.calm_ticks += 1;
        self.begin_sweep();
        self.begin_schedule("tracking-schedule", |kervan| async move {
            flows::queue_due_tracking(&kervan).await
        });
        self.begin_schedule("inventory-schedule", |kervan| async move {
            flows::queue_due_stock(&kervan).await
        });
    }

    /// When the schedules run next: in five minutes, or where nothing falls due until then, when they would find something,
    /// but at least every hour.
    fn next_useful_tick(&self) -> Timestamp {
        let now = self.now();
        let next = now + TICK;
        let due = self.stage.store.items().into_iter();
        let due = due.filter_map(|item| item.due).map(|due| due.at).min();
        let busy = !self.runs.is_empty() || due.is_some_and(|at| at <= next);
        if busy || self.calm_ticks < 2 {
            return next;
        }
        let latest = now + LONGEST_TICK;
        let due = due.map_or(latest, |at| at.min(latest));
        due.max(next)
    }

    pub(super) fn begin_sweep(&mut self) {
        self.begin_schedule("order-sweeper", |kervan| async move {
            flows::sweep(&kervan).await
        });
    }

    /// One run of a schedule. What fails is done by the next one.
    fn begin_schedule<F>(&mut self, what: &'static str, work: impl FnOnce(Arc<Kervan>) -> F)
    where
        F: Future<Output = Result<usize, FlowError>> + Send + 'static,
    {
        let worker = self.worker(what);
        let work = work(worker.clone());
        let future = async move {
            let _ = work.await;
            End::Quiet
        };
        self.begin(what, Instance::Worker(worker), None, Box::pin(future));
    }
}

/// The stage's ports behind the gate.
pub(super) fn gated(stage: &Stage, gate: &Gate, monitor: &Monitor, shelf: Option<Shelf>) -> Ports {
    let queue = |name, queue: &Arc<MemoryQueue>| {
        Arc::new(GatedQueue {
            name,
            queue: queue.clone(),
            clock: stage.clock.clone(),
            gate: gate.clone(),
            monitor: monitor.clone(),
        })
    };
    let plain = shelf.map(|shelf| {
        let supplier: Arc<dyn kervan::marketplaces::Account> = Arc::new(PlainSupplier {
            id: plain_supplier(),
            shelf,
            gate: gate.clone(),
            clock: stage.clock.clone(),
            monitor: monitor.clone(),
        });
        supplier
    });
    Ports {
        clock: Arc::new(GatedClock {
            clock: stage.clock.clone(),
            gate: gate.clone(),
        }),
        store: Arc::new(GatedStore {
            store: stage.store.clone(),
            clock: stage.clock.clone(),
            gate: gate.clone(),
            monitor: monitor.clone(),
        }),
        http: Arc::new(GatedNetwork {
            network: Arc::new(stage.network.clone()),
            clock: stage.clock.clone(),
            gate: gate.clone(),
            monitor: monitor.clone(),
        }),
        orders: queue("orders", &stage.orders),
        tracking: queue("tracking", &stage.tracking),
        inventory: queue("inventory", &stage.inventory),
        given: plain.into_iter().collect(),
    }
}
