//! The purchase protocol under everything that can go wrong. `cargo kervan simulate` runs the same with as many seeds as
//! wanted, and repeats and explains a schedule that fails.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what was run"
)]

use kervan_simulation::{
    Effort, Schedule, calm, depth_one, depth_two, named, run_all, scenarios, seeds,
};

/// Scenarios of many hours or many listings, whose effect points are alike, and how many of their single faults are tried
/// here, evenly spread: `cargo kervan simulate --depth 1` goes through all.
const LONG: [&str; 7] = [
    "two-channels",
    "bundle",
    "day-of-outage",
    "drop-two-channels",
    "supplier-day-off",
    "budget",
    "stale",
];
const MOST_OF_A_LONG_ONE: usize = 300;

fn every_invariant_holds_in(title: &str, schedules: &[Schedule]) {
    let jobs = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let effort = Effort {
        jobs,
        most_failures: 5,
        without: None,
    };
    let summary = run_all(schedules, effort, &|_| {});
    let failures: Vec<String> = summary
        .failures
        .iter()
        .map(|failure| {
            let violations = &failure.outcome.violations;
            format!(
                "cargo kervan simulate {} --trace: {violations:?}",
                failure.schedule
            )
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!(summary.schedules, schedules.len());
    eprintln!("{title}: {} schedules", summary.schedules);
}

#[test]
fn each_scenario_ends_as_it_should_where_nothing_fails() {
    for scenario in scenarios() {
        let outcome = calm(&scenario).run(false).unwrap();
        assert_eq!(outcome.violations, Vec::new(), "{}", scenario.name);
        assert_eq!(outcome.ends, scenario.calm_ends, "{}", scenario.name);
    }
}

#[test]
fn any_one_fault_at_any_effect_point_breaks_nothing() {
    let all = scenarios();
    let schedules = all.iter().flat_map(|one| {
        let all = depth_one(one);
        let step = if LONG.contains(&one.name) {
            all.len().div_ceil(MOST_OF_A_LONG_ONE)
        } else {
            1
        };
        all.into_iter().step_by(step.max(1))
    });
    let schedules: Vec<Schedule> = schedules.collect();
    every_invariant_holds_in("one fault", &schedules);
}

#[test]
fn any_two_faults_on_the_road_to_the_purchase_break_nothing() {
    for name in ["plain", "search-only"] {
        let schedules = depth_two(&named(name).unwrap());
        every_invariant_holds_in(name, &schedules);
    }
}

#[test]
fn ten_thousand_random_schedules_break_nothing() {
    every_invariant_holds_in("seeds", &seeds(0, 10_000));
}

#[test]
fn a_seed_repeats_its_schedule_step_by_step() {
    for seed in [3, 17, 4_711] {
        let (first, second) = (Schedule::Seed(seed), Schedule::Seed(seed));
        let (first, second) = (first.run(true).unwrap(), second.run(true).unwrap());
        assert!(first.trace.len() > 20, "the trace of {seed} is short");
        assert_eq!(first.trace, second.trace, "seed {seed}");
        assert_eq!(first.ends, second.ends);
    }
}

#[test]
fn a_trace_names_the_fault_and_the_call_that_it_met() {
    let schedule = Schedule::Faults {
        scenario: "plain",
        faults: vec![(13, kervan_simulation::Fault::TimeoutDone)],
        disturb_at: None,
    };
    let trace = schedule.run(true).unwrap().trace.join("\n");
    let fault = trace.lines().find(|line| line.contains('✗')).unwrap();
    assert!(fault.contains("aliexpress.ds.order.create"), "{fault}");
    assert!(fault.ends_with("no answer, but done"), "{fault}");
}
