//! What an import says: a verdict for each row, how far it is, and the counts at its end.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

use super::cells::Fault;
use super::meter::Meter;
use crate::command::text::count;

/// What became of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is in the table; in a dry run, it could be.
    Good,
    /// It cannot be applied as it is.
    Bad(Vec<Fault>),
    /// Nothing is wrong with it, but the table did not take it.
    NotApplied(String),
}

/// Rows by what became of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    rows: u64,
    good: u64,
    bad: u64,
    /// Lines of the file that the bad rows take up.
    bad_lines: u64,
    not_applied: u64,
    /// From this line on, rows were compared with earlier ones alone.
    not_compared_from: Option<u64>,
}

impl Counts {
    /// Whether every row is in the table.
    pub(super) const fn all_good(&self) -> bool {
        self.rows == self.good
    }
}

/// Writes verdicts as they come, and keeps nothing of them but counts.
pub(super) struct Report<'a> {
    out: &'a mut dyn Write,
    /// What the file is made of.
    one: &'static str,
    as_json: bool,
    is_dry_run: bool,
    verdicts: Option<csv::Writer<File>>,
    meter: Meter,
    counts: Counts,
    has_problems: bool,
}

#[derive(Serialize)]
struct Problem<'a> {
    line: u64,
    sku: &'a str,
    verdict: &'static str,
    column: Option<&'a str>,
    problem: &'a str,
}

#[derive(Serialize)]
struct Summary<'a> {
    #[serde(flatten)]
    counts: &'a Counts,
    dry_run: bool,
    stopped: Option<&'a str>,
}

impl<'a> Report<'a> {
    /// A report to `out`, with a bar for a file of so many bytes that is made of rows or documents.
    pub(super) fn new(
        out: &'a mut dyn Write,
        one: &'static str,
        as_json: bool,
        is_dry_run: bool,
        verdicts: Option<&Path>,
        file_bytes: u64,
    ) -> Result<Self> {
        let verdicts = verdicts.map(verdicts_file).transpose()?;
        if as_json {
            write!(out, "{{\"problems\":[")?;
        }
        Ok(Self {
            out,
            one,
            as_json,
            is_dry_run,
            verdicts,
            meter: Meter::new(Some(file_bytes)),
            counts: Counts::default(),
            has_problems: false,
        })
    }

    /// Writes what became of the row that begins on this line and takes up so many.
    pub(super) fn add(
        &mut self,
        line: u64,
        lines: u64,
        sku: &str,
        verdict: &Verdict,
    ) -> Result<()> {
        self.counts.rows += 1;
        match verdict {
            Verdict::Good => {
                self.counts.good += 1;
                let word = if self.is_dry_run { "good" } else { "applied" };
                self.record(line, sku, word, &[])
            }
            Verdict::Bad(faults) => {
                self.counts.bad += 1;
                self.counts.bad_lines += lines;
                for fault in faults {
                    self.problem(line, sku, "bad", fault)?;
                }
                self.record(line, sku, "bad", faults)
            }
            Verdict::NotApplied(problem) => {
                self.counts.not_applied += 1;
                let fault = Fault::of_all(problem);
                self.problem(line, sku, "not_applied", &fault)?;
                self.record(line, sku, "not_applied", &[fault])
            }
        }
    }

    /// Notes from which line on rows are no longer compared with each other, where it is so.
    pub(super) const fn not_compared_from(&mut self, line: Option<u64>) {
        self.counts.not_compared_from = line;
    }

    /// Shows how far the file was read.
    pub(super) fn read_up_to(&mut self, byte: u64) {
        let counts = &self.counts;
        let bad = counts.bad + counts.not_applied;
        let rows = count(counts.rows, self.one);
        self.meter.show(byte, || format!("{rows}, {bad} bad"));
    }

    /// Writes the counts, and why the import stopped before the end of the file, where it did.
    pub(super) fn finish(mut self, stopped: Option<&str>) -> Result<Counts> {
        self.meter.clear();
        if let Some(verdicts) = &mut self.verdicts {
            verdicts.flush().context("The verdicts cannot be written")?;
        }
        let counts = &self.counts;
        if self.as_json {
            let dry_run = self.is_dry_run;
            let summary = Summary {
                counts,
                dry_run,
                stopped,
            };
            let summary = serde_json::to_string(&summary)?;
            writeln!(self.out, "],{}", &summary[1..])?;
            return Ok(self.counts);
        }
        if let Some(stopped) = stopped {
            writeln!(self.out, "stopped: {stopped}")?;
        }
        let (good, note) = if self.is_dry_run {
            ("good", "; nothing was written, because this is a dry run")
        } else {
            ("applied", "")
        };
        let mut text = format!("{}: {} {good}", count(counts.rows, self.one), counts.good);
        if counts.bad > 0 {
            text.push_str(&format!(", {} bad", counts.bad));
        }
        if counts.bad_lines > counts.bad {
            text.push_str(&format!(" on {} lines", counts.bad_lines));
        }
        if counts.not_applied > 0 {
            text.push_str(&format!(", {} not applied", counts.not_applied));
        }
        writeln!(self.out, "{text}{note}")?;
        if let Some(line) = counts.not_compared_from {
            let one = self.one;
            writeln!(
                self.out,
                "From line {line} on, each {one} was compared with those above that line alone, because no more can be \
                 remembered: whether those below contradict each other is not known. Spread them over several files."
            )?;
        }
        Ok(self.counts)
    }

    fn problem(
        &mut self,
        line: u64,
        sku: &str,
        verdict: &'static str,
        fault: &Fault,
    ) -> Result<()> {
        let (column, problem) = (fault.column.as_deref(), &*fault.problem);
        let text = if self.as_json {
            let problem = Problem {
                line,
                sku,
                verdict,
                column,
                problem,
            };
            let json = serde_json::to_string(&problem)?;
            let comma = if self.has_problems { "," } else { "" };
            format!("{comma}\n{json}")
        } else {
            let place = column.map_or_else(String::new, |column| format!(", {column}"));
            format!("line {line}{place}: {problem}\n")
        };
        self.has_problems = true;
        let out = &mut self.out;
        Ok(self.meter.aside(|| out.write_all(text.as_bytes()))?)
    }

    /// One line for each row, so that whoever counts lines counts rows.
    fn record(&mut self, line: u64, sku: &str, verdict: &str, faults: &[Fault]) -> Result<()> {
        let Some(verdicts) = &mut self.verdicts else {
            return Ok(());
        };
        let columns: Vec<&str> = faults
            .iter()
            .filter_map(|it| it.column.as_deref())
            .collect();
        let problem = |fault: &Fault| match &fault.column {
            Some(column) if faults.len() > 1 => format!("{column} {}", fault.problem),
            _ => fault.problem.clone(),
        };
        let problems: Vec<String> = faults.iter().map(problem).collect();
        let (line, columns, problems) = (line.to_string(), columns.join(" "), problems.join("; "));
        let cells = [&line, sku, verdict, &columns, &problems];
        let written = verdicts.write_record(cells);
        written.context("The verdicts cannot be written")
    }
}

fn verdicts_file(path: &Path) -> Result<csv::Writer<File>> {
    let file = File::create(path).with_context(|| format!("{} cannot be made", path.display()))?;
    let mut writer = csv::Writer::from_writer(file);
    writer.write_record(["line", "sku", "verdict", "column", "problem"])?;
    Ok(writer)
}
