//! A catalogue in a CSV file: each row brings a listing, an offer, both, or what a bundle is made of.
//!
//! **Invariant:** memory is bounded, whatever the file holds: a row has a longest length.

use std::borrow::Cow;
use std::cell::Cell as Shared;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Chain, Read};
use std::path::Path;
use std::rc::Rc;

use anyhow::{Context, Result, bail};
use csv::{ByteRecord, Terminator};
use kervan::flows::catalog::Terms;

use super::cells::{Cell, Cells, Fault};
use super::columns::{COLUMNS, Column};
use super::import::Candidate;
use super::seen::Seen;
use crate::command::text::plain;

/// The most of the file that one row may take, beside what the reader holds already (8 KiB).
pub(super) const MOST_ROW_BYTES: usize = 64 * 1024;

/// A CSV file that is being read.
pub(super) struct Rows {
    reader: csv::Reader<Bounded<Chain<BufReader<File>, &'static [u8]>>>,
    left: Rc<Shared<usize>>,
    is_over: Rc<Shared<bool>>,
    header: Header,
    seen: Seen,
    file_bytes: u64,
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
        let left = Rc::new(Shared::new(MOST_ROW_BYTES));
        let is_over = Rc::new(Shared::new(false));
        let bounded = Bounded {
            // So every row ends with a line feed, and the last one is counted as the others are.
            inner: buffered.chain(&b"\n"[..]),
            carriage_return: form.carriage_return,
            left: left.clone(),
            is_over: is_over.clone(),
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
            is_over,
            header,
            seen: Seen::default(),
            file_bytes,
        })
    }

    /// The length of the file.
    pub(super) const fn file_bytes(&self) -> u64 {
        self.file_bytes
    }

    /// How far the file was read.
    pub(super) fn read_bytes(&self) -> u64 {
        self.reader.position().byte()
    }

    /// From which line on rows are no longer compared with each other.
    pub(super) const fn not_compared_from(&self) -> Option<u64> {
        self.seen.full_since()
    }

    /// The next row that is not empty; an error where the file cannot be read further.
    pub(super) fn next(&mut self) -> Result<Option<Candidate>> {
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
        let (line, lines) = self.lines_of(&record);
        let mut terms = self.header.terms(&record).and_then(|terms| {
            let faults = self.seen.check(line, &terms, |_, _| String::new());
            if faults.is_empty() {
                Ok(terms)
            } else {
                Err(faults)
            }
        });
        if lines > 1
            && let Err(faults) = &mut terms
        {
            let problem = format!(
                "spans lines {line}–{}; is a quotation mark never closed?",
                line + lines - 1
            );
            faults.insert(0, Fault::of_all(problem));
        }
        Ok(Some(Candidate {
            line,
            lines,
            sku: self.header.sku(&record),
            bytes: record.as_slice().len(),
            terms,
        }))
    }

    /// On which line the record that was just read begins, and how many lines it takes up. The position that a record
    /// carries is before the empty lines above it.
    fn lines_of(&self, record: &ByteRecord) -> (u64, u64) {
        let text = record.as_slice();
        let feeds = |text: &[u8]| text.iter().filter(|b| **b == b'\n').count() as u64;
        let (inside, line) = (feeds(text), self.reader.position().line());
        // Every row ends with a line feed. One that ends with the file has it inside, behind an open quotation mark.
        if self.is_over.get() && inside > 0 {
            return (line - inside, feeds(text.trim_ascii_end()) + 1);
        }
        (line - inside - 1, inside + 1)
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

/// Where the columns are.
#[derive(Debug, Clone)]
pub(super) struct Header {
    places: [Option<usize>; COLUMNS],
    width: usize,
}

impl Header {
    /// Reads the first line. Names may be in any order, and in capital letters.
    pub(super) fn parse(record: &ByteRecord) -> Result<Self> {
        let mut places = [None; COLUMNS];
        let (mut unknown, mut twice) = (Vec::new(), Vec::new());
        for (place, cell) in record.iter().enumerate() {
            let name = plain(String::from_utf8_lossy(cell).trim());
            match Column::named(&name) {
                None if name.is_empty() => unknown.push("one without a name".to_owned()),
                None => unknown.push(name),
                Some(column) if places[column as usize].is_some() => twice.push(name),
                Some(column) => places[column as usize] = Some(place),
            }
        }
        let header = Self {
            places,
            width: record.len(),
        };
        let problems: Vec<String> = [
            ("lacks", header.missing()),
            ("does not know", unknown),
            ("has more than once", twice),
        ]
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| match what {
            "does not know" => format!("has unknown columns ({})", names.join(", ")),
            _ => format!("{what} the columns {}", names.join(", ")),
        })
        .collect();
        if problems.is_empty() {
            return Ok(header);
        }
        let all = Column::ALL.map(Column::name).join(", ");
        bail!(
            "The header {}; the columns are {all}. A file of listings needs channel, listing_offer_id, price (or pricing) \
             and currency, one of offers supplier, product_id and variant_id, one of bundles parts; all others but sku may \
             be left out",
            problems.join(" and ")
        );
    }

    fn has(&self, column: Column) -> bool {
        self.places[column as usize].is_some()
    }

    /// What the file needs and does not have.
    fn missing(&self) -> Vec<String> {
        let any = |columns: &[Column]| columns.iter().any(|column| self.has(*column));
        let (listings, offers) = (any(&Column::OF_LISTING), any(&Column::OF_OFFER));
        let nothing = !listings && !offers && !self.has(Column::Parts);
        let mut needed = vec![Column::Sku];
        if listings || nothing {
            needed.extend(Column::LISTING_NEEDS);
        }
        if offers || nothing {
            needed.extend(Column::OFFER_NEEDS);
        }
        let is_there = |column: Column| {
            self.has(column) || (column == Column::Price && self.has(Column::Pricing))
        };
        needed.retain(|column| !is_there(*column));
        needed
            .into_iter()
            .map(|column| column.name().to_owned())
            .collect()
    }

    /// Reads a row, and names everything that is wrong with it.
    pub(super) fn terms(&self, record: &ByteRecord) -> Result<Terms, Vec<Fault>> {
        if record.len() != self.width {
            return Err(vec![Fault::of_all(format!(
                "has {} cells and the header {}; a cell with a comma in it needs quotation marks around it",
                record.len(),
                self.width
            ))]);
        }
        let mut cells = Cells::new("");
        for column in Column::ALL {
            let place = self.places[column as usize];
            let Some(cell) = place.and_then(|place| record.get(place)) else {
                continue;
            };
            cells.set(
                column,
                match std::str::from_utf8(cell) {
                    Ok(text) => Cell::Text(Cow::Borrowed(text.trim())),
                    Err(_) => Cell::Wrong("must be UTF-8 text; save the file as CSV UTF-8"),
                },
            );
        }
        let terms = row(&mut cells);
        match terms {
            Some(terms) if cells.faults.is_empty() => Ok(terms),
            _ => Err(cells.faults),
        }
    }

    /// The sku as it is written, for a verdict on a row that may be bad.
    pub(super) fn sku(&self, record: &ByteRecord) -> String {
        let place = self.places[Column::Sku as usize];
        let cell = place.and_then(|place| record.get(place));
        let text = String::from_utf8_lossy(cell.unwrap_or_default());
        plain(text.trim()).chars().take(60).collect()
    }
}

/// What a row brings; empty cells bring nothing.
fn row(cells: &mut Cells<'_>) -> Option<Terms> {
    let sku = cells.sku();
    let is_given = |cells: &Cells<'_>, columns: &[Column]| cells.given(columns).is_some();
    let has_listing = is_given(cells, &Column::OF_LISTING);
    let has_parts = is_given(cells, &[Column::Parts]);
    let of_offer = cells.given(&Column::OF_OFFER);
    if !has_listing && !has_parts && of_offer.is_none() {
        cells.faults.push(Fault::of_all(
            "brings nothing: give channel, listing_offer_id, price and currency for a listing, supplier, product_id and \
             variant_id for an offer, or parts for a bundle",
        ));
    }
    let listing = has_listing.then(|| cells.listing(sku.as_ref()));
    let (offer, bundle) = match of_offer {
        Some(column) if has_parts => {
            cells.fault(
                column,
                "must be empty, because a sku with parts is bought as its parts",
            );
            (None, None)
        }
        Some(_) => (Some(cells.offer(sku.as_ref())), None),
        None => (None, has_parts.then(|| cells.parts(sku.as_ref()))),
    };
    // A missing inner value has left a fault, which the caller sees.
    Some(Terms {
        sku: sku?,
        listings: listing.flatten().into_iter().collect(),
        offers: offer.flatten().into_iter().collect(),
        bundle: bundle.flatten(),
    })
}

/// Ends with an error where more is read than is left for a row, as when a quotation mark is never closed.
struct Bounded<R> {
    inner: R,
    carriage_return: u8,
    left: Rc<Shared<usize>>,
    /// The end of the file was met.
    is_over: Rc<Shared<bool>>,
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
        if read == 0 && most > 0 {
            self.is_over.set(true);
        }
        for byte in buffer[..read].iter_mut().filter(|b| **b == b'\r') {
            *byte = self.carriage_return;
        }
        self.left.set(left - read);
        Ok(read)
    }
}

#[cfg(test)]
mod tests;
