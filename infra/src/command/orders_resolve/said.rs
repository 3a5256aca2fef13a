//! What is said of a decision: what was recorded and what comes next, or why it does not fit and what to do.

use std::io::Write;

use anyhow::{Result, anyhow};
use kervan::clock::Clock;
use kervan::domain::{Attention, Decision, Event, Order, OrderKey, Phase};
use kervan::flows::resolve::{self, Resolution, ResolveError, Told, Unfit};
use kervan::store::Store;
use serde_json::json;

use crate::command::orders_advice::advice;
use crate::command::orders_timeline;
use crate::command::text::{aligned, shell_word};

/// How a decision is recorded and shown.
#[derive(Clone, Copy)]
pub(super) struct How<'a> {
    pub(super) dry_run: bool,
    pub(super) as_json: bool,
    /// Where commands that are printed work.
    pub(super) flags: &'a str,
}

/// Records a decision, or shows what would be recorded.
pub(super) async fn decide(
    store: &dyn Store,
    clock: &dyn Clock,
    key: &OrderKey,
    told: &Told,
    how: How<'_>,
    out: &mut dyn Write,
) -> Result<()> {
    let done = if how.dry_run {
        resolve::preview(store, clock, key, told).await
    } else {
        resolve::resolve(store, clock, key, told).await
    };
    let done = done.map_err(|error| explained(error, key, how.flags))?;
    if how.as_json {
        let value = json!({
            "order": key.to_string(),
            "decision": told.decision,
            "reason": told.reason,
            "by": told.by,
            "dry_run": how.dry_run,
            "events": done.events,
            "phase": done.after.phase,
            "attention": done.after.attention,
            "next": next(&done, &told.decision),
        });
        return Ok(writeln!(out, "{}", serde_json::to_string_pretty(&value)?)?);
    }
    let verb = if how.dry_run {
        "would be recorded"
    } else {
        "recorded"
    };
    writeln!(out, "{key}: {verb}")?;
    let mut lines = Vec::new();
    for event in &done.events {
        let name = event.name().to_owned();
        lines.push(vec![name, orders_timeline::event(event)?]);
    }
    write!(out, "{}", aligned("  ", &lines))?;
    for sentence in next(&done, &told.decision) {
        writeln!(out, "{sentence}")?;
    }
    if let Some(attention) = &done.after.attention {
        write_still_waiting(&done.after, attention, how.flags, out)?;
    }
    if how.dry_run {
        writeln!(out, "Nothing was changed.")?;
    }
    Ok(())
}

fn write_still_waiting(
    after: &Order,
    attention: &Attention,
    flags: &str,
    out: &mut dyn Write,
) -> Result<()> {
    let reason = orders_timeline::reason(&attention.reason)?;
    writeln!(out, "It still waits for a person: {reason}")?;
    writeln!(out, "  {}", attention.reason.next_action())?;
    for advice in advice(after, flags) {
        writeln!(out, "  {}:\n    {}", advice.when, advice.command)?;
    }
    Ok(())
}

/// What happens from now on.
fn next(done: &Resolution, decision: &Decision) -> Vec<String> {
    let text = match (done.after.phase, decision) {
        (Phase::Cancelled, _) => {
            "The order has ended. Kervan tells neither the channel nor a supplier of it."
        }
        (Phase::Done, _) => "The order has ended: everything has arrived.",
        (_, Decision::Bought { .. }) => {
            "The supplier is asked about it within five minutes; its parcels are confirmed at the channel as they come."
        }
        (_, Decision::BoughtElsewhere { .. }) => {
            "Nothing more is bought for it. Ship it at the channel by hand: Kervan looks there about every half hour, and \
             the order ends once all of it is shipped."
        }
        (_, Decision::BuyAgain { .. } | Decision::LinesAgain { .. })
            if done.after.attention.is_some() =>
        {
            "Nothing is bought while it waits for something else."
        }
        (_, Decision::BuyAgain { .. }) if sends_again(done) => {
            "The purchase is sent again within five minutes, under the same reference."
        }
        (_, Decision::BuyAgain { .. }) => {
            "It is planned anew within five minutes, at the terms of that moment, and bought."
        }
        (_, Decision::ConfirmedByHand) => {
            "The order goes on, and ends when everything has arrived."
        }
        (_, Decision::Keep { .. }) => {
            "What is bought too much is yours; the order goes on with what is wanted."
        }
        (_, Decision::Cancel { .. }) => "The order is ended.",
        (_, Decision::SendTheRest) => {
            "What can be had is bought within five minutes; what cannot be had stays in the attention list."
        }
        (_, Decision::CancelLines { .. }) => {
            "Kervan sends the other lines. It does not tell the channel: cancel these lines there, or pay them back."
        }
        (_, Decision::LinesElsewhere { .. }) => {
            "Kervan sends the other lines. Ship these at the channel by hand."
        }
        (_, Decision::LinesAgain { .. }) => {
            "The lines are planned anew within five minutes, at the terms of that moment, and bought."
        }
    };
    let tracked = matches!(decision, Decision::BoughtElsewhere { .. });
    let live: Vec<String> = done
        .after
        .purchases
        .iter()
        .filter(|purchase| tracked && purchase.is_live())
        .map(|purchase| purchase.number.to_string())
        .collect();
    let mut sentences = vec![text.to_owned()];
    if !live.is_empty() {
        let live = live.join(", ");
        sentences.push(format!(
            "What Kervan has bought is tracked on: purchase {live}."
        ));
    }
    sentences
}

fn sends_again(done: &Resolution) -> bool {
    let sends = |event: &Event| matches!(event, Event::NotPlaced { .. });
    done.events.iter().any(sends)
}

/// The error with what to do about it.
fn explained(error: ResolveError, key: &OrderKey, flags: &str) -> anyhow::Error {
    let order = shell_word(&key.to_string());
    let show = format!("See the order with: cargo kervan orders show {order}{flags}");
    let to_do = match &error {
        ResolveError::Unfit(unfit) => what_to_do(unfit, &show),
        ResolveError::Overtaken => Some("Try again in a minute.".to_owned()),
        ResolveError::UnknownOrder | ResolveError::Flow(_) => None,
    };
    match to_do {
        Some(to_do) => anyhow!("{error}. {to_do}"),
        None => error.into(),
    }
}

fn what_to_do(unfit: &Unfit, show: &str) -> Option<String> {
    Some(match unfit {
        Unfit::Leased { .. } => "Wait until then and look at the order again: the worker may have settled it.".to_owned(),
        Unfit::InDoubt(number) => format!(
            "If it is not there, say so with --not-at-supplier {number}; if it is, enter its number with the action bought."
        ),
        Unfit::AtSupplier { purchase, .. } => format!(
            "Cancel it there first, then say so with --not-at-supplier {purchase}."
        ),
        Unfit::NumberTaken { .. } => "Look at the number on the supplier's site again.".to_owned(),
        Unfit::Numbers => "Give each with --supplier-order once, with commas between them.".to_owned(),
        Unfit::NothingToBuy => "Where a purchase was closed or cancelled at the supplier, name it with --not-at-supplier.".to_owned(),
        Unfit::OnItsWay(_) => "Buy a replacement by hand, or end the order with the action cancel.".to_owned(),
        Unfit::BoughtElsewhere => "It ends by itself once the channel says that it is shipped; the action cancel ends it otherwise.".to_owned(),
        Unfit::NotWanted(_) => "The action cancel ends the order.".to_owned(),
        Unfit::BuyerErased => "Cancel the order at the channel, then with the action cancel.".to_owned(),
        Unfit::Units(_) => format!("Look at the order again: it has changed. {show}"),
        Unfit::Loss(currency) => format!("Give it as: --accept-loss 3.50{currency}"),
        Unfit::LineGivenUp(line) => format!("To have it bought after all: buy-again --line {line}"),
        Unfit::LineBought { purchase, .. } => format!(
            "Where it was closed or cancelled there, say so with --not-at-supplier {purchase}."
        ),
        Unfit::NameLines { purchase, .. } => format!(
            "Look on the supplier's site which of them it has not sent, and name them: --not-at-supplier {purchase} --line LINE[,LINE]"
        ),
        Unfit::RestIsSent | Unfit::LineNotWanted(_) => show.to_owned(),
        Unfit::NoSuchLine { .. } => return None,
        Unfit::NotTheCause(Some(reason)) => reason.next_action().to_owned(),
        Unfit::WrongState { state: "placed", .. } => {
            format!("Replace a wrong number with --correct. {show}")
        }
        Unfit::NotTheCause(None) | Unfit::NoSuchPurchase(_) | Unfit::WrongState { .. } => show.to_owned(),
        Unfit::Over(_) => return None,
    })
}
