//! Which schedules are run: every single fault, every pair on the road to the purchase, or as many seeds as wanted.

use crate::choices::{Choices, Dice};
use crate::fault::Fault;
use crate::oversold::Sales;
use crate::scenario::{Scenario, scenarios};
use crate::simulation::{Outcome, Simulation};
use futures_util::FutureExt;
use kervan::guards::{Guard, take_away};
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

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

    /// Runs it. `None`: there is no such scenario.
    pub fn run(&self, traced: bool) -> Option<Outcome> {
        let choices = match self {
            Self::Seed(seed) => Choices::Random(Dice::new(*seed)),
            Self::Faults {
                faults, disturb_at, ..
            } => Choices::Fixed {
                faults: faults.clone(),
                disturb_at: *disturb_at,
            },
        };
        let scenario = self.scenario()?;
        let made = Simulation::new(&scenario, choices, traced).now_or_never();
        Some(made?.ok()?.run())
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
    /// Those that failed, in the order of the schedules, at most as many as were asked for.
    pub failures: Vec<Failure>,
}

/// How to go through many schedules.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Threads, each with its own schedules.
    pub jobs: usize,
    /// Failures after which no new schedule is begun.
    pub most_failures: usize,
    /// A guard that is taken away in all of them.
    pub without: Option<Guard>,
}

/// Runs schedules; `progress` hears after each how many are done.
pub fn run_all(
    schedules: &[Schedule],
    effort: Effort,
    progress: &(dyn Fn(usize) + Sync),
) -> Summary {
    let next = AtomicUsize::new(0);
    let summary: Mutex<Summary> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..effort.jobs.max(1) {
            scope.spawn(|| {
                take_away(effort.without);
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(schedule) = schedules.get(place) else {
                        break;
                    };
                    let Some(outcome) = schedule.run(false) else {
                        break;
                    };
                    let mut summary = summary.lock().unwrap_or_else(PoisonError::into_inner);
                    summary.schedules += 1;
                    summary.effects += outcome.effects;
                    summary.steps += outcome.steps;
                    summary.sales.add(outcome.sales);
                    if !outcome.violations.is_empty() {
                        let schedule = schedule.clone();
                        summary.failures.push(Failure { schedule, outcome });
                    }
                    progress(summary.schedules);
                    if summary.failures.len() >= effort.most_failures {
                        next.store(schedules.len(), Ordering::Relaxed);
                    }
                }
            });
        }
    });
    summary.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// The scenario with nothing done to anybody.
pub fn calm(scenario: &Scenario) -> Schedule {
    Schedule::Faults {
        scenario: scenario.name,
        faults: Vec::new(),
        disturb_at: None,
    }
}

/// A disturbance is crossed with faults up to this effect point; the roads of most scenarios are shorter.
const MOST_CROSSED: u64 = 18;

/// Depth 1: every effect point with every fault. Where the scenario has a disturbance, that at every moment; on the road to
/// the purchase each of its moments with every fault; and behind the road every fault with the disturbance at its end.
pub fn depth_one(scenario: &Scenario) -> Vec<Schedule> {
    let Some(calm) = calm(scenario).run(false) else {
        return Vec::new();
    };
    let name = scenario.name;
    let schedule = |faults, disturb_at| Schedule::Faults {
        scenario: name,
        faults,
        disturb_at,
    };
    let singles = |until: u64| {
        (0..until).flat_map(|at| Fault::ALL.into_iter().map(move |fault| vec![(at, fault)]))
    };
    if scenario.disturbance.is_none() {
        return singles(calm.effects)
            .map(|faults| schedule(faults, None))
            .collect();
    }
    let road = calm.road.unwrap_or(calm.effects).min(MOST_CROSSED) + 1;
    let alone = (0..=calm.effects).map(|at| schedule(Vec::new(), Some(at)));
    let on_the_road =
        (0..=road).flat_map(|at| singles(road).map(move |faults| schedule(faults, Some(at))));
    let behind = singles(calm.effects)
        .filter(|faults| faults[0].0 >= road)
        .map(|faults| schedule(faults, Some(road)));
    alone.chain(on_the_road).chain(behind).collect()
}

/// Depth 2 on the road from the signal to the purchase: every pair of faults, the second at any point that the first
/// leaves on the road.
pub fn depth_two(scenario: &Scenario) -> Vec<Schedule> {
    let mut schedules = Vec::new();
    let Some(calm) = calm(scenario).run(false) else {
        return schedules;
    };
    let road = calm.road.unwrap_or(calm.effects);
    for first in 0..road {
        for fault in Fault::ALL {
            let one = vec![(first, fault)];
            let schedule = |faults| Schedule::Faults {
                scenario: scenario.name,
                faults,
                disturb_at: None,
            };
            let Some(after) = schedule(one.clone()).run(false) else {
                continue;
            };
            let until = after.road.unwrap_or(after.effects);
            for second in first + 1..until {
                for other in Fault::ALL {
                    let mut faults = one.clone();
                    faults.push((second, other));
                    schedules.push(schedule(faults));
                }
            }
        }
    }
    schedules
}

/// So many seeds of one scenario.
pub fn seeds_of(scenario: &Scenario, count: u64) -> Vec<Schedule> {
    let all = scenarios();
    let place = all.iter().position(|one| one.name == scenario.name);
    let (place, every) = (place.unwrap_or(0) as u64, all.len() as u64);
    (0..count)
        .map(|number| Schedule::Seed(number * every + place))
        .collect()
}

/// So many seeds from a first one on.
pub fn seeds(first: u64, count: u64) -> Vec<Schedule> {
    (first..first.saturating_add(count))
        .map(Schedule::Seed)
        .collect()
}
