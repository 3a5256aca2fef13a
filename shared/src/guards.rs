//! The guards that keep money and goods safe, by name. Where a guard is, the code asks whether it still [`stands`]: in
//! a release build, as everything that ships is, that is a constant. In a debug build it is a switch of the thread, which
//! the simulation turns, one guard at a time, to show that somebody notices.

/// A guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Guard {
    /// An order is written only where nobody wrote in between.
    OrderVersion,
    /// An order is recorded only where it is not there yet.
    RecordedOnce,
    /// While somebody's lease of a purchase runs, nobody else touches it.
    PurchaseLease,
    /// A supplier is not called under a lease that has run out.
    OwnLease,
    /// A call that may have had an effect is a doubt, not a failure.
    DoubtFirst,
    /// A purchase is searched only after the supplier's settling time.
    SettlingTime,
    /// A purchase that may exist is searched before it is placed again.
    SearchFirst,
    /// An exact repeat is sent only while the supplier surely knows it again.
    RepeatWindow,
    /// What is not wanted any more is not repeated.
    RepeatOnlyWanted,
    /// Units are taken only where they are free.
    Reservation,
    /// New evidence is written only on the evidence that it was compared with.
    EvidenceVersion,
    /// Old evidence never raises a published quantity.
    FreshEvidence,
    /// A listing whose update got no answer is published once more after it can have landed.
    LateUpdate,
    /// While somebody's lease of a parcel runs, nobody else confirms it.
    ParcelLease,
    /// A channel is read before it is told of a parcel again.
    ReadBack,
    /// An older answer of a channel never replaces a newer one.
    NewerDetails,
    /// While somebody asks to cancel, and once it is cancelled, nothing is bought.
    CancelStops,
    /// No unit is bought that the channel, as last read, no longer wants.
    WantedUnits,
    /// What would lose money is not bought.
    NoLoss,
    /// Terms are asked for anew before they grow old.
    FreshTerms,
    /// An offer that refused an order is not asked again for it.
    RefusedOffers,
    /// A push is taken only with its marketplace's signature.
    PushSignature,
    /// A push is answered with 2xx only once the queue has it.
    QueueFirst,
    /// What a sweep found is queued before it is remembered as seen.
    QueueBeforeCursor,
    /// A sweep begins before the end of the one before.
    SweepOverlap,
    /// A message that failed stays in its queue.
    FailedStays,
    /// One function at a time renews an account's token.
    TokenLease,
    /// What a call came to is recorded only where the purchase is still as the caller left it.
    StillMine,
}

impl Guard {
    /// Every guard.
    pub const ALL: [Self; 28] = [
        Self::OrderVersion,
        Self::RecordedOnce,
        Self::PurchaseLease,
        Self::OwnLease,
        Self::DoubtFirst,
        Self::SettlingTime,
        Self::SearchFirst,
        Self::RepeatWindow,
        Self::RepeatOnlyWanted,
        Self::Reservation,
        Self::EvidenceVersion,
        Self::FreshEvidence,
        Self::LateUpdate,
        Self::ParcelLease,
        Self::ReadBack,
        Self::NewerDetails,
        Self::CancelStops,
        Self::WantedUnits,
        Self::NoLoss,
        Self::FreshTerms,
        Self::RefusedOffers,
        Self::PushSignature,
        Self::QueueFirst,
        Self::QueueBeforeCursor,
        Self::SweepOverlap,
        Self::FailedStays,
        Self::TokenLease,
        Self::StillMine,
    ];
}

/// Whether the guard stands: always, in everything that ships.
#[cfg(not(debug_assertions))]
pub(crate) const fn stands(_: Guard) -> bool {
    true
}

#[cfg(debug_assertions)]
pub(crate) use removable::stands;
#[cfg(debug_assertions)]
pub use removable::take_away;

#[cfg(debug_assertions)]
mod removable {
    use super::Guard;
    use std::cell::Cell;

    thread_local! {
        static AWAY: Cell<Option<Guard>> = const { Cell::new(None) };
    }

    /// Takes a guard away from this thread, or puts all back. Only the simulation and the fuzzer call this; a release
    /// build does not have it.
    pub fn take_away(guard: Option<Guard>) {
        AWAY.set(guard);
    }

    /// Whether the guard stands in this thread.
    pub(crate) fn stands(guard: Guard) -> bool {
        AWAY.get() != Some(guard)
    }
}
