//! One schedule, from the first customer to the end: one thread, virtual time, and a plan that decides what goes next and
//! what becomes of it. `outside.rs` does what AWS and the marketplaces do around the functions.

mod outside;

use crate::choices::{Choices, Moment};
use crate::fault::Fault;
use crate::gate::{Detached, Gate, RunId, Touch};
use crate::monitor::{Monitor, Violation};
use crate::oversold::Sales;
use crate::plain_supplier::Shelf;
use crate::ports::PAST_EVERY_LEASE;
use crate::scenario::{Action, Counter, Scenario, act, after, buy_shown, prepared};
use crate::stage::{NEVER_IN_THE_OPEN, Ports, Stage};
use jiff::{SignedDuration, Timestamp};
use kervan::clock::Clock;
use kervan::domain::{OrderKey, Phase};
use kervan::queue::MemoryQueue;
use kervan::{Door, Kervan};
use kervan_marketplaces::Push;
use kervan_marketplaces::ebay::CancelState;
use outside::{TICK, gated};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// AWS ends a function after this time, as the template says.
const FUNCTION_TIMEOUT: SignedDuration = SignedDuration::from_secs(60);
/// How long an overtaken call waits for everything else.
const OVERTAKEN_FOR: SignedDuration = SignedDuration::from_secs(5);
/// Batches of one queue that are worked on at once.
const MOST_BATCHES: usize = 2;
/// A story that goes on for so long never ends.
const LONGEST: SignedDuration = SignedDuration::from_hours(72);
const MOST_STEPS: u64 = 40_000;

/// What came of one schedule.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Invariants that did not hold.
    pub violations: Vec<Violation>,
    /// Effect points that were passed.
    pub effects: u64,
    /// Effect points up to the first purchase that was placed.
    pub road: Option<u64>,
    /// Decisions made.
    pub steps: u64,
    /// How the orders ended, by the order in which customers bought.
    pub ends: Vec<String>,
    /// What customers got who buy only what a listing shows.
    pub sales: Sales,
    /// What happened, line by line, where it was asked for.
    pub trace: Vec<String>,
}

/// How a run ended.
enum End {
    Quiet,
    Door {
        from: Sender,
        push: u64,
        status: u16,
        wait_ms: u64,
    },
}

struct Run {
    what: &'static str,
    future: Pin<Box<dyn Future<Output = End> + Send>>,
    flag: Arc<Flag>,
    started: Timestamp,
    /// A process that stood still is not ended by its time-out: the stricter case.
    stood_still: bool,
    instance: Instance,
    /// The push that a door's run answers.
    push: Option<(Sender, u64)>,
}

/// Who pushes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sender {
    Ebay,
    SecondEbay,
    Supplier,
}

/// The process that a run lives in. It is kept for the next run, unless it dies.
enum Instance {
    Worker(Arc<Kervan>),
    Door(Arc<Door>),
}

#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

pub(crate) struct Simulation {
    stage: Stage,
    gate: Gate,
    monitor: Monitor,
    ports: Ports,
    choices: Choices,
    shelf: Option<Shelf>,
    actions: Vec<(Timestamp, Action)>,
    disturbance: Option<Action>,
    runs: BTreeMap<RunId, Run>,
    next_run: RunId,
    workers: BTreeMap<&'static str, Vec<Arc<Kervan>>>,
    doors: Vec<Arc<Door>>,
    began: Timestamp,
    next_tick: Timestamp,
    /// Ticks since anything was done to anybody.
    calm_ticks: u32,
    effects: u64,
    road: Option<u64>,
    steps: u64,
    trace: Option<Vec<String>>,
    /// Signed pushes whose signature is spoilt, to be delivered.
    forged: Vec<Push>,
}

/// What can go next.
enum Next {
    Call(u64, Fault),
    Undecided(u64),
    Pushes,
    Batch(usize),
    Tick,
    Act,
    Detached,
}

impl Simulation {
    /// A scenario before its first customer.
    ///
    /// # Errors
    /// Where its world cannot be prepared.
    pub(crate) fn new(scenario: &Scenario, choices: Choices, traced: bool) -> anyhow::Result<Self> {
        let (stage, shelf) = prepared(scenario)?;
        let gate = Gate::new(traced);
        let monitor = Monitor::new(gate.clone(), &stage, shelf.clone(), &NEVER_IN_THE_OPEN);
        let ports = gated(&stage, &gate, &monitor, shelf.clone());
        let began = stage.clock.now();
        let actions = scenario.actions.iter();
        let actions = actions.map(|(ms, action)| (began + after(*ms), *action));
        Ok(Self {
            actions: actions.collect(),
            shelf,
            disturbance: scenario.disturbance,
            stage,
            gate,
            monitor,
            ports,
            choices,
            runs: BTreeMap::new(),
            next_run: 1,
            workers: BTreeMap::new(),
            doors: Vec::new(),
            began,
            next_tick: began + TICK,
            calm_ticks: 0,
            effects: 0,
            road: None,
            steps: 0,
            trace: traced.then(Vec::new),
            forged: Vec::new(),
        })
    }

    /// Runs until everything has ended, or something is broken.
    pub(crate) fn run(mut self) -> Outcome {
        loop {
            self.poll_ready();
            if self.monitor.is_broken() {
                break;
            }
            if self.steps > MOST_STEPS || self.now().duration_since(self.began) > LONGEST {
                self.monitor.report("I3", "it never ends");
                break;
            }
            let mut options = self.options();
            if options.is_empty() {
                if self.is_settled() {
                    break;
                }
                self.advance();
                continue;
            }
            self.steps += 1;
            let chosen = self.choices.pick(options.len());
            self.go(options.swap_remove(chosen));
        }
        let ends = self.check_the_end();
        Outcome {
            sales: self.monitor.sales(),
            violations: self.monitor.violations(),
            effects: self.effects,
            road: self.road,
            steps: self.steps,
            ends,
            trace: self.trace.unwrap_or_default(),
        }
    }

    fn now(&self) -> Timestamp {
        self.stage.clock.now()
    }

    fn tell(&mut self, line: impl FnOnce() -> String) {
        let since = self.now().duration_since(self.began).as_secs_f64();
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{since:>10.3} s  {}", line()));
        }
    }

    /// Everything that can go now. What the outside begins comes first, then the oldest call.
    fn options(&self) -> Vec<Next> {
        let now = self.now();
        let mut options = Vec::new();
        if self.actions.first().is_some_and(|(at, _)| *at <= now) {
            options.push(Next::Act);
        }
        if self.next_push().is_some_and(|at| at <= now) || !self.forged.is_empty() {
            options.push(Next::Pushes);
        }
        for (place, (name, queue)) in self.queues().into_iter().enumerate() {
            let busy = self.runs.values().filter(|run| run.what == name).count();
            let visible = queue.next_visible_at().is_some_and(|at| at <= now);
            if visible && busy < MOST_BATCHES {
                options.push(Next::Batch(place));
            }
        }
        if self.next_tick <= now {
            options.push(Next::Tick);
        }
        self.gate.with_waiting(|waiting| {
            for (call, one) in waiting {
                match one.decided {
                    Some((fault, at)) if at <= now => options.push(Next::Call(*call, fault)),
                    Some(_) => {}
                    None => options.push(Next::Undecided(*call)),
                }
            }
        });
        if self.gate.has_detached(now) {
            options.push(Next::Detached);
        }
        options
    }

    fn go(&mut self, next: Next) {
        match next {
            Next::Act => {
                let (_, action) = self.actions.remove(0);
                self.act(action);
            }
            Next::Pushes => self.deliver_pushes(),
            Next::Batch(place) => self.deliver_batch(place),
            Next::Tick => self.tick(),
            Next::Undecided(call) => self.decide(call),
            Next::Call(call, fault) => self.release(call, fault),
            Next::Detached => {
                for work in self.gate.take_detached(self.now()) {
                    self.tell(|| "what was late is done".to_owned());
                    self.finish_detached(work);
                }
            }
        }
    }

    /// What becomes of a call that has come to the gate.
    fn decide(&mut self, call: u64) {
        let now = self.now();
        let Some((touch, run)) = self
            .gate
            .with_waiting(|waiting| waiting.get(&call).map(|one| (one.touch, one.run)))
        else {
            return;
        };
        if let Touch::Sleep(time) = touch {
            let time = SignedDuration::try_from(time).unwrap_or(SignedDuration::ZERO);
            return self.gate.decide(call, Fault::None, now + time);
        }
        if self.choices.disturbs(self.effects)
            && let Some(action) = self.disturbance.take()
        {
            self.act(action);
        }
        let is_effect = touch == Touch::Effect;
        let fault = self.choices.fault(Moment {
            effects: self.effects,
            is_effect,
        });
        let wait = match fault {
            Fault::Overtaken => OVERTAKEN_FOR,
            Fault::Stall => PAST_EVERY_LEASE,
            _ => SignedDuration::ZERO,
        };
        if fault != Fault::None {
            self.calm_ticks = 0;
        }
        if let (Fault::Stall, Some(run)) = (fault, self.runs.get_mut(&run)) {
            run.stood_still = true;
        }
        if wait > SignedDuration::ZERO {
            if is_effect {
                self.effects += 1;
            }
            let number = self.effects;
            self.tell(|| format!("#{run} {} (point {number})", fault.words()));
            return self.gate.decide(call, fault, now + wait);
        }
        self.tell_call(call, fault, is_effect);
        if is_effect {
            self.effects += 1;
        }
        self.gate.release(call, fault);
    }

    fn tell_call(&mut self, call: u64, fault: Fault, is_effect: bool) {
        if self.trace.is_none() {
            return;
        }
        let told = self
            .gate
            .with_waiting(|waiting| waiting.get(&call).map(|one| (one.run, one.what.clone())));
        let Some((run, what)) = told else { return };
        let function = self.runs.get(&run).map_or("", |run| run.what);
        let point = if is_effect {
            format!("[{}] ", self.effects)
        } else {
            String::new()
        };
        let fault = match fault {
            Fault::None => String::new(),
            fault => format!("   ✗ {}", fault.words()),
        };
        self.tell(|| format!("{function}#{run}  {point}{what}{fault}"));
    }

    fn release(&mut self, call: u64, fault: Fault) {
        self.tell_call(call, Fault::None, false);
        self.gate.release(call, fault);
    }

    /// Polls whoever can go on, until all wait at the gate.
    fn poll_ready(&mut self) {
        loop {
            let mut polled = false;
            let ids: Vec<RunId> = self.runs.keys().copied().collect();
            for id in ids {
                let Some(run) = self.runs.get_mut(&id) else {
                    continue;
                };
                if !run.flag.0.swap(false, Ordering::Relaxed) {
                    continue;
                }
                polled = true;
                let waker = Waker::from(run.flag.clone());
                self.gate.enter(id);
                let polled = run.future.as_mut().poll(&mut Context::from_waker(&waker));
                self.gate.enter(0);
                if let Poll::Ready(end) = polled {
                    self.ended(id, end);
                }
            }
            for id in self.gate.take_dead() {
                self.kill(id);
            }
            if !polled {
                break;
            }
        }
        if self.road.is_none() && self.monitor.has_placed() {
            self.road = Some(self.effects);
        }
    }

    fn ended(&mut self, id: RunId, end: End) {
        let Some(run) = self.runs.remove(&id) else {
            return;
        };
        self.gate.forget(id);
        let what = run.what;
        match run.instance {
            Instance::Worker(worker) => self.workers.entry(what).or_default().push(worker),
            Instance::Door(door) => self.doors.push(door),
        }
        if let End::Door {
            from,
            push,
            status,
            wait_ms,
        } = end
        {
            let took = self.stage.clock.now().duration_since(run.started);
            if (200..300).contains(&status) && self.monitor.sent_by(id) == 0 {
                self.monitor
                    .report("I1", "a push was answered with 2xx and nothing was queued");
            }
            let in_time = took <= SignedDuration::from_millis(i64::try_from(wait_ms).unwrap_or(0));
            self.answer(from, push, in_time.then_some(status));
        }
        self.tell(|| format!("{what}#{id} has ended"));
        self.monitor.check_marketplaces();
    }

    fn kill(&mut self, id: RunId) {
        if let Some(run) = self.runs.remove(&id) {
            self.gate.forget(id);
            let what = run.what;
            if let Some((from, push)) = run.push {
                self.answer(from, push, None);
            }
            self.tell(|| format!("{what}#{id} is dead"));
            self.monitor.check_marketplaces();
        }
    }

    fn answer(&self, from: Sender, push: u64, status: Option<u16>) {
        match (from, &self.stage.second_ebay) {
            (Sender::Supplier, _) => self.stage.aliexpress.push_answered(push, status),
            (Sender::SecondEbay, Some(second)) => second.push_answered(push, status),
            _ => self.stage.ebay.push_answered(push, status),
        };
    }

    fn finish_detached(&self, mut work: Detached) {
        // Nothing behind the gate waits, so one look is enough.
        let waker = Waker::noop();
        self.gate.enter(0);
        let _ = work.as_mut().poll(&mut Context::from_waker(waker));
        self.monitor.check_marketplaces();
    }

    fn act(&mut self, action: Action) {
        self.tell(|| format!("— {action} —"));
        self.calm_ticks = 0;
        if action == Action::Erase {
            self.monitor.demand_erasure();
        }
        match action {
            Action::Sweep => self.begin_sweep(),
            Action::ForgeErasure => self.forge(),
            Action::Shop(counter, sku, units) => self.shop(counter, sku, units),
            _ => {
                if let Err(error) = act(&self.stage, self.shelf.as_ref(), action) {
                    self.monitor.report("scenario", error.to_string());
                }
            }
        }
    }

    /// A customer buys, where the listing shows enough.
    fn shop(&mut self, counter: Counter, sku: &str, units: u32) {
        let bought = match buy_shown(&self.stage, counter, sku, units) {
            Ok(bought) => bought,
            Err(error) => return self.monitor.report("scenario", error.to_string()),
        };
        let Some(order) = bought else {
            self.tell(|| "sold out: the customer leaves".to_owned());
            return self.monitor.turned_away();
        };
        let now = self.now();
        // A reservation makes its offers due, so that the next schedule repairs what a lost message has left undone.
        let is_on_its_way = self.has_news_on_its_way() || self.monitor.is_due(sku, now);
        let came = self.monitor.sold(&order, sku, units, is_on_its_way, now);
        if came.oversold() > 0 {
            self.tell(|| format!("more than the supplier has: {came}"));
        }
    }

    /// Whether somebody is still at work on what happened before, or a message waits that tells of it.
    fn has_news_on_its_way(&self) -> bool {
        let workers = ["order-forwarder", "inventory-poller", "order-sweeper"];
        let at_work = |run: &Run| workers.contains(&run.what);
        let queues = [&self.stage.orders, &self.stage.inventory];
        let waits = |queue: &&Arc<MemoryQueue>| queue.next_visible_at().is_some();
        self.runs.values().any(at_work)
            || queues.iter().any(waits)
            || self.gate.next_event().is_some()
    }

    /// Moves virtual time to the next thing that happens by itself.
    fn advance(&mut self) {
        let now = self.now();
        let is_quiet = self.runs.is_empty() && self.gate.next_event().is_none();
        if is_quiet && self.stage.inventory.next_visible_at().is_none() {
            crate::ending::check_listings(&self.stage, &self.monitor);
        }
        let queues = self.queues();
        let visible = queues.iter().filter_map(|(name, queue)| {
            let busy = self.runs.values().filter(|run| run.what == *name).count();
            queue
                .next_visible_at()
                .filter(|at| *at > now || busy < MOST_BATCHES)
        });
        let deadlines = self.runs.values().filter(|run| !run.stood_still);
        let deadlines = deadlines.map(|run| run.started + FUNCTION_TIMEOUT);
        let next = visible
            .chain(self.next_push())
            .chain(self.actions.first().map(|(at, _)| *at))
            .chain(self.gate.next_event())
            .chain(deadlines)
            .chain([self.next_tick])
            .filter(|at| *at > now)
            .min();
        let next = next.unwrap_or(self.next_tick);
        self.stage.clock.advance(next.duration_since(now));
        let overdue = self
            .runs
            .iter()
            .filter(|(_, run)| !run.stood_still && run.started + FUNCTION_TIMEOUT <= next);
        let overdue: Vec<RunId> = overdue.map(|(id, _)| *id).collect();
        for id in overdue {
            self.tell(|| format!("#{id} takes too long"));
            self.kill(id);
        }
    }

    /// Whether nothing is left to happen: the story is told, nothing was broken for two ticks, and every order has ended.
    fn is_settled(&self) -> bool {
        let idle =
            self.runs.is_empty() && self.actions.is_empty() && self.gate.next_event().is_none();
        let calm = self.choices.is_over(self.effects) && self.calm_ticks >= 2;
        let queues = self.queues();
        let empty = queues
            .iter()
            .all(|(_, queue)| queue.next_visible_at().is_none());
        if !(idle && calm && empty) {
            return false;
        }
        let orders = self.monitor.orders_now();
        self.stage.sold().iter().all(|(channel, sold)| {
            let is_it =
                |key: &OrderKey| key.channel == *channel && key.id.as_str() == sold.order_id;
            match orders.iter().find(|order| is_it(&order.key)) {
                Some(order) => order.phase != Phase::Open || order.attention.is_some(),
                None => sold.cancel == CancelState::Canceled,
            }
        })
    }

    /// What must hold once everything has ended.
    fn check_the_end(&mut self) -> Vec<String> {
        if self.monitor.is_broken() {
            return Vec::new();
        }
        self.monitor.check_marketplaces();
        crate::ending::check(&self.stage, &self.monitor)
    }
}
