//! Which commands decide about an order that waits, complete enough to be pasted.

use kervan::decide::open_units;
use kervan::domain::{
    Cancel, LineId, Order, OrderLine, Purchase, PurchaseState, Reason, Rest, WhyMissing, safe_code,
};
use serde::Serialize;

use super::text::shell_word;

/// A command, and when it is the right one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Advice {
    /// When it is the right one.
    pub(super) when: &'static str,
    /// The command.
    pub(super) command: String,
}

/// The commands that can end what the order waits for, the likeliest first. `flags` say where the command works.
pub(super) fn advice(order: &Order, flags: &str) -> Vec<Advice> {
    let Some(attention) = &order.attention else {
        return Vec::new();
    };
    let to = Commands { order, flags };
    let mut all = Vec::new();
    match &attention.reason {
        Reason::PurchaseInDoubt => {
            for number in numbers(order, |state| {
                matches!(state, PurchaseState::Placing { .. })
            }) {
                all.push(to.enter(number));
                all.extend(to.again(
                    "the supplier does not have it",
                    &[number],
                    "not found at the supplier",
                ));
            }
            all.extend(to.elsewhere("it is not there, and you buy elsewhere", &[]));
            all.push(to.cancel("it is not there, and the order was cancelled"));
        }
        Reason::PurchaseNumberUnknown => {
            let unknown =
                |p: &&Purchase| is_at_supplier(&p.state) && p.supplier_orders().is_empty();
            let unknown = order.purchases.iter().filter(unknown);
            all.extend(unknown.map(|purchase| to.enter(purchase.number)));
        }
        Reason::PurchaseClosed {
            supplier_order: Some(_),
            ..
        } => {
            for purchase in order.purchases.iter().filter(|one| !one.closed.is_empty()) {
                all.extend(to.after_part(purchase));
            }
            all.push(to.cancel("it is over there, and the order was cancelled"));
        }
        Reason::PurchaseUnpaid | Reason::PurchaseClosed { .. } => {
            for number in numbers(order, |state| matches!(state, PurchaseState::Placed { .. })) {
                all.extend(to.again(
                    "it is over there, and shall be bought again",
                    &[number],
                    "closed at the supplier",
                ));
                all.extend(to.elsewhere("it is over there, and you buy elsewhere", &[number]));
            }
            all.push(to.cancel("it is over there, and the order was cancelled"));
        }
        Reason::CancelledAfterPurchase => {
            all.push(to.cancel("it was cancelled at the supplier, or comes back"));
        }
        Reason::BoughtTooMuch { units, .. } => {
            for number in numbers(order, |state| matches!(state, PurchaseState::Placed { .. })) {
                all.extend(to.again(
                    "it is cancelled at the supplier, and what is still wanted shall be bought",
                    &[number],
                    "cancelled at the supplier",
                ));
            }
            let action = format!("keep --units {units}");
            all.push(to.make("you keep what is too much", &action, "kept"));
        }
        Reason::RefundFailed => {
            all.extend(to.again("it shall be bought after all", &[], "bought after all"));
            all.extend(to.otherwise());
        }
        Reason::SupplierRefused { .. } | Reason::AddressRefused { .. } | Reason::NoRate => {
            all.extend(to.part(&attention.reason));
            all.extend(to.again("what stood in the way is mended", &[], "tried again"));
            all.extend(to.otherwise());
        }
        Reason::WouldLose { margin_minor } => {
            all.extend(to.lose(*margin_minor));
            all.extend(to.part(&attention.reason));
            all.extend(to.again("there is a cheaper offer now", &[], "another offer"));
            all.extend(to.otherwise());
        }
        Reason::OutOfStock { .. }
        | Reason::SkuNotMapped { .. }
        | Reason::LinesMissing { .. }
        | Reason::TooLarge => {
            all.extend(to.part(&attention.reason));
            all.extend(to.otherwise());
        }
        Reason::BuyerErased => all.push(to.cancel("the order was cancelled at the channel")),
        Reason::TrackingMissing | Reason::TrackingRefused { .. } => {
            all.push(to.make(
                "it is done at the channel",
                "confirmed",
                "confirmed at the channel",
            ));
        }
        Reason::OrderUnreadable { .. }
        | Reason::ConsentEnded { .. }
        | Reason::Misconfigured { .. } => {}
    }
    all
}

struct Commands<'a> {
    order: &'a Order,
    flags: &'a str,
}

impl Commands<'_> {
    fn make(&self, when: &'static str, action: &str, reason: &str) -> Advice {
        let order = shell_word(&self.order.key.to_string());
        let (reason, flags) = (shell_word(reason), self.flags);
        Advice {
            when,
            command: format!(
                "cargo kervan orders resolve {order} {action} --reason {reason}{flags}"
            ),
        }
    }

    /// NUMBER is left to the person, and refused as it stands.
    fn enter(&self, number: u8) -> Advice {
        let action = format!("bought --purchase {number} --supplier-order NUMBER");
        self.make("the supplier has it", &action, "found at the supplier")
    }

    /// Nothing where the channel does not want the order bought any more.
    fn again(&self, when: &'static str, gone: &[u8], reason: &str) -> Option<Advice> {
        let action = format!("buy-again{}", not_at_supplier(gone));
        self.may_buy().then(|| self.make(when, &action, reason))
    }

    fn lose(&self, margin_minor: i64) -> Option<Advice> {
        let loss = kervan::domain::Money {
            minor: margin_minor.saturating_neg(),
            currency: self.order.details.total.currency,
        };
        let action = format!(
            "buy-again --accept-loss {}{}",
            loss.decimal(),
            loss.currency
        );
        let when = "it shall be bought all the same";
        self.may_buy()
            .then(|| self.make(when, &action, "the loss is accepted"))
    }

    /// What is decided about lines that cannot be had, where the order has others.
    fn part(&self, reason: &Reason) -> Vec<Advice> {
        let order = self.order;
        let wanted = order.details.lines.iter();
        let wanted: Vec<&OrderLine> = wanted.filter(|line| order.wanted(line) > 0).collect();
        if wanted.len() < 2 || !self.may_buy() {
            return Vec::new();
        }
        let mut all = Vec::new();
        let is_sent = matches!(
            reason,
            Reason::LinesMissing {
                rest: Rest::Sent,
                ..
            }
        );
        let is_whole = matches!(reason, Reason::NoRate | Reason::TooLarge);
        if !is_sent && !is_whole && !order.decided.send_the_rest {
            let when = "what can be had shall be sent without the rest";
            all.push(self.make(when, "send-the-rest", "the rest can come later"));
        }
        let missing = missing_lines(order, reason);
        if !missing.is_empty() && missing.len() < wanted.len() {
            let lines = lines(&missing);
            let action = format!("cancel --line {lines}");
            let when = "the missing lines are not sent, and paid back";
            all.push(self.make(when, &action, "cannot be had"));
            let action = format!("bought --elsewhere --line {lines}");
            let when = "you send the missing lines";
            all.push(self.make(when, &action, "bought elsewhere"));
        }
        let loses = |reason: &Reason| match reason {
            Reason::LinesMissing { lines, .. } => {
                lines.iter().any(|line| line.why == WhyMissing::WouldLose)
            }
            _ => false,
        };
        if loses(reason) {
            // AMOUNT is left to the person, and refused as it stands.
            let when = "the lines shall be bought at a loss of up to that much";
            let action = "buy-again --accept-loss AMOUNT";
            all.push(self.make(when, action, "the loss is accepted"));
        }
        all
    }

    /// What is decided about a purchase of which the supplier has closed one of several orders.
    fn after_part(&self, purchase: &Purchase) -> Vec<Advice> {
        let mut closed: Vec<LineId> = Vec::new();
        for part in purchase.closed.iter().flat_map(|one| &one.lines) {
            if !closed.contains(&part.line) {
                closed.push(part.line.clone());
            }
        }
        let is_known = purchase.closed.iter().all(|one| !one.lines.is_empty());
        let gone = [purchase.number];
        let when = "what was closed shall be bought again";
        if !is_known {
            // LINE is left to the person: the supplier does not say what was in it.
            let gone = not_at_supplier(&gone);
            let action = format!("buy-again --line LINE{gone}");
            let again = self.make(when, &action, "closed at the supplier");
            let action = format!("cancel --line LINE{gone}");
            let when = "what was closed is not sent, and paid back";
            return vec![again, self.make(when, &action, "closed at the supplier")];
        }
        let mut all: Vec<Advice> = Vec::new();
        all.extend(self.again(when, &gone, "closed at the supplier"));
        let lines = lines(&closed);
        let when = "what was closed is not sent, and paid back";
        let action = format!("cancel --line {lines}");
        all.push(self.make(when, &action, "closed at the supplier"));
        let when = "you send what was closed";
        let action = format!("bought --elsewhere --line {lines}");
        all.push(self.make(when, &action, "bought elsewhere"));
        all
    }

    fn elsewhere(&self, when: &'static str, gone: &[u8]) -> Option<Advice> {
        let may = self.order.details.cancel != Cancel::Done && !self.order.decided.bought_elsewhere;
        let action = format!("bought --elsewhere{}", not_at_supplier(gone));
        may.then(|| self.make(when, &action, "bought elsewhere"))
    }

    fn cancel(&self, when: &'static str) -> Advice {
        let delivered = |state: &PurchaseState| matches!(state, PurchaseState::Delivered { .. });
        let gone = numbers(self.order, |state| {
            is_at_supplier(state) || delivered(state)
        });
        let action = format!("cancel{}", not_at_supplier(&gone));
        self.make(when, &action, "the order was cancelled")
    }

    fn otherwise(&self) -> impl Iterator<Item = Advice> {
        let elsewhere = self.elsewhere("you buy elsewhere", &[]);
        elsewhere
            .into_iter()
            .chain([self.cancel("the order was cancelled")])
    }

    fn may_buy(&self) -> bool {
        let details = &self.order.details;
        details.cancel == Cancel::No
            && !details.fulfilled
            && !self.order.buyer_erased
            && !self.order.decided.bought_elsewhere
    }
}

/// The lines that a reason is about.
fn missing_lines(order: &Order, reason: &Reason) -> Vec<LineId> {
    let open = open_units(order);
    let of_sku = |wanted: &str| {
        let of_sku = open.iter().filter(|open| match &open.part {
            Some(part) => part.as_str() == wanted,
            None => safe_code(&order.details.lines[open.place].sku) == wanted,
        });
        let mut lines: Vec<LineId> = Vec::new();
        for open in of_sku {
            let line = &order.details.lines[open.place].id;
            if !lines.contains(line) {
                lines.push(line.clone());
            }
        }
        lines
    };
    match reason {
        Reason::LinesMissing { lines, .. } => lines.iter().map(|one| one.line.clone()).collect(),
        Reason::OutOfStock { sku } => of_sku(sku.as_str()),
        Reason::SkuNotMapped { sku } => of_sku(sku),
        _ => Vec::new(),
    }
}

fn lines(lines: &[LineId]) -> String {
    let texts: Vec<&str> = lines.iter().map(LineId::as_str).collect();
    shell_word(&texts.join(","))
}

fn numbers(order: &Order, is_meant: impl Fn(&PurchaseState) -> bool) -> Vec<u8> {
    let meant = order
        .purchases
        .iter()
        .filter(|purchase| is_meant(&purchase.state));
    meant.map(|purchase| purchase.number).collect()
}

const fn is_at_supplier(state: &PurchaseState) -> bool {
    matches!(
        state,
        PurchaseState::Placed { .. } | PurchaseState::Shipped { .. }
    )
}

fn not_at_supplier(numbers: &[u8]) -> String {
    if numbers.is_empty() {
        return String::new();
    }
    let texts: Vec<String> = numbers.iter().map(u8::to_string).collect();
    format!(" --not-at-supplier {}", texts.join(","))
}
