//! The sample of all schedules. `cargo kervan test` runs it as a step of its own, with the offset of the commit.

use kervan_simulation::{
    Breadth, Effort, NOTICED_BY_SAMPLE_MIN, passes, processors, run_all, search_sample,
    with_every_guard,
};

const OFFSET: u64 = 0;

#[test]
fn no_schedule_of_the_sample_breaks_an_invariant() {
    for pass in passes(Breadth::Sample { offset: OFFSET }, None).unwrap() {
        let title = pass.title;
        assert!(pass.schedules.len() >= pass.floor, "{title}: too few");
        let summary = run_all(&pass.schedules, Effort::usual(), &|_| {});
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
        assert!(
            summary.held(pass.schedules.len()),
            "{title}: {:?}",
            summary.not_run
        );
        eprintln!("{title}: {} schedules", summary.schedules);
    }
}

#[test]
fn the_sample_alone_misses_most_guards() {
    let search = |guard| search_sample(guard, OFFSET);
    let found = with_every_guard(search, processors(), &|_| {}).unwrap();
    let unnoticed: Vec<_> = found
        .iter()
        .filter(|search| search.noticed.is_none())
        .map(|search| search.guard)
        .collect();
    assert!(
        found.len() - unnoticed.len() >= NOTICED_BY_SAMPLE_MIN,
        "the sample does not notice that these are gone: {unnoticed:?}"
    );
}
