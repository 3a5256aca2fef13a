//! How a submission ends, and what becomes of its listings.

use super::record::{self, HandedIn, Sent, Step, Stored, Verdict};
use super::{
    AT_ONCE, CLOCKS_DIFFER, FIRST_LOOKS, GOES_ON, KNOWN_WITHIN, LATER_LOOKS, LEASE, OPEN_AT_MOST,
    after, is_long_enough,
};
use crate::Kervan;
use crate::decide::Urgency;
use crate::domain::{Listing, Published};
use crate::flows::stock::publish::{Told, bulk_due, note_published, note_told};
use crate::flows::stock::side_by_side::{Work, side_by_side};
use crate::flows::{FlowError, SURELY_LANDED, ledger};
use crate::guards::{Guard, stands};
use crate::marketplaces::{CallError, ListingUpdate, PushInBulk, Retry};
use crate::store::keys;
use jiff::{SignedDuration, Timestamp};

/// How often a listing is read anew when others come between.
const MOST_TRIES: usize = 6;

/// Ends a submission of which nothing is known, or nothing was handed in; its listings are told anew at that time.
pub(super) async fn give_up(
    kervan: &Kervan,
    mine: Stored,
    at: Timestamp,
) -> Result<Told, FlowError> {
    over(kervan, mine, Verdict::Anew(at)).await
}

/// Notes that a submission is over, and then what became of its listings.
async fn over(kervan: &Kervan, mine: Stored, verdict: Verdict) -> Result<Told, FlowError> {
    let step = Step::Ending { ended: 0, verdict };
    let lease = after(kervan.clock.now(), LEASE);
    match record::write(kervan, mine, step, lease).await? {
        Some(mine) => end(kervan, mine, 0, verdict).await,
        None => Ok(Told::default()),
    }
}

/// Looks for a submission that got no answer among the channel's.
pub(super) async fn find(
    kervan: &Kervan,
    door: &dyn PushInBulk,
    mut mine: Stored,
) -> Result<Told, FlowError> {
    let (now, begun_at) = (kervan.clock.now(), mine.record.begun_at);
    let since = begun_at.checked_sub(CLOCKS_DIFFER).unwrap_or(begun_at);
    let found = match door.submissions(since).await {
        Ok(found) => found,
        // It is looked for again when the lease is over.
        Err(error) => return Ok(of_all(error)),
    };
    let known = &mine.record.before;
    let is_new = |id: &str| !known.iter().any(|before| is_part_of(id, before));
    let submissions: Vec<HandedIn> = found
        .into_iter()
        .filter(|submission| is_new(&submission.id))
        .map(HandedIn::from)
        .collect();
    if !submissions.is_empty() {
        record::write(kervan, mine, Step::Open { submissions }, now).await?;
        return Ok(Told::default());
    }
    if now.duration_since(begun_at) < KNOWN_WITHIN {
        record::write(kervan, mine, Step::Submitting, after(now, FIRST_LOOKS)).await?;
        return Ok(Told::default());
    }
    let channel = &mine.record.channel;
    tracing::warn!(%channel, "A submission without an answer was never handed in; its listings are told anew.");
    mine.record.before.clear();
    give_up(kervan, mine, now).await
}

/// Whether an id is another one, or a part of it: a submission of several jobs is found again job by job.
fn is_part_of(id: &str, whole: &str) -> bool {
    id == whole || whole.split('+').any(|part| part == id)
}

/// Reads the report of a submission, where it is there.
pub(super) async fn report(
    kervan: &Kervan,
    door: &dyn PushInBulk,
    mine: Stored,
    submissions: &[HandedIn],
) -> Result<Told, FlowError> {
    let (now, begun_at) = (kervan.clock.now(), mine.record.begun_at);
    let sent = record::parts(kervan, &mine.record).await?;
    let updates: Vec<ListingUpdate> = sent.iter().flatten().map(Sent::update).collect();
    let age = now.duration_since(begun_at);
    let mut reports = Vec::new();
    for handed_in in submissions {
        match door.report(&handed_in.submission(), &updates).await {
            Ok(Some(report)) => reports.push(report),
            Ok(None) if age < OPEN_AT_MOST => {
                let wait = if age < LATER_LOOKS + LATER_LOOKS {
                    FIRST_LOOKS
                } else {
                    LATER_LOOKS
                };
                let step = mine.record.step.clone();
                record::write(kervan, mine, step, after(now, wait)).await?;
                return Ok(Told::default());
            }
            // It is asked for again when the lease is over.
            Err(error) if age < OPEN_AT_MOST => return Ok(of_all(error)),
            Ok(None) | Err(_) => {
                let channel = &mine.record.channel;
                tracing::error!(%channel, id = %handed_in.id, "A submission has no report after hours; its listings are told anew.");
                return remember_and_end(kervan, mine, submissions, sent, None).await;
            }
        }
    }
    let one = <[Vec<Result<(), CallError>>; 1]>::try_from(reports).ok();
    let one = one.map(|[report]| report);
    remember_and_end(kervan, mine, submissions, sent, one).await
}

/// Ends a submission by its report. Without the one report, nobody knows what its listings show.
async fn remember_and_end(
    kervan: &Kervan,
    mut mine: Stored,
    submissions: &[HandedIn],
    sent: Vec<Vec<Sent>>,
    report: Option<Vec<Result<(), CallError>>>,
) -> Result<Told, FlowError> {
    let now = kervan.clock.now();
    mine.record.before = submissions.iter().map(|it| it.id.clone()).collect();
    let listings = sent.iter().map(Vec::len).sum::<usize>();
    let Some(report) = report.filter(|report| report.len() == listings) else {
        return over(kervan, mine, Verdict::Anew(now)).await;
    };
    let channel = mine.record.channel.clone();
    let mut told = Told::default();
    let (mut report, mut refused) = (report.into_iter(), 0);
    for (number, mut part) in (1..).zip(sent) {
        let before = refused;
        for (sent, outcome) in part.iter_mut().zip(&mut report) {
            if let Err(error) = outcome {
                refused += 1;
                sent.verdict = Some(verdict(&error, now));
                told.add(refusal(sent, error));
            }
        }
        if refused > before {
            record::write_part(kervan, &mine.record, number, &part).await?;
        }
    }
    tracing::info!(%channel, listings, refused, "A submission is over.");
    told.add(over(kervan, mine, Verdict::Set).await?);
    Ok(told)
}

fn verdict(error: &CallError, now: Timestamp) -> Verdict {
    match error.retry {
        Retry::After(wait) => {
            let wait = SignedDuration::try_from(wait).unwrap_or(FIRST_LOOKS);
            Verdict::Anew(after(now, wait))
        }
        Retry::Permanent | Retry::Person => Verdict::Refused,
    }
}

/// One that can be tried again waits in its lane, and is only counted.
fn refusal(sent: &Sent, error: CallError) -> Told {
    let mut told = Told::default();
    match error.retry {
        Retry::After(_) => told.not_told = 1,
        Retry::Permanent | Retry::Person => told.failed.push((sent.listing.clone(), error)),
    }
    told
}

/// Notes what became of the listings of a submission that is over, from the part after those that are noted, for as long as
/// an invocation works.
pub(super) async fn end(
    kervan: &Kervan,
    mine: Stored,
    ended: u32,
    verdict: Verdict,
) -> Result<Told, FlowError> {
    let began_at = kervan.clock.now();
    let mut told = Told::default();
    for number in ended + 1..=mine.record.parts {
        if is_long_enough(kervan, began_at) {
            let ended = number - 1;
            let step = Step::Ending { ended, verdict };
            record::write(kervan, mine, step, kervan.clock.now()).await?;
            told.again(GOES_ON);
            return Ok(told);
        }
        let mut works: Vec<Work<'_, ()>> = Vec::new();
        for sent in record::part(kervan, &mine.record, number).await? {
            let verdict = sent.verdict.unwrap_or(verdict);
            works.push(Box::pin(end_one(kervan, sent, verdict)));
        }
        side_by_side(works, AT_ONCE).await?;
    }
    record::write(kervan, mine, Step::Idle, kervan.clock.now()).await?;
    Ok(told)
}

/// Notes what became of one listing. Where somebody told the channel in between, the submission may have landed after
/// that, and the listing is told once more.
async fn end_one(kervan: &Kervan, sent: Sent, verdict: Verdict) -> Result<(), FlowError> {
    for _ in 0..MOST_TRIES {
        let Some(item) = kervan.store.get(&keys::listing(&sent.listing)).await? else {
            break;
        };
        let now = kervan.clock.now();
        let Ok(listing) = ledger::read::<Listing>(&item.body) else {
            // The others must not wait for it.
            tracing::error!(sku = %sent.listing.sku, "A listing of a submission cannot be read.");
            break;
        };
        if listing.in_bulk.is_none() {
            // It was noted before, and the work on the record was cut off.
            break;
        }
        let id = &sent.listing;
        // Something that waits for the end of the submission.
        let until = listing.doubt_until;
        let waits = item.due.filter(|due| Some(due.at) != until);
        let anew = |at| Some(bulk_due(id, Urgency::Fall, at));
        let mut ended = (None, None, waits);
        if item.version == sent.version {
            match verdict {
                Verdict::Set => {
                    ended.0 = Some(Published {
                        quantity: sent.quantity,
                        price: sent.price,
                        at: now,
                    });
                }
                Verdict::Anew(at) => ended.2 = anew(at),
                // Only what waits for the end is told.
                Verdict::Refused => {}
            }
        } else {
            // What the channel was told in between may have had no answer, and then it may land still.
            let lands = now.checked_add(SURELY_LANDED).ok();
            ended = (None, lands.filter(|_| stands(Guard::LateUpdate)), anew(now));
        }
        let (published, doubt_until, due) = ended;
        let listing = Listing {
            doubt_until,
            in_bulk: None,
            ..listing
        };
        let is_set = published.is_some();
        if note_published(kervan, &listing, item.version, published, Some(due)).await? {
            if is_set {
                note_told(kervan, sent.cause);
            }
            break;
        }
    }
    Ok(())
}

fn of_all(error: CallError) -> Told {
    Told {
        of_all: Some(error),
        ..Told::default()
    }
}
