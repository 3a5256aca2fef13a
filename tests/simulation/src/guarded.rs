//! Whether each guard is missed when it is taken away, by which scenario, and after how many schedules.

use crate::explore::{Effort, Failure, Schedule, calm, depth_one, run_all, seeds_of};
use crate::scenario::{Scenario, named};
use kervan::guards::Guard;

/// How many of its scenario's seeds a search goes through before it tries every single fault.
const MOST_SEEDS: u64 = 1_500;

/// What came of taking a guard away.
#[derive(Debug, Clone)]
pub struct Search {
    /// Which guard.
    pub guard: Guard,
    /// The scenario that needs it.
    pub scenario: &'static str,
    /// Schedules that were run, the one that noticed included.
    pub schedules: usize,
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

/// Searches for a schedule that misses the guard: its scenario in peace, then by seeds, then with every single fault.
pub fn search(guard: Guard) -> Option<Search> {
    let scenario = named(scenario_of(guard))?;
    let effort = Effort {
        jobs: 1,
        most_failures: 1,
        without: Some(guard),
    };
    let mut run = 0;
    let stages: [fn(&Scenario) -> Vec<Schedule>; 3] = [
        |scenario| vec![calm(scenario)],
        |scenario| seeds_of(scenario, MOST_SEEDS),
        depth_one,
    ];
    for schedules in stages {
        let mut summary = run_all(&schedules(&scenario), effort, &|_| {});
        run += summary.schedules;
        if let Some(failure) = summary.failures.pop() {
            return Some(Search {
                guard,
                scenario: scenario.name,
                schedules: run,
                noticed: Some(failure),
            });
        }
    }
    Some(Search {
        guard,
        scenario: scenario.name,
        schedules: run,
        noticed: None,
    })
}
