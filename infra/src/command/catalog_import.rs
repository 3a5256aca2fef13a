//! Reads a catalogue file row by row and puts each good row into the table, whole or not at all.
//!
//! **Invariant:** memory is bounded, whatever the file holds: rows are worked on a batch at a time, a row has a longest
//! length, and of earlier rows only so many are remembered.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufRead, BufReader, Chain, Read};
use std::path::Path;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use csv::{ByteRecord, Terminator};
use futures::stream::{self, StreamExt};
use kervan::clock::{Clock, SystemClock};
use kervan::domain::Sku;
use kervan::flows::{FlowError, catalog};
use kervan::store::{Store, StoreError};

use super::catalog_report::{Report, Verdict};
use super::catalog_row::{Column, Fault, Header, Row};

/// Rows that are held at once.
const BATCH: usize = 256;
/// Skus that are written at once.
const AT_ONCE: usize = 16;
/// The most of the file that one row may take, beside what the reader holds already (8 KiB).
const MOST_ROW_BYTES: usize = 64 * 1024;
/// Listings, and offers, that are remembered to find rows that contradict each other. Such rows stand together in most
/// files, so then it begins anew.
const MOST_REMEMBERED: usize = 100_000;
/// How often a row is tried where the table is busy.
const MOST_TRIES: u32 = 5;
/// Before the second try; twice as long before each later one.
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// A catalogue file that is being read.
pub(super) struct Rows {
    reader: csv::Reader<Bounded<Chain<BufReader<File>, &'static [u8]>>>,
    left: Rc<Cell<usize>>,
    header: Header,
    seen: Seen,
    file_bytes: u64,
}

/// A row as it was read.
struct Candidate {
    line: u64,
    sku: String,
    row: Result<Row, Vec<Fault>>,
}

impl Rows {
    /// Opens the file and reads its header. Cells are separated by commas, or by what the header has instead of them:
    /// spreadsheets in many countries write semicolons.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let named = || format!("{} cannot be read", path.display());
        let file = File::open(path).with_context(named)?;
        let file_bytes = file.metadata().with_context(named)?.len();
        let mut buffered = BufReader::with_capacity(MOST_ROW_BYTES, file);
        let form = Form::of(buffered.fill_buf().with_context(named)?)
            .with_context(|| path.display().to_string())?;
        let left = Rc::new(Cell::new(MOST_ROW_BYTES));
        let bounded = Bounded {
            // So every row ends with a line feed, and the last one is counted as the others are.
            inner: buffered.chain(&b"\n"[..]),
            carriage_return: form.carriage_return,
            left: left.clone(),
        };
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(form.separator)
            .terminator(Terminator::Any(b'\n'))
            .from_reader(bounded);
        let mut first = ByteRecord::new();
        reader.read_byte_record(&mut first).with_context(named)?;
        let header = Header::parse(&first).with_context(named)?;
        Ok(Self {
            reader,
            left,
            header,
            seen: Seen::default(),
            file_bytes,
        })
    }

    /// The length of the file.
    pub(super) const fn file_bytes(&self) -> u64 {
        self.file_bytes
    }

    /// The next row that is not empty; an error where the file cannot be read further.
    fn next(&mut self) -> Result<Option<Candidate>> {
        let mut record = ByteRecord::new();
        loop {
            self.left.set(MOST_ROW_BYTES);
            let after = self.reader.position().line();
            let read = self.reader.read_byte_record(&mut record);
            if !read.with_context(|| format!("the file cannot be read after line {after}"))? {
                return Ok(None);
            }
            // Spreadsheets leave rows of commas behind.
            if record.iter().any(|cell| !cell.trim_ascii().is_empty()) {
                break;
            }
        }
        // The position that a record carries is before the empty lines above it.
        let inside = record.as_slice().iter().filter(|b| **b == b'\n').count() as u64;
        let line = self.reader.position().line() - inside - 1;
        let row = self.header.row(&record);
        Ok(Some(Candidate {
            line,
            sku: self.header.sku(&record),
            row: row.and_then(|row| self.seen.check(line, row)),
        }))
    }
}

/// How a file is written.
struct Form {
    separator: u8,
    /// What is read for a carriage return: nothing, where lines end with a line feed too, or else the end of the line.
    carriage_return: u8,
}

impl Form {
    fn of(beginning: &[u8]) -> Result<Self> {
        if beginning.starts_with(&[0xff, 0xfe]) || beginning.starts_with(&[0xfe, 0xff]) {
            bail!("The file is UTF-16: save it as CSV UTF-8");
        }
        let mut lines = beginning.split(|b| matches!(b, b'\n' | b'\r'));
        let header = lines.next().unwrap_or_default();
        let other = [b';', b'\t'].into_iter().find(|b| header.contains(b));
        Ok(Self {
            separator: other.filter(|_| !header.contains(&b',')).unwrap_or(b','),
            carriage_return: if beginning.contains(&b'\n') {
                b' '
            } else {
                b'\n'
            },
        })
    }
}

/// Applies the rows, or only checks them where there is no store, and returns why it stopped early, if it did.
pub(super) async fn apply(
    store: Option<&dyn Store>,
    mut rows: Rows,
    report: &mut Report<'_>,
) -> Result<Option<String>> {
    loop {
        let mut batch = Vec::new();
        let mut end = None;
        while batch.len() < BATCH && end.is_none() {
            match rows.next() {
                Ok(Some(candidate)) => batch.push(candidate),
                Ok(None) => end = Some(None),
                Err(error) => end = Some(Some(format!("{error:#}"))),
            }
        }
        let failures = match store {
            Some(store) => write(store, &batch).await,
            None => Failures::default(),
        };
        for (place, candidate) in batch.into_iter().enumerate() {
            let verdict = match (candidate.row, failures.rows.get(&place)) {
                (Err(faults), _) => Verdict::Bad(faults),
                (Ok(_), Some(failure)) => Verdict::NotApplied(failure.clone()),
                (Ok(_), None) => Verdict::Good,
            };
            report.add(candidate.line, &candidate.sku, &verdict)?;
        }
        report.read_up_to(rows.reader.position().byte());
        if failures.stops {
            let advice = "the table cannot be read or written; what was applied stays, and importing the file again is harmless";
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
    /// The table itself fails, so further rows would too.
    stops: bool,
}

/// Writes a batch: rows of one sku one after the other, because they touch the same items, and skus side by side.
async fn write(store: &dyn Store, batch: &[Candidate]) -> Failures {
    let mut groups: BTreeMap<&Sku, Vec<(usize, &Row)>> = BTreeMap::new();
    for (place, candidate) in batch.iter().enumerate() {
        if let Ok(row) = &candidate.row {
            let group = groups.entry(&row.listing.id.sku).or_default();
            group.push((place, row));
        }
    }
    let stops = AtomicBool::new(false);
    let work = groups
        .into_values()
        .map(|group| write_sku(store, group, &stops));
    let failed: Vec<_> = stream::iter(work).buffer_unordered(AT_ONCE).collect().await;
    Failures {
        rows: failed.into_iter().flatten().collect(),
        stops: stops.into_inner(),
    }
}

async fn write_sku(
    store: &dyn Store,
    rows: Vec<(usize, &Row)>,
    stops: &AtomicBool,
) -> Vec<(usize, String)> {
    let mut failed = Vec::new();
    for (place, row) in rows {
        if stops.load(Ordering::Relaxed) {
            failed.push((
                place,
                "was not tried, because the import had to stop".to_owned(),
            ));
            continue;
        }
        if let Err(error) = put(store, row).await {
            if matches!(error, FlowError::Store(_)) {
                stops.store(true, Ordering::Relaxed);
            }
            failed.push((place, error.to_string()));
        }
    }
    failed
}

/// Puts a row, again where others were at work on the same sku or the table had no time. Putting it twice does no harm.
async fn put(store: &dyn Store, row: &Row) -> Result<(), FlowError> {
    let mut wait = FIRST_WAIT;
    for _ in 1..MOST_TRIES {
        let now = SystemClock.now();
        match catalog::put(store, row.listing.clone(), row.offer.clone(), now).await {
            Err(FlowError::Overtaken | FlowError::Store(StoreError::Unavailable(_))) => {}
            outcome => return outcome,
        }
        tokio::time::sleep(wait).await;
        wait *= 2;
    }
    let now = SystemClock.now();
    catalog::put(store, row.listing.clone(), row.offer.clone(), now).await
}

/// Finds rows that say different things of the same listing or the same offer: the last would win in silence.
#[derive(Default)]
struct Seen {
    hasher: RandomState,
    listings: HashMap<u64, (u64, [u64; 5])>,
    offers: HashMap<u64, (u64, [u64; 2])>,
}

impl Seen {
    fn check(&mut self, line: u64, row: Row) -> Result<Row, Vec<Fault>> {
        const LISTING: [Column; 5] = [
            Column::ListingOfferId,
            Column::Price,
            Column::Currency,
            Column::Buffer,
            Column::Cap,
        ];
        const OFFER: [Column; 2] = [Column::Rank, Column::ShipTo];
        let (hasher, listing, offer) = (&self.hasher, &row.listing, &row.offer);
        let terms = [
            hasher.hash_one(&listing.id.offer),
            hasher.hash_one(listing.price.minor),
            hasher.hash_one(listing.price.currency),
            hasher.hash_one(listing.buffer),
            hasher.hash_one(listing.cap),
        ];
        let key = hasher.hash_one((&listing.id.sku, &listing.id.channel));
        let mut faults = differing(&mut self.listings, key, line, terms, LISTING);
        let terms = [hasher.hash_one(offer.rank), hasher.hash_one(&offer.ship_to)];
        let key = hasher.hash_one((&offer.sku, &offer.id));
        faults.extend(differing(&mut self.offers, key, line, terms, OFFER));
        if faults.is_empty() {
            Ok(row)
        } else {
            Err(faults)
        }
    }
}

fn differing<const N: usize>(
    seen: &mut HashMap<u64, (u64, [u64; N])>,
    key: u64,
    line: u64,
    terms: [u64; N],
    columns: [Column; N],
) -> Vec<Fault> {
    let Some((first, known)) = seen.get(&key) else {
        if seen.len() >= MOST_REMEMBERED {
            seen.clear();
        }
        seen.insert(key, (line, terms));
        return Vec::new();
    };
    let what = if N == 2 { "offer" } else { "listing" };
    let pairs = columns.into_iter().zip(known.iter().zip(&terms));
    pairs
        .filter(|(_, (known, given))| known != given)
        .map(|(column, _)| {
            let problem = format!("must be as in line {first}, which has the same {what}");
            Fault::at(column, problem)
        })
        .collect()
}

/// Ends with an error where more is read than is left for a row, as when a quotation mark is never closed.
struct Bounded<R> {
    inner: R,
    carriage_return: u8,
    left: Rc<Cell<usize>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.get();
        if left == 0 && !buffer.is_empty() {
            let problem = "a row is longer than 64 KiB; is a quotation mark never closed?";
            return Err(io::Error::other(problem));
        }
        let most = buffer.len().min(left);
        let read = self.inner.read(&mut buffer[..most])?;
        for byte in buffer[..read].iter_mut().filter(|b| **b == b'\r') {
            *byte = self.carriage_return;
        }
        self.left.set(left - read);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use kervan::clock::ManualClock;
    use kervan::store::{Item, Key, MemoryStore, Page, Write, WriteError};
    use std::fs;
    use std::sync::Arc;

    const HEADER: &str =
        "sku,channel,listing_offer_id,price,currency,supplier,product_id,variant_id,rank";

    /// Imports a file of these bytes; returns what was printed, and why the import stopped.
    async fn import(store: Option<&dyn Store>, content: &[u8]) -> (String, Option<String>) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("skus.csv");
        fs::write(&file, content).unwrap();
        let rows = Rows::open(&file).unwrap();
        let mut out = Vec::new();
        let mut report = Report::new(&mut out, false, store.is_none(), None, 1).unwrap();
        let stopped = apply(store, rows, &mut report).await.unwrap();
        report.finish(stopped.as_deref()).unwrap();
        (String::from_utf8(out).unwrap(), stopped)
    }

    fn memory() -> MemoryStore {
        MemoryStore::new(Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH)))
    }

    async fn entry(store: &dyn Store, sku: &str) -> catalog::Entry {
        let sku = Sku::parse(sku).unwrap();
        catalog::load(store, &sku).await.unwrap()
    }

    #[tokio::test]
    async fn a_sku_in_several_rows_gets_every_listing_and_offer() {
        let store = memory();
        let rows = "MUG,ebay:main,1,5,USD,aliexpress:main,10,100,1\n\
                    MUG,ebay:main,1,5,USD,aliexpress:main,11,110,2\n\
                    MUG,ebay:second,2,6,USD,aliexpress:main,10,100,1\n";
        let file = format!("{HEADER}\n{rows}");
        let (text, stopped) = import(Some(&store), file.as_bytes()).await;
        assert_eq!((text.as_str(), stopped), ("3 rows: 3 applied\n", None));
        let entry = entry(&store, "MUG").await;
        assert_eq!((entry.listings.len(), entry.offers.len()), (2, 2));
    }

    #[tokio::test]
    async fn a_bad_row_leaves_nothing_behind_and_does_not_hold_up_the_others() {
        let store = memory();
        let rows = "A,ebay:main,1,5,USD,aliexpress:main,10,100,1\n\
                    B,ebay:main,2,5,USD,aliexpress:main,10,1 0,1\n\
                    \"C\",ebay:main,3,5,USD,aliexpress:main,10,100\n\
                    D,ebay:main,4,5,USD,aliexpress:main,10,100,\n";
        let file = format!("{HEADER}\n{rows}");
        let (text, _) = import(Some(&store), file.as_bytes()).await;
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines[0].starts_with("line 3, variant_id: must be"),
            "{text}"
        );
        assert!(lines[1].starts_with("line 4: has 8 cells"), "{text}");
        assert_eq!(lines[2], "4 rows: 2 applied, 2 bad");
        for (sku, there) in [("A", 1), ("B", 0), ("C", 0), ("D", 1)] {
            let entry = entry(&store, sku).await;
            assert_eq!((entry.listings.len(), entry.offers.len()), (there, there));
        }
    }

    #[tokio::test]
    async fn files_of_spreadsheets_are_read() {
        let rows = format!(
            "\u{feff}{HEADER}\r\nA,ebay:main,1,5,USD,aliexpress:main,10,100,1\r\n,,,,,,,,\r\n\r\n\
             B,ebay:main,1,x,USD,aliexpress:main,10,100,1\r\n"
        );
        let problem = "price: must be a decimal number of the currency's units, as in 19.99\n";
        let end = "2 rows: 1 good, 1 bad; nothing was written, because this is a dry run\n";
        for (file, line) in [
            (rows.clone(), 5),
            (rows.replace(',', ";"), 5),
            (rows.replace(',', "\t"), 5),
            (rows.replace("\r\n", "\n"), 5),
            (rows.replace("\r\n", "\r"), 5),
            (rows.trim_end().to_owned(), 5),
            (rows.replace("USD,", "\"USD\","), 5),
            (rows.replace("A,", "\"A\r\n\","), 6),
        ] {
            let (text, stopped) = import(None, file.as_bytes()).await;
            assert_eq!(text, format!("line {line}, {problem}{end}"));
            assert_eq!(stopped, None);
        }
    }

    #[tokio::test]
    async fn rows_that_contradict_each_other_are_not_applied_in_silence() {
        let store = memory();
        let rows = "A,ebay:main,1,5,USD,aliexpress:main,10,100,1\n\
                    A,ebay:main,1,6,USD,aliexpress:main,10,100,2\n";
        let file = format!("{HEADER}\n{rows}");
        let (text, _) = import(Some(&store), file.as_bytes()).await;
        let told = "line 3, price: must be as in line 2, which has the same listing\n\
                    line 3, rank: must be as in line 2, which has the same offer\n\
                    2 rows: 1 applied, 1 bad\n";
        assert_eq!(text, told);
        assert_eq!(
            entry(&store, "A").await.listings[0].listing.price.minor,
            500
        );
    }

    #[tokio::test]
    async fn a_quotation_mark_that_is_never_closed_stops_the_import_after_what_was_good() {
        let store = memory();
        let rows = "A,ebay:main,1,5,USD,aliexpress:main,10,100,1\n\"B,ebay:main\n";
        let mut file = format!("{HEADER}\n{rows}").into_bytes();
        file.resize(file.len() + 4 * MOST_ROW_BYTES, b'x');
        let (text, stopped) = import(Some(&store), &file).await;
        assert!(text.ends_with("1 row: 1 applied\n"), "{text}");
        let stopped = stopped.unwrap();
        assert!(stopped.contains("quotation mark"), "{stopped}");
        assert!(stopped.contains("after line 3"), "{stopped}");
    }

    #[test]
    fn a_file_without_the_columns_is_refused_before_anything_is_done() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("skus.csv");
        for (content, told) in [
            (&b""[..], "lacks the columns sku, channel"),
            (b"\xff\xfes\0k\0u\0", "UTF-16"),
            (b"name,amount\n1,2\n", "unknown columns (name, amount)"),
        ] {
            fs::write(&file, content).unwrap();
            let error = Rows::open(&file).map(|_| ()).unwrap_err();
            assert!(format!("{error:#}").contains(told), "{error:#}");
        }
    }

    /// A table that is gone.
    #[derive(Debug)]
    struct Gone;

    #[async_trait::async_trait]
    impl Store for Gone {
        async fn get(&self, _: &Key) -> Result<Option<Item>, StoreError> {
            Err(StoreError::Refused("gone".to_owned()))
        }

        async fn query(
            &self,
            _: &str,
            _: &str,
            _: Option<&str>,
            _: usize,
        ) -> Result<Page, StoreError> {
            Err(StoreError::Refused("gone".to_owned()))
        }

        async fn write(&self, _: Vec<Write>) -> Result<(), WriteError> {
            Err(StoreError::Refused("gone".to_owned()).into())
        }

        async fn due(
            &self,
            _: &str,
            _: Timestamp,
            _: Timestamp,
            _: usize,
        ) -> Result<Vec<Item>, StoreError> {
            Err(StoreError::Refused("gone".to_owned()))
        }
    }

    #[tokio::test]
    async fn a_table_that_cannot_be_written_stops_the_import() {
        let rows: String = (0..2 * BATCH)
            .map(|n| format!("S{n},ebay:main,{n},5,USD,aliexpress:main,10,{n},1\n"))
            .collect();
        let file = format!("{HEADER}\n{rows}");
        let (text, stopped) = import(Some(&Gone), file.as_bytes()).await;
        assert!(
            stopped
                .unwrap()
                .contains("the table cannot be read or written")
        );
        assert!(text.contains("line 2: the store refused: gone\n"), "{text}");
        assert!(text.ends_with(&format!("{BATCH} rows: 0 applied, {BATCH} not applied\n")));
    }
}
