//! The guards earn their place: each is taken away, and the simulation turns red.

use kervan::guards::Guard;
use kervan_simulation::{processors, search, with_every_guard};

#[test]
fn every_guard_is_missed_when_it_is_taken_away() {
    let found = with_every_guard(search, processors(), &|_| {}).unwrap();
    assert_eq!(found.len(), Guard::ALL.len());
    for search in &found {
        let (guard, schedules) = (search.guard, search.schedules);
        let failure = search.noticed.as_ref().unwrap_or_else(|| {
            let scenario = search.scenario;
            panic!("{guard:?}: {schedules} schedules of {scenario} did not miss it")
        });
        let violation = &failure.outcome.violations[0];
        let schedule = &failure.schedule;
        if search.was_known {
            eprintln!("{guard:?}: {violation} ({schedule})");
        } else {
            eprintln!(
                "{guard:?}: its known schedule no longer notices; {schedule} does, after {schedules}"
            );
        }
    }
}
