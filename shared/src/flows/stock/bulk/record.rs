//! The record of a channel's submission in the table.

use crate::Kervan;
use crate::domain::{AccountId, Cause, ListingId, Money};
use crate::flows::{FlowError, ledger, write_unless_changed};
use crate::marketplaces::{ListingUpdate, Submission};
use crate::store::{Condition, Due, Item, Write, keys};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Parts of a record are of no use longer.
const PARTS_KEPT: SignedDuration = SignedDuration::from_hours(48);

/// A channel's submission that is at work, or the last one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Record {
    /// Where it is handed in.
    pub(super) channel: AccountId,
    /// Counts the channel's submissions.
    pub(super) number: u64,
    /// How far it is.
    pub(super) step: Step,
    /// When the work on it began.
    pub(super) begun_at: Timestamp,
    /// Not to be looked at before.
    pub(super) next_at: Timestamp,
    /// In how many parts its listings are stored.
    pub(super) parts: u32,
    /// The channel's ids of the one before, which is not taken for this one.
    pub(super) before: Vec<String>,
}

/// How far a submission is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub(super) enum Step {
    /// It is over.
    Idle,
    /// Its listings are being marked; nothing was handed in.
    Marking(Progress),
    /// It is being handed in, or was without an answer.
    Submitting,
    /// It was handed in.
    Open {
        /// The channel's submissions; more than one where ours is not known among them.
        submissions: Vec<HandedIn>,
    },
    /// It is over, and its listings are noted, part by part.
    Ending {
        /// The parts whose listings are noted.
        ended: u32,
        /// What became of every listing of which its part says nothing else.
        verdict: Verdict,
    },
}

/// How many listings are marked.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Progress {
    /// The parts whose listings are marked. While there are more parts than that, somebody is at work on them, or was cut
    /// off.
    pub(super) parts: u32,
    /// Their listings.
    pub(super) listings: usize,
    /// What these take of the channel's largest submission.
    pub(super) bytes: usize,
}

/// What is known of one listing of a submission that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// It shows what was handed in.
    Set,
    /// It was refused, and will be again.
    Refused,
    /// Nobody knows, it may be taken later, or nothing was handed in: it is told anew at this time.
    Anew(Timestamp),
}

/// A submission as the channel has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct HandedIn {
    /// The channel's id.
    pub(super) id: String,
    /// When it was handed in, by the channel's clock.
    pub(super) at: Timestamp,
}

impl From<Submission> for HandedIn {
    fn from(submission: Submission) -> Self {
        Self {
            id: submission.id,
            at: submission.at,
        }
    }
}

impl HandedIn {
    /// As the role has it.
    pub(super) fn submission(&self) -> Submission {
        Submission {
            id: self.id.clone(),
            at: self.at,
        }
    }
}

/// A listing of a submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sent {
    /// Which listing.
    pub(super) listing: ListingId,
    /// Units that it will show.
    pub(super) quantity: u32,
    /// The price that it will show.
    pub(super) price: Money,
    /// The listing's version after it was marked.
    pub(super) version: u64,
    /// What it is told for.
    #[serde(default, skip_serializing_if = "Cause::is_none")]
    pub(super) cause: Cause,
    /// What became of it, where it is not what became of most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) verdict: Option<Verdict>,
}

impl Sent {
    /// As the role has it.
    pub(super) fn update(&self) -> ListingUpdate {
        ListingUpdate::new(self.listing.clone(), self.quantity, self.price)
    }
}

/// A record with the version that guards it; 0 where there was none.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) record: Record,
    pub(super) version: u64,
}

/// Reads a channel's record.
pub(super) async fn load(kervan: &Kervan, channel: &AccountId) -> Result<Stored, FlowError> {
    if let Some(item) = kervan.store.get(&keys::submission(channel)).await? {
        return Ok(Stored {
            record: ledger::read(&item.body)?,
            version: item.version,
        });
    }
    let now = kervan.clock.now();
    Ok(Stored {
        record: Record {
            channel: channel.clone(),
            number: 0,
            step: Step::Idle,
            begun_at: now,
            next_at: now,
            parts: 0,
            before: Vec::new(),
        },
        version: 0,
    })
}

/// Writes the record's next step, to be looked at then; `None` where somebody else wrote it in between.
pub(super) async fn write(
    kervan: &Kervan,
    stored: Stored,
    step: Step,
    next_at: Timestamp,
) -> Result<Option<Stored>, FlowError> {
    let is_over = matches!(step, Step::Idle);
    let record = Record {
        step,
        next_at,
        ..stored.record
    };
    let version = stored.version + 1;
    let key = keys::submission(&record.channel);
    let mut item = Item::new(key, version, ledger::write(&record)?);
    item.due = (!is_over).then(|| Due {
        lane: keys::SUBMISSION_LANE.to_owned(),
        at: next_at,
    });
    let only_if = match stored.version {
        0 => Condition::Absent,
        version => Condition::Version(version),
    };
    let is_ours = write_unless_changed(kervan, vec![Write::Put { item, only_if }]).await?;
    Ok(is_ours.then_some(Stored { record, version }))
}

/// Writes a part of the listings. Only the holder of the record does.
pub(super) async fn write_part(
    kervan: &Kervan,
    record: &Record,
    part: u32,
    sent: &[Sent],
) -> Result<(), FlowError> {
    let key = keys::submission_part(&record.channel, record.number, part);
    let mut item = Item::new(key, 1, ledger::write(&sent)?);
    item.expires_at = kervan.clock.now().checked_add(PARTS_KEPT).ok();
    let only_if = Condition::Always;
    Ok(kervan
        .store
        .write(vec![Write::Put { item, only_if }])
        .await?)
}

/// Reads all listings of a submission, part by part, in the order in which they were handed in.
pub(super) async fn parts(kervan: &Kervan, record: &Record) -> Result<Vec<Vec<Sent>>, FlowError> {
    let mut parts = Vec::new();
    for number in 1..=record.parts {
        parts.push(part(kervan, record, number).await?);
    }
    Ok(parts)
}

/// Reads a part; it is empty where it was never written.
pub(super) async fn part(
    kervan: &Kervan,
    record: &Record,
    number: u32,
) -> Result<Vec<Sent>, FlowError> {
    let key = keys::submission_part(&record.channel, record.number, number);
    match kervan.store.get(&key).await? {
        Some(item) => ledger::read(&item.body),
        None => Ok(Vec::new()),
    }
}
