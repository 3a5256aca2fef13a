use super::super::route::Candidate;
use super::*;
use crate::domain::{
    Decided, Event, MappedLine, OfferId, OrderDetails, OrderRefund, OrderRefundState, Part, Rates,
};
use jiff::SignedDuration;
use serde_json::json;

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + 60 * minutes).unwrap()
}

fn id(line: &str) -> LineId {
    LineId::parse(line).unwrap()
}

fn usd(minor: i64) -> Money {
    let currency = "USD".parse().unwrap();
    Money { minor, currency }
}

/// An order of lines with so many units at this price for all of them; the total and the channel's fee.
fn order(lines: &[(&str, u32, i64)], total: i64, fee: i64) -> Order {
    let line = |(id, quantity, price): &(&str, u32, i64)| {
        json!({ "id": id, "sku": format!("SKU-{id}"), "quantity": quantity,
            "price": usd(*price), "ship_by": null })
    };
    let lines: Vec<_> = lines.iter().map(line).collect();
    let details: OrderDetails = serde_json::from_value(json!({
        "bought_at": at(0), "modified_at": at(0), "payment": "paid", "cancel": "no",
        "fulfilled": false, "total": usd(total), "fee": usd(fee), "country": "US", "lines": lines,
    }))
    .unwrap();
    let key = "ebay:main/01-1".parse().unwrap();
    Order::begin(key, at(0), &Event::Recorded { details }).unwrap()
}

fn offer(sku: &str) -> OfferId {
    OfferId::new("aliexpress:main".parse().unwrap(), "p", sku).unwrap()
}

fn need(line: &str, sku: &str, quantity: u32, free: i64) -> Need {
    let candidate = Candidate {
        offer: offer(sku),
        rank: 1,
        landed_minor: Some(100),
        free,
    };
    Need {
        line: id(line),
        sku: Sku::parse(sku).unwrap(),
        quantity,
        candidates: vec![candidate],
    }
}

fn bought(line: &str, sku: &str, quantity: u32, unit_cost: i64) -> PurchaseLine {
    PurchaseLine {
        line: id(line),
        sku: Sku::parse(sku).unwrap(),
        offer: offer(sku),
        quantity,
        unit_cost: usd(unit_cost),
        shipping: usd(0),
        shipping_option: "STANDARD".to_owned(),
        variant_attributes: String::new(),
    }
}

#[test]
fn a_rule_says_what_happens_to_the_rest_and_a_persons_word_counts_before_it() {
    use Unavailable::{Ask, SendTheRest, Wait};
    // The rule with its minutes; minutes since a line was first missing; a person's word; sent in part before.
    let rows = [
        (Wait, 0, None, false, false, None),
        (SendTheRest, 0, None, false, false, Some(Rest::Sent)),
        (Ask, 0, None, false, false, Some(Rest::Asked)),
        (SendTheRest, 60, None, false, false, Some(Rest::Waits)),
        (SendTheRest, 60, Some(59), false, false, Some(Rest::Waits)),
        (SendTheRest, 60, Some(60), false, false, Some(Rest::Sent)),
        (Ask, 60, Some(59), false, false, Some(Rest::Waits)),
        (Ask, 60, Some(60), false, false, Some(Rest::Asked)),
        (Wait, 0, None, true, false, Some(Rest::Sent)),
        (Ask, 60, None, true, false, Some(Rest::Sent)),
        (Wait, 0, None, false, true, Some(Rest::Sent)),
        (SendTheRest, 60, None, false, true, Some(Rest::Sent)),
    ];
    for (unavailable, after_minutes, since, is_decided, is_parted, rest) in rows {
        let mut order = order(&[("1", 1, 10_00)], 10_00, 0);
        order.decided.send_the_rest = is_decided;
        order.missing_since = since.map(|minutes| at(0) - SignedDuration::from_mins(minutes));
        order.left_out.extend(is_parted.then(|| id("1")));
        let rules = OrderRules {
            unavailable,
            after_minutes,
        };
        assert_eq!(rest_of(&order, &rules, at(0)), rest, "{rules:?}, {since:?}");
    }
}

/// Needs; lines that are known to be missing; lines that are bought now by rule (none, waits, asked, sent); all missing.
type Row<'a> = (
    &'a str,
    Vec<Need>,
    &'a [&'a str],
    [&'a [&'a str]; 4],
    &'a [&'a str],
);

#[test]
fn what_can_be_had_is_bought_without_the_rest_only_where_the_rule_says_so() {
    let nothing: &[&str] = &[];
    let rows: Vec<Row<'_>> = vec![
        (
            "all can be had",
            vec![need("1", "A", 1, 1), need("2", "B", 1, 1)],
            &[],
            [&["1", "2"]; 4],
            &[],
        ),
        (
            "one is out of stock",
            vec![need("1", "A", 1, 1), need("2", "B", 1, 0)],
            &[],
            [nothing, nothing, nothing, &["1"]],
            &["2"],
        ),
        (
            "a line is bought with all its units or not at all",
            vec![need("1", "A", 3, 2), need("2", "B", 1, 1)],
            &[],
            [nothing, nothing, nothing, &["2"]],
            &["1"],
        ),
        (
            "a bundle lacks a part",
            vec![
                need("1", "A", 1, 1),
                need("1", "B", 2, 1),
                need("2", "C", 1, 1),
            ],
            &[],
            [nothing, nothing, nothing, &["2"]],
            &["1"],
        ),
        (
            "what nobody offers takes its other parts along",
            vec![need("1", "A", 1, 1), need("2", "C", 1, 1)],
            &["1", "1"],
            [nothing, nothing, nothing, &["2"]],
            &["1"],
        ),
        (
            "two lines cannot take the last unit",
            vec![need("1", "A", 1, 1), need("2", "A", 1, 1)],
            &[],
            [nothing, nothing, nothing, &["1"]],
            &["2"],
        ),
        (
            "a line that is left out leaves its units to others",
            vec![
                need("1", "A", 1, 1),
                need("1", "B", 1, 0),
                need("2", "A", 1, 1),
            ],
            &[],
            [nothing, nothing, nothing, &["2"]],
            &["1"],
        ),
        (
            "nothing can be had",
            vec![need("1", "A", 1, 0), need("2", "B", 1, 0)],
            &[],
            [nothing; 4],
            &["1", "2"],
        ),
        (
            "nothing is offered",
            Vec::new(),
            &["1"],
            [nothing; 4],
            &["1"],
        ),
    ];
    for (case, needs, known, now, missing) in rows {
        let known = known.iter().map(|line| MissingLine {
            line: id(line),
            sku: "X".to_owned(),
            why: WhyMissing::NotMapped,
        });
        let known: Vec<_> = known.collect();
        let rests = [None, Some(Rest::Waits), Some(Rest::Asked), Some(Rest::Sent)];
        for (rest, now) in rests.into_iter().zip(now) {
            let why = |need: &Need| match need.line.as_str() {
                "1" => WhyMissing::NotDeliverable,
                _ => WhyMissing::OutOfStock,
            };
            let parted = sending(needs.clone(), known.clone(), rest, why);
            let mut lines: Vec<&str> = parted.now.iter().map(|need| need.line.as_str()).collect();
            lines.dedup();
            assert_eq!(lines, now, "{case}, {rest:?}");
            let named: Vec<&str> = parted.missing.iter().map(|one| one.line.as_str()).collect();
            assert_eq!(named, missing, "{case}, {rest:?}");
            for one in &parted.missing {
                let is_known = known.iter().any(|known| known.line == one.line);
                let reason = match one.line.as_str() {
                    _ if is_known => WhyMissing::NotMapped,
                    "1" => WhyMissing::NotDeliverable,
                    _ => WhyMissing::OutOfStock,
                };
                assert_eq!(one.why, reason, "{case}");
            }
            let some = missing.len() < 2 && !needs.is_empty();
            assert_eq!(parted.can_be_had, some, "{case}");
        }
    }
}

#[test]
fn what_is_not_bought_brings_nothing() {
    let two = [("1", 1, 12_00), ("2", 2, 8_00)];
    // Total and fee; what is planned, by line and units; revenue and fee of it.
    type Row = (i64, i64, &'static [(&'static str, u32)], i64, i64);
    let rows: &[Row] = &[
        (20_00, 2_00, &[("1", 1), ("2", 2)], 20_00, 2_00),
        (20_00, 2_00, &[("1", 1)], 12_00, 1_20),
        (20_00, 2_00, &[("2", 2)], 8_00, 80),
        (20_00, 2_00, &[("2", 1)], 4_00, 40),
        (20_00, 2_00, &[], 0, 0),
        // Five dollars of shipping go with the lines, by their prices.
        (25_00, 2_50, &[("1", 1)], 15_00, 1_50),
        // A discount as well.
        (10_00, 0, &[("1", 1)], 6_00, 0),
        // A share is rounded so that the part never has too much.
        (19_99, 0, &[("1", 1)], 11_99, 0),
        (19_99, 0, &[("2", 2)], 7_99, 0),
        // What is planned twice is no more than the whole.
        (20_00, 2_00, &[("1", 5), ("2", 9)], 20_00, 2_00),
    ];
    for (total, fee, planned, revenue, left_fee) in rows {
        let order = order(&two, *total, *fee);
        let lines = planned
            .iter()
            .map(|(line, units)| bought(line, "A", *units, 1));
        let planned: Vec<Vec<PurchaseLine>> = vec![lines.collect()];
        let part = part_revenue(&order, &planned);
        assert_eq!(
            part,
            (usd(*revenue), usd(*left_fee)),
            "{planned:?} of {total}"
        );
    }
}

#[test]
fn a_part_of_a_line_without_a_price_goes_by_its_units() {
    let order = order(&[("1", 1, 0), ("2", 3, 0)], 20_00, 0);
    let planned = vec![vec![bought("1", "A", 1, 1)]];
    assert_eq!(part_revenue(&order, &planned).0, usd(5_00));
}

#[test]
fn a_line_that_is_given_up_brings_nothing_and_one_that_is_paid_back_counts_once() {
    let two = [("1", 1, 12_00), ("2", 1, 8_00)];
    let planned = || vec![vec![bought("1", "A", 1, 1)]];
    let given_up = |decision| {
        let mut order = order(&two, 20_00, 0);
        let lines = [(id("2"), decision)].into_iter().collect();
        order.decided = Decided {
            lines,
            ..Decided::default()
        };
        order
    };
    let revenue = |order: &Order| part_revenue(order, &planned()).0.minor;
    assert_eq!(revenue(&given_up(LineDecision::Cancelled)), 12_00);
    assert_eq!(revenue(&given_up(LineDecision::Elsewhere)), 12_00);
    // Once the channel shows that it was paid back, that is money and no line any more.
    let mut shown = given_up(LineDecision::Cancelled);
    (
        shown.details.refunded_minor,
        shown.details.lines[1].refunded,
    ) = (8_00, 1);
    assert_eq!(revenue(&shown), 12_00);
    // What the merchant has sent alone still has its own price to itself.
    let mut sent = given_up(LineDecision::Elsewhere);
    sent.details.lines[1].shipped = 1;
    sent.shipped_by_others.insert(id("2"), 1);
    assert_eq!(revenue(&sent), 12_00);
    // Five dollars back, and the line is not sent: three stay with the merchant.
    let mut paid_back = order(&two, 20_00, 0);
    paid_back.refunds.push(OrderRefund {
        number: 1,
        amount: usd(5_00),
        lines: vec![id("2")],
        state: OrderRefundState::Issued {
            id: "R1".to_owned(),
        },
    });
    assert_eq!(revenue(&paid_back), 15_00);
    paid_back
        .decided
        .lines
        .insert(id("2"), LineDecision::Cancelled);
    assert_eq!(
        revenue(&paid_back),
        15_00,
        "it is told twice and counts once"
    );
}

#[test]
fn a_bundle_brings_its_price_only_with_all_its_parts() {
    let mut order = order(&[("1", 2, 12_00), ("2", 1, 8_00)], 20_00, 0);
    let part = |text: &str, units| Part {
        sku: Sku::parse(text).unwrap(),
        units,
    };
    let mapped = Event::Mapped {
        lines: vec![MappedLine {
            line: id("1"),
            parts: vec![part("LAMP", 1), part("BULB", 4)],
        }],
    };
    order.apply(at(0), &mapped).unwrap();
    // Lamps and bulbs that are planned, and what the sets and the other line bring.
    for (lamps, bulbs, revenue) in [(2, 8, 20_00), (2, 7, 14_00), (1, 8, 14_00), (2, 0, 8_00)] {
        let mut lines = vec![bought("1", "LAMP", lamps, 1), bought("2", "X", 1, 1)];
        lines.extend((bulbs > 0).then(|| bought("1", "BULB", bulbs, 1)));
        let (part, _) = part_revenue(&order, &[lines]);
        assert_eq!(part, usd(revenue), "{lamps} lamps, {bulbs} bulbs");
    }
}

#[test]
fn the_line_that_loses_most_alone_is_found_by_its_own_price_and_fee() {
    let three = [("1", 1, 12_00), ("2", 1, 8_00), ("3", 1, 0)];
    // What each line costs, and the line that loses most.
    let rows = [
        ([5_00, 5_00, 0], None),
        ([10_80, 7_20, 0], None),
        ([10_81, 7_20, 0], Some("1")),
        ([5_00, 9_00, 0], Some("2")),
        ([11_80, 8_00, 0], Some("1")),
        ([11_00, 9_00, 0], Some("2")),
        ([5_00, 5_00, 1], Some("3")),
    ];
    let rates = Rates::default();
    let exchange = Exchange {
        rates: &rates,
        now: at(0),
        most_age: SignedDuration::from_hours(96),
    };
    let order = order(&three, 20_00, 2_00);
    for (costs, worst) in rows {
        let lines = costs.iter().zip(["1", "2", "3"]);
        let lines = lines.map(|(cost, line)| vec![bought(line, "A", 1, *cost)]);
        let planned: Vec<Vec<PurchaseLine>> = lines.collect();
        let cost = |line: &PurchaseLine| Some(line.unit_cost);
        let found = worst_line(&order, &planned, cost, &exchange);
        assert_eq!(found, worst.map(id), "{costs:?}");
    }
}
