//! The tables as the README has them.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

const README: &str = include_str!("../../../README.md");
/// How many words a reason may have.
const REASON_WORDS: usize = 12;

/// A table of the README.
pub(crate) struct Table {
    title: &'static str,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// What a cell says.
pub(crate) enum Cell {
    /// It is done. The cell names the page, or says that there is none.
    Done,
    /// It is not done, for a reason that stands there.
    Not,
}

impl Table {
    /// The table whose first column has this title.
    pub(crate) fn titled(title: &'static str) -> Self {
        let mut lines = README
            .lines()
            .map(cells)
            .skip_while(|cells| cells.first().is_none_or(|first| first != title));
        let columns = lines.next().unwrap_or_default();
        assert!(!columns.is_empty(), "the README has no table of a {title}");
        let rows = lines.skip(1).take_while(|cells| !cells.is_empty());
        let table = Self {
            title,
            columns: columns.into_iter().skip(1).collect(),
            rows: rows.collect(),
        };
        table.is_regular();
        table
    }

    /// As many cells in each row, and each footnote is written.
    fn is_regular(&self) {
        for row in &self.rows {
            let (name, cells) = (&row[0], &row[1..]);
            assert_eq!(cells.len(), self.columns.len(), "cells of {name}");
            for cell in cells {
                for note in cell.split("[^").skip(1) {
                    let note = note.split(']').next().unwrap_or_default();
                    let text = format!("\n[^{note}]: ");
                    assert!(README.contains(&text), "{name}: no footnote {note}");
                }
            }
        }
    }

    /// That there is nothing but these columns and rows, and each of them once.
    pub(crate) fn is_whole(&self, columns: &[&str], rows: &[String]) {
        let columns: Vec<String> = columns.iter().map(|&name| name.to_owned()).collect();
        same(self.title, "columns", &self.columns, &columns);
        let found: Vec<String> = self.rows.iter().map(|row| row[0].clone()).collect();
        same(self.title, "rows", &found, rows);
    }

    /// What stands in a cell, or what is wrong with it.
    pub(crate) fn cell(&self, row: &str, column: &str) -> Result<Cell, String> {
        let place = self.columns.iter().position(|name| name == column);
        let place = place.ok_or("there is no such column")?;
        let mut rows = self.rows.iter();
        let row = rows.find(|cells| cells[0] == row);
        let row = row.ok_or("there is no such row")?;
        match row[place + 1].as_str() {
            "" => Err("the cell is empty".to_owned()),
            text => match text.strip_prefix('—') {
                None => Ok(Cell::Done),
                Some(reason) => reasoned(reason),
            },
        }
    }
}

fn reasoned(reason: &str) -> Result<Cell, String> {
    match reason.split_whitespace().count() {
        0 => Err("the cell says — and not why".to_owned()),
        1..=REASON_WORDS => Ok(Cell::Not),
        words => Err(format!("the reason has {words} words")),
    }
}

/// The cells of a line, none where it is no row.
fn cells(line: &str) -> Vec<String> {
    let inner = line.trim().strip_prefix('|');
    let inner = inner.and_then(|rest| rest.strip_suffix('|'));
    let cells = inner.into_iter().flat_map(|inner| inner.split('|'));
    cells.map(|cell| cell.trim().to_owned()).collect()
}

fn same(title: &str, what: &str, found: &[String], wanted: &[String]) {
    let mut times: BTreeMap<&String, usize> = BTreeMap::new();
    for name in found {
        *times.entry(name).or_default() += 1;
    }
    let twice: Vec<_> = times.iter().filter(|(_, times)| **times > 1).collect();
    let found: BTreeSet<&String> = found.iter().collect();
    let wanted: BTreeSet<&String> = wanted.iter().collect();
    let missing: Vec<_> = wanted.difference(&found).collect();
    let surplus: Vec<_> = found.difference(&wanted).collect();
    assert!(
        missing.is_empty() && surplus.is_empty() && twice.is_empty(),
        "the table of a {title}, {what}: missing {missing:?}, unknown {surplus:?}, twice {twice:?}"
    );
}
