//! What is to be done next about parcels, row by row.

use super::*;
use TrackingStep::{Confirm, Finish, ReportMissingTracking, ReportUnknownNumber, Rest};

/// What happened to the order, the second in which it is looked at, and what is then to be done.
type Row = (&'static str, Vec<Event>, i64, TrackingStep);

fn check(rows: &[Row]) {
    for (case, events, second, step) in rows {
        assert_eq!(
            next_tracking_step(&order(events), at(*second)),
            *step,
            "{case}"
        );
    }
}

fn confirm(number: &str) -> TrackingStep {
    Confirm(TrackingNumber::parse(number).unwrap())
}

/// One of the order's two lamps was bought and has arrived.
fn one_of_two(fulfilled: bool) -> Vec<Event> {
    let two = changed(|details| {
        details.lines[0].quantity = 2;
        details.fulfilled = fulfilled;
    });
    [delivered(1, "LAMP"), confirmed("LP01", 1), vec![two]].concat()
}

#[test]
fn a_parcel_is_confirmed_once_its_time_has_come_and_nobody_else_is_at_it() {
    let first = || placed(1, "LAMP");
    let from_10 = || [first(), vec![seen("LP01", 1, 10)]].concat();
    let until_90 = || [first(), confirming("LP01", 1, 90)].concat();
    let told = || [first(), confirmed("LP01", 1)].concat();
    let listed = vec![raised(Reason::PurchaseUnpaid)];
    check(&[
        ("no parcel yet", first(), 0, Rest),
        ("not to be told yet", from_10(), 9, Rest),
        ("its time has come", from_10(), 10, confirm("LP01")),
        ("its time is over", from_10(), 11, confirm("LP01")),
        ("somebody is at it", until_90(), 89, Rest),
        ("the lease ran out", until_90(), 90, confirm("LP01")),
        ("the lease is old", until_90(), 91, confirm("LP01")),
        ("the channel has it", told(), 1000, Rest),
        (
            "the channel refused it",
            [first(), refused_parcel("LP01", 1)].concat(),
            1000,
            Rest,
        ),
        (
            "another parcel stands for it",
            [first(), not_told("LP01", 1)].concat(),
            1000,
            Rest,
        ),
        (
            "the channel has the first of two",
            [told(), vec![seen("LP02", 1, 0)]].concat(),
            0,
            confirm("LP02"),
        ),
        (
            "the first of two is not to be told yet",
            [from_10(), vec![seen("LP02", 1, 5)]].concat(),
            5,
            confirm("LP02"),
        ),
        (
            "what was shipped arrives, whatever else is wrong",
            [from_10(), listed].concat(),
            10,
            confirm("LP01"),
        ),
    ]);
}

#[test]
fn an_order_that_has_ended_is_not_tracked() {
    let parcel = || [placed(1, "LAMP"), vec![seen("LP01", 1, 0)]].concat();
    check(&[
        ("open", parcel(), 0, confirm("LP01")),
        (
            "cancelled",
            [parcel(), vec![Event::Cancelled]].concat(),
            0,
            Rest,
        ),
        ("done", [parcel(), vec![Event::Finished]].concat(), 0, Rest),
    ]);
}

#[test]
fn a_purchase_of_unknown_number_is_reported_unless_the_order_is_listed_already() {
    let unknown = || placed_under(1, "LAMP", &[]);
    let listed = |reason| [unknown(), vec![raised(reason)]].concat();
    check(&[
        ("one number", placed_under(1, "LAMP", &["8001"]), 0, Rest),
        ("no number", unknown(), 0, ReportUnknownNumber),
        (
            "one purchase of two has no number",
            [
                vec![set()],
                placed(1, "LAMP"),
                placed_under(2, "SHADE", &[]),
            ]
            .concat(),
            0,
            ReportUnknownNumber,
        ),
        (
            "reported already",
            listed(Reason::PurchaseNumberUnknown),
            0,
            Rest,
        ),
        (
            "listed for a cause that can pass",
            listed(Reason::NoRate),
            0,
            Rest,
        ),
        (
            "a parcel can be told",
            [unknown(), vec![seen("LP01", 1, 0)]].concat(),
            0,
            confirm("LP01"),
        ),
        (
            "not known to be placed",
            vec![planned(), placing()],
            0,
            Rest,
        ),
    ]);
}

#[test]
fn an_order_is_finished_when_all_of_it_has_arrived_and_the_channel_knows() {
    let arrived = || delivered(1, "LAMP");
    let told = || confirmed("LP01", 1);
    check(&[
        ("nothing is bought", vec![], 0, Rest),
        ("planned", vec![planned()], 0, Rest),
        ("placed", placed(1, "LAMP"), 0, Rest),
        (
            "on its way",
            [shipped(1, "LAMP"), told()].concat(),
            1000,
            Rest,
        ),
        ("arrived", [arrived(), told()].concat(), 0, Finish),
        (
            "arrived, and somebody is telling the channel",
            [arrived(), confirming("LP01", 1, 90)].concat(),
            89,
            Rest,
        ),
        (
            "arrived, and the channel is to be told later",
            [arrived(), vec![seen("LP01", 1, 10)]].concat(),
            9,
            Rest,
        ),
        (
            "arrived, and the channel refused the parcel",
            [arrived(), refused_parcel("LP01", 1)].concat(),
            0,
            Finish,
        ),
        (
            "arrived, and another parcel stands for it",
            [arrived(), not_told("LP01", 1)].concat(),
            0,
            Finish,
        ),
        (
            "arrived, and the channel knows one parcel of two",
            [arrived(), told(), vec![seen("LP02", 1, 10)]].concat(),
            9,
            Rest,
        ),
    ]);
}

#[test]
fn an_order_is_not_finished_before_all_its_purchases_have_arrived() {
    let told = || confirmed("LP01", 1);
    let lamp = || [vec![set()], delivered(1, "LAMP"), told()].concat();
    check(&[
        ("the shade is not bought", lamp(), 0, Rest),
        (
            "the shade is planned",
            [lamp(), vec![planned_of(2, "SHADE")]].concat(),
            0,
            Rest,
        ),
        (
            "the shade is on its way",
            [lamp(), shipped(2, "SHADE"), confirmed("LP02", 2)].concat(),
            0,
            Rest,
        ),
        (
            "both arrived",
            [lamp(), delivered(2, "SHADE"), confirmed("LP02", 2)].concat(),
            0,
            Finish,
        ),
        (
            "the first supplier refused, and the second one's has arrived",
            [
                refused(1, "LAMP"),
                delivered(2, "LAMP"),
                confirmed("LP02", 2),
            ]
            .concat(),
            0,
            Finish,
        ),
        ("the only supplier refused", refused(1, "LAMP"), 0, Rest),
    ]);
}

#[test]
fn what_the_merchant_shipped_by_hand_is_not_waited_for() {
    let by_hand = |events: Vec<Event>| {
        let by_hand = changed(|details| details.fulfilled = true);
        [events, vec![by_hand]].concat()
    };
    check(&[
        ("one of two has arrived", one_of_two(false), 0, Rest),
        (
            "one of two has arrived, the other was shipped by hand",
            one_of_two(true),
            0,
            Finish,
        ),
        ("nothing was bought", by_hand(vec![]), 0, Rest),
        (
            "what was bought is still on its way",
            by_hand(shipped(1, "LAMP")),
            0,
            Rest,
        ),
    ]);
}

#[test]
fn what_only_a_person_can_close_is_not_finished() {
    let listed = |reason| {
        let reason = vec![raised(reason)];
        [delivered(1, "LAMP"), confirmed("LP01", 1), reason].concat()
    };
    let code = || "X".to_owned();
    check(&[
        (
            "a person has to see to it",
            listed(Reason::TrackingRefused { code: code() }),
            0,
            Rest,
        ),
        (
            "the cause can pass by itself",
            listed(Reason::OrderUnreadable { code: code() }),
            0,
            Finish,
        ),
    ]);
}

#[test]
fn a_purchase_that_arrived_without_a_parcel_is_reported_once() {
    let both = || [vec![set()], delivered(1, "LAMP"), delivered(2, "SHADE")].concat();
    check(&[
        (
            "on its way, which may still get one",
            shipped(1, "LAMP"),
            0,
            Rest,
        ),
        (
            "arrived without one",
            delivered(1, "LAMP"),
            0,
            ReportMissingTracking,
        ),
        (
            "only one of two has one",
            [both(), confirmed("LP01", 1)].concat(),
            0,
            ReportMissingTracking,
        ),
        (
            "only the other of two has one",
            [both(), confirmed("LP02", 2)].concat(),
            0,
            ReportMissingTracking,
        ),
        (
            "both have one",
            [both(), confirmed("LP01", 1), confirmed("LP02", 2)].concat(),
            0,
            Finish,
        ),
        (
            "reported already",
            [delivered(1, "LAMP"), vec![raised(Reason::TrackingMissing)]].concat(),
            0,
            Rest,
        ),
    ]);
}
