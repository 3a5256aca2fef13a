//! What tests could not do because the machine lacks something: they record it in a file, a line a test, and the summary
//! counts it.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::resume;

/// The record of a run.
#[derive(Debug)]
pub(super) struct Skipped(PathBuf);

/// Tests that were not run for the same reason.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) requirement: String,
    pub(super) tests: usize,
    pub(super) reason: String,
}

impl fmt::Display for Group {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tests = if self.tests == 1 { "test" } else { "tests" };
        write!(
            formatter,
            "{} {tests} NOT RUN, or not wholly, for want of {}: {}",
            self.tests, self.requirement, self.reason
        )
    }
}

impl Skipped {
    /// An empty record, or that of the run that goes on.
    pub(super) fn begin(goes_on: bool) -> Result<Self> {
        let folder = resume::folder();
        fs::create_dir_all(&folder)
            .with_context(|| format!("{} cannot be made", folder.display()))?;
        let file = folder.join("skipped.tsv");
        if !goes_on || !file.exists() {
            fs::write(&file, "")
                .with_context(|| format!("{} cannot be written", file.display()))?;
        }
        Ok(Self(file))
    }

    /// Where tests append to.
    pub(super) fn file(&self) -> &Path {
        &self.0
    }

    /// What was recorded.
    pub(super) fn read(&self) -> Result<Vec<Group>> {
        let text = fs::read_to_string(&self.0);
        let text = text.with_context(|| format!("{} cannot be read", self.0.display()))?;
        Ok(groups(&text))
    }
}

/// Lines `requirement<TAB>test<TAB>reason`, counted by requirement and reason.
fn groups(text: &str) -> Vec<Group> {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for line in text.lines() {
        let mut fields = line.splitn(3, '\t');
        let (requirement, _test) = (fields.next().unwrap_or(line), fields.next());
        let reason = fields.next().unwrap_or("no reason was recorded");
        *counts.entry((requirement, reason)).or_default() += 1;
    }
    let group = |((requirement, reason), tests): ((&str, &str), usize)| Group {
        requirement: requirement.to_owned(),
        tests,
        reason: reason.to_owned(),
    };
    counts.into_iter().map(group).collect()
}

#[cfg(test)]
mod tests {
    use super::groups;

    #[test]
    fn what_was_not_run_is_counted_by_its_reason() {
        let text = "contracts\tebay::a\tKERVAN_CONTRACTS is not set\n\
                    node\tclients::b\tnpm is missing\n\
                    contracts\tamazon::c\tKERVAN_CONTRACTS is not set\n\
                    broken\n";
        let lines: Vec<String> = groups(text).iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "1 test NOT RUN, or not wholly, for want of broken: no reason was recorded",
                "2 tests NOT RUN, or not wholly, for want of contracts: KERVAN_CONTRACTS is not set",
                "1 test NOT RUN, or not wholly, for want of node: npm is missing",
            ]
        );
        assert!(groups("").is_empty());
    }
}
