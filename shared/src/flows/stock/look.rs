//! A supplier is asked for its stock, and what it says is noted.

use crate::Kervan;
use crate::decide::{Pace, next_stock_interval};
use crate::domain::{Evidence, Offer, OfferId, Sku};
use crate::flows::catalog::{BOUGHT, FREE, StoredOffer};
use crate::flows::{FlowError, ledger, set_due_unless_changed, write_unless_changed};
use crate::guards::{Guard as Safety, stands};
use crate::marketplaces::{CallError, Kind, Retry};
use crate::metrics::{Count, Measure};
use crate::store::{Due, Guard, Write, keys};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// An offer that could not be looked at is due again after this time at the soonest.
const SOONEST: Duration = Duration::from_secs(60);
/// And after this time at the latest, so that a supplier that is well again is noticed.
const LATEST: Duration = Duration::from_secs(30 * 60);

/// Asks the supplier of these offers for their stock and notes what it says. After an error, what it concerns is no newer
/// than before, and is due again when the supplier may be well.
pub(in crate::flows) async fn look(
    kervan: &Kervan,
    offers: Vec<StoredOffer>,
) -> Result<Option<CallError>, FlowError> {
    let now = kervan.clock.now();
    for it in &offers {
        // One that was never answered is as old as it is overdue.
        let known = it.offer.evidence.as_ref().map(|evidence| evidence.at);
        if let Some(since) = known.or(it.due_at) {
            let (supplier, age) = (&it.offer.id.supplier, now.duration_since(since));
            kervan.metrics.note_of(supplier, Measure::EvidenceAge, age);
        }
    }
    let looked_at = offers.clone();
    let mut failed = None;
    for (stored, answer) in looked_at.into_iter().zip(ask(kervan, &offers).await) {
        match answer {
            Ok(answer) => {
                kervan.metrics.count(Count::OffersChecked, 1);
                note(kervan, stored, answer).await?;
            }
            Err(error) => {
                if comes_again(&error).is_none() {
                    let supplier = &stored.offer.id.supplier;
                    kervan.metrics.count_of(supplier, Count::LooksFailed, 1);
                    put_off(kervan, &stored, &error).await?;
                }
                // Where some come again, the message has to, whatever the others met.
                let waits = failed.as_ref().and_then(comes_again);
                if waits.is_none() {
                    failed = Some(error);
                }
            }
        }
    }
    Ok(failed)
}

/// An answer for each offer. All are of one supplier and one country.
async fn ask(kervan: &Kervan, offers: &[StoredOffer]) -> Vec<Result<Option<Evidence>, CallError>> {
    match ask_together(kervan, offers).await {
        Ok(answers) => answers,
        Err(error) => offers.iter().map(|_| Err(error.clone())).collect(),
    }
}

async fn ask_together(
    kervan: &Kervan,
    offers: &[StoredOffer],
) -> Result<Vec<Result<Option<Evidence>, CallError>>, CallError> {
    let Some(first) = offers.first() else {
        return Ok(Vec::new());
    };
    let supplier = &first.offer.id.supplier;
    let ids: Vec<OfferId> = offers
        .iter()
        .map(|stored| stored.offer.id.clone())
        .collect();
    let account = kervan.accounts.get(supplier).await?;
    let (kind, retry) = (Kind::Misconfigured, Retry::Person);
    let door = account
        .read_stock()
        .ok_or_else(|| CallError::new(supplier, "stock", kind, retry, "not-a-supplier"))?;
    door.stock(&ids, &first.offer.ship_to).await
}

/// Who was kept from asking by a limit, or by a token that is being renewed, asks again as soon as that is over: the message
/// comes back. A supplier that is ill is left alone for longer.
pub(super) fn comes_again(error: &CallError) -> Option<Duration> {
    match (error.kind, error.retry) {
        (Kind::Throttled | Kind::TokenInvalid, Retry::After(wait)) => Some(wait),
        _ => None,
    }
}

/// The offer was not looked at: it is due again after its usual time, or when the marketplace says, and its age lowers what
/// is published meanwhile.
async fn put_off(
    kervan: &Kervan,
    stored: &StoredOffer,
    error: &CallError,
) -> Result<(), FlowError> {
    let usual = Duration::from_secs(u64::from(stored.offer.interval_s));
    let wait = match error.retry {
        // A supplier that is ill is not asked more often than one that is well.
        Retry::After(wait) => wait.max(usual).clamp(SOONEST, LATEST),
        Retry::Permanent | Retry::Person => usual.clamp(SOONEST, LATEST),
    };
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::from_mins(5));
    let (sku, id) = (&stored.offer.sku, &stored.offer.id);
    let due = Due {
        lane: keys::stock_lane(sku, id),
        at: kervan
            .clock
            .now()
            .checked_add(wait)
            .unwrap_or(Timestamp::MAX),
    };
    // Whoever looked in between set the time.
    set_due_unless_changed(kervan, keys::offer(sku, id), stored.version, Some(due)).await?;
    Ok(())
}

/// Lets offers be looked at again after this time at the latest, where they are not due before.
pub(super) async fn look_within(
    kervan: &Kervan,
    offers: &[(Sku, OfferId)],
    wait: Duration,
) -> Result<(), FlowError> {
    let wait = SignedDuration::try_from(wait.max(SOONEST)).unwrap_or(SignedDuration::MAX);
    let Ok(at) = kervan.clock.now().checked_add(wait) else {
        return Ok(());
    };
    let keys: Vec<_> = offers
        .iter()
        .map(|(sku, id)| keys::offer(sku, id))
        .collect();
    for item in kervan.store.get_many(&keys).await?.into_iter().flatten() {
        let Some(due) = item.due.filter(|due| due.at > at) else {
            continue;
        };
        let due = Due { at, ..due };
        set_due_unless_changed(kervan, item.key, item.version, Some(due)).await?;
    }
    Ok(())
}

/// How the offer moved since the look before.
fn pace(stored: &StoredOffer, evidence: Option<&Evidence>, changed: i64) -> Pace {
    let old = stored.offer.evidence.as_ref();
    let elapsed = old
        .zip(evidence)
        .map(|(old, new)| new.at.duration_since(old.at));
    let cost = |evidence: Option<&Evidence>| evidence.map(|evidence| evidence.cost);
    let whole = |number: i64| u32::try_from(number.max(0)).unwrap_or(u32::MAX);
    Pace {
        interval_s: stored.offer.interval_s,
        elapsed_s: elapsed.map(|elapsed| whole(elapsed.as_secs())),
        changed: changed != 0 || cost(old) != cost(evidence),
        gone: whole(stored.bought.max(-changed)),
        free: whole(
            stored
                .free
                .saturating_add(changed)
                .saturating_add(stored.bought),
        ),
    }
}

/// Writes new evidence and moves the free units by what changed. A purchase that was placed while the supplier was asked
/// counts as bought until the next look, whether or not the answer contains it: at worst a unit too few is shown.
pub(super) async fn note(
    kervan: &Kervan,
    stored: StoredOffer,
    answer: Option<Evidence>,
) -> Result<(), FlowError> {
    let now = kervan.clock.now();
    let old = stored.offer.evidence.clone();
    let evidence = match (answer, &old) {
        (Some(evidence), _) => Some(evidence),
        // A variant that is gone has no units; what it last cost stays.
        (None, Some(old)) => Some(Evidence {
            stock: 0,
            at: now,
            ..old.clone()
        }),
        (None, None) => None,
    };
    let units = |evidence: &Option<Evidence>| evidence.as_ref().map_or(0, |e| i64::from(e.stock));
    let changed = units(&evidence) - units(&old);
    let interval_s = next_stock_interval(pace(&stored, evidence.as_ref(), changed));
    let wait = SignedDuration::from_secs(i64::from(interval_s));
    let offer = Offer {
        evidence,
        interval_s,
        ..stored.offer
    };
    let due = Due {
        lane: keys::stock_lane(&offer.sku, &offer.id),
        at: now.checked_add(wait).unwrap_or(Timestamp::MAX),
    };
    let mut only_if = vec![Guard::Version(stored.version)];
    only_if.retain(|_| stands(Safety::EvidenceVersion));
    let write = Write::Update {
        key: keys::offer(&offer.sku, &offer.id),
        set_body: Some(ledger::write(&offer)?),
        set_due: Some(Some(due)),
        add: vec![(FREE, changed + stored.bought), (BOUGHT, -stored.bought)],
        only_if,
    };
    write_unless_changed(kervan, vec![write]).await?;
    Ok(())
}
