//! A schedule, and how many of them are run. `passes.rs` says which.

use crate::choices::{Choices, Dice};
use crate::fault::Fault;
use crate::oversold::Sales;
use crate::scenario::{Scenario, scenarios};
use crate::simulation::{Outcome, Simulation};
use anyhow::Context;
use kervan::guards::{Guard, take_away};
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

/// One schedule: everything that decides how a story goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schedule {
    /// Faults at effect points, all else in its order.
    Faults {
        /// The scenario's name.
        scenario: &'static str,
        /// Effect point and fault.
        faults: Vec<(u64, Fault)>,
        /// Before which effect point the scenario's disturbance happens.
        disturb_at: Option<u64>,
    },
    /// A seed decides everything, the scenario too.
    Seed(u64),
}

impl fmt::Display for Schedule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seed(seed) => write!(formatter, "--seed {seed}"),
            Self::Faults {
                scenario,
                faults,
                disturb_at,
            } => {
                write!(formatter, "--scenario {scenario}")?;
                for (at, fault) in faults {
                    write!(formatter, " --fault {at}:{}", fault.name())?;
                }
                match disturb_at {
                    Some(at) => write!(formatter, " --disturb {at}"),
                    None => Ok(()),
                }
            }
        }
    }
}

impl Schedule {
    /// Its scenario.
    pub fn scenario(&self) -> Option<Scenario> {
        match self {
            Self::Faults { scenario, .. } => crate::scenario::named(scenario),
            Self::Seed(seed) => {
                let mut all = scenarios();
                let place = usize::try_from(*seed % all.len() as u64).ok()?;
                Some(all.swap_remove(place))
            }
        }
    }

    /// Runs it.
    ///
    /// # Errors
    /// Where there is no such scenario, or its world cannot be prepared.
    pub fn run(&self, traced: bool) -> anyhow::Result<Outcome> {
        let choices = match self {
            Self::Seed(seed) => Choices::Random(Dice::new(*seed)),
            Self::Faults {
                faults, disturb_at, ..
            } => Choices::Fixed {
                faults: faults.clone(),
                disturb_at: *disturb_at,
            },
        };
        let scenario = self.scenario().context("there is no such scenario")?;
        Ok(Simulation::new(&scenario, choices, traced)?.run())
    }
}

/// A schedule in which an invariant did not hold.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Which.
    pub schedule: Schedule,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of many schedules.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// How many were run.
    pub schedules: usize,
    /// Effect points passed in all of them.
    pub effects: u64,
    /// Decisions made in all of them.
    pub steps: u64,
    /// What customers got in all of them who buy only what a listing shows.
    pub sales: Sales,
    /// Those that failed, at most a few more than were asked for.
    pub failures: Vec<Failure>,
    /// Those that could not be run, with the reason.
    pub not_run: Vec<(Schedule, String)>,
}

impl Summary {
    /// Whether every listed schedule was run and every invariant held.
    pub fn held(&self, listed: usize) -> bool {
        self.schedules == listed && self.failures.is_empty() && self.not_run.is_empty()
    }
}

/// How to go through many schedules.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Threads, each with its own schedules.
    pub jobs: usize,
    /// Failures after which no new schedule is begun.
    pub failures_max: usize,
    /// A guard that is taken away in all of them.
    pub without: Option<Guard>,
}

impl Effort {
    /// All processors, every guard in its place, and a few failures as examples.
    pub fn usual() -> Self {
        Self {
            jobs: processors(),
            failures_max: 5,
            without: None,
        }
    }
}

/// The processors that this process may use.
pub fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Lets as many schedules run at a time as there are processors, however many callers the process has: tests run side by
/// side, and each would take every processor otherwise.
struct Turnstile {
    running: Mutex<usize>,
    freed: Condvar,
}

static TURNSTILE: Turnstile = Turnstile {
    running: Mutex::new(0),
    freed: Condvar::new(),
};

impl Turnstile {
    fn pass<T>(&self, run: impl FnOnce() -> T) -> T {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = |running: &mut usize| *running >= processors();
        let waited = self.freed.wait_while(running, is_full);
        *waited.unwrap_or_else(PoisonError::into_inner) += 1;
        let _turn = Turn(self);
        run()
    }
}

/// A schedule's turn; it ends with a panic too.
struct Turn<'a>(&'a Turnstile);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let running = self.0.running.lock();
        *running.unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.freed.notify_one();
    }
}

/// Runs schedules; `progress` hears after each how many are done.
pub fn run_all(
    schedules: &[Schedule],
    effort: Effort,
    progress: &(dyn Fn(usize) + Sync),
) -> Summary {
    let next = AtomicUsize::new(0);
    let summary: Mutex<Summary> = Mutex::default();
    let work = || {
        take_away(effort.without);
        while let Some(schedule) = schedules.get(next.fetch_add(1, Ordering::Relaxed)) {
            let ran = TURNSTILE.pass(|| schedule.run(false));
            let mut summary = summary.lock().unwrap_or_else(PoisonError::into_inner);
            match ran {
                Ok(outcome) => summary.count(schedule, outcome),
                Err(error) => {
                    let why = format!("{error:#}");
                    summary.not_run.push((schedule.clone(), why));
                }
            }
            progress(summary.schedules);
            if summary.failures.len() + summary.not_run.len() >= effort.failures_max {
                next.store(schedules.len(), Ordering::Relaxed);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..effort.jobs.max(1) {
            scope.spawn(work);
        }
    });
    summary.into_inner().unwrap_or_else(PoisonError::into_inner)
}

impl Summary {
    /// What came of more schedules.
    pub fn add(&mut self, more: Self) {
        self.schedules += more.schedules;
        self.effects += more.effects;
        self.steps += more.steps;
        self.sales.add(more.sales);
        self.failures.extend(more.failures);
        self.not_run.extend(more.not_run);
    }

    fn count(&mut self, schedule: &Schedule, outcome: Outcome) {
        self.schedules += 1;
        self.effects += outcome.effects;
        self.steps += outcome.steps;
        self.sales.add(outcome.sales);
        if !outcome.violations.is_empty() {
            let schedule = schedule.clone();
            self.failures.push(Failure { schedule, outcome });
        }
    }
}
