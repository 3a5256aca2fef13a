//! Puts what a catalogue file brings into the table, each row or document whole or not at all.
//!
//! **Invariant:** memory is bounded, whatever the file holds: a batch at a time is worked on, and of earlier rows hashes
//! alone are remembered, of so many.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Result;
use futures::stream::{self, StreamExt};
use kervan::clock::{Clock, SystemClock};
use kervan::domain::Sku;
use kervan::flows::FlowError;
use kervan::flows::catalog::{self, Put, Terms};
use kervan::store::{Store, StoreError};

use super::cells::Fault;
use super::csv_file::Rows;
use super::json_file::Documents;
use super::publisher::Publisher;
use super::report::{Report, Verdict};

/// Rows that are held at once.
pub(super) const BATCH: usize = 256;
/// The most text of rows that is held at once, but for one row.
const MOST_BATCH_BYTES: usize = 1024 * 1024;
/// Skus that are written at once.
const AT_ONCE: usize = 16;
/// How often a row is tried where the table is busy.
const MOST_TRIES: u32 = 5;
/// Before the second try; twice as long before each later one.
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// A row or a document as it was read.
pub(super) struct Candidate {
    /// Where it begins.
    pub(super) line: u64,
    /// How many lines of the file a row takes up.
    pub(super) lines: u64,
    /// Its sku as it is written; empty where that is not known.
    pub(super) sku: String,
    /// The length of its text.
    pub(super) bytes: usize,
    pub(super) terms: Result<Terms, Vec<Fault>>,
}

/// A catalogue file that is being read.
pub(super) enum Input {
    Csv(Box<Rows>),
    Json(Box<Documents>),
}

impl Input {
    /// Opens a file. What it holds is told by its name: `.json`, `.jsonl` and `.ndjson` hold documents, all others rows.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let ending = path.extension().and_then(OsStr::to_str).unwrap_or_default();
        Ok(match ending.to_ascii_lowercase().as_str() {
            "json" | "jsonl" | "ndjson" => Self::Json(Box::new(Documents::open(path)?)),
            _ => Self::Csv(Box::new(Rows::open(path)?)),
        })
    }

    /// What the file is made of, for a person.
    pub(super) const fn one(&self) -> &'static str {
        match self {
            Self::Csv(_) => "row",
            Self::Json(_) => "document",
        }
    }

    pub(super) const fn file_bytes(&self) -> u64 {
        match self {
            Self::Csv(rows) => rows.file_bytes(),
            Self::Json(documents) => documents.file_bytes(),
        }
    }

    fn not_compared_from(&self) -> Option<u64> {
        match self {
            Self::Csv(rows) => rows.not_compared_from(),
            Self::Json(documents) => documents.not_compared_from(),
        }
    }

    fn read_bytes(&self) -> u64 {
        match self {
            Self::Csv(rows) => rows.read_bytes(),
            Self::Json(documents) => documents.read_bytes(),
        }
    }

    fn next(&mut self) -> Result<Option<Candidate>> {
        match self {
            Self::Csv(rows) => rows.next(),
            Self::Json(documents) => documents.next(),
        }
    }
}

/// Where rows are written.
#[derive(Clone, Copy)]
pub(super) struct Table<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) publisher: &'a Publisher,
}

/// Applies the rows, or only checks them where there is no table, and returns why it stopped early, if it did.
pub(super) async fn apply(
    table: Option<Table<'_>>,
    mut input: Input,
    report: &mut Report<'_>,
) -> Result<Option<String>> {
    loop {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        let mut end = None;
        while batch.len() < BATCH && bytes < MOST_BATCH_BYTES && end.is_none() {
            match input.next() {
                Ok(Some(candidate)) => {
                    bytes += candidate.bytes;
                    batch.push(candidate);
                }
                Ok(None) => end = Some(None),
                Err(error) => end = Some(Some(format!("{error:#}"))),
            }
        }
        let failures = match table {
            Some(table) => write(table, &batch).await,
            None => Failures::default(),
        };
        for (place, candidate) in batch.into_iter().enumerate() {
            let verdict = match (candidate.terms, failures.rows.get(&place)) {
                (Err(faults), _) => Verdict::Bad(faults),
                (Ok(_), Some(failure)) => Verdict::NotApplied(failure.clone()),
                (Ok(_), None) => Verdict::Good,
            };
            let (line, lines) = (candidate.line, candidate.lines);
            report.add(line, lines, &candidate.sku, &verdict)?;
        }
        report.not_compared_from(input.not_compared_from());
        report.read_up_to(input.read_bytes());
        if let Some(advice) = failures.stops {
            return Ok(Some(advice.to_owned()));
        }
        if let Some(reason) = end {
            return Ok(reason);
        }
    }
}

#[derive(Default)]
struct Failures {
    /// By the row's place in the batch.
    rows: BTreeMap<usize, String>,
    /// Why further rows would fail too.
    stops: Option<&'static str>,
}

/// What became of a row in the table.
type Outcome = (usize, Result<Put, String>);

/// Writes a batch: rows of one sku one after the other, because they touch the same items, and skus side by side. Bundles
/// come last and alone, because two at once could make a part of one a bundle.
async fn write(table: Table<'_>, batch: &[Candidate]) -> Failures {
    let mut groups: BTreeMap<&Sku, Vec<(usize, &Terms)>> = BTreeMap::new();
    let mut bundles = Vec::new();
    for (place, candidate) in batch.iter().enumerate() {
        match &candidate.terms {
            Ok(terms) if terms.bundle.is_some() => bundles.push((place, terms)),
            Ok(terms) => groups.entry(&terms.sku).or_default().push((place, terms)),
            Err(_) => {}
        }
    }
    let stops = AtomicBool::new(false);
    let work = groups
        .into_values()
        .map(|group| write_in_turn(table.store, group, &stops));
    let done: Vec<Vec<Outcome>> = stream::iter(work).buffer_unordered(AT_ONCE).collect().await;
    let mut done: Vec<Outcome> = done.into_iter().flatten().collect();
    done.extend(write_in_turn(table.store, bundles, &stops).await);
    let mut failures = Failures::default();
    if stops.into_inner() {
        failures.stops = Some(
            "the table cannot be read or written; what was applied stays, and importing the file again is harmless",
        );
    }
    let mut to_publish = BTreeMap::new();
    for (place, outcome) in done {
        match (outcome, &batch[place].terms) {
            (Err(problem), _) => {
                failures.rows.insert(place, problem);
            }
            (Ok(put), Ok(terms)) if put.is_to_publish => {
                to_publish.insert(place, terms.sku.clone());
            }
            _ => {}
        }
    }
    if !to_publish.is_empty() {
        table.publisher.wait_for_room().await;
    }
    if let Err(error) = table.publisher.publish(to_publish.values().cloned()).await {
        let problem =
            format!("is in the table, but its listing cannot be queued for publishing: {error}");
        failures
            .rows
            .extend(to_publish.into_keys().map(|place| (place, problem.clone())));
        failures.stops = Some(
            "the inventory queue cannot be written; what was applied stays, and importing the file again queues the rest",
        );
    }
    failures
}

async fn write_in_turn(
    store: &dyn Store,
    rows: Vec<(usize, &Terms)>,
    stops: &AtomicBool,
) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for (place, terms) in rows {
        let outcome = if stops.load(Ordering::Relaxed) {
            Err("was not tried, because the import had to stop".to_owned())
        } else {
            put(store, terms).await.map_err(|error| {
                if matches!(error, FlowError::Store(_)) {
                    stops.store(true, Ordering::Relaxed);
                }
                error.to_string()
            })
        };
        outcomes.push((place, outcome));
    }
    outcomes
}

/// Puts a row, again where others were at work on the same sku or the table had no time. Putting it twice does no harm.
async fn put(store: &dyn Store, terms: &Terms) -> Result<Put, FlowError> {
    let mut wait = FIRST_WAIT;
    for _ in 1..MOST_TRIES {
        let now = SystemClock.now();
        match catalog::put_terms(store, terms, now).await {
            Err(FlowError::Overtaken | FlowError::Store(StoreError::Unavailable(_))) => {}
            outcome => return outcome,
        }
        tokio::time::sleep(wait).await;
        wait *= 2;
    }
    catalog::put_terms(store, terms, SystemClock.now()).await
}

#[cfg(test)]
mod recovery_tests;
#[cfg(test)]
mod tests;
