//! The budget of changes that the variations of one listing share.
//!
//! It costs a read and a write for each change, so listings without variations count in their own item instead.

use crate::Kervan;
use crate::domain::{AccountId, Purpose, Revisions};
use crate::flows::{FlowError, ledger, write_unless_changed};
use crate::store::{Condition, Item, Write, keys};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// How often a counter is read anew when others come between.
const MOST_TRIES: usize = 6;
/// No change counts longer.
const COUNTED: SignedDuration = SignedDuration::from_hours(26);

/// Counts a change, where there is room for it: zero; else how long it has to wait, and nothing is counted.
pub(super) async fn take(
    kervan: &Kervan,
    shared: (&AccountId, &str),
    budget: u32,
    purpose: Purpose,
    now: Timestamp,
) -> Result<Duration, FlowError> {
    for _ in 0..MOST_TRIES {
        let (revisions, version) = read(kervan, shared).await?;
        let wait = revisions.wait(budget, purpose, now);
        if !wait.is_zero() {
            return Ok(wait);
        }
        if write(kervan, shared, &revisions.with_one_more(now), version, now).await? {
            return Ok(Duration::ZERO);
        }
    }
    Err(FlowError::Overtaken)
}

/// Takes back a change that was counted then and changed nothing. Where others come between, one too many is counted.
pub(super) async fn give_back(
    kervan: &Kervan,
    shared: (&AccountId, &str),
    counted_at: Timestamp,
) -> Result<(), FlowError> {
    let (revisions, version) = read(kervan, shared).await?;
    if version > 0 {
        let fewer = revisions.with_one_less(counted_at);
        write(kervan, shared, &fewer, version, counted_at).await?;
    }
    Ok(())
}

async fn read(
    kervan: &Kervan,
    (channel, group): (&AccountId, &str),
) -> Result<(Revisions, u64), FlowError> {
    let item = kervan.store.get(&keys::revisions(channel, group)).await?;
    item.map_or_else(
        || Ok((Revisions::default(), 0)),
        |item| Ok((ledger::read(&item.body)?, item.version)),
    )
}

/// Writes the counter where nobody came between; version 0 where there was none.
async fn write(
    kervan: &Kervan,
    (channel, group): (&AccountId, &str),
    revisions: &Revisions,
    version: u64,
    now: Timestamp,
) -> Result<bool, FlowError> {
    let key = keys::revisions(channel, group);
    let mut item = Item::new(key, version + 1, ledger::write(revisions)?);
    item.expires_at = now.checked_add(COUNTED).ok();
    let only_if = match version {
        0 => Condition::Absent,
        version => Condition::Version(version),
    };
    write_unless_changed(kervan, vec![Write::Put { item, only_if }]).await
}
