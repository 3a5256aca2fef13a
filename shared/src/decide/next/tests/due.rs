//! When somebody has to look at an order again, and who, row by row.

use super::*;
use Lane::{Forward, Track};

/// What happened to the order, the second in which it was last looked at, and when who has to look again.
type Row = (&'static str, Vec<Event>, i64, Option<(i64, Lane)>);

fn check(rows: &[Row]) {
    for (case, events, checked_at, wanted) in rows {
        let wanted = wanted.map(|(second, lane)| (at(second), lane));
        assert_eq!(due(&order(events), at(*checked_at)), wanted, "{case}");
    }
}

#[test]
fn an_order_that_has_ended_is_never_due() {
    check(&[
        ("open", vec![planned()], 7, Some((0, Forward))),
        ("cancelled", vec![planned(), Event::Cancelled], 7, None),
        ("done", vec![planned(), Event::Finished], 7, None),
    ]);
}

#[test]
fn an_order_is_due_when_its_next_step_can_be_taken() {
    let half = || vec![set(), planned()];
    check(&[
        ("nothing is planned", vec![], 7, Some((7, Forward))),
        ("half is planned", half(), 7, Some((0, Forward))),
        (
            "half is planned for later",
            [vec![set()], retried_from(500)].concat(),
            7,
            Some((7, Forward)),
        ),
        ("planned", vec![planned()], 7, Some((0, Forward))),
        (
            "planned for later",
            retried_from(500),
            7,
            Some((500, Forward)),
        ),
        (
            "a lease runs",
            vec![planned(), placing()],
            7,
            Some((90, Forward)),
        ),
        (
            "a settling time runs",
            doubted_until(30),
            7,
            Some((30, Forward)),
        ),
        (
            "the supplier refused",
            refused(1, "LAMP"),
            7,
            Some((7, Forward)),
        ),
        (
            "of unknown number",
            placed_under(1, "LAMP", &[]),
            7,
            Some((7, Track)),
        ),
        ("arrived", delivered(1, "LAMP"), 7, Some((7, Track))),
    ]);
}

#[test]
fn what_was_placed_is_asked_about_by_its_age() {
    let (hour, days) = (3600, 48 * 3600);
    check(&[
        ("just placed", placed(1, "LAMP"), 0, Some((300, Track))),
        (
            "placed for an hour",
            placed(1, "LAMP"),
            hour,
            Some((2 * hour, Track)),
        ),
        (
            "placed for two days",
            placed(1, "LAMP"),
            days,
            Some((days + 6 * hour, Track)),
        ),
        ("just shipped", shipped(1, "LAMP"), 10, Some((310, Track))),
        (
            "shipped for an hour",
            shipped(1, "LAMP"),
            hour,
            Some((2 * hour, Track)),
        ),
    ]);
}

#[test]
fn a_parcel_is_due_from_its_time_on_or_when_its_lease_runs_out() {
    let with = |parcel: Vec<Event>| [placed(1, "LAMP"), parcel].concat();
    // Without a parcel that is due, the purchase is: five minutes after it was last looked at.
    let purchase = Some((307, Track));
    check(&[
        (
            "to be told",
            with(vec![seen("LP01", 1, 40)]),
            7,
            Some((40, Track)),
        ),
        (
            "to be told late",
            with(vec![seen("LP01", 1, 400)]),
            7,
            purchase,
        ),
        (
            "somebody is telling",
            with(confirming("LP01", 1, 50)),
            7,
            Some((50, Track)),
        ),
        (
            "the channel has it",
            with(confirmed("LP01", 1)),
            7,
            purchase,
        ),
        (
            "the channel refused it",
            with(refused_parcel("LP01", 1)),
            7,
            purchase,
        ),
        (
            "another stands for it",
            with(not_told("LP01", 1)),
            7,
            purchase,
        ),
        (
            "the earliest of two",
            with(vec![seen("LP01", 1, 60), seen("LP02", 1, 40)]),
            7,
            Some((40, Track)),
        ),
    ]);
}

#[test]
fn the_earliest_of_all_that_is_to_be_done_counts() {
    let shade = || planned_of(2, "SHADE");
    check(&[
        (
            "a plan before a placed one",
            [vec![set()], placed(1, "LAMP"), vec![shade()]].concat(),
            7,
            Some((0, Forward)),
        ),
        (
            "a placed one before a lease",
            [vec![set()], placed(1, "LAMP"), vec![shade(), placing_of(2)]].concat(),
            7,
            Some((90, Forward)),
        ),
        (
            "an unplanned half before a placed one",
            [vec![set()], placed(1, "LAMP")].concat(),
            7,
            Some((7, Forward)),
        ),
    ]);
}

#[test]
fn while_nothing_may_be_bought_the_channel_is_asked_again_every_half_hour() {
    let pending = || changed(|details| details.payment = Payment::Pending);
    let requested = || changed(|details| details.cancel = Cancel::Requested);
    let by_hand = || changed(|details| details.fulfilled = true);
    let elsewhere = || Event::Declined {
        why: Remark::parse("Nobody sells it any more.").unwrap(),
        by: Remark::parse("merchant").unwrap(),
    };
    let half_hour = Some((7 + 1800, Forward));
    check(&[
        ("not paid", vec![pending()], 7, half_hour),
        (
            "planned and not paid",
            vec![planned(), pending()],
            7,
            half_hour,
        ),
        ("asked to cancel", vec![requested()], 7, half_hour),
        (
            "planned and asked to cancel",
            vec![planned(), requested()],
            7,
            half_hour,
        ),
        (
            "shipped by hand, and given back at once",
            vec![planned(), by_hand()],
            7,
            Some((7, Forward)),
        ),
        ("declined", vec![elsewhere()], 7, half_hour),
        (
            "what is in doubt is settled all the same",
            [doubted_until(30), vec![requested()]].concat(),
            7,
            Some((30, Forward)),
        ),
        (
            "what was placed is reported at once",
            [placed(1, "LAMP"), vec![requested()]].concat(),
            7,
            Some((7, Forward)),
        ),
        (
            "and tracked all the same",
            [
                placed(1, "LAMP"),
                vec![requested(), raised(Reason::CancelledAfterPurchase)],
            ]
            .concat(),
            7,
            Some((307, Track)),
        ),
        (
            "what was placed is tracked before the channel is asked",
            [
                vec![set()],
                placed(1, "LAMP"),
                vec![planned_of(2, "SHADE"), requested()],
                vec![raised(Reason::CancelledAfterPurchase)],
            ]
            .concat(),
            7,
            Some((307, Track)),
        ),
    ]);
}

#[test]
fn an_order_in_the_attention_list_is_due_for_tracking_and_for_doubts_alone() {
    let unpaid = || raised(Reason::PurchaseUnpaid);
    let listed = |events: Vec<Event>, reason| [events, vec![raised(reason)]].concat();
    let in_doubt = |reason| listed(doubted_until(30), reason);
    check(&[
        ("nothing is planned", vec![unpaid()], 7, None),
        ("planned", vec![planned(), unpaid()], 7, None),
        (
            "for a cause that can pass",
            vec![raised(Reason::NoRate)],
            7,
            None,
        ),
        (
            "arrived",
            listed(delivered(1, "LAMP"), Reason::TrackingMissing),
            7,
            None,
        ),
        (
            "of unknown number",
            listed(placed_under(1, "LAMP", &[]), Reason::PurchaseNumberUnknown),
            7,
            None,
        ),
        (
            "placed",
            listed(placed(1, "LAMP"), Reason::PurchaseUnpaid),
            7,
            Some((307, Track)),
        ),
        (
            "a parcel to be told",
            vec![seen("LP01", 1, 40), unpaid()],
            7,
            Some((40, Track)),
        ),
        (
            "in doubt",
            in_doubt(Reason::PurchaseUnpaid),
            7,
            Some((30, Forward)),
        ),
        (
            "in doubt for a person",
            in_doubt(Reason::PurchaseInDoubt),
            7,
            None,
        ),
        (
            "in doubt without a buyer",
            in_doubt(Reason::BuyerErased),
            7,
            None,
        ),
    ]);
}
