//! The guards earn their place: each is taken away, and the simulation turns red.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what was found"
)]

use kervan::guards::Guard;
use kervan_simulation::search;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn every_guard_is_missed_when_it_is_taken_away() {
    let jobs = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some(guard) = Guard::ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
                    found.lock().unwrap().push(search(*guard).unwrap());
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap();
    assert_eq!(found.len(), Guard::ALL.len());
    found.sort_by_key(|search| search.guard);
    for search in &found {
        let failure = search.noticed.as_ref().unwrap_or_else(|| {
            let (guard, scenario) = (search.guard, search.scenario);
            panic!(
                "{guard:?}: {} schedules of {scenario} did not miss it",
                search.schedules
            )
        });
        let violation = &failure.outcome.violations[0];
        let (guard, schedules) = (search.guard, search.schedules);
        eprintln!("{guard:?}: after {schedules} schedules, {violation}");
    }
}
