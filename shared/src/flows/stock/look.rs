//! A supplier is asked for its stock, and what it says is noted.

use crate::Kervan;
use crate::decide::next_stock_interval;
use crate::domain::{Evidence, Offer, OfferId};
use crate::flows::catalog::{BOUGHT, FREE, StoredOffer};
use crate::flows::{FlowError, ledger};
use crate::guards::{Guard as Safety, stands};
use crate::marketplaces::{CallError, Kind, Retry};
use crate::metrics::{Count, Measure};
use crate::store::{Due, Guard, Write, WriteError, keys};
use jiff::{SignedDuration, Timestamp};

/// Asks the supplier of these offers for their stock and notes what it says. After an error, what it concerns is no newer
/// than before.
pub(in crate::flows) async fn look(
    kervan: &Kervan,
    offers: Vec<StoredOffer>,
) -> Result<Option<CallError>, FlowError> {
    let Some(first) = offers.first() else {
        return Ok(None);
    };
    let (id, ship_to) = (first.offer.id.clone(), first.offer.ship_to.clone());
    let ids: Vec<OfferId> = offers
        .iter()
        .map(|stored| stored.offer.id.clone())
        .collect();
    let now = kervan.clock.now();
    for known in offers
        .iter()
        .filter_map(|stored| stored.offer.evidence.as_ref())
    {
        kervan
            .metrics
            .note(Measure::EvidenceAge, now.duration_since(known.at));
    }
    let account = match kervan.accounts.get(&id.supplier).await {
        Ok(account) => account,
        Err(error) => return Ok(Some(error)),
    };
    let Some(supplier) = account.read_stock() else {
        let (kind, retry) = (Kind::Misconfigured, Retry::Person);
        return Ok(Some(CallError::new(
            &id.supplier,
            "stock",
            kind,
            retry,
            "not-a-supplier",
        )));
    };
    let answers = match supplier.stock(&ids, &ship_to).await {
        Ok(answers) => answers,
        Err(error) => return Ok(Some(error)),
    };
    kervan.metrics.count(
        Count::OffersChecked,
        answers.iter().filter(|it| it.is_ok()).count(),
    );
    let mut failed = None;
    for (stored, answer) in offers.into_iter().zip(answers) {
        match answer {
            Ok(answer) => note(kervan, stored, answer).await?,
            Err(error) => failed = Some(error),
        }
    }
    Ok(failed)
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
    let interval_s = next_stock_interval(stored.offer.interval_s, changed != 0);
    let wait = SignedDuration::from_secs(i64::from(interval_s));
    let offer = Offer {
        evidence,
        interval_s,
        ..stored.offer
    };
    let due = Due {
        lane: keys::STOCK_LANE.to_owned(),
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
    match kervan.store.write(vec![write]).await {
        Ok(()) | Err(WriteError::Conflict(_) | WriteError::Contended) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
