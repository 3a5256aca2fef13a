//! A customer's order with its purchases and parcels: the sum of its history.

mod wanted;

use super::{
    Attention, ClosedOrder, CountryCode, Decided, Decision, Doubt, Event, LineDecision, LineId,
    MappedLine, Money, OrderKey, OrderRefund, OrderRefundState, Parcel, ParcelState, Part,
    Purchase, PurchaseLine, PurchaseState, Reason, Reference, Refusal, SupplierOrderId,
    TrackingNumber,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the channel says of an order, without the buyer's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderDetails {
    /// When the customer bought.
    pub bought_at: Timestamp,
    /// When the channel last changed it, by the channel's clock.
    pub modified_at: Timestamp,
    /// Whether the money is there.
    pub payment: Payment,
    /// Whether it shall be, or was, cancelled.
    pub cancel: Cancel,
    /// Whether the channel says that all lines are shipped.
    pub fulfilled: bool,
    /// What the customer pays.
    pub total: Money,
    /// What the channel keeps of it, where it says.
    pub fee: Money,
    /// What of the total was paid back, or is about to be, as the channel says: in its minor units.
    #[serde(default)]
    pub refunded_minor: i64,
    /// Where it goes.
    pub country: CountryCode,
    /// What was bought.
    pub lines: Vec<OrderLine>,
}

/// Whether the customer's money is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payment {
    /// Paid: it may be bought.
    Paid,
    /// Not yet, or a first try failed: the customer may pay again.
    Pending,
}

/// Whether an order shall be, or was, cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cancel {
    /// Nobody asked.
    No,
    /// Somebody asked, and it is not decided: nothing is bought meanwhile.
    Requested,
    /// It was cancelled, or all its money was paid back.
    Done,
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    /// The channel's id.
    pub id: LineId,
    /// The sku as the channel sent it; empty where the listing has none.
    pub sku: String,
    /// How many units.
    pub quantity: u32,
    /// What the customer pays for the line, without shipping.
    pub price: Money,
    /// Until when it must be shipped, where the channel says.
    pub ship_by: Option<Timestamp>,
    /// Units that the channel counts as shipped, whoever has shipped them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub shipped: u32,
    /// Whether the channel counts the line as a whole, and as shipped with its first parcel.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shipped_whole: bool,
    /// Units that were cancelled.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cancelled: u32,
    /// Units whose whole price was paid back. A part of the price alone leaves them to be sent.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub refunded: u32,
    /// Units whose whole price is about to be paid back, which can fail: nothing is bought for them meanwhile.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub refunding: u32,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde asks for it")]
fn is_zero(units: &u32) -> bool {
    *units == 0
}

/// Whether an order is still moving.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Something is left to do.
    Open,
    /// Everything arrived.
    Done,
    /// Cancelled; nothing of it is bought or comes any more.
    Cancelled,
}

/// An order. Its fields are only ever changed by [`Order::apply`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Which order.
    pub key: OrderKey,
    /// The number of its last history record.
    pub version: u64,
    /// The hash of its last history record.
    pub last_hash: String,
    /// What the channel says.
    pub details: OrderDetails,
    /// What its lines are made of, as far as the catalogue knew them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mapping: Vec<MappedLine>,
    /// What is bought for it.
    pub purchases: Vec<Purchase>,
    /// What was shipped.
    pub parcels: Vec<Parcel>,
    /// Whether it is still moving.
    pub phase: Phase,
    /// Set while it waits for a person.
    pub attention: Option<Attention>,
    /// What a person has decided about its buying, as far as it still counts.
    #[serde(default)]
    pub decided: Decided,
    /// Lines that the last plan left out because they cannot be had now: what was planned is bought without them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LineId>,
    /// Since when a line has been known to be missing; none where none is, or the merchant's rule does not ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_since: Option<Timestamp>,
    /// What was given back to the customer through Kervan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refunds: Vec<OrderRefund>,
    /// Units of each line that others have surely shipped, the most that was ever seen: a read that does not show our own
    /// parcel yet must not take theirs for ours.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub shipped_by_others: BTreeMap<LineId, u32>,
    /// Whether the buyer's data was erased.
    pub buyer_erased: bool,
    /// When the last record was written.
    pub updated_at: Timestamp,
}

/// An event that does not fit the state it met. It is a defect of Kervan or a changed table, never an outside fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{event} does not fit the state of the order")]
pub struct Misfit {
    /// The event's name.
    pub event: &'static str,
}

impl Order {
    /// The order that a first event makes; only `Recorded` can be first.
    pub fn begin(key: OrderKey, at: Timestamp, event: &Event) -> Result<Self, Misfit> {
        let Event::Recorded { details } = event else {
            return Err(Misfit {
                event: event.name(),
            });
        };
        let mut order = Self {
            key,
            version: 1,
            last_hash: String::new(),
            details: details.clone(),
            mapping: Vec::new(),
            purchases: Vec::new(),
            parcels: Vec::new(),
            phase: Phase::Open,
            attention: None,
            decided: Decided::default(),
            left_out: Vec::new(),
            missing_since: None,
            refunds: Vec::new(),
            shipped_by_others: BTreeMap::new(),
            buyer_erased: false,
            updated_at: at,
        };
        order.note_shipped_by_others();
        Ok(order)
    }

    /// Applies one more event. Everything that is decided is decided before; here a state that does not fit is an error.
    pub fn apply(&mut self, at: Timestamp, event: &Event) -> Result<(), Misfit> {
        self.apply_to_parts(at, event)?;
        self.version += 1;
        self.updated_at = at;
        Ok(())
    }

    fn apply_to_parts(&mut self, at: Timestamp, event: &Event) -> Result<(), Misfit> {
        let misfit = Misfit {
            event: event.name(),
        };
        match event {
            Event::Recorded { .. } => return Err(misfit),
            Event::Changed { details } => {
                self.details = details.clone();
                self.note_shipped_by_others();
            }
            Event::Mapped { lines } => self.map(lines, misfit)?,
            Event::Planned { purchase, lines } => {
                self.plan(*purchase, lines, at, misfit)?;
                self.decided.kept_units = 0;
            }
            Event::LeftOut { lines } => self.left_out.clone_from(lines),
            // Kept for whoever asks later why it was not a loss; nothing follows from it.
            Event::CostsConverted { .. } => {}
            Event::ParcelSeen { parcel } => {
                if self.parcel(&parcel.tracking_number).is_some() {
                    return Err(misfit);
                }
                self.parcels.push(parcel.clone());
            }
            Event::ConfirmStarted { parcel, .. }
            | Event::ParcelConfirmed { parcel }
            | Event::ParcelRefused { parcel }
            | Event::ParcelReduced { parcel, .. }
            | Event::ParcelDelivered { parcel } => self.parcel_event(parcel, at, event, misfit)?,
            Event::AttentionRaised { reason } => {
                if matches!(reason, Reason::LinesMissing { .. }) {
                    self.missing_since.get_or_insert(at);
                }
                self.attention = Some(Attention {
                    reason: reason.clone(),
                    since: at,
                });
            }
            Event::AttentionCleared => {
                self.attention = None;
                self.missing_since = None;
            }
            Event::Resolved { decision, .. } => self.note_decision(decision, at),
            Event::RefundStarted { .. }
            | Event::RefundIssued { .. }
            | Event::RefundFailed { .. } => self.refund_event(event).ok_or(misfit)?,
            Event::Declined { .. } => self.decided.bought_elsewhere = true,
            Event::Cancelled => {
                self.phase = Phase::Cancelled;
                self.attention = None;
            }
            Event::BuyerErased => self.buyer_erased = true,
            Event::Finished => {
                self.phase = Phase::Done;
                self.attention = None;
            }
            Event::SupplierOrderClosed {
                purchase,
                supplier_order,
                lines,
            } => {
                let purchase = self.purchases.iter_mut().find(|p| p.number == *purchase);
                let purchase = purchase.filter(|p| p.supplier_orders().contains(supplier_order));
                let purchase = purchase.ok_or_else(|| misfit.clone())?;
                let is_it = |known: &ClosedOrder| known.supplier_order == *supplier_order;
                if purchase.closed.iter().any(is_it) {
                    return Err(misfit);
                }
                purchase.closed.push(ClosedOrder {
                    supplier_order: supplier_order.clone(),
                    lines: lines.clone(),
                });
            }
            Event::PurchasePartGivenUp {
                purchase,
                lines,
                supplier_orders,
            } => {
                let purchase = self.purchases.iter_mut().find(|p| p.number == *purchase);
                let purchase = purchase.ok_or_else(|| misfit.clone())?;
                purchase
                    .give_up_part(lines, supplier_orders)
                    .ok_or(misfit)?;
            }
            Event::PlacingStarted { purchase, .. }
            | Event::Placed { purchase, .. }
            | Event::NumbersCorrected { purchase, .. }
            | Event::NotPlaced { purchase, .. }
            | Event::Doubted { purchase, .. }
            | Event::Refused { purchase, .. }
            | Event::PurchaseCancelled { purchase }
            | Event::PurchaseGivenUp { purchase }
            | Event::Shipped { purchase }
            | Event::Delivered { purchase } => {
                let purchase = self.purchases.iter_mut().find(|p| p.number == *purchase);
                let purchase = purchase.ok_or_else(|| misfit.clone())?;
                purchase.state = next_state(&purchase.state, at, event).ok_or(misfit)?;
                let ids = purchase.supplier_orders().to_vec();
                let is_there = |closed: &ClosedOrder| ids.contains(&closed.supplier_order);
                purchase.closed.retain(is_there);
            }
        }
        Ok(())
    }

    /// What a line is made of is said once.
    fn map(&mut self, lines: &[MappedLine], misfit: Misfit) -> Result<(), Misfit> {
        for line in lines {
            if line.parts.is_empty() || self.parts_of(&line.line).is_some() {
                return Err(misfit);
            }
            self.mapping.push(line.clone());
        }
        Ok(())
    }

    /// What a line is made of; `None` where the catalogue did not know it yet.
    pub fn parts_of(&self, line: &LineId) -> Option<&[Part]> {
        let mut mapping = self.mapping.iter();
        let mapped = mapping.find(|mapped| mapped.line == *line)?;
        Some(&mapped.parts)
    }

    fn plan(
        &mut self,
        number: u8,
        lines: &[PurchaseLine],
        at: Timestamp,
        misfit: Misfit,
    ) -> Result<(), Misfit> {
        if usize::from(number) != self.purchases.len() + 1 || lines.is_empty() {
            return Err(misfit);
        }
        self.purchases.push(Purchase {
            number,
            reference: Reference::of(&self.key, number),
            lines: lines.to_vec(),
            terms_at: at,
            state: PurchaseState::Planned {
                not_before: at,
                attempts: 0,
            },
            closed: Vec::new(),
        });
        Ok(())
    }

    /// One refund after the other: a new one only where none is open.
    fn refund_event(&mut self, event: &Event) -> Option<()> {
        use OrderRefundState as S;
        let is_open = |refund: &OrderRefund| matches!(refund.state, S::Started { .. });
        let next = self.refunds.len() + 1;
        // One that the channel has can fail there later.
        if let Event::RefundFailed { refund, code } = event {
            let is_it = |one: &&mut OrderRefund| one.number == *refund && one.counts();
            let failed = self.refunds.iter_mut().find(is_it)?;
            failed.state = S::Failed { code: code.clone() };
            return Some(());
        }
        let open = self.refunds.iter_mut().find(|refund| is_open(refund));
        match (event, open) {
            (
                Event::RefundStarted {
                    refund,
                    amount,
                    lines,
                    lease_until,
                    ..
                },
                None,
            ) if usize::from(*refund) == next => {
                let lease_until = *lease_until;
                self.refunds.push(OrderRefund {
                    number: *refund,
                    amount: *amount,
                    lines: lines.clone(),
                    state: S::Started { lease_until },
                });
            }
            (Event::RefundIssued { refund, id }, Some(open)) if open.number == *refund => {
                open.state = S::Issued { id: id.clone() };
            }
            _ => return None,
        }
        Some(())
    }

    /// What of a decision counts for what comes; the rest of it stands in the events that follow.
    fn note_decision(&mut self, decision: &Decision, at: Timestamp) {
        match decision {
            Decision::BoughtElsewhere { .. } => self.decided.bought_elsewhere = true,
            Decision::BuyAgain {
                accepted_loss,
                not_at_supplier,
            } => {
                // What was in doubt is sent again as it was, and not planned on new terms: under the same reference a
                // supplier that has it after all can still tell.
                let is_meant = |p: &&mut Purchase| not_at_supplier.contains(&p.number);
                for purchase in self.purchases.iter_mut().filter(is_meant) {
                    purchase.terms_at = at;
                }
                self.decided.refusals_lifted_to =
                    self.purchases.last().map_or(0, |purchase| purchase.number);
                self.decided.accepted_loss = accepted_loss.or(self.decided.accepted_loss);
            }
            Decision::Keep { units } => self.decided.kept_units = *units,
            Decision::SendTheRest => self.decided.send_the_rest = true,
            Decision::CancelLines { lines, .. } => self.give_up(lines, LineDecision::Cancelled),
            Decision::LinesElsewhere { lines, .. } => self.give_up(lines, LineDecision::Elsewhere),
            Decision::LinesAgain { lines, .. } => {
                self.decided.lines.retain(|line, _| !lines.contains(line));
                self.decided.refusals_lifted_to =
                    self.purchases.last().map_or(0, |purchase| purchase.number);
            }
            Decision::Bought { .. } | Decision::Cancel { .. } | Decision::ConfirmedByHand => {}
        }
    }

    fn give_up(&mut self, lines: &[LineId], decision: LineDecision) {
        let lines = lines.iter().map(|line| (line.clone(), decision));
        self.decided.lines.extend(lines);
    }

    fn parcel_event(
        &mut self,
        tracking_number: &TrackingNumber,
        at: Timestamp,
        event: &Event,
        misfit: Misfit,
    ) -> Result<(), Misfit> {
        let parcel = self
            .parcels
            .iter_mut()
            .find(|p| p.tracking_number == *tracking_number);
        let parcel = parcel.ok_or_else(|| misfit.clone())?;
        match (event, &parcel.state) {
            (Event::ConfirmStarted { lease_until, .. }, ParcelState::Seen { .. }) => {
                parcel.state = ParcelState::Confirming {
                    attempt: 1,
                    lease_until: *lease_until,
                };
            }
            (
                Event::ConfirmStarted { lease_until, .. },
                ParcelState::Confirming { attempt, .. },
            ) => {
                parcel.state = ParcelState::Confirming {
                    attempt: attempt + 1,
                    lease_until: *lease_until,
                };
            }
            (Event::ParcelConfirmed { .. }, ParcelState::Confirming { .. }) => {
                parcel.state = ParcelState::Confirmed { at };
            }
            (Event::ParcelRefused { .. }, ParcelState::Confirming { .. }) => {
                parcel.state = ParcelState::Refused;
            }
            (
                Event::ParcelReduced { lines, .. },
                ParcelState::Seen { .. } | ParcelState::Confirming { .. },
            ) => {
                parcel.lines.clone_from(lines);
                parcel.state = if lines.is_empty() {
                    ParcelState::NotTold
                } else {
                    ParcelState::Seen { not_before: at }
                };
            }
            (Event::ParcelDelivered { .. }, _) => parcel.delivered_at = Some(at),
            _ => return Err(misfit),
        }
        Ok(())
    }

    /// The purchase of this number.
    pub fn purchase(&self, number: u8) -> Option<&Purchase> {
        self.purchases
            .iter()
            .find(|purchase| purchase.number == number)
    }

    /// The parcel of this number.
    pub fn parcel(&self, number: &TrackingNumber) -> Option<&Parcel> {
        self.parcels
            .iter()
            .find(|parcel| parcel.tracking_number == *number)
    }

    /// The least that must be left of the order, in minor units of its currency: nothing may be lost, but what a person
    /// has accepted.
    pub fn least_margin_minor(&self) -> i64 {
        let accepted = self.decided.accepted_loss.map_or(0, |loss| loss.minor);
        -accepted.max(0)
    }

    /// What all purchases that were not given up cost; `None` where currencies differ.
    pub fn cost(&self) -> Option<Money> {
        let kept = self
            .purchases
            .iter()
            .filter(|purchase| !purchase.is_given_up());
        let mut costs = kept.map(Purchase::cost);
        let Some(first) = costs.next() else {
            return Some(Money::zero(self.details.total.currency));
        };
        costs.try_fold(first?, |sum, cost| sum.plus(cost?))
    }
}

/// The purchase's state machine: the one place that knows which event may meet which state.
fn next_state(state: &PurchaseState, at: Timestamp, event: &Event) -> Option<PurchaseState> {
    use PurchaseState as S;
    match state {
        S::Planned { attempts, .. } => after_planned(*attempts, at, event),
        S::Placing {
            attempt,
            lease_until,
            first_sent_at,
            doubt,
        } => {
            let placing = Placing {
                attempt: *attempt,
                lease_until: *lease_until,
                first_sent_at: *first_sent_at,
                doubt: *doubt,
            };
            after_placing(placing, at, event)
        }
        S::Placed {
            supplier_orders,
            at: placed,
        } => after_placed(supplier_orders, *placed, event),
        S::Shipped {
            supplier_orders, ..
        } => after_shipped(supplier_orders, event),
        S::Delivered { .. } | S::Refused { .. } | S::Cancelled => None,
    }
}

fn after_planned(attempts: u32, at: Timestamp, event: &Event) -> Option<PurchaseState> {
    use PurchaseState as S;
    Some(match event {
        Event::PlacingStarted { lease_until, .. } => S::Placing {
            attempt: attempts + 1,
            lease_until: *lease_until,
            first_sent_at: at,
            doubt: None,
        },
        Event::Refused { refusal, code, .. } => refused(*refusal, code),
        Event::PurchaseCancelled { .. } => S::Cancelled,
        _ => return None,
    })
}

/// The fields of [`PurchaseState::Placing`].
struct Placing {
    attempt: u32,
    lease_until: Timestamp,
    first_sent_at: Timestamp,
    doubt: Option<Doubt>,
}

fn after_placing(placing: Placing, at: Timestamp, event: &Event) -> Option<PurchaseState> {
    use PurchaseState as S;
    let Placing {
        attempt,
        lease_until,
        first_sent_at,
        doubt,
    } = placing;
    Some(match event {
        // A settling look or an exact repeat renews the lease; the window still counts from the first time.
        Event::PlacingStarted { lease_until, .. } => S::Placing {
            attempt: attempt + 1,
            lease_until: *lease_until,
            first_sent_at,
            doubt: Some(Doubt {
                since: doubt.map_or(at, |doubt| doubt.since),
                settle_at: *lease_until,
            }),
        },
        Event::Doubted { doubt, .. } => S::Placing {
            attempt,
            lease_until,
            first_sent_at,
            doubt: Some(*doubt),
        },
        Event::Placed {
            supplier_orders, ..
        } => S::Placed {
            supplier_orders: supplier_orders.clone(),
            at,
        },
        Event::NotPlaced { retry_at, .. } => S::Planned {
            not_before: *retry_at,
            attempts: attempt,
        },
        Event::Refused { refusal, code, .. } => refused(*refusal, code),
        Event::PurchaseGivenUp { .. } => S::Cancelled,
        _ => return None,
    })
}

fn after_placed(
    numbers: &[SupplierOrderId],
    placed_at: Timestamp,
    event: &Event,
) -> Option<PurchaseState> {
    use PurchaseState as S;
    Some(match event {
        // A purchase that exists without a number gets it later.
        Event::Placed {
            supplier_orders, ..
        } if numbers.is_empty() => S::Placed {
            supplier_orders: supplier_orders.clone(),
            at: placed_at,
        },
        Event::NumbersCorrected {
            supplier_orders, ..
        } if !numbers.is_empty() => S::Placed {
            supplier_orders: supplier_orders.clone(),
            at: placed_at,
        },
        Event::Shipped { .. } => S::Shipped {
            supplier_orders: numbers.to_vec(),
            at: placed_at,
        },
        _ => return after_shipped(numbers, event),
    })
}

/// What can meet everything that the supplier has and that has not arrived.
fn after_shipped(numbers: &[SupplierOrderId], event: &Event) -> Option<PurchaseState> {
    use PurchaseState as S;
    Some(match event {
        Event::Delivered { .. } => S::Delivered {
            supplier_orders: numbers.to_vec(),
        },
        Event::PurchaseGivenUp { .. } => S::Cancelled,
        _ => return None,
    })
}

fn refused(refusal: Refusal, code: &str) -> PurchaseState {
    PurchaseState::Refused {
        refusal,
        code: code.to_owned(),
    }
}
