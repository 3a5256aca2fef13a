//! The seller API's times: US Pacific wall clock without a zone, to the second.
//!
//! They are converted by the rule that has stood since 2007 (Energy Policy Act of 2005): summer time from the second
//! Sunday in March, 02:00, to the first Sunday in November, 02:00. So no time-zone database is needed. Orders from before
//! 2007 do not exist.
//!
//! In the hour that comes twice in November a wall time has two meanings. What is read is taken for the later one that is
//! not in the future; a span that is asked for is widened over the whole hour, so nothing falls between.

use jiff::civil::{Date, DateTime, Weekday};
use jiff::{SignedDuration, Timestamp};

const FORM: &str = "%Y-%m-%d %H:%M:%S";
const STANDARD: SignedDuration = SignedDuration::from_hours(-8);
const SUMMER: SignedDuration = SignedDuration::from_hours(-7);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// The instant that a wall time means, as read at `now`; `None` where it is not of this form or no time.
pub(super) fn instant(text: &str, now: Timestamp) -> Option<Timestamp> {
    let wall = DateTime::strptime(FORM, text).ok()?;
    let meanings = [STANDARD, SUMMER].map(|offset| {
        let instant = at_utc(wall)?.checked_sub(offset).ok()?;
        (offset_at(instant)? == offset).then_some(instant)
    });
    match meanings {
        [Some(later), Some(earlier)] => Some(if later <= now { later } else { earlier }),
        [Some(only), None] | [None, Some(only)] => Some(only),
        // The hour that March leaves out: nobody's clock shows it, so whoever wrote it meant standard time.
        [None, None] => at_utc(wall)?.checked_sub(STANDARD).ok(),
    }
}

/// The wall time at or before which everything of a span that begins at `instant` is.
pub(super) fn beginning(instant: Timestamp) -> Option<String> {
    let instant = match hour_that_comes_twice(instant)? {
        Some((first, _)) => first.checked_sub(SignedDuration::from_secs(1)).ok()?,
        None => instant,
    };
    written(instant)
}

/// The wall time at or after which everything of a span that ends at `instant` is.
pub(super) fn end(instant: Timestamp) -> Option<String> {
    let instant = match hour_that_comes_twice(instant)? {
        Some((_, last)) => last,
        None => instant,
    };
    let begun = instant.subsec_nanosecond() > 0;
    let whole = instant.checked_add(SignedDuration::from_secs(i64::from(begun)));
    written(whole.ok()?)
}

/// The two hours in which the instant's wall time comes twice; `None` inside where it comes once.
fn hour_that_comes_twice(instant: Timestamp) -> Option<Option<(Timestamp, Timestamp)>> {
    let (_, over) = summer_of(wall_of(instant, SUMMER)?.year())?;
    let (first, last) = (over.checked_sub(HOUR).ok()?, over.checked_add(HOUR).ok()?);
    let within = first <= instant && instant < last;
    Some(within.then_some((first, last)))
}

fn written(instant: Timestamp) -> Option<String> {
    let wall = wall_of(instant, offset_at(instant)?)?;
    Some(wall.strftime(FORM).to_string())
}

fn offset_at(instant: Timestamp) -> Option<SignedDuration> {
    let (begins, over) = summer_of(wall_of(instant, STANDARD)?.year())?;
    let is_summer = begins <= instant && instant < over;
    Some(if is_summer { SUMMER } else { STANDARD })
}

/// When summer time begins and when it is over.
fn summer_of(year: i16) -> Option<(Timestamp, Timestamp)> {
    let two = |day: Date| day.at(2, 0, 0, 0);
    let march = sunday(year, 3)?
        .checked_add(SignedDuration::from_hours(7 * 24))
        .ok()?;
    let begins = at_utc(two(march))?.checked_sub(STANDARD).ok()?;
    let over = at_utc(two(sunday(year, 11)?))?.checked_sub(SUMMER).ok()?;
    Some((begins, over))
}

/// The first Sunday of a month.
fn sunday(year: i16, month: i8) -> Option<Date> {
    let first = Date::new(year, month, 1).ok()?;
    first.nth_weekday_of_month(1, Weekday::Sunday).ok()
}

fn at_utc(wall: DateTime) -> Option<Timestamp> {
    jiff::tz::Offset::UTC.to_timestamp(wall).ok()
}

fn wall_of(instant: Timestamp, offset: SignedDuration) -> Option<DateTime> {
    let moved = instant.checked_add(offset).ok()?;
    Some(jiff::tz::Offset::UTC.to_datetime(moved))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    const LATE: Timestamp = Timestamp::MAX;

    #[test]
    fn wall_times_are_pacific() {
        for (wall, instant_text) in [
            ("2017-10-12 12:12:12", "2017-10-12T19:12:12Z"),
            ("2026-01-15 00:00:00", "2026-01-15T08:00:00Z"),
            // The two Sundays of 2026 are March 8 and November 1.
            ("2026-03-08 01:59:59", "2026-03-08T09:59:59Z"),
            ("2026-03-08 03:00:00", "2026-03-08T10:00:00Z"),
            ("2026-11-01 00:59:59", "2026-11-01T07:59:59Z"),
            ("2026-11-01 02:00:00", "2026-11-01T10:00:00Z"),
            // March 1 and November 1 are themselves Sundays in 2020 and 2015.
            ("2020-03-08 03:00:00", "2020-03-08T10:00:00Z"),
            ("2015-11-01 02:00:00", "2015-11-01T10:00:00Z"),
            ("2015-03-08 03:00:00", "2015-03-08T10:00:00Z"),
            ("2025-12-31 23:59:59", "2026-01-01T07:59:59Z"),
        ] {
            assert_eq!(instant(wall, LATE), Some(at(instant_text)), "{wall}");
            assert_eq!(beginning(at(instant_text)).as_deref(), Some(wall));
            assert_eq!(end(at(instant_text)).as_deref(), Some(wall));
        }
        for wrong in [
            "",
            "2026-02-30 00:00:00",
            "2026-01-01T00:00:00Z",
            "1",
            "2026-01-01 00:00",
        ] {
            assert_eq!(instant(wrong, LATE), None, "{wrong}");
        }
    }

    #[test]
    fn the_hour_that_comes_twice_is_read_as_the_later_that_has_been() {
        let wall = "2026-11-01 01:30:00";
        let (first, second) = (at("2026-11-01T08:30:00Z"), at("2026-11-01T09:30:00Z"));
        assert_eq!(instant(wall, first), Some(first));
        assert_eq!(instant(wall, second), Some(second));
        assert_eq!(
            instant("2026-03-08 02:30:00", LATE),
            Some(at("2026-03-08T10:30:00Z"))
        );
    }

    #[test]
    fn a_span_that_touches_the_hour_covers_the_whole_of_it() {
        for inside in ["2026-11-01T08:00:00Z", "2026-11-01T09:59:59.9Z"] {
            assert_eq!(
                beginning(at(inside)).as_deref(),
                Some("2026-11-01 00:59:59")
            );
            assert_eq!(end(at(inside)).as_deref(), Some("2026-11-01 02:00:00"));
        }
    }

    proptest! {
        #[test]
        fn a_span_begins_before_and_ends_after_what_it_was_asked_for(
            seconds in 1_180_000_000_i64..4_000_000_000, more in 0_i64..10_000_000, nanos in 0_i32..1_000_000_000,
        ) {
            let from = Timestamp::new(seconds, nanos).unwrap();
            let until = from.checked_add(SignedDuration::from_secs(more)).unwrap();
            let (begins, ends) = (beginning(from).unwrap(), end(until).unwrap());
            prop_assert!(begins <= ends, "{} {}", begins, ends);
            // Whichever of two meanings the other side takes.
            prop_assert!(instant(&begins, LATE).unwrap() <= from);
            prop_assert!(instant(&ends, Timestamp::MIN).unwrap() >= until);
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in ".{0,30}", wild in "-?[0-9]{1,5}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}") {
            let _ = instant(&text, LATE);
            let _ = instant(&wild, LATE);
            let _ = (beginning(Timestamp::MIN), end(Timestamp::MAX));
        }
    }
}
