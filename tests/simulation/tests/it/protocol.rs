//! What a schedule is: it ends as its scenario says where nothing fails, and what decided it decides it again.

use kervan_simulation::{Fault, Schedule, calm, scenarios};

#[test]
fn each_scenario_ends_as_it_should_where_nothing_fails() {
    for scenario in scenarios() {
        let outcome = calm(&scenario).run(false).unwrap();
        assert_eq!(outcome.violations, Vec::new(), "{}", scenario.name);
        assert_eq!(outcome.ends, scenario.calm_ends, "{}", scenario.name);
    }
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
        faults: vec![(13, Fault::TimeoutDone)],
        disturb_at: None,
    };
    let trace = schedule.run(true).unwrap().trace.join("\n");
    let fault = trace.lines().find(|line| line.contains('✗')).unwrap();
    assert!(fault.contains("aliexpress.ds.order.create"), "{fault}");
    assert!(fault.ends_with("no answer, but done"), "{fault}");
}

#[test]
fn a_schedule_of_no_scenario_is_an_error() {
    let schedule = Schedule::Faults {
        scenario: "no-such-scenario",
        faults: Vec::new(),
        disturb_at: None,
    };
    let error = schedule.run(false).unwrap_err().to_string();
    assert_eq!(error, "there is no such scenario");
}
