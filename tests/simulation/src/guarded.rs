//! Whether each guard is missed when it is taken away: by the schedule that is known to miss it, by a search where that one
//! no longer does, and by the sample that every commit runs.

use crate::explore::{Effort, Failure, Schedule, Summary, run_all};
use crate::fault::Fault;
use crate::passes::{self, Breadth, calm, one_fault, seeds_of_scenario};
use crate::scenario::{named, scenarios};
use anyhow::{Context, Result};
use kervan::guards::{Guard, take_away};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// How many of its scenario's seeds a search goes through before it tries every single fault.
const SEARCHED_SEEDS: u64 = 1_500;

/// Guards whose removal the sample has to notice by itself, of all 28. The others are noticed by their known schedules.
pub const NOTICED_BY_SAMPLE_MIN: usize = 25;

/// What came of taking a guard away.
#[derive(Debug, Clone)]
pub struct Search {
    /// Which guard.
    pub guard: Guard,
    /// The scenario that needs it.
    pub scenario: &'static str,
    /// Schedules that were run, the one that noticed included.
    pub schedules: usize,
    /// Whether the known schedule noticed, so that nothing had to be searched.
    pub was_known: bool,
    /// The schedule that noticed; none: nobody misses the guard.
    pub noticed: Option<Failure>,
}

/// The scenario that shows what a guard is for.
pub const fn scenario_of(guard: Guard) -> &'static str {
    match guard {
        // Nobody comes between while the lease's own write stands still, as the schedules do in `plain`.
        Guard::OrderVersion | Guard::RecordedOnce | Guard::OwnLease => "sweep-meets-push",
        Guard::PurchaseLease | Guard::StillMine | Guard::QueueFirst => "plain",
        Guard::ParcelLease | Guard::ReadBack => "two-parcels",
        Guard::FailedStays => "erasure",
        Guard::DoubtFirst | Guard::SettlingTime | Guard::SearchFirst => "search-only",
        Guard::RepeatWindow => "day-of-outage",
        Guard::RepeatOnlyWanted => "cancel",
        Guard::CancelStops => "cancel-asked",
        Guard::WantedUnits => "partly-by-hand",
        Guard::Reservation => "last-unit",
        Guard::EvidenceVersion | Guard::LateUpdate => "rush",
        Guard::TokenLease => "rush",
        Guard::FreshEvidence => "old-evidence",
        Guard::NewerDetails => "lagging-reads",
        Guard::NoLoss | Guard::FreshTerms => "cut-off",
        Guard::RefusedOffers => "refusal",
        Guard::PushSignature => "forgery",
        Guard::QueueBeforeCursor | Guard::SweepOverlap => "no-pushes",
    }
}

/// A schedule that noticed when the guard was taken away. Points and seeds are numbered anew by changes of the flows and of
/// the scenarios; `cargo kervan simulate --guards` names the schedule to put here where one of these no longer notices.
fn known(guard: Guard) -> Schedule {
    let fixed = |faults: &[(u64, Fault)], disturb_at| Schedule::Faults {
        scenario: scenario_of(guard),
        faults: faults.to_vec(),
        disturb_at,
    };
    match guard {
        Guard::OrderVersion => fixed(&[(4, Fault::Twice)], None),
        Guard::RecordedOnce => fixed(&[(4, Fault::Twice)], None),
        Guard::PurchaseLease => fixed(&[(1, Fault::Overtaken), (10, Fault::TimeoutNotDone)], None),
        Guard::OwnLease => fixed(&[(14, Fault::Stall)], None),
        Guard::DoubtFirst => fixed(&[(0, Fault::TimeoutNotDone), (12, Fault::Late)], None),
        Guard::SettlingTime => fixed(&[(0, Fault::TimeoutNotDone), (12, Fault::Late)], None),
        Guard::SearchFirst => fixed(&[(14, Fault::CrashAfter)], None),
        Guard::RepeatWindow => fixed(&[], None),
        Guard::RepeatOnlyWanted => fixed(&[(13, Fault::TimeoutNotDone)], Some(7)),
        Guard::Reservation => fixed(&[(14, Fault::Stall)], None),
        Guard::EvidenceVersion => fixed(&[(95, Fault::Twice)], Some(19)),
        Guard::FreshEvidence => fixed(&[(188, Fault::Stall)], None),
        Guard::LateUpdate => Schedule::Seed(14434),
        Guard::ParcelLease => fixed(&[(36, Fault::Late)], None),
        Guard::ReadBack => fixed(&[(36, Fault::TimeoutDone)], None),
        Guard::NewerDetails => fixed(&[], Some(6)),
        Guard::CancelStops => fixed(&[], Some(0)),
        Guard::WantedUnits => fixed(&[], Some(0)),
        Guard::NoLoss => fixed(&[], None),
        Guard::FreshTerms => fixed(&[], None),
        Guard::RefusedOffers => fixed(&[], Some(0)),
        Guard::PushSignature => fixed(&[], Some(7)),
        Guard::QueueFirst => fixed(&[(2, Fault::Error)], None),
        Guard::QueueBeforeCursor => fixed(&[(8, Fault::CrashAfter)], None),
        Guard::SweepOverlap => fixed(&[], None),
        Guard::FailedStays => fixed(&[(7, Fault::TimeoutNotDone)], Some(1)),
        Guard::TokenLease => Schedule::Seed(23734),
        Guard::StillMine => fixed(&[(14, Fault::Stall)], None),
    }
}

/// Takes the guard away and runs the schedule that is known to notice; where it no longer does, searches for one: the
/// guard's scenario in peace, then by seeds, then with every single fault. What is found holds with the guard in its place.
///
/// # Errors
/// Where a schedule cannot be run.
pub fn search(guard: Guard) -> Result<Search> {
    let name = scenario_of(guard);
    let scenario = named(name).context("there is no such scenario")?;
    let stages: [&dyn Fn() -> Result<Vec<Schedule>>; 4] = [
        &|| Ok(vec![known(guard)]),
        &|| Ok(vec![calm(&scenario)]),
        &|| {
            let all = scenarios().len() as u64;
            Ok(seeds_of_scenario(name, 0, SEARCHED_SEEDS * all))
        },
        &|| one_fault(&scenario, Breadth::Full),
    ];
    let mut result = Search {
        guard,
        scenario: name,
        schedules: 0,
        was_known: false,
        noticed: None,
    };
    for (stage, schedules) in stages.iter().enumerate() {
        let (run, noticed) = first_to_notice(guard, &schedules()?)?;
        result.schedules += run;
        if noticed.is_some() {
            result.was_known = stage == 0;
            result.noticed = noticed;
            break;
        }
    }
    Ok(result)
}

/// Whether the sample alone, as every commit runs it, notices that a guard is gone.
///
/// # Errors
/// Where a schedule cannot be run.
pub fn search_sample(guard: Guard, offset: u64) -> Result<Search> {
    let name = scenario_of(guard);
    let passes = passes::passes(Breadth::Sample { offset }, Some(name))?;
    let schedules: Vec<Schedule> = passes.into_iter().flat_map(|pass| pass.schedules).collect();
    let (run, noticed) = first_to_notice(guard, &schedules)?;
    Ok(Search {
        guard,
        scenario: name,
        schedules: run,
        was_known: false,
        noticed,
    })
}

/// Runs the schedules without the guard until an invariant breaks in one that holds with it; says how many were run.
fn first_to_notice(guard: Guard, schedules: &[Schedule]) -> Result<(usize, Option<Failure>)> {
    let without = Effort {
        jobs: 1,
        failures_max: 1,
        without: Some(guard),
    };
    let mut run = 0;
    while run < schedules.len() {
        let Summary {
            schedules: done,
            failures,
            not_run,
            ..
        } = run_all(&schedules[run..], without, &|_| {});
        if let Some((schedule, why)) = not_run.into_iter().next() {
            anyhow::bail!("{schedule} cannot be run: {why}");
        }
        run += done;
        let Some(failure) = failures.into_iter().next() else {
            break;
        };
        // A schedule that fails anyway says nothing about the guard.
        take_away(None);
        if failure.schedule.run(false)?.violations.is_empty() {
            return Ok((run, Some(failure)));
        }
    }
    Ok((run, None))
}

/// Does something with every guard, several at a time; `progress` hears after each how many are done. The answers come in
/// the order of the guards.
///
/// # Errors
/// The first error of any.
pub fn with_every_guard(
    search: impl Fn(Guard) -> Result<Search> + Sync,
    jobs: usize,
    progress: &(dyn Fn(usize) + Sync),
) -> Result<Vec<Search>> {
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some(guard) = Guard::ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
            let result = search(*guard);
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            found.push(result);
            progress(found.len());
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(work);
        }
    });
    let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut found = found.into_iter().collect::<Result<Vec<Search>>>()?;
    found.sort_by_key(|search| search.guard);
    Ok(found)
}
