//! A customer's order and what became of its lines, as far as AliExpress knows.

use jiff::Timestamp;

use super::SaleLineView;
use super::SaleRefundState;
use super::SaleRefundView;
use super::SaleStatus;
use super::ShipmentView;
use crate::actions::FeeReport;
use crate::actions::Hidden;
use crate::actions::Spoiled;
use crate::buyer::Buyer;
use crate::money::Money;

/// What AliExpress keeps of a line, in hundredths: `escrow_fee_rate` says it as 0.08.
const FEE_PERCENT: i64 = 8;

#[derive(Clone)]
pub(super) struct Order {
    pub(super) order_id: u64,
    pub(super) status: SaleStatus,
    pub(super) lines: Vec<Line>,
    pub(super) buyer: Buyer,
    pub(super) shipments: Vec<ShipmentView>,
    /// Whether a shipment was declared as the last one.
    pub(super) all_sent: bool,
    pub(super) created_at: Timestamp,
    pub(super) modified_at: Timestamp,
    pub(super) end_reason: Option<String>,
    /// Why it ended, in the words of the list, which are others.
    pub(super) listed_end: Option<&'static str>,
    /// Whether nobody ever pays it.
    pub(super) never_paid: bool,
    pub(super) hidden: Option<Hidden>,
    pub(super) spoiled: Vec<Spoiled>,
    pub(super) fee: FeeReport,
    /// Whether no read shows it.
    pub(super) vanished: bool,
    /// Whether AliExpress's warehouse sends it.
    pub(super) by_warehouse: bool,
}

#[derive(Clone)]
pub(super) struct Line {
    pub(super) child_id: u64,
    pub(super) product_id: u64,
    pub(super) sku_code: String,
    pub(super) quantity: u32,
    pub(super) price: Money,
    /// Units that were marked as sent on AliExpress's pages.
    pub(super) by_hand: u32,
    pub(super) cancelled: bool,
    /// Whether it was over before all of it was sent.
    pub(super) ended: bool,
    pub(super) refunds: Vec<Refund>,
}

#[derive(Clone)]
pub(super) struct Refund {
    pub(super) cents: i64,
    /// Whether it is of the line as a whole.
    pub(super) whole: bool,
    /// Whether it came of a dispute: what was sent is paid back in no other way.
    pub(super) disputed: bool,
    pub(super) state: SaleRefundState,
    /// What it comes to, while it is under way.
    pub(super) ends: SaleRefundState,
    pub(super) at: Timestamp,
}

/// Why an order ended without goods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    BuyerDidNotPay,
    BuyerDuringReview,
    Buyer,
    SellerDidNotSend,
    Review,
    Security,
    Dispute,
}

impl End {
    /// `order_end_reason` of the single order and `end_reason` of the list, as public clients saw them: neither page has
    /// a table.
    pub(super) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::BuyerDidNotPay => ("buyer_cancel_notpay_order", "buyer_cancel_notpay_order"),
            Self::BuyerDuringReview => ("buyer_cancel_order_in_risk", "buyer_cancel_order_in_risk"),
            Self::Buyer => ("cancel_order_close_trade", "buyer_cancel_order"),
            Self::SellerDidNotSend => ("seller_send_goods_timeout", "send_goods_timeout"),
            Self::Review => ("risk_reject_closed", "risk_closed"),
            Self::Security => ("security_close", "security_close"),
            Self::Dispute => ("seller_accept_issue_no_goods_return", "end_issue"),
        }
    }
}

impl Line {
    pub(super) fn total(&self) -> Money {
        self.price.times(self.quantity)
    }

    /// The refunds that came or come to something.
    pub(super) fn standing_refunds(&self) -> impl Iterator<Item = &Refund> {
        let stands = |refund: &&Refund| refund.state != SaleRefundState::RefundCancel;
        self.refunds.iter().filter(stands)
    }

    /// Cents that were not given back and are not about to be.
    pub(super) fn left_cents(&self) -> i64 {
        let gone: i64 = self.standing_refunds().map(|refund| refund.cents).sum();
        self.total().cents - gone
    }

    fn paid_back(&self) -> impl Iterator<Item = &Refund> {
        let paid = |refund: &&Refund| refund.state == SaleRefundState::RefundOk;
        self.refunds.iter().filter(paid)
    }

    /// Whether nobody is to get it any more.
    pub(super) fn is_over(&self) -> bool {
        self.cancelled || self.paid_back().any(|refund| refund.whole)
    }
}

impl Order {
    pub(super) fn total(&self) -> Money {
        let currency = self
            .lines
            .first()
            .map_or("USD", |line| &line.price.currency);
        let cents = self.lines.iter().map(|line| line.total().cents);
        Money::new(cents.sum(), currency)
    }

    pub(super) fn logistics_status(&self) -> &'static str {
        match (self.status, self.shipments.is_empty()) {
            (SaleStatus::WaitSellerSendGoods, true) => "WAIT_SELLER_SEND_GOODS",
            (_, true) => "NO_LOGISTICS",
            (SaleStatus::Finish, false) if self.listed_end.is_none() => "BUYER_ACCEPT_GOODS",
            (_, false) if self.all_sent => "SELLER_SEND_GOODS",
            (_, false) => "SELLER_SEND_PART_GOODS",
        }
    }

    /// A declaration of a part names no child order, so after one of them all children are sent in part.
    pub(super) fn child_status(&self, line: &Line) -> SaleStatus {
        let whole = line.by_hand >= line.quantity;
        let part_by_api = self.shipments.iter().any(|one| !one.by_hand);
        match self.status {
            _ if line.ended => SaleStatus::Finish,
            SaleStatus::SellerPartSendGoods if whole => SaleStatus::WaitBuyerAcceptGoods,
            SaleStatus::SellerPartSendGoods if line.by_hand == 0 && !part_by_api => {
                SaleStatus::WaitSellerSendGoods
            }
            status => status,
        }
    }

    /// Whether anything of it was sent.
    pub(super) fn has_left(&self) -> bool {
        !self.shipments.is_empty()
    }

    /// The order's own state after something happened to its lines; `end` is why it ends where none of them goes on.
    pub(super) fn settle(&mut self, end: End) {
        let all_sent = self.all_sent;
        for line in &mut self.lines {
            let sent = all_sent || line.by_hand >= line.quantity;
            line.ended |= line.is_over() && !sent;
        }
        if self.lines.iter().all(Line::is_over) {
            let (reason, listed) = end.words();
            self.status = SaleStatus::Finish;
            self.end_reason = Some(reason.to_owned());
            self.listed_end = Some(listed);
            return;
        }
        let is_sendable = matches!(
            self.status,
            SaleStatus::WaitSellerSendGoods
                | SaleStatus::SellerPartSendGoods
                | SaleStatus::InCancel
        );
        if !is_sendable || !self.has_left() {
            return;
        }
        let waits = |line: &Line| !line.is_over() && line.by_hand < line.quantity;
        self.all_sent = !self.lines.iter().any(waits);
        self.status = if self.all_sent {
            SaleStatus::WaitBuyerAcceptGoods
        } else {
            SaleStatus::SellerPartSendGoods
        };
    }

    /// Where its disputes stand: `issue_status`.
    pub(super) fn issue_status(&self) -> &'static str {
        issue_status(self.lines.iter().flat_map(|line| &line.refunds))
    }

    pub(super) fn line_views(&self) -> Vec<SaleLineView> {
        let lines = self.lines.iter();
        lines.map(|line| self.line_view(line)).collect()
    }

    fn line_view(&self, line: &Line) -> SaleLineView {
        let last_by_api = self
            .shipments
            .iter()
            .any(|one| !one.by_hand && one.send_type == "all");
        let refunds = line.refunds.iter().map(|refund| SaleRefundView {
            cents: refund.cents,
            whole: refund.whole,
            state: refund.state,
            at: refund.at,
        });
        let unsent = line.quantity - line.by_hand.min(line.quantity);
        SaleLineView {
            child_id: line.child_id,
            sku_code: line.sku_code.clone(),
            status: self.child_status(line),
            ordered: line.quantity,
            shipped_by_api: if last_by_api && !line.ended {
                unsent
            } else {
                0
            },
            shipped_by_hand: line.by_hand,
            cancelled: if line.cancelled { unsent } else { 0 },
            refunded_cents: line.paid_back().map(|refund| refund.cents).sum(),
            refunded_whole: line.paid_back().any(|refund| refund.whole),
            refunds: refunds.collect(),
            fee_cents: (line.total().cents * FEE_PERCENT + 50) / 100,
        }
    }
}

pub(super) fn issue_status<'a>(refunds: impl Iterator<Item = &'a Refund>) -> &'static str {
    let mut status = "NO_ISSUE";
    for refund in refunds.filter(|refund| refund.disputed) {
        if refund.state == SaleRefundState::WaitRefund {
            return "IN_ISSUE";
        }
        status = "END_ISSUE";
    }
    status
}
