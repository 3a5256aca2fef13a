//! What is to be done next about buying, row by row, in the order of the protocol's questions.

use super::*;
use BuyingStep::{GiveBack, Place, Plan, PlanAnew, ReportLateCancel, ReportTooMuch, Rest, Settle};

/// What happened to the order, the second in which it is looked at, and what is then to be done.
type Row = (&'static str, Vec<Event>, i64, BuyingStep);

fn check(rows: &[Row]) {
    for (case, events, second, step) in rows {
        assert_eq!(
            next_buying_step(&order(events), at(*second)),
            *step,
            "{case}"
        );
    }
}

fn and(mut events: Vec<Event>, event: Event) -> Vec<Event> {
    events.push(event);
    events
}

fn cancel(cancel: Cancel) -> Event {
    changed(|details| details.cancel = cancel)
}

#[test]
fn an_order_that_has_ended_buys_nothing() {
    check(&[
        ("open", vec![], 0, Plan),
        ("cancelled", vec![Event::Cancelled], 0, Rest),
        ("done", vec![Event::Finished], 0, Rest),
    ]);
}

#[test]
fn a_doubt_is_settled_when_its_time_has_come_and_before_everything_else() {
    let leased = || vec![planned(), placing()];
    let doubted = || doubted_until(30);
    let first_of_two = || [vec![set()], doubted(), vec![planned_of(2, "SHADE")]].concat();
    let second_of_two = || {
        [
            vec![set(), planned()],
            vec![planned_of(2, "SHADE"), placing_of(2)],
        ]
    };
    check(&[
        ("the lease runs", leased(), 89, Rest),
        ("the lease ran out", leased(), 90, Settle(1)),
        ("the lease is old", leased(), 91, Settle(1)),
        ("the settling time runs", doubted(), 29, Rest),
        ("the settling time is over", doubted(), 30, Settle(1)),
        ("nothing else is placed meanwhile", first_of_two(), 29, Rest),
        ("it comes before placing", first_of_two(), 30, Settle(1)),
        (
            "the one in doubt is named",
            second_of_two().concat(),
            90,
            Settle(2),
        ),
        (
            "nothing is given back meanwhile",
            and(doubted(), cancel(Cancel::Done)),
            29,
            Rest,
        ),
        (
            "it comes before a cancellation",
            and(doubted(), cancel(Cancel::Done)),
            30,
            Settle(1),
        ),
    ]);
}

#[test]
fn a_doubt_that_only_a_person_can_settle_is_left_to_the_person() {
    let listed = |reason| and(doubted_until(30), raised(reason));
    check(&[
        (
            "no look-up can tell",
            listed(Reason::PurchaseInDoubt),
            30,
            Rest,
        ),
        (
            "the buyer was erased",
            listed(Reason::BuyerErased),
            30,
            Rest,
        ),
        (
            "another reason",
            listed(Reason::PurchaseUnpaid),
            30,
            Settle(1),
        ),
        (
            "another reason, too early",
            listed(Reason::PurchaseUnpaid),
            29,
            Rest,
        ),
        (
            "a cause that can pass",
            listed(Reason::NoRate),
            30,
            Settle(1),
        ),
    ]);
}

#[test]
fn what_is_not_bought_is_given_back_once_the_order_is_cancelled_or_shipped_by_hand() {
    let by_hand = || changed(|details| details.fulfilled = true);
    let with_shade = || [vec![set()], placed(1, "LAMP"), vec![planned_of(2, "SHADE")]].concat();
    let done = || cancel(Cancel::Done);
    check(&[
        ("cancelled before the plan", vec![done()], 0, GiveBack),
        (
            "cancelled when planned",
            vec![planned(), done()],
            0,
            GiveBack,
        ),
        (
            "cancelled when refused",
            and(refused(1, "LAMP"), done()),
            0,
            GiveBack,
        ),
        (
            "cancelled when half is placed",
            and(with_shade(), done()),
            0,
            GiveBack,
        ),
        ("shipped before the plan", vec![by_hand()], 0, GiveBack),
        (
            "shipped when planned",
            vec![planned(), by_hand()],
            0,
            GiveBack,
        ),
        (
            "shipped when half is placed",
            and(with_shade(), by_hand()),
            0,
            GiveBack,
        ),
        (
            "shipped when all is placed",
            and(placed(1, "LAMP"), by_hand()),
            0,
            ReportTooMuch(too_much("LAMP", 1)),
        ),
        (
            "the half is there, and nothing else",
            with_shade(),
            0,
            Place(2),
        ),
        (
            "a request is no cancellation",
            vec![planned(), cancel(Cancel::Requested)],
            0,
            Rest,
        ),
    ]);
}

#[test]
fn a_cancellation_that_comes_too_late_is_reported_once() {
    let bought = || placed(1, "LAMP");
    let requested = || cancel(Cancel::Requested);
    let fulfilled = |cancel| {
        changed(|details| {
            details.cancel = cancel;
            details.fulfilled = true;
        })
    };
    let told = || [bought(), confirmed("LP01", 1)].concat();
    check(&[
        ("nobody asks", bought(), 0, Rest),
        (
            "somebody asks",
            and(bought(), requested()),
            0,
            ReportLateCancel,
        ),
        (
            "it is cancelled",
            and(bought(), cancel(Cancel::Done)),
            0,
            ReportLateCancel,
        ),
        (
            "asked on the way",
            and(shipped(1, "LAMP"), requested()),
            0,
            ReportLateCancel,
        ),
        ("asked before it was bought", vec![requested()], 0, Rest),
        (
            "asked after a refusal",
            and(refused(1, "LAMP"), requested()),
            0,
            Rest,
        ),
        (
            "asked when the channel counts it as sent",
            and(told(), fulfilled(Cancel::Requested)),
            0,
            Rest,
        ),
        (
            "cancelled when the channel counts it as sent",
            and(told(), fulfilled(Cancel::Done)),
            0,
            Rest,
        ),
        (
            "listed already",
            [
                bought(),
                vec![requested(), raised(Reason::CancelledAfterPurchase)],
            ]
            .concat(),
            0,
            Rest,
        ),
        (
            "listed for a cause that can pass",
            [bought(), vec![requested(), raised(Reason::NoRate)]].concat(),
            0,
            ReportLateCancel,
        ),
    ]);
}

#[test]
fn nothing_is_bought_for_an_order_that_waits_for_its_money_or_a_person() {
    let pending = || changed(|details| details.payment = Payment::Pending);
    let elsewhere = Decision::BoughtElsewhere {
        not_at_supplier: vec![],
    };
    let elsewhere = || Event::Resolved {
        decision: elsewhere.clone(),
        reason: Remark::parse("Bought in the city.").unwrap(),
        by: Remark::parse("merchant").unwrap(),
    };
    let listed = |reason| vec![planned(), raised(reason)];
    check(&[
        ("paid", vec![], 0, Plan),
        ("not paid", vec![pending()], 0, Rest),
        ("planned and not paid", vec![planned(), pending()], 0, Rest),
        ("bought elsewhere", vec![elsewhere()], 0, Rest),
        (
            "planned and bought elsewhere",
            vec![planned(), elsewhere()],
            0,
            Rest,
        ),
        (
            "a loss",
            listed(Reason::WouldLose { margin_minor: -1 }),
            0,
            Rest,
        ),
        ("too large", listed(Reason::TooLarge), 0, Rest),
        ("a cause that can pass", listed(Reason::NoRate), 0, Place(1)),
    ]);
}

#[test]
fn what_no_purchase_fills_is_planned_before_the_next_one_is_placed() {
    let lamp = || vec![set(), planned()];
    check(&[
        ("nothing is planned", vec![set()], 0, Plan),
        ("half is planned", lamp(), 0, Plan),
        ("half is placed", and(placed(1, "LAMP"), set()), 0, Plan),
        (
            "all is planned",
            and(lamp(), planned_of(2, "SHADE")),
            0,
            Place(1),
        ),
        ("the supplier refused", refused(1, "LAMP"), 0, Plan),
        ("all is placed", placed(1, "LAMP"), 0, Rest),
        ("all has arrived", delivered(1, "LAMP"), 0, Rest),
    ]);
}

#[test]
fn a_plan_is_placed_from_its_time_on_and_until_its_terms_are_ten_minutes_old() {
    let again = |second| {
        [
            vec![set()],
            retried_from(second),
            vec![planned_of(2, "SHADE")],
        ]
        .concat()
    };
    check(&[
        ("not to be tried yet", retried_from(500), 499, Rest),
        ("to be tried again", retried_from(500), 500, Place(1)),
        ("another one need not wait", again(500), 499, Place(2)),
        ("terms of ten minutes", vec![planned()], 600, Place(1)),
        ("older terms", vec![planned()], 601, PlanAnew(1)),
        ("much older terms", vec![planned()], 86_400, PlanAnew(1)),
        (
            "old terms that wait for their time",
            retried_from(700),
            699,
            Rest,
        ),
        (
            "old terms whose time has come",
            retried_from(700),
            700,
            PlanAnew(1),
        ),
    ]);
}
