//! An order and its history as lines for a person.

use std::io::Write;

use anyhow::Result;
use jiff::Timestamp;
use kervan::domain::{
    Cancel, Decision, Doubt, Event, HistoryRecord, LineDecision, LineId, Order, OrderDetails,
    OrderLine, Parcel, ParcelState, PartLine, Payment, Phase, Purchase, PurchaseLine,
    PurchaseState, Reason, Refusal, Rest, SupplierOrderId,
};
use serde_json::{Map, Value};

use super::orders_advice::Advice;
use super::text::{age, aligned, plain, time};

/// Writes what an order is now, and the commands that decide about it.
pub(super) fn write_order(
    order: &Order,
    commands: &[Advice],
    now: Timestamp,
    out: &mut dyn Write,
) -> Result<()> {
    let details = &order.details;
    let phase = match order.phase {
        Phase::Open => "open",
        Phase::Done => "done",
        Phase::Cancelled => "cancelled",
    };
    writeln!(out, "{}", order.key)?;
    let mut facts = vec![
        (
            "state",
            format!("{phase}, last changed {}", time(order.updated_at)),
        ),
        ("bought", time(details.bought_at)),
        ("channel", said(details)),
        ("fee", details.fee.to_string()),
    ];
    if let Some(loss) = order.decided.accepted_loss {
        facts.push(("accepted", format!("a loss of up to {loss}")));
    }
    if order.decided.bought_elsewhere {
        facts.push((
            "elsewhere",
            "the merchant buys elsewhere; nothing more is bought".to_owned(),
        ));
    }
    if order.decided.send_the_rest {
        let text = "what can be had is bought without the rest";
        facts.push(("parted", text.to_owned()));
    }
    for (line, decision) in &order.decided.lines {
        let what = match decision {
            LineDecision::Cancelled => "is not sent",
            LineDecision::Elsewhere => "is sent by the merchant",
        };
        facts.push(("given up", format!("line {line} {what}")));
    }
    if order.buyer_erased {
        facts.push(("buyer", "the data was erased".to_owned()));
    }
    if let Some(attention) = &order.attention {
        let reason = reason(&attention.reason)?;
        let spend = if attention.reason.passes() {
            "yes"
        } else {
            "no"
        };
        let since = attention.since;
        facts.extend([
            (
                "waits",
                format!("for a person since {} ({})", time(since), age(now, since)),
            ),
            ("reason", reason),
            ("next action", attention.reason.next_action().to_owned()),
            ("may spend", spend.to_owned()),
        ]);
    }
    let facts: Vec<_> = facts
        .into_iter()
        .map(|(name, text)| vec![name.to_owned(), text])
        .collect();
    write!(out, "{}", aligned("  ", &facts))?;
    write_commands(commands, out)?;
    let lines: Vec<_> = details.lines.iter().map(order_line).collect();
    write_part("lines", &lines, out)?;
    let mut purchases = Vec::new();
    for purchase in &order.purchases {
        purchases.push(purchase_line(purchase));
        purchases.extend(
            purchase
                .lines
                .iter()
                .map(|line| vec![String::new(), bought(line)]),
        );
    }
    write_part("purchases", &purchases, out)?;
    let parcels: Vec<_> = order.parcels.iter().map(parcel_line).collect();
    write_part("parcels", &parcels, out)
}

/// Writes the commands that decide about an order, each with when it is the right one.
pub(super) fn write_commands(commands: &[Advice], out: &mut dyn Write) -> Result<()> {
    for Advice { when, command } in commands {
        writeln!(out, "  {when}:\n    {command}")?;
    }
    Ok(())
}

/// Writes what happened, the oldest first.
pub(super) fn write_history(history: &[HistoryRecord], out: &mut dyn Write) -> Result<()> {
    let mut lines = Vec::new();
    for record in history {
        let name = record.event.name().to_owned();
        lines.push(vec![time(record.at), name, event(&record.event)?]);
    }
    write_part("history", &lines, out)
}

/// A reason with its details: `out_of_stock, sku MUG-1`.
pub(super) fn reason(reason: &Reason) -> Result<String> {
    let mut text = reason.code();
    if let Reason::LinesMissing { lines, rest } = reason {
        let rest = match rest {
            Rest::Waits => "the rest waits",
            Rest::Asked => "shall the rest be sent?",
            Rest::Sent => "the rest is bought",
        };
        let lines: Vec<String> = lines.iter().map(|line| plain(&line.to_string())).collect();
        return Ok(format!("{text}, line {}; {rest}", lines.join(", line ")));
    }
    for (name, value) in details_of(reason)? {
        let value = value.as_str().map_or_else(|| value.to_string(), plain);
        text.push_str(&format!(", {} {value}", name.replace('_', " ")));
    }
    Ok(text)
}

/// Lines of an order, by the channel's names.
fn lines_of(lines: &[LineId]) -> String {
    let lines: Vec<String> = lines.iter().map(LineId::to_string).collect();
    lines.join(", ")
}

fn parts_of(parts: &[PartLine]) -> String {
    let part = |part: &PartLine| format!("{} × {} of line {}", part.quantity, part.sku, part.line);
    let parts: Vec<String> = parts.iter().map(part).collect();
    parts.join(" + ")
}

/// The details of a reason: a sku, an account, a marketplace's code.
pub(super) fn details_of(reason: &Reason) -> Result<Map<String, Value>> {
    let value = serde_json::to_value(reason)?;
    let mut details = value.as_object().cloned().unwrap_or_default();
    details.remove("reason");
    Ok(details)
}

fn write_part(title: &str, lines: &[Vec<String>], out: &mut dyn Write) -> Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    write!(out, "\n{title}\n{}", aligned("  ", lines))?;
    Ok(())
}

/// What the channel says of an order, in one line.
fn said(details: &OrderDetails) -> String {
    let payment = match details.payment {
        Payment::Paid => "paid",
        Payment::Pending => "not paid yet",
    };
    let units: Vec<String> = details
        .lines
        .iter()
        .map(|line| format!("{} × {}", line.quantity, sku_of(line)))
        .collect();
    let mut text = format!(
        "{payment}, {}, {}, to {}",
        details.total,
        units.join(" + "),
        details.country.as_str()
    );
    match details.cancel {
        Cancel::No => {}
        Cancel::Requested => text.push_str(", cancellation asked for"),
        Cancel::Done => text.push_str(", cancelled"),
    }
    if details.fulfilled {
        text.push_str(", all shipped");
    }
    text
}

fn sku_of(line: &OrderLine) -> String {
    if line.sku.is_empty() {
        return "(no sku)".to_owned();
    }
    plain(&line.sku)
}

fn order_line(line: &OrderLine) -> Vec<String> {
    let ship_by = line.ship_by.map(|at| format!("ship by {}", time(at)));
    let gone = [
        (line.shipped, "shipped"),
        (line.cancelled, "cancelled"),
        (line.refunded, "paid back"),
        (line.refunding, "about to be paid back"),
    ];
    let gone = gone.into_iter().filter(|(units, _)| *units > 0);
    let gone: Vec<String> = gone
        .map(|(units, word)| format!("{units} {word}"))
        .collect();
    vec![
        line.id.to_string(),
        format!("{} × {}", line.quantity, sku_of(line)),
        line.price.to_string(),
        ship_by.unwrap_or_default(),
        gone.join(", "),
    ]
}

fn purchase_line(purchase: &Purchase) -> Vec<String> {
    let state = match &purchase.state {
        PurchaseState::Planned {
            not_before,
            attempts: 0,
        } => format!("planned, from {}", time(*not_before)),
        PurchaseState::Planned {
            not_before,
            attempts,
        } => format!(
            "planned, again from {}, attempts so far {attempts}",
            time(*not_before)
        ),
        PurchaseState::Placing {
            attempt,
            lease_until,
            doubt,
            ..
        } => match doubt {
            None => format!(
                "placing, attempt {attempt}, lease until {}",
                time(*lease_until)
            ),
            Some(doubt) => format!("placing, attempt {attempt}, {}", in_doubt(*doubt)),
        },
        PurchaseState::Placed { at, .. } => format!("placed {}", time(*at)),
        PurchaseState::Shipped { at, .. } => format!("shipped, placed {}", time(*at)),
        PurchaseState::Delivered { .. } => "delivered".to_owned(),
        PurchaseState::Refused { refusal, code } => refused(*refusal, code),
        PurchaseState::Cancelled => "given up".to_owned(),
    };
    let numbers = match (&purchase.state, purchase.supplier_orders()) {
        (PurchaseState::Placed { .. }, []) => ", supplier's number unknown".to_owned(),
        (_, []) => String::new(),
        (_, numbers) => format!(", {}", numbered(numbers)),
    };
    let cost = purchase.cost().map(|cost| format!(", cost {cost}"));
    vec![
        purchase.number.to_string(),
        format!(
            "{state}{numbers}{}, reference {}",
            cost.unwrap_or_default(),
            purchase.reference
        ),
    ]
}

fn bought(line: &PurchaseLine) -> String {
    format!(
        "{} × {} from {} at {}, shipping {} by {}",
        line.quantity,
        line.sku,
        line.offer,
        line.unit_cost,
        line.shipping,
        plain(&line.shipping_option)
    )
}

fn numbered(numbers: &[SupplierOrderId]) -> String {
    let texts: Vec<_> = numbers
        .iter()
        .map(|number| plain(number.as_str()))
        .collect();
    format!("supplier's order {}", texts.join(", "))
}

fn in_doubt(doubt: Doubt) -> String {
    format!(
        "in doubt since {}, to be settled from {}",
        time(doubt.since),
        time(doubt.settle_at)
    )
}

fn refused(refusal: Refusal, code: &str) -> String {
    let what = match refusal {
        Refusal::Stock => "for its stock",
        Refusal::Address => "for the address",
        Refusal::Other => "for another reason",
    };
    format!("refused {what}, code {}", plain(code))
}

fn parcel_line(parcel: &Parcel) -> Vec<String> {
    let state = match &parcel.state {
        ParcelState::Seen { not_before } => {
            format!("the channel is told from {}", time(*not_before))
        }
        ParcelState::Confirming {
            attempt,
            lease_until,
        } => format!(
            "the channel is being told, attempt {attempt}, lease until {}",
            time(*lease_until)
        ),
        ParcelState::Confirmed { at } => format!("confirmed {}", time(*at)),
        ParcelState::Refused => "refused by the channel".to_owned(),
        ParcelState::NotTold => "not told: what it fills is told with another parcel".to_owned(),
    };
    let delivered = parcel
        .delivered_at
        .map(|at| format!("delivered {}", time(at)));
    vec![
        parcel.tracking_number.to_string(),
        plain(&parcel.carrier),
        format!("purchase {}", parcel.purchase),
        state,
        delivered.unwrap_or_default(),
    ]
}

/// A decision in one line.
pub(super) fn decided(decision: &Decision) -> String {
    let gone = match decision.not_at_supplier() {
        [] => String::new(),
        numbers => {
            let numbers: Vec<_> = numbers.iter().map(u8::to_string).collect();
            format!(", not at the supplier: purchase {}", numbers.join(", "))
        }
    };
    match decision {
        Decision::Bought {
            purchase,
            supplier_orders,
            corrects,
        } => {
            let corrects = if *corrects { ", corrected" } else { "" };
            let numbers = numbered(supplier_orders);
            format!("bought, purchase {purchase}, {numbers}{corrects}")
        }
        Decision::BoughtElsewhere { .. } => format!("bought elsewhere{gone}"),
        Decision::BuyAgain { accepted_loss, .. } => {
            let loss = accepted_loss.map(|loss| format!(", accepting a loss of up to {loss}"));
            format!("buy again{gone}{}", loss.unwrap_or_default())
        }
        Decision::Cancel { .. } => format!("cancel{gone}"),
        Decision::SendTheRest => "send the rest".to_owned(),
        Decision::CancelLines { lines, .. } => format!("cancel line {}{gone}", lines_of(lines)),
        Decision::LinesElsewhere { lines, .. } => {
            format!("line {} bought elsewhere{gone}", lines_of(lines))
        }
        Decision::LinesAgain { lines, .. } => {
            format!("buy line {} again{gone}", lines_of(lines))
        }
        Decision::ConfirmedByHand => "confirmed by hand".to_owned(),
        Decision::Keep { units } => format!(
            "keep {} too many",
            super::text::count(u64::from(*units), "unit")
        ),
    }
}

/// The important fields of an event.
pub(super) fn event(event: &Event) -> Result<String> {
    Ok(match event {
        Event::Recorded { details } | Event::Changed { details } => said(details),
        Event::Mapped { lines } => format!(
            "{} known to the catalogue",
            super::text::count(lines.len() as u64, "line")
        ),
        Event::Planned { purchase, lines } => {
            let lines: Vec<_> = lines.iter().map(bought).collect();
            format!("purchase {purchase}: {}", lines.join(" + "))
        }
        Event::LeftOut { lines } if lines.is_empty() => "no line any more".to_owned(),
        Event::LeftOut { lines } => format!("line {}", lines_of(lines)),
        Event::SupplierOrderClosed {
            purchase,
            supplier_order,
            lines,
        } => {
            let number = numbered(std::slice::from_ref(supplier_order));
            let what = match lines.as_slice() {
                [] => "the supplier does not say what was in it".to_owned(),
                lines => parts_of(lines),
            };
            format!("purchase {purchase}, {number}: {what}")
        }
        Event::PurchasePartGivenUp {
            purchase, lines, ..
        } => format!("purchase {purchase}: {}", parts_of(lines)),
        Event::CostsConverted { rates } => {
            let rates: Vec<String> = rates.iter().map(|rate| plain(&rate.to_string())).collect();
            rates.join(", ")
        }
        Event::PlacingStarted {
            purchase,
            lease_until,
        } => format!("purchase {purchase}, lease until {}", time(*lease_until)),
        Event::Placed {
            purchase,
            supplier_orders,
        }
        | Event::NumbersCorrected {
            purchase,
            supplier_orders,
        } => match supplier_orders.as_slice() {
            [] => format!("purchase {purchase}, supplier's number unknown"),
            numbers => format!("purchase {purchase}, {}", numbered(numbers)),
        },
        Event::NotPlaced { purchase, retry_at } => {
            format!("purchase {purchase}, again from {}", time(*retry_at))
        }
        Event::Doubted { purchase, doubt } => format!("purchase {purchase}, {}", in_doubt(*doubt)),
        Event::Refused {
            purchase,
            refusal,
            code,
        } => format!("purchase {purchase}, {}", refused(*refusal, code)),
        Event::PurchaseCancelled { purchase }
        | Event::PurchaseGivenUp { purchase }
        | Event::Shipped { purchase }
        | Event::Delivered { purchase } => format!("purchase {purchase}"),
        Event::ParcelSeen { parcel } => format!(
            "{}, {}, purchase {}",
            parcel.tracking_number,
            plain(&parcel.carrier),
            parcel.purchase
        ),
        Event::ConfirmStarted {
            parcel,
            lease_until,
        } => format!("{parcel}, lease until {}", time(*lease_until)),
        Event::ParcelConfirmed { parcel }
        | Event::ParcelRefused { parcel }
        | Event::ParcelDelivered { parcel } => parcel.to_string(),
        Event::ParcelReduced { parcel, lines } => {
            let units = lines.iter().map(|line| u64::from(line.quantity)).sum();
            format!("{parcel}, told with {}", super::text::count(units, "unit"))
        }
        Event::AttentionRaised { reason: why } => reason(why)?,
        Event::Resolved {
            decision,
            reason,
            by,
        } => {
            let (by, why) = (plain(by.as_str()), plain(reason.as_str()));
            format!("by {by}: {}: {why}", decided(decision))
        }
        Event::RefundStarted {
            refund,
            amount,
            lines,
            why,
            by,
            ..
        } => {
            let (by, why) = (plain(by.as_str()), plain(why.as_str()));
            let stops = match lines.as_slice() {
                [] => String::new(),
                lines => format!(", line {} not sent", lines_of(lines)),
            };
            format!("refund {refund} of {amount}{stops} by {by}: {why}")
        }
        Event::RefundIssued { refund, id } => format!("refund {refund}, {}", plain(id)),
        Event::RefundFailed { refund, code } => format!("refund {refund}, code {}", plain(code)),
        Event::Declined { why, by } => {
            format!("by {}: {}", plain(by.as_str()), plain(why.as_str()))
        }
        Event::AttentionCleared | Event::Cancelled | Event::BuyerErased | Event::Finished => {
            String::new()
        }
    })
}
