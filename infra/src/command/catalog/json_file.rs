//! A catalogue in a JSON file: a list of documents, or one document after the other (JSON Lines). A document brings all of
//! a sku, whole or not at all.
//!
//! **Invariant:** memory is bounded, whatever the file holds: one document is held at a time, and it has a longest length.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::cells::Fault;
use super::import::Candidate;
use super::seen::Seen;
use scan::{Scan, Step};

mod document;
mod scan;

/// The longest document. A hundred listings and offers, which one transaction takes, have some 30 KiB.
pub(super) const MOST_DOCUMENT_BYTES: usize = 256 * 1024;
const READ_AT_ONCE: usize = 64 * 1024;

/// A JSON file that is being read.
pub(super) struct Documents {
    reader: BufReader<File>,
    /// The line of the next byte, counted from 1.
    line: u64,
    read_bytes: u64,
    file_bytes: u64,
    at: At,
    is_list: bool,
    seen: Seen,
}

/// What can come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// Nothing was read but blanks.
    Start,
    /// A document, or the end of an empty list.
    First,
    /// A document.
    Document,
    /// In a list: a comma or its end.
    AfterDocument,
    /// Blanks.
    End,
}

impl Documents {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let named = || format!("{} cannot be read", path.display());
        let file = File::open(path).with_context(named)?;
        let file_bytes = file.metadata().with_context(named)?.len();
        let mut reader = BufReader::with_capacity(READ_AT_ONCE, file);
        let beginning = reader.fill_buf().with_context(named)?;
        if beginning.starts_with(&[0xff, 0xfe]) || beginning.starts_with(&[0xfe, 0xff]) {
            bail!("{}: The file is UTF-16: save it as UTF-8", path.display());
        }
        let mark = if beginning.starts_with(b"\xef\xbb\xbf") {
            3
        } else {
            0
        };
        reader.consume(mark);
        let mut documents = Self {
            reader,
            line: 1,
            read_bytes: mark as u64,
            file_bytes,
            at: At::Start,
            is_list: false,
            seen: Seen::default(),
        };
        // A file that is no catalogue is told before anybody is asked for credentials.
        match documents.peek().with_context(named)? {
            Some(b'[') => {
                documents.step();
                (documents.is_list, documents.at) = (true, At::First);
            }
            Some(b'{') => documents.at = At::Document,
            _ => bail!(
                "{} must hold a list of documents, [{{\"sku\": …}}, …], or one document a line",
                path.display()
            ),
        }
        Ok(documents)
    }

    pub(super) const fn file_bytes(&self) -> u64 {
        self.file_bytes
    }

    pub(super) const fn read_bytes(&self) -> u64 {
        self.read_bytes
    }

    /// From which line on documents are no longer compared with each other.
    pub(super) const fn not_compared_from(&self) -> Option<u64> {
        self.seen.full_since()
    }

    /// The next document; an error where the file cannot be read further. Where each document has a line of its own, one
    /// that is none leaves the others as they are.
    pub(super) fn next(&mut self) -> Result<Option<Candidate>> {
        loop {
            let line = self.line_of_next()?;
            match (self.at, self.peek()?) {
                (At::Document | At::First, Some(b'{')) => {
                    let found = self.document(line)?;
                    self.at = if self.is_list {
                        At::AfterDocument
                    } else {
                        At::Document
                    };
                    return match found {
                        Ok(text) => Ok(Some(self.candidate(line, &text))),
                        Err(problem) if self.is_list => bail!(problem),
                        Err(problem) => Ok(Some(bad(line, problem))),
                    };
                }
                (At::Document, Some(byte)) if !self.is_list => {
                    self.skip_line(line)?;
                    let found = char::from(byte);
                    let problem = format!(
                        "a document must begin here, as {{\"sku\": …}}, and not with {found:?}; the line is left out"
                    );
                    return Ok(Some(bad(line, problem)));
                }
                (At::First | At::AfterDocument, Some(b']')) => {
                    self.step();
                    self.at = At::End;
                }
                (At::AfterDocument, Some(b',')) => {
                    self.step();
                    self.at = At::Document;
                }
                (At::Document, None) if !self.is_list => return Ok(None),
                (At::End, None) => return Ok(None),
                (_, None) => bail!("the list is not closed: ] is missing at the end of the file"),
                (At::AfterDocument, Some(_)) => {
                    bail!("line {line}: a comma or ] must come after a document")
                }
                (At::End, Some(_)) => {
                    bail!("line {line}: nothing may come after the end of the list")
                }
                (_, Some(_)) => bail!("line {line}: a document must begin here, as {{\"sku\": …}}"),
            }
        }
    }

    fn line_of_next(&mut self) -> Result<u64> {
        self.peek()?;
        Ok(self.line)
    }

    /// The next byte that is no blank, which stays.
    fn peek(&mut self) -> Result<Option<u8>> {
        loop {
            let buffer = self.reader.fill_buf();
            let buffer = buffer
                .with_context(|| format!("the file cannot be read after line {}", self.line))?;
            let Some(byte) = buffer.first().copied() else {
                return Ok(None);
            };
            if !byte.is_ascii_whitespace() {
                return Ok(Some(byte));
            }
            self.line += u64::from(byte == b'\n');
            self.step();
        }
    }

    fn step(&mut self) {
        self.reader.consume(1);
        self.read_bytes += 1;
    }

    /// The text of the document that begins here, up to the bracket that closes it, or why it has no end. Where documents
    /// stand in lines, reading goes on in the line below its beginning then.
    fn document(&mut self, line: u64) -> Result<Result<Vec<u8>, String>> {
        let (mut text, mut scan) = (Vec::new(), Scan::default());
        let problem = loop {
            let buffer = self.reader.fill_buf();
            let buffer = buffer
                .with_context(|| format!("the file cannot be read after line {}", self.line))?;
            if buffer.is_empty() {
                break format!("the file ends inside of the document that begins on line {line}");
            }
            let (mut used, mut step) = (0, Step::On);
            for byte in buffer {
                used += 1;
                step = scan.take(*byte);
                // In a list, nobody can tell where the next document would begin.
                if step == Step::End || (step == Step::Broken && !self.is_list) {
                    break;
                }
            }
            let piece = &buffer[..used];
            self.line += piece.iter().filter(|byte| **byte == b'\n').count() as u64;
            text.extend_from_slice(piece);
            self.reader.consume(used);
            self.read_bytes += used as u64;
            match step {
                _ if text.len() > MOST_DOCUMENT_BYTES => {
                    break format!(
                        "the document that begins on line {line} is longer than {} KiB; is a bracket or a quotation mark \
                         never closed? A sku with more listings and offers may stand in several documents",
                        MOST_DOCUMENT_BYTES / 1024
                    );
                }
                Step::End => return Ok(Ok(text)),
                Step::Broken if !self.is_list => {
                    break format!(
                        "the document that begins on line {line} is not closed before the next one begins; is a bracket \
                         or a quotation mark missing?"
                    );
                }
                Step::On | Step::Broken => {}
            }
        };
        if !self.is_list {
            let back = i64::try_from(text.len())?;
            let sought = self.reader.seek_relative(-back);
            sought.with_context(|| format!("{problem}; the lines after it cannot be read"))?;
            self.read_bytes -= text.len() as u64;
            self.skip_line(line)?;
        }
        Ok(Err(problem))
    }

    /// Goes on behind the end of this line.
    fn skip_line(&mut self, line: u64) -> Result<()> {
        self.line = line;
        loop {
            let buffer = self.reader.fill_buf();
            let buffer =
                buffer.with_context(|| format!("the file cannot be read after line {line}"))?;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let used = end.map_or(buffer.len(), |end| end + 1);
            self.reader.consume(used);
            self.read_bytes += used as u64;
            if end.is_some() {
                self.line += 1;
            }
            if end.is_some() || used == 0 {
                return Ok(());
            }
        }
    }

    fn candidate(&mut self, line: u64, text: &[u8]) -> Candidate {
        let (sku, terms) = document::read(text, line);
        let terms = terms.and_then(|terms| {
            let path = |kind: &str, place: usize| format!("{kind}[{place}].");
            let faults = self.seen.check(line, &terms, path);
            if faults.is_empty() {
                Ok(terms)
            } else {
                Err(faults)
            }
        });
        Candidate {
            line,
            lines: 1,
            sku,
            bytes: text.len(),
            terms,
        }
    }
}

/// What stands where a document should.
fn bad(line: u64, problem: String) -> Candidate {
    Candidate {
        line,
        lines: 1,
        sku: String::new(),
        bytes: 0,
        terms: Err(vec![Fault::of_all(problem)]),
    }
}
