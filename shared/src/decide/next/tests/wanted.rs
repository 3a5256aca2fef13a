//! What of an order is still wanted once somebody else ships, cancels or pays back a part of it, row by row.

use super::*;
use BuyingStep::{GiveBack, Place, Plan, PlanAnew, ReportTooMuch, Rest};

/// What happened to the order, and what is then to be done.
type Row = (&'static str, Vec<Event>, BuyingStep);

fn check(rows: &[Row]) {
    for (case, events, step) in rows {
        assert_eq!(next_buying_step(&order(events), at(1)), *step, "{case}");
    }
}

/// Two units of the line, of which so many are shipped, cancelled and paid back.
fn two(shipped: u32, cancelled: u32, refunded: u32) -> Event {
    changed(|details| {
        let line = &mut details.lines[0];
        line.quantity = 2;
        (line.shipped, line.cancelled, line.refunded) = (shipped, cancelled, refunded);
    })
}

fn of_units(purchase: u8, quantity: u32) -> Event {
    let Event::Planned { mut lines, .. } = planned_of(purchase, "LAMP") else {
        panic!("a plan")
    };
    lines[0].quantity = quantity;
    Event::Planned { purchase, lines }
}

/// Two units were placed with the first purchase.
fn two_placed() -> Vec<Event> {
    let mut events = placed(1, "LAMP");
    events[0] = of_units(1, 2);
    [vec![two(0, 0, 0)], events].concat()
}

fn then(mut events: Vec<Event>, more: Event) -> Vec<Event> {
    events.push(more);
    events
}

#[test]
fn only_what_is_still_to_be_sent_is_planned() {
    let open = |line: Event| {
        let open = open_units(&order(&[line]));
        open.iter().map(|open| open.units).sum::<u32>()
    };
    assert_eq!(open(two(0, 0, 0)), 2);
    for one_gone in [two(1, 0, 0), two(0, 1, 0), two(0, 0, 1)] {
        assert_eq!(open(one_gone), 1);
    }
    for all_gone in [two(2, 0, 0), two(1, 1, 0), two(0, 1, 1), two(0, 2, 2)] {
        assert_eq!(open(all_gone), 0);
    }
    let set = mapped(&[("LAMP", 1), ("BULB", 4)]);
    let bulbs = open_units(&order(&[set, two(1, 0, 0)]));
    let units: Vec<u32> = bulbs.iter().map(|open| open.units).collect();
    assert_eq!(units, [1, 4], "the parts of one set");
}

#[test]
fn a_plan_with_more_than_is_wanted_is_given_up_before_it_is_placed() {
    let plan = || vec![two(0, 0, 0), of_units(1, 2)];
    check(&[
        ("all is wanted", plan(), Place(1)),
        (
            "one is shipped by hand",
            then(plan(), two(1, 0, 0)),
            PlanAnew(1),
        ),
        ("one is cancelled", then(plan(), two(0, 1, 0)), PlanAnew(1)),
        ("one is paid back", then(plan(), two(0, 0, 1)), PlanAnew(1)),
        ("both are gone", then(plan(), two(1, 1, 0)), PlanAnew(1)),
        (
            "also where it waits for a person",
            then(then(plan(), raised(Reason::PurchaseUnpaid)), two(1, 0, 0)),
            PlanAnew(1),
        ),
        (
            "then the rest is planned",
            then(
                then(plan(), two(1, 0, 0)),
                Event::PurchaseCancelled { purchase: 1 },
            ),
            Plan,
        ),
        (
            "and with nothing left the order ends",
            then(
                then(plan(), two(1, 1, 0)),
                Event::PurchaseCancelled { purchase: 1 },
            ),
            GiveBack,
        ),
        (
            "also where nothing was ever planned",
            vec![two(0, 1, 1)],
            GiveBack,
        ),
    ]);
}

#[test]
fn the_last_of_several_plans_is_given_up() {
    let both = || vec![two(0, 0, 0), planned(), planned_of(2, "LAMP")];
    check(&[
        ("both are wanted", both(), Place(1)),
        ("one of them is", then(both(), two(0, 1, 0)), PlanAnew(2)),
    ]);
    let first_is_placed = [
        vec![two(0, 0, 0)],
        placed(1, "LAMP"),
        vec![planned_of(2, "LAMP")],
    ];
    let events = then(first_is_placed.concat(), two(0, 1, 0));
    check(&[("what is placed stays", events, PlanAnew(2))]);
}

#[test]
fn what_is_bought_too_much_is_a_persons_matter_once() {
    let reported = |units| ReportTooMuch(too_much("LAMP", units));
    let told = || {
        raised(Reason::BoughtTooMuch {
            sku: Sku::parse("LAMP").unwrap(),
            units: 1,
        })
    };
    let keep = |units| Event::Resolved {
        decision: Decision::Keep { units },
        reason: Remark::parse("for the shelf").unwrap(),
        by: Remark::parse("anna").unwrap(),
    };
    let one_gone = || then(two_placed(), two(0, 1, 0));
    let kept = || {
        then(
            then(then(one_gone(), told()), keep(1)),
            Event::AttentionCleared,
        )
    };
    check(&[
        ("all is wanted", two_placed(), Rest),
        ("one is cancelled", one_gone(), reported(1)),
        (
            "one is paid back",
            then(two_placed(), two(0, 0, 1)),
            reported(1),
        ),
        (
            "both are shipped by hand",
            then(two_placed(), two(2, 0, 0)),
            reported(2),
        ),
        ("it is in the list", then(one_gone(), told()), Rest),
        ("it is kept", kept(), Rest),
        (
            "and then one more is too much",
            then(kept(), two(0, 1, 1)),
            reported(2),
        ),
    ]);
    let cancelled = changed(|details| {
        details.lines[0].quantity = 2;
        details.lines[0].cancelled = 2;
        details.cancel = Cancel::Requested;
    });
    let late = then(two_placed(), cancelled);
    check(&[(
        "a cancellation has a reason of its own",
        late,
        BuyingStep::ReportLateCancel,
    )]);
}

#[test]
fn what_the_channel_was_told_of_is_no_doing_of_somebody_else() {
    let told = |parcels: &[Vec<Event>], line: Event| {
        let mut events = two_placed();
        events.extend(parcels.concat());
        events.push(line);
        let order = order(&events);
        let line = &order.details.lines[0];
        (
            order.wanted_or_told(line),
            order.shipped_by_hand(line),
            order.left_to_tell(line),
        )
    };
    let one = || vec![confirmed("LP0001", 1)];
    assert_eq!(told(&[], two(0, 0, 0)), (2, 0, 2));
    assert_eq!(told(&one(), two(1, 0, 0)), (2, 0, 1), "ours");
    assert_eq!(
        told(&one(), two(2, 0, 0)),
        (1, 1, 0),
        "ours, and one by hand"
    );
    assert_eq!(told(&one(), two(0, 0, 0)), (2, 0, 1), "the channel lags");
    assert_eq!(
        told(&[confirming("LP0001", 1, 90)], two(1, 0, 0)),
        (2, 0, 1)
    );
    assert_eq!(
        told(&[refused_parcel("LP0001", 1)], two(1, 0, 0)),
        (2, 0, 1),
        "a person entered the number that was refused"
    );
    assert_eq!(
        told(&one(), two(1, 0, 2)),
        (1, 0, 1),
        "what was sent and is paid back afterwards stays sent"
    );
}

#[test]
fn while_a_refund_is_under_way_nothing_is_bought_and_the_channel_is_asked_again() {
    let refunding = || changed(|details| details.lines[0].refunding = 1);
    check(&[
        ("before the plan", vec![refunding()], Rest),
        ("planned", vec![planned(), refunding()], PlanAnew(1)),
        (
            "placed",
            then(placed(1, "LAMP"), refunding()),
            ReportTooMuch(too_much("LAMP", 1)),
        ),
        ("it has failed", vec![refunding(), changed(|_| {})], Plan),
    ]);
    let order = order(&[refunding()]);
    assert_eq!(due(&order, at(0)), Some((at(30 * 60), Lane::Forward)));
}

#[test]
fn a_line_that_the_channel_no_longer_has_is_not_wanted() {
    let other = changed(|details| details.lines[0].id = "2".to_owned().try_into().unwrap());
    check(&[("planned", vec![planned(), other.clone()], PlanAnew(1))]);
    let order = order(&then(placed(1, "LAMP"), other));
    assert_eq!(bought_too_much(&order), Some(too_much("LAMP", 1)));
}

/// So much of the total of 19.99 is given back through Kervan.
fn given_back(minor: i64) -> Event {
    let currency = "USD".parse().unwrap();
    serde_json::from_value(serde_json::json!({
        "event": "refund_started", "refund": 1,
        "amount": Money { minor, currency }, "lease_until": at(120),
        "reason": "goodwill", "why": "a scratch", "by": "anna",
    }))
    .unwrap()
}

#[test]
fn what_is_given_back_lessens_the_revenue() {
    let revenue = |events: &[Event]| order(events).revenue().minor;
    assert_eq!(revenue(&[]), 19_99);
    assert_eq!(revenue(&[given_back(10_00)]), 9_99);
    let both = [
        given_back(10_00),
        changed(|details| details.refunded_minor = 12_00),
    ];
    assert_eq!(revenue(&both), 7_99, "the channel's word holds ours");
    let failed = Event::RefundFailed {
        refund: 1,
        code: "X".to_owned(),
    };
    assert_eq!(revenue(&[given_back(10_00), failed]), 19_99);
}

#[test]
fn a_line_that_the_channel_counts_as_a_whole_is_ours_once_it_was_told_of_a_parcel() {
    let whole = changed(|details| {
        let line = &mut details.lines[0];
        (line.quantity, line.shipped, line.shipped_whole) = (2, 2, true);
        details.fulfilled = true;
    });
    let one_of_two = [
        vec![two(0, 0, 0)],
        placed(1, "LAMP"),
        confirmed("LP0001", 1),
        vec![planned_of(2, "LAMP"), whole.clone()],
    ]
    .concat();
    check(&[("the other unit is still owed", one_of_two.clone(), Place(2))]);
    let order = order(&one_of_two);
    let line = &order.details.lines[0];
    assert_eq!(
        (order.shipped_by_hand(line), order.left_to_tell(line)),
        (0, 1)
    );
    check(&[(
        "nothing was told",
        vec![two(0, 0, 0), planned(), whole],
        GiveBack,
    )]);
}

#[test]
fn what_is_too_much_is_reported_in_the_place_of_a_request_to_pay_for_it() {
    let unpaid = || raised(Reason::PurchaseUnpaid);
    let too_many = then(then(two_placed(), unpaid()), two(0, 1, 0));
    check(&[("", too_many.clone(), ReportTooMuch(too_much("LAMP", 1)))]);
    assert_eq!(due(&order(&too_many), at(7)), Some((at(7), Lane::Forward)));
}

#[test]
fn the_rest_of_a_bundle_is_not_bought_for_a_line_that_is_paid_back() {
    let lead_is_told = || [vec![set()], placed(1, "LAMP"), confirmed("LP0001", 1)].concat();
    let paid_back = || changed(|details| details.lines[0].refunded = 1);
    check(&[
        ("before", lead_is_told(), Plan),
        ("open", then(lead_is_told(), paid_back()), Rest),
        (
            "planned",
            then(then(lead_is_told(), planned_of(2, "SHADE")), paid_back()),
            PlanAnew(2),
        ),
    ]);
}

#[test]
fn an_order_does_not_end_while_a_refund_may_fail_or_too_much_is_not_reported() {
    let arrived = || {
        [
            vec![two(0, 0, 0)],
            delivered(1, "LAMP"),
            confirmed("LP0001", 1),
        ]
        .concat()
    };
    let step = |more: Event| next_tracking_step(&order(&then(arrived(), more)), at(1));
    assert_eq!(step(two(0, 0, 1)), TrackingStep::Finish);
    let refunding = changed(|details| {
        let line = &mut details.lines[0];
        (line.quantity, line.refunding) = (2, 1);
    });
    assert_eq!(step(refunding.clone()), TrackingStep::Rest);
    let events = then(arrived(), refunding);
    let later = at(73 * 3600);
    assert_eq!(next_buying_step(&order(&events), at(1)), Rest);
    assert_eq!(
        next_buying_step(&order(&events), later),
        BuyingStep::ReportRefund
    );
    let nothing_kept = [
        placed(1, "LAMP"),
        vec![Event::PurchaseGivenUp { purchase: 1 }],
    ]
    .concat();
    let nothing_kept = order(&then(
        nothing_kept,
        changed(|details| details.lines[0].refunded = 1),
    ));
    assert_eq!(next_buying_step(&nothing_kept, at(1)), GiveBack);
    assert_eq!(due(&nothing_kept, at(1)), Some((at(1), Lane::Forward)));
}

#[test]
fn what_others_shipped_is_not_taken_for_ours_while_the_channel_does_not_show_our_parcel() {
    let one_by_hand = vec![two(1, 0, 0)];
    let ours = [one_by_hand, placed(1, "LAMP"), confirming("LP0001", 1, 90)].concat();
    check(&[
        ("as it was", ours.clone(), Rest),
        ("read again", then(ours.clone(), two(1, 0, 0)), Rest),
        ("with our own", then(ours, two(2, 0, 0)), Rest),
    ]);
}
