//! `kervan orders resolve`: a person decides about an order that waits.

mod said;
#[cfg(test)]
mod tests;

use std::env;
use std::io::Write;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use kervan::clock::Clock;
use kervan::domain::{Decision, LineId, Money, OrderKey, Remark, SupplierOrderId};
use kervan::flows::resolve::Told;

use super::target::Target;
use said::{How, decide};

#[derive(Debug, Args)]
#[command(after_help = "\
`orders attention` and `orders show` print the commands that fit an order. What is decided is recorded in the order's \
history with its reason and who decided, and the order is taken up within five minutes. Nothing is decided while a worker \
may be buying. Each action has its own --help:

  cargo kervan orders resolve bought --help

Examples:
  cargo kervan orders resolve ebay:main/01-1 bought --purchase 1 --supplier-order 8123456789012345 --reason 'found it'
  cargo kervan orders resolve ebay:main/01-1 bought --elsewhere --reason 'sent from our own shelf'
  cargo kervan orders resolve ebay:main/01-1 buy-again --not-at-supplier 1 --reason 'searched, it is not there'
  cargo kervan orders resolve ebay:main/01-1 cancel --reason 'refunded at eBay' --dry-run
  cargo kervan orders resolve ebay:main/01-1 cancel --line 10000002 --reason 'refunded at eBay'
  cargo kervan orders resolve ebay:main/01-1 send-the-rest --reason 'the bulb can come later'
  cargo kervan orders resolve ebay:main/01-1 confirmed --reason 'entered the number at eBay'")]
pub(super) struct Resolve {
    /// The order: account, slash, the channel's id
    order: OrderKey,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// It is bought: at the supplier under a number, or elsewhere by yourself
    Bought(Bought),
    /// Buy it (again): what the supplier does not have, or what stood in the way
    BuyAgain(BuyAgain),
    /// The order, or lines of it, was cancelled: end it and free its units
    Cancel(Cancel),
    /// What can be had is bought now, and the lines that cannot be had wait
    SendTheRest(SendTheRest),
    /// You confirmed the shipment at the channel by hand
    Confirmed(Confirmed),
    /// More is bought than is wanted, and you keep it
    Keep(Keep),
}

#[derive(Debug, Args)]
#[command(after_help = "\
With --supplier-order: the purchase that is in doubt, or whose number is unknown, is at the supplier under these numbers. \
Kervan asks the supplier about it from then on and tells the channel of its parcels. With --correct a number that was \
entered wrongly is replaced, as long as nothing was sent under it.

With --elsewhere: you buy, or have bought, what Kervan has not. What was planned or in doubt is given up and its units are \
free again; nothing more is bought for the order, ever. What Kervan has bought is tracked on. Ship it at the channel by \
hand: Kervan looks there about every half hour, and the order ends once all of it is shipped.

With --elsewhere and --line: you send these lines, and Kervan the others. Nothing of them may be at a supplier; a purchase \
that does not have them any more is named with --not-at-supplier. Their price does not count as revenue of what Kervan buys.

Examples:
  cargo kervan orders resolve ebay:main/01-1 bought --purchase 1 --supplier-order 8123456789012345 --reason 'found it'
  cargo kervan orders resolve ebay:main/01-1 bought --purchase 1 --supplier-order 8123,8124 --reason 'two stores'
  cargo kervan orders resolve ebay:main/01-1 bought --purchase 1 --supplier-order 8124 --correct --reason 'mistyped'
  cargo kervan orders resolve ebay:main/01-1 bought --elsewhere --reason 'sent from our own shelf'
  cargo kervan orders resolve ebay:main/01-1 bought --elsewhere --not-at-supplier 1 --reason 'closed, bought at a shop'
  cargo kervan orders resolve ebay:main/01-1 bought --elsewhere --line 10000002 --reason 'the bulb is on our shelf'")]
struct Bought {
    /// Which purchase of the order, as `orders show` counts them
    #[arg(
        long,
        value_name = "N",
        requires = "supplier_orders",
        conflicts_with = "elsewhere"
    )]
    purchase: Option<u8>,
    /// The supplier's number of it; several with commas where the supplier split it
    #[arg(
        long = "supplier-order",
        value_name = "NUMBER",
        value_delimiter = ',',
        value_parser = supplier_order,
        requires = "purchase",
        required_unless_present = "elsewhere",
        conflicts_with = "elsewhere"
    )]
    supplier_orders: Vec<SupplierOrderId>,
    /// The numbers that Kervan has of it are wrong: replace them
    #[arg(long, requires = "purchase", conflicts_with = "elsewhere")]
    correct: bool,
    /// You buy elsewhere: Kervan buys nothing more for the order
    #[arg(long)]
    elsewhere: bool,
    /// With --elsewhere: purchases that the supplier does not have (any more)
    #[arg(
        long,
        value_name = "N",
        value_delimiter = ',',
        conflicts_with = "supplier_orders"
    )]
    not_at_supplier: Vec<u8>,
    /// With --elsewhere: these lines alone, as `orders show` names them
    #[arg(
        long = "line",
        value_name = "LINE",
        value_delimiter = ',',
        value_parser = line_id,
        requires = "elsewhere",
        conflicts_with = "supplier_orders"
    )]
    lines: Vec<LineId>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Make sure first that the supplier does not have it: Kervan takes your word and buys.

A purchase in doubt that you name with --not-at-supplier is sent again as it was, at what the supplier asks for it by \
then, and under the same reference, so that a supplier that has it after all can still say so. A purchase that was placed, and was closed or cancelled there, is given up, and its \
goods are planned anew. Where nothing was placed (refused, out of stock, a loss, an address that was corrected), the order \
is planned anew, and offers that refused before are asked again.

With --line: these lines alone. Lines that were given up before are wanted again. With --not-at-supplier, the purchase has \
these lines no longer, and the others of it stay. Where a supplier made several orders of a purchase and closed one of them, \
--not-at-supplier without --line buys again what was in that one, as far as the supplier tells; where it does not, name the \
lines.

Nothing may be lost beyond --accept-loss. What was accepted stands for this order until another amount is given; 0 takes \
it back.

Examples:
  cargo kervan orders resolve ebay:main/01-1 buy-again --not-at-supplier 1 --reason 'searched, it is not there'
  cargo kervan orders resolve ebay:main/01-1 buy-again --reason 'the buyer corrected the address'
  cargo kervan orders resolve ebay:main/01-1 buy-again --accept-loss 3.50USD --reason 'a regular customer'
  cargo kervan orders resolve ebay:main/01-1 buy-again --line 10000002 --not-at-supplier 1 --reason 'one store closed'")]
struct BuyAgain {
    /// The most that the order may lose, in its currency, as 3.50USD
    #[arg(long, value_name = "AMOUNT", value_parser = amount, conflicts_with = "lines")]
    accept_loss: Option<Money>,
    #[command(flatten)]
    gone: Gone,
    #[command(flatten)]
    lines: Lines,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
#[command(after_help = "\
The order ends here and nothing more is done for it; what was planned or in doubt is given up, and its units are free \
again. Kervan cancels nothing by itself: cancel the order at the channel, and what was bought at the supplier, before. \
Where something was bought, name it with --not-at-supplier, to say that it was cancelled there or comes back.

With --line: these lines are not sent, and the order goes on with the others. You have cancelled them or paid them back at \
the channel, or will; their price does not count as revenue of the others. What is planned of them is planned anew without \
them; what was bought of them already is too much, and `orders attention` says what to do about it, unless \
--not-at-supplier names the purchase that does not have them any more.

Examples:
  cargo kervan orders resolve ebay:main/01-1 cancel --reason 'refunded at eBay'
  cargo kervan orders resolve ebay:main/01-1 cancel --not-at-supplier 1,2 --reason 'cancelled at AliExpress as well'
  cargo kervan orders resolve ebay:main/01-1 cancel --line 10000002 --reason 'refunded at eBay'")]
struct Cancel {
    #[command(flatten)]
    gone: Gone,
    #[command(flatten)]
    lines: Lines,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
#[command(after_help = "\
For an order of which some lines cannot be had. The others are bought at once, as if the merchant's rule was to send the \
rest, and the missing lines as soon as they can be had, which is a second delivery. The parts that are bought must not lose \
money without the price of the others.

Examples:
  cargo kervan orders resolve ebay:main/01-1 send-the-rest --reason 'the bulb can come later'")]
struct SendTheRest {
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
#[command(after_help = "\
For an order whose tracking number the channel refused, or that arrived without one. With the number refused, the order \
goes on and ends when everything has arrived; with everything arrived, it ends.

Examples:
  cargo kervan orders resolve ebay:main/01-1 confirmed --reason 'entered the number at eBay'")]
struct Confirmed {
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
#[command(after_help = "\
For an order of which more is bought than the channel still wants, because units were shipped by hand, cancelled or paid \
back meanwhile. The order goes on with what is wanted; what is too much is yours when it arrives. Where the supplier can \
still cancel it, do that, and use buy-again with --not-at-supplier instead.

Examples:
  cargo kervan orders resolve ebay:main/01-1 keep --units 2 --reason 'goes on our own shelf'")]
struct Keep {
    /// How many units too many, as `orders attention` shows it
    #[arg(long, value_name = "N")]
    units: u32,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct Gone {
    /// Purchases that the supplier does not have (any more): you searched, it closed them, you cancelled them there, or
    /// what was sent comes back
    #[arg(long, value_name = "N", value_delimiter = ',')]
    not_at_supplier: Vec<u8>,
}

#[derive(Debug, Args)]
struct Lines {
    /// These lines of the order alone, as `orders show` names them
    #[arg(long = "line", value_name = "LINE", value_delimiter = ',', value_parser = line_id)]
    lines: Vec<LineId>,
}

#[derive(Debug, Args)]
struct Common {
    /// Why: one line of up to 200 characters. It is kept for good, so no buyer's data belongs in it
    #[arg(long, value_name = "TEXT", value_parser = Remark::parse)]
    reason: Remark,
    /// Who decides; without it the user of this computer
    #[arg(long, value_name = "NAME", value_parser = Remark::parse)]
    by: Option<Remark>,
    /// Show what would be recorded, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

/// A number of a supplier has digits: the NUMBER of a pasted command is none.
fn supplier_order(text: &str) -> Result<SupplierOrderId, String> {
    let number = SupplierOrderId::parse(text.trim()).map_err(|error| error.to_string())?;
    if !number.as_str().bytes().any(|byte| byte.is_ascii_digit()) {
        return Err("the supplier's number of the order, as on its site".to_owned());
    }
    Ok(number)
}

/// A line of an order, as the channel names it.
pub(super) fn line_id(text: &str) -> Result<LineId, String> {
    LineId::parse(text.trim()).map_err(|error| error.to_string())
}

/// An amount with its currency: `3.50USD` or `3.50 USD`.
pub(super) fn amount(text: &str) -> Result<Money, String> {
    let problem = "an amount and its currency, as 3.50USD";
    let place = text
        .find(|c: char| c.is_ascii_alphabetic())
        .ok_or(problem)?;
    let (decimal, currency) = text.split_at(place);
    let currency = currency.trim().parse().map_err(|_| problem)?;
    let money = Money::parse(decimal.trim(), currency).map_err(|error| error.to_string())?;
    if money.minor < 0 {
        return Err("the loss itself, without a minus".to_owned());
    }
    Ok(money)
}

impl Action {
    fn into_parts(self) -> (Decision, Common) {
        match self {
            Self::Bought(Bought {
                purchase: Some(purchase),
                supplier_orders,
                correct,
                common,
                ..
            }) => {
                let decision = Decision::Bought {
                    purchase,
                    supplier_orders,
                    corrects: correct,
                };
                (decision, common)
            }
            Self::Bought(Bought {
                not_at_supplier,
                lines,
                common,
                ..
            }) => {
                let decision = if lines.is_empty() {
                    Decision::BoughtElsewhere { not_at_supplier }
                } else {
                    Decision::LinesElsewhere {
                        lines,
                        not_at_supplier,
                    }
                };
                (decision, common)
            }
            Self::BuyAgain(BuyAgain {
                accept_loss,
                gone,
                lines: Lines { lines },
                common,
            }) => {
                let not_at_supplier = gone.not_at_supplier;
                let decision = if lines.is_empty() {
                    Decision::BuyAgain {
                        not_at_supplier,
                        accepted_loss: accept_loss,
                    }
                } else {
                    Decision::LinesAgain {
                        lines,
                        not_at_supplier,
                    }
                };
                (decision, common)
            }
            Self::Cancel(Cancel {
                gone,
                lines: Lines { lines },
                common,
            }) => {
                let not_at_supplier = gone.not_at_supplier;
                let decision = if lines.is_empty() {
                    Decision::Cancel { not_at_supplier }
                } else {
                    Decision::CancelLines {
                        lines,
                        not_at_supplier,
                    }
                };
                (decision, common)
            }
            Self::SendTheRest(SendTheRest { common }) => (Decision::SendTheRest, common),
            Self::Confirmed(Confirmed { common }) => (Decision::ConfirmedByHand, common),
            Self::Keep(Keep { units, common }) => (Decision::Keep { units }, common),
        }
    }
}

pub(super) async fn run(arguments: Resolve, clock: &dyn Clock, out: &mut dyn Write) -> Result<()> {
    let (decision, common) = arguments.action.into_parts();
    // Who decides is asked before anybody is asked for credentials.
    let told = Told {
        decision,
        reason: common.reason,
        by: common.by.map_or_else(user, Ok)?,
    };
    let opened = common.target.open().await?;
    let how = How {
        dry_run: common.dry_run,
        as_json: common.json,
        flags: &common.target.as_flags(),
    };
    decide(&*opened.store, clock, &arguments.order, &told, how, out)
        .await
        .with_context(|| {
            format!(
                "Nothing was decided about {} in {}",
                arguments.order, opened.place
            )
        })
}

/// The user of this computer.
pub(super) fn user() -> Result<Remark> {
    let named = ["USER", "LOGNAME"]
        .into_iter()
        .find_map(|name| env::var(name).ok().filter(|user| !user.is_empty()));
    let asked = || {
        let answer = std::process::Command::new("id").arg("-un").output().ok()?;
        String::from_utf8(answer.stdout).ok()
    };
    named
        .or_else(asked)
        .and_then(|user| Remark::parse(&user).ok())
        .context("It is not known who you are: name yourself with --by")
}
