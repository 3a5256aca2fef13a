//! Orders of which a part is bought, and lines that a person has given up.

use super::*;
use crate::domain::{LineDecision, MissingLine, Rest, WhyMissing};
use BuyingStep::{GiveBack, Place, Plan, PlanAnew, Rest as Nothing};

fn line(id: &str) -> LineId {
    LineId::parse(id).unwrap()
}

/// A second line, of a vase.
fn two_lines() -> Event {
    changed(|details| {
        let mut vase = details.lines[0].clone();
        (vase.id, vase.sku) = (line("2"), "VASE".to_owned());
        details.lines.push(vase);
    })
}

fn left_out(lines: &[&str]) -> Event {
    let lines = lines.iter().map(|id| line(id)).collect();
    Event::LeftOut { lines }
}

fn missing(rest: Rest) -> Reason {
    let vase = MissingLine {
        line: line("2"),
        sku: "VASE".to_owned(),
        why: WhyMissing::OutOfStock,
    };
    let lines = vec![vase];
    Reason::LinesMissing { lines, rest }
}

/// The lamp is planned, and the vase is left out.
fn parted() -> Vec<Event> {
    vec![
        two_lines(),
        left_out(&["2"]),
        raised(missing(Rest::Sent)),
        planned(),
    ]
}

fn given_up(id: &str, decision: LineDecision) -> Event {
    let (lines, not_at_supplier) = (vec![line(id)], Vec::new());
    let decision = match decision {
        LineDecision::Cancelled => Decision::CancelLines {
            lines,
            not_at_supplier,
        },
        LineDecision::Elsewhere => Decision::LinesElsewhere {
            lines,
            not_at_supplier,
        },
    };
    Event::Resolved {
        decision,
        reason: Remark::parse("cannot be had").unwrap(),
        by: Remark::parse("anna").unwrap(),
    }
}

fn then(mut events: Vec<Event>, more: Event) -> Vec<Event> {
    events.push(more);
    events
}

#[test]
fn what_is_planned_is_bought_without_the_lines_that_the_plan_left_out_and_only_without_them() {
    let arrived = || {
        let delivered = Event::Delivered { purchase: 1 };
        [parted(), placed(1, "LAMP")[1..].to_vec(), vec![delivered]].concat()
    };
    let rows = [
        ("the rest is bought", parted(), Place(1)),
        (
            "where nothing was left out, all is planned first",
            vec![two_lines(), planned()],
            Plan,
        ),
        (
            "also where another line was left out",
            vec![two_lines(), left_out(&["1"]), planned()],
            Plan,
        ),
        (
            "a plan that was refused leaves its own line open",
            [
                parted(),
                vec![
                    placing(),
                    Event::Refused {
                        purchase: 1,
                        refusal: Refusal::Stock,
                        code: "X".to_owned(),
                    },
                ],
            ]
            .concat(),
            Plan,
        ),
        ("then the missing line is looked for", arrived(), Plan),
        (
            "until it is cancelled",
            then(arrived(), given_up("2", LineDecision::Cancelled)),
            Nothing,
        ),
        (
            "or sent by the merchant",
            then(arrived(), given_up("2", LineDecision::Elsewhere)),
            Nothing,
        ),
        (
            "a reason that only a person can end stops the rest too",
            then(parted(), raised(Reason::TooLarge)),
            Nothing,
        ),
    ];
    for (case, events, step) in rows {
        assert_eq!(next_buying_step(&order(&events), at(1)), step, "{case}");
    }
    // Old terms are asked for anew for all that is open.
    let late = at(3600);
    assert_eq!(next_buying_step(&order(&parted()), late), PlanAnew(1));
}

#[test]
fn what_is_planned_without_the_rest_is_due_and_the_rest_waits_in_the_list() {
    let order_of = |events: &[Event]| order(events);
    let (when, lane) = due(&order_of(&parted()), at(1)).unwrap();
    assert_eq!((when, lane), (at(0), Lane::Forward));
    let all = order_of(&[parted(), placed(1, "LAMP")[1..].to_vec()].concat());
    let (when, lane) = due(&all, at(1)).unwrap();
    assert_eq!(lane, Lane::Track, "{when}");
    let waits = order_of(&[two_lines(), raised(missing(Rest::Asked))]);
    assert_eq!(due(&waits, at(1)), None, "it is in the attention list");
}

#[test]
fn an_order_ends_once_the_rest_has_arrived_and_the_missing_line_is_decided() {
    let seen = Event::ParcelSeen {
        parcel: Parcel {
            tracking_number: TrackingNumber::parse("LP0001").unwrap(),
            carrier: "Cainiao".to_owned(),
            purchase: 1,
            lines: vec![ParcelLine {
                line: line("1"),
                quantity: 1,
            }],
            parts: Vec::new(),
            state: ParcelState::Confirmed { at: at(0) },
            delivered_at: Some(at(0)),
        },
    };
    let delivered = Event::Delivered { purchase: 1 };
    let arrived = [
        parted(),
        placed(1, "LAMP")[1..].to_vec(),
        vec![seen, delivered],
    ]
    .concat();
    let step = |events: &[Event]| next_tracking_step(&order(events), at(1));
    assert_eq!(step(&arrived), TrackingStep::Rest, "the vase is missing");
    for decision in [LineDecision::Cancelled, LineDecision::Elsewhere] {
        let decided = then(arrived.clone(), given_up("2", decision));
        assert_eq!(step(&decided), TrackingStep::Finish, "{decision:?}");
    }
}

#[test]
fn a_line_that_is_paid_back_through_kervan_is_not_wanted_unless_that_fails() {
    let started = |lines: &[&str]| Event::RefundStarted {
        refund: 1,
        amount: Money {
            minor: 900,
            currency: "USD".parse().unwrap(),
        },
        lines: lines.iter().map(|id| line(id)).collect(),
        lease_until: at(120),
        reason: crate::domain::RefundReason::OutOfStock,
        why: Remark::parse("gone").unwrap(),
        by: Remark::parse("anna").unwrap(),
    };
    let issued = || Event::RefundIssued {
        refund: 1,
        id: "R1".to_owned(),
    };
    let failed = || Event::RefundFailed {
        refund: 1,
        code: "X".to_owned(),
    };
    let shown = || {
        let Event::Changed { mut details } = two_lines() else {
            panic!("a change")
        };
        details.refunded_minor = 900;
        Event::Changed { details }
    };
    let vase_alone = || vec![two_lines(), started(&["1"])];
    let rows = [
        (
            "a part of the price alone",
            vec![two_lines(), started(&[])],
            vec![0, 1],
        ),
        ("one line", vase_alone(), vec![1]),
        ("it was taken", then(vase_alone(), issued()), vec![1]),
        ("it failed", then(vase_alone(), failed()), vec![0, 1]),
        (
            "it failed later",
            then(then(vase_alone(), issued()), failed()),
            vec![0, 1],
        ),
    ];
    for (case, events, open) in rows {
        let places = open_units(&order(&events))
            .into_iter()
            .map(|open| open.place);
        assert_eq!(places.collect::<Vec<_>>(), open, "{case}");
    }
    // Nothing is left to be bought: the order ends once it is sure that the money goes back.
    let both = |more: Vec<Event>| [vec![two_lines(), started(&["1", "2"])], more].concat();
    let step = |events: Vec<Event>| next_buying_step(&order(&events), at(1));
    assert_eq!(step(both(vec![])), Nothing);
    assert_eq!(
        step(both(vec![issued()])),
        Nothing,
        "the channel does not show it yet"
    );
    assert_eq!(step(both(vec![issued(), shown()])), GiveBack);
    assert_eq!(step(both(vec![issued(), shown(), failed()])), Plan);
}
