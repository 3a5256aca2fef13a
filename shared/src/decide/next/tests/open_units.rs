//! What of an order's lines is not bought yet, row by row.

use super::*;

/// What happened to the order, and what is open: the line's place, the part where the line is mapped, units.
type Row = (
    &'static str,
    Vec<Event>,
    &'static [(usize, Option<&'static str>, u32)],
);

fn check(rows: &[Row]) {
    for (case, events, wanted) in rows {
        let open = open_units(&order(events));
        let open: Vec<_> = open
            .iter()
            .map(|open| (open.place, open.part.as_ref().map(Sku::as_str), open.units))
            .collect();
        assert_eq!(open, *wanted, "{case}");
    }
}

/// So many units of the first line, and a second line of the same sku.
fn lines(first: u32, second: u32) -> Event {
    changed(|details| {
        let line = OrderLine {
            id: "2".to_owned().try_into().unwrap(),
            quantity: second,
            ..details.lines[0].clone()
        };
        details.lines[0].quantity = first;
        details.lines.push(line);
    })
}

/// A line is made of these parts.
fn mapped_line(line: &str, parts: &[(&str, u32)]) -> Event {
    let Event::Mapped { mut lines } = mapped(parts) else {
        panic!("a mapping")
    };
    lines[0].line = line.to_owned().try_into().unwrap();
    Event::Mapped { lines }
}

#[test]
fn a_purchase_fills_its_own_line_alone() {
    check(&[
        (
            "nothing is planned",
            vec![lines(1, 1)],
            &[(0, None, 1), (1, None, 1)],
        ),
        (
            "the first is planned",
            vec![lines(1, 1), planned()],
            &[(1, None, 1)],
        ),
        (
            "one unit of two is planned",
            vec![lines(2, 1), planned()],
            &[(0, None, 1), (1, None, 1)],
        ),
        (
            "two units are planned one by one",
            vec![lines(2, 3), planned(), planned_of(2, "LAMP")],
            &[(1, None, 3)],
        ),
        (
            "fewer are wanted than were planned",
            vec![lines(1, 1), planned(), planned_of(2, "LAMP")],
            &[(1, None, 1)],
        ),
    ]);
}

#[test]
fn a_purchase_fills_its_own_part_alone() {
    let parts = || mapped(&[("BULB", 3), ("LAMP", 1)]);
    check(&[
        (
            "of a line of two sets",
            vec![lines(2, 1), parts()],
            &[(0, Some("BULB"), 6), (0, Some("LAMP"), 2), (1, None, 1)],
        ),
        (
            "one of its lamps is planned",
            vec![lines(2, 1), parts(), planned()],
            &[(0, Some("BULB"), 6), (0, Some("LAMP"), 1), (1, None, 1)],
        ),
        (
            "another line's lamp is not this one's",
            vec![
                lines(1, 1),
                parts(),
                mapped_line("2", &[("LAMP", 2)]),
                planned(),
            ],
            &[(0, Some("BULB"), 3), (1, Some("LAMP"), 2)],
        ),
        (
            "a sku that is no part of it fills nothing",
            vec![parts(), planned_of(1, "SHADE")],
            &[(0, Some("BULB"), 3), (0, Some("LAMP"), 1)],
        ),
    ]);
}

#[test]
fn what_was_refused_or_given_up_fills_nothing() {
    let given_up = Event::PurchaseCancelled { purchase: 1 };
    check(&[
        ("planned", vec![planned()], &[]),
        ("in doubt", doubted_until(30), &[]),
        ("placed", placed(1, "LAMP"), &[]),
        ("arrived", delivered(1, "LAMP"), &[]),
        ("refused", refused(1, "LAMP"), &[(0, None, 1)]),
        ("given up", vec![planned(), given_up], &[(0, None, 1)]),
    ]);
}
