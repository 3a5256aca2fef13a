//! The stages of an order's road, as the demo shows them.

use jiff::Timestamp;
use kervan::domain::{Event, HistoryRecord};

/// A stage: a letter of the road and when the order reached it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// The customer bought.
    Bought,
    /// The order was recorded.
    Recorded,
    /// Stock and price were checked, the units reserved.
    Reserved,
    /// The purchases were placed.
    Placed,
    /// The suppliers shipped.
    Shipped,
    /// The channel knows the tracking numbers.
    Confirmed,
    /// Everything arrived.
    Delivered,
}

impl Stage {
    pub(super) const ALL: [Self; 7] = [
        Self::Bought,
        Self::Recorded,
        Self::Reserved,
        Self::Placed,
        Self::Shipped,
        Self::Confirmed,
        Self::Delivered,
    ];

    /// The letter of the road.
    pub(super) const fn letter(self) -> char {
        match self {
            Self::Bought => 'A',
            Self::Recorded => 'B',
            Self::Reserved => 'C',
            Self::Placed => 'D',
            Self::Shipped => 'E',
            Self::Confirmed => 'F',
            Self::Delivered => 'G',
        }
    }

    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Bought => "customer bought",
            Self::Recorded => "order recorded",
            Self::Reserved => "stock reserved",
            Self::Placed => "purchase placed",
            Self::Shipped => "supplier shipped",
            Self::Confirmed => "tracking confirmed",
            Self::Delivered => "delivered",
        }
    }
}

/// When an order reached each stage: the last event of a kind counts, since a stage is reached when all parts are there.
pub(super) fn times(bought_at: Timestamp, history: &[HistoryRecord]) -> Vec<(Stage, Timestamp)> {
    let last = |is: fn(&Event) -> bool| {
        history
            .iter()
            .rev()
            .find(|record| is(&record.event))
            .map(|record| record.at)
    };
    let reached = [
        (Stage::Bought, Some(bought_at)),
        (
            Stage::Recorded,
            last(|event| matches!(event, Event::Recorded { .. })),
        ),
        (
            Stage::Reserved,
            last(|event| matches!(event, Event::Planned { .. })),
        ),
        (
            Stage::Placed,
            last(|event| matches!(event, Event::Placed { .. })),
        ),
        (
            Stage::Shipped,
            last(|event| matches!(event, Event::ParcelSeen { .. })),
        ),
        (
            Stage::Confirmed,
            last(|event| matches!(event, Event::ParcelConfirmed { .. })),
        ),
        (
            Stage::Delivered,
            last(|event| matches!(event, Event::Finished)),
        ),
    ];
    reached
        .into_iter()
        .filter_map(|(stage, at)| Some((stage, at?)))
        .collect()
}
