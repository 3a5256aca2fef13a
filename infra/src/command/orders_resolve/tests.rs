use super::*;
use crate::command::orders_advice::advice;
use crate::command::orders_fixture::{at, events, key, table};
use crate::command::{Arguments as All, Command};
use clap::Parser;
use kervan::clock::ManualClock;
use kervan::domain::{Event, MissingLine, PartLine, Reason, Rest, WhyMissing};
use kervan::flows::ledger;
use kervan::store::MemoryStore;
use serde_json::Value;

/// The order with its first events and then in doubt, or waiting for this reason.
fn waiting(first: usize, reason: Reason) -> Vec<Event> {
    let mut events = events();
    events.truncate(first);
    events.push(Event::AttentionRaised { reason });
    events
}

fn parsed(arguments: &[&str]) -> Result<(Decision, Common), clap::Error> {
    let start = ["kervan", "orders", "resolve", "ebay:main/01-12345-67890"];
    let all = All::try_parse_from([&start[..], arguments].concat())?;
    let Command::Orders(orders) = all.command else {
        panic!("not an orders command");
    };
    Ok(orders.into_resolve().unwrap().action.into_parts())
}

/// As a user types it after the order; what is on standard output, or the error.
async fn kervan(store: &MemoryStore, arguments: &[&str]) -> Result<String> {
    let (decision, common) = parsed(&[arguments, &["--by", "anna"]].concat())?;
    let told = Told {
        decision,
        reason: common.reason,
        by: common.by.unwrap(),
    };
    let how = How {
        dry_run: common.dry_run,
        as_json: common.json,
        flags: &common.target.as_flags(),
    };
    let (clock, mut out) = (ManualClock::at(at(60)), Vec::new());
    decide(store, &clock, &key(), &told, how, &mut out).await?;
    Ok(String::from_utf8(out)?)
}

#[test]
fn what_does_not_belong_together_is_refused() {
    for wrong in [
        &["bought"][..],
        &["bought", "--purchase", "1"],
        &["bought", "--supplier-order", "81"],
        &[
            "bought",
            "--elsewhere",
            "--purchase",
            "1",
            "--supplier-order",
            "81",
        ],
        &[
            "bought",
            "--purchase",
            "1",
            "--supplier-order",
            "81",
            "--not-at-supplier",
            "1",
        ],
        &["bought", "--purchase", "1", "--supplier-order", "NUMBER"],
        &["buy-again", "--accept-loss", "3.50"],
        &["buy-again", "--accept-loss=-3.50USD"],
        &["cancel", "--not-at-supplier", "first"],
        &["cancel", "--line", ""],
        &["bought", "--line", "11"],
        &["buy-again", "--line", "11", "--accept-loss", "1USD"],
    ] {
        let arguments = [wrong, &["--reason", "why"]].concat();
        assert!(parsed(&arguments).is_err(), "{wrong:?} was taken");
    }
    assert!(parsed(&["cancel"]).is_err(), "a reason is missing");
    let long = "x".repeat(201);
    for reason in ["", "two\nlines", "\u{1b}[2J", &long] {
        assert!(parsed(&["cancel", "--reason", reason]).is_err());
    }
}

#[test]
fn an_amount_is_read_with_its_currency() {
    for text in ["3.50USD", "3.50 USD", "3.5USD"] {
        assert_eq!(amount(text).unwrap().to_string(), "3.50 USD");
    }
    for wrong in ["3.50", "USD", "3,50USD", "3.505USD", "3.50US", "-1USD", ""] {
        assert!(amount(wrong).is_err(), "{wrong} was taken");
    }
}

#[tokio::test]
async fn the_printed_commands_are_taken_as_they_stand_and_end_the_waiting() {
    let code = || "X".to_owned();
    let sku = "MUG-1".to_owned().try_into().unwrap();
    let closed = || Reason::PurchaseClosed {
        code: code(),
        supplier_order: None,
    };
    for (first, reason, count) in [
        (3, Reason::PurchaseInDoubt, 4),
        (4, closed(), 3),
        (4, Reason::PurchaseUnpaid, 3),
        (4, Reason::CancelledAfterPurchase, 1),
        (4, too_much(), 2),
        (1, Reason::RefundFailed, 3),
        (1, Reason::SupplierRefused { code: code() }, 3),
        (1, Reason::AddressRefused { code: code() }, 3),
        (1, Reason::WouldLose { margin_minor: -205 }, 4),
        (1, Reason::NoRate, 3),
        (1, Reason::TooLarge, 2),
        (1, Reason::OutOfStock { sku }, 2),
        (1, Reason::SkuNotMapped { sku: code() }, 2),
        (1, Reason::BuyerErased, 1),
        (5, Reason::TrackingMissing, 1),
        (5, Reason::TrackingRefused { code: code() }, 1),
    ] {
        let history = waiting(first, reason);
        assert_eq!(try_all_advice(&history).await.len(), count, "{history:?}");
    }
}

/// Runs each command that is printed for an order of this history, each on the order as it was. All of them.
async fn try_all_advice(history: &[Event]) -> Vec<String> {
    let store = table(history).await;
    let order = ledger::load(&store, &key()).await.unwrap().unwrap();
    let mut actions = Vec::new();
    for advice in advice(&order, " --local") {
        let start = "cargo kervan orders resolve ebay:main/01-12345-67890 ";
        let rest = advice.command.strip_prefix(start).unwrap();
        let (rest, flags) = rest.rsplit_once(' ').unwrap();
        assert_eq!(flags, "--local");
        let (action, why) = rest.split_once(" --reason ").unwrap();
        assert!(action.contains("NUMBER") == parsed_as_typed(action, why).is_err());
        let action = action.replace("NUMBER", "8123457").replace("LINE", "11");
        let store = table(history).await;
        let arguments = typed(&action, why);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let text = kervan(&store, &arguments).await.unwrap();
        assert!(!text.contains("still waits"), "{text}");
        let after = ledger::load(&store, &key()).await.unwrap().unwrap();
        assert_eq!(after.attention, None, "{}", advice.command);
        actions.push(action);
    }
    actions
}

/// The same order with a second line, of a bulb.
fn with_bulb(first: usize, reason: Reason) -> Vec<Event> {
    let mut events = waiting(first, reason);
    if let Event::Recorded { details } = &mut events[0] {
        let mut bulb = details.lines[0].clone();
        bulb.id = "11".to_owned().try_into().unwrap();
        bulb.sku = "BULB-1".to_owned();
        details.lines.push(bulb);
    }
    events
}

fn missing(rest: Rest) -> Reason {
    let bulb = MissingLine {
        line: "11".to_owned().try_into().unwrap(),
        sku: "BULB-1".to_owned(),
        why: WhyMissing::OutOfStock,
    };
    let lines = vec![bulb];
    Reason::LinesMissing { lines, rest }
}

#[tokio::test]
async fn the_lines_that_cannot_be_had_are_named_in_commands_that_are_taken_as_they_stand() {
    let lines = [
        "send-the-rest",
        "cancel --line 11",
        "bought --elsewhere --line 11",
        "bought --elsewhere",
        "cancel",
    ];
    let sku = "BULB-1".to_owned().try_into().unwrap();
    for reason in [
        missing(Rest::Asked),
        missing(Rest::Waits),
        Reason::OutOfStock { sku },
        Reason::SkuNotMapped {
            sku: "BULB-1".to_owned(),
        },
    ] {
        assert_eq!(try_all_advice(&with_bulb(1, reason)).await, lines);
    }
    let sent = try_all_advice(&with_bulb(2, missing(Rest::Sent))).await;
    assert_eq!(sent, lines[1..], "the rest is sent already");
    let code = "X".to_owned();
    let refused = try_all_advice(&with_bulb(1, Reason::SupplierRefused { code })).await;
    assert_eq!(refused.first().map(String::as_str), Some("send-the-rest"));

    let (store, mut out) = (table(&with_bulb(2, missing(Rest::Sent))).await, Vec::new());
    let order = ledger::load(&store, &key()).await.unwrap().unwrap();
    crate::command::orders_timeline::write_order(&order, &[], at(60), &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let told = "lines_missing, line 11 (BULB-1, out of stock); the rest is bought";
    assert!(text.contains(told), "{text}");
}

#[tokio::test]
async fn what_the_supplier_closed_of_a_purchase_is_named_in_commands_that_are_taken() {
    let reason = Reason::PurchaseClosed {
        code: "X".to_owned(),
        supplier_order: Some("8123457".to_owned().try_into().unwrap()),
    };
    for (is_told, actions) in [
        (
            true,
            [
                "buy-again --not-at-supplier 1",
                "cancel --line 11",
                "bought --elsewhere --line 11",
                "cancel --not-at-supplier 1",
            ]
            .as_slice(),
        ),
        (
            false,
            &[
                "buy-again --line 11 --not-at-supplier 1",
                "cancel --line 11 --not-at-supplier 1",
                "cancel --not-at-supplier 1",
            ],
        ),
    ] {
        let mut history = with_bulb(4, reason.clone());
        if let Event::Planned { lines, .. } = &mut history[1] {
            let mut bulb = lines[0].clone();
            bulb.line = "11".to_owned().try_into().unwrap();
            bulb.sku = "BULB-1".to_owned().try_into().unwrap();
            lines.push(bulb);
        }
        if let Event::Placed {
            supplier_orders, ..
        } = &mut history[3]
        {
            supplier_orders.push("8123457".to_owned().try_into().unwrap());
        }
        let bulbs = PartLine {
            line: "11".to_owned().try_into().unwrap(),
            sku: "BULB-1".to_owned().try_into().unwrap(),
            quantity: 2,
        };
        let closed = Event::SupplierOrderClosed {
            purchase: 1,
            supplier_order: "8123457".to_owned().try_into().unwrap(),
            lines: is_told.then_some(bulbs).into_iter().collect(),
        };
        history.insert(4, closed);
        assert_eq!(try_all_advice(&history).await, actions);
        let store = table(&history).await;
        let plain = ["buy-again", "--not-at-supplier", "1", "--reason", "why"];
        let done = kervan(&store, &plain).await;
        match done {
            Ok(text) => assert!(text.contains("2 × BULB-1 of line 11"), "{text}"),
            Err(error) => {
                let text = error.to_string();
                assert!(!is_told && text.contains("--line LINE[,LINE]"), "{text}");
                assert!(text.contains("its lines are 10, 11"), "{text}");
            }
        }
    }
}

fn too_much() -> Reason {
    let sku = "MUG-1".to_owned().try_into().unwrap();
    Reason::BoughtTooMuch { sku, units: 0 }
}

fn typed(action: &str, why: &str) -> Vec<String> {
    let mut words: Vec<String> = action.split(' ').map(str::to_owned).collect();
    words.push("--reason".to_owned());
    words.push(why.trim_matches('\'').to_owned());
    words
}

fn parsed_as_typed(action: &str, why: &str) -> Result<(), clap::Error> {
    let words = typed(action, why);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    parsed(&words).map(drop)
}

#[tokio::test]
async fn a_dry_run_shows_what_would_be_recorded_and_changes_nothing() {
    let store = table(&waiting(3, Reason::PurchaseInDoubt)).await;
    let before = store.items();
    let arguments = [
        "bought",
        "--purchase",
        "1",
        "--supplier-order",
        "8123457",
        "--reason",
        "found it",
    ];
    let text = kervan(&store, &[&arguments[..], &["--dry-run"]].concat())
        .await
        .unwrap();
    assert_eq!(
        text,
        "ebay:main/01-12345-67890: would be recorded\n  \
             resolved           by anna: bought, purchase 1, supplier's order 8123457: found it\n  \
             placed             purchase 1, supplier's order 8123457\n  \
             attention_cleared\n\
             The supplier is asked about it within five minutes; its parcels are confirmed at the channel as they come.\n\
             Nothing was changed.\n"
    );
    assert_eq!(store.items(), before);
    let text = kervan(&store, &[&arguments[..], &["--json"]].concat())
        .await
        .unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["decision"]["action"], "bought");
    assert_eq!(value["events"][1]["event"], "placed");
    assert_eq!(value["attention"], Value::Null);
    assert_ne!(store.items(), before);
}

#[tokio::test]
async fn an_error_says_what_to_do() {
    let closed = Reason::PurchaseClosed {
        code: "X".into(),
        supplier_order: None,
    };
    let store = table(&waiting(4, closed)).await;
    for (arguments, part) in [
        (
            &["buy-again"][..],
            "Cancel it there first, then say so with --not-at-supplier 1.",
        ),
        (&["cancel"], "purchase 1 is at aliexpress:main as 8123456"),
        (&["confirmed"], "waits for something else: purchase_closed"),
        (
            &["buy-again", "--not-at-supplier", "7"],
            "orders show ebay:main/01-12345-67890",
        ),
        (
            &["buy-again", "--accept-loss", "3EUR"],
            "--accept-loss 3.50USD",
        ),
    ] {
        let arguments = [arguments, &["--reason", "why"]].concat();
        let error = kervan(&store, &arguments).await.unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    let error = table(&waiting(1, Reason::NoRate)).await;
    let missing: OrderKey = "ebay:main/02-2".parse().unwrap();
    let (clock, mut out) = (ManualClock::at(at(60)), Vec::new());
    let told = Told {
        decision: Decision::ConfirmedByHand,
        reason: Remark::parse("why").unwrap(),
        by: Remark::parse("anna").unwrap(),
    };
    let how = How {
        dry_run: false,
        as_json: false,
        flags: "",
    };
    let error = decide(&error, &clock, &missing, &told, how, &mut out).await;
    assert!(error.unwrap_err().to_string().contains("not in the table"));
}
