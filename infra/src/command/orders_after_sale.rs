//! `kervan orders refund` and `kervan orders decline`: what a person tells the channel about a sale that did not work out.

use std::io::Write;

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use kervan::clock::Clock;
use kervan::domain::{LineId, Money, OrderKey, RefundReason, Remark};
use kervan::flows::decline;
use kervan::flows::refund::{self, RefundOrder, Stops};
use serde_json::json;

use super::orders_resolve::{amount, line_id, user};
use super::target::Target;
use super::text::plain;

#[derive(Debug, Args)]
#[command(after_help = "\
The intent is recorded before the channel is told. Where the channel does not answer, run the same command again: what it \
has is read first, so that nothing is paid twice. All refunds together, those made on the channel's pages included, are \
never more than the customer paid. eBay takes refunds of sellers in the EU and the UK only signed: put the signing key into \
the account's secret.

A refund of all that is left stops the order: nothing more is bought for it. Of a part of the price of an open order say \
what becomes of the goods: --line names the lines that need not be sent any more, whole; --keep-buying says that all of it \
is still to be sent. A refund that fails makes its lines wanted again.

Examples:
  cargo kervan orders refund ebay:main/01-12345-67890 --amount 12.50USD --line 10000002 --because out-of-stock --reason 'supplier is out'
  cargo kervan orders refund ebay:main/01-12345-67890 --amount 2USD --keep-buying --because goodwill --reason 'late'")]
pub(super) struct Refund {
    /// The order: account, slash, the channel's id
    order: OrderKey,
    /// How much, with its currency, as 12.50USD
    #[arg(long, value_name = "AMOUNT", value_parser = amount)]
    amount: Money,
    /// Lines that need not be sent any more because of it, as `orders show` names them
    #[arg(long = "line", value_name = "LINE", value_delimiter = ',', value_parser = line_id)]
    lines: Vec<LineId>,
    /// All of the order is still to be sent
    #[arg(long, conflicts_with = "lines")]
    keep_buying: bool,
    /// Why, for the channel
    #[arg(long, value_name = "WHY")]
    because: Because,
    /// Said to the customer
    #[arg(long, value_name = "TEXT", default_value = "")]
    comment: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
#[command(after_help = "\
For orders of which nothing was bought. Nothing is bought for the order from then on, and it ends once the channel says that \
it is cancelled; Amazon takes some minutes. A channel counts cancellations by the seller against you.

Example:
  cargo kervan orders decline amazon:main/111-1234567-1234567 --reason 'cannot be had any more'")]
pub(super) struct Decline {
    /// The order: account, slash, the channel's id
    order: OrderKey,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct Common {
    /// Why, for the order's history
    #[arg(long, value_name = "TEXT", value_parser = Remark::parse)]
    reason: Remark,
    /// Who; the user of this computer where it is left out
    #[arg(long, value_name = "NAME", value_parser = Remark::parse)]
    by: Option<Remark>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Because {
    /// The customer cancelled
    CustomerCancelled,
    /// The goods cannot be had
    OutOfStock,
    /// The goods did not come
    NotReceived,
    /// The goods came damaged, or are not what was sold
    NotAsDescribed,
    /// A favour
    Goodwill,
}

impl From<Because> for RefundReason {
    fn from(because: Because) -> Self {
        match because {
            Because::CustomerCancelled => Self::CustomerCancelled,
            Because::OutOfStock => Self::OutOfStock,
            Because::NotReceived => Self::NotReceived,
            Because::NotAsDescribed => Self::NotAsDescribed,
            Because::Goodwill => Self::Goodwill,
        }
    }
}

/// eBay's longest comment of a refund; what is longer would be refused there.
const LONGEST_COMMENT: usize = 100;

pub(super) async fn refund(
    arguments: Refund,
    clock: &dyn Clock,
    out: &mut dyn Write,
) -> Result<()> {
    let (key, common) = (&arguments.order, arguments.common);
    ensure!(
        arguments.comment.chars().count() <= LONGEST_COMMENT,
        "The comment has more than {LONGEST_COMMENT} characters"
    );
    let stops = match (arguments.keep_buying, arguments.lines) {
        (true, _) => Stops::Nothing,
        (false, lines) if lines.is_empty() => Stops::Unsaid,
        (false, lines) => Stops::Lines(lines),
    };
    let wanted = RefundOrder {
        amount: arguments.amount,
        stops,
        reason: arguments.because.into(),
        comment: arguments.comment,
        why: common.reason,
        by: common.by.map_or_else(user, Ok)?,
    };
    let opened = common.target.open_accounts().await?;
    let done = refund::refund(&opened.accounts, &*opened.store, clock, key, &wanted).await;
    let (order, refunded) =
        done.with_context(|| format!("{key}: no refund was made in {}", opened.place))?;
    if common.json {
        let all = json!({ "order": key, "refund": refunded.id, "refunds": order.refunds });
        writeln!(out, "{}", serde_json::to_string_pretty(&all)?)?;
    } else {
        let id = plain(&refunded.id);
        writeln!(out, "{key}: {} is given back, as {id}", wanted.amount)?;
    }
    Ok(())
}

pub(super) async fn decline(
    arguments: Decline,
    clock: &dyn Clock,
    out: &mut dyn Write,
) -> Result<()> {
    let (key, common) = (&arguments.order, arguments.common);
    let by = common.by.map_or_else(user, Ok)?;
    let opened = common.target.open_accounts().await?;
    let (accounts, store) = (&opened.accounts, &*opened.store);
    let done = decline::decline(accounts, store, clock, key, &common.reason, &by).await;
    done.with_context(|| format!("{key} was not cancelled in {}", opened.place))?;
    if common.json {
        writeln!(out, "{}", json!({ "order": key, "declined": true }))?;
    } else {
        writeln!(out, "{key}: the channel was told that it cannot be filled")?;
    }
    Ok(())
}
