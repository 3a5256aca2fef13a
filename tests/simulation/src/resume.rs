//! Goes on where a long run was interrupted: after each thousand schedules a file says what was run and what came of it.
//! It counts only for the same program, and ends with a run that came to its end.

use crate::report::Progress;
use anyhow::{Context, Result};
use kervan_simulation::{Effort, Pass, Sales, Schedule, Summary, run_all};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Schedules between two notes.
const CHUNK: usize = 1_000;

/// What was run so far, by the title of the pass.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Notes {
    /// SHA-256 of the program that ran.
    program: String,
    passes: BTreeMap<String, Done>,
}

/// The first schedules of a pass, which all held.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
struct Done {
    /// SHA-256 of those schedules, as they are written on the command line.
    which: String,
    schedules: usize,
    effects: u64,
    steps: u64,
    sold: u64,
    turned_away: u64,
    unknowable: u64,
    on_its_way: u64,
}

/// The file, where one was asked for.
#[derive(Debug)]
pub(crate) struct Resume {
    file: Option<PathBuf>,
    notes: Notes,
}

impl Resume {
    /// Reads what an interrupted run of this program has left.
    pub(crate) fn open(file: Option<&Path>) -> Result<Self> {
        let Some(file) = file else {
            let notes = Notes::default();
            return Ok(Self { file: None, notes });
        };
        let program = std::env::current_exe().and_then(fs::read);
        let program = program.context("this program cannot be read")?;
        let program = hex::encode(Sha256::digest(program));
        let known = fs::read_to_string(file).ok();
        // A file that is cut off or of another program says nothing: then everything is run.
        let known = known.and_then(|text| serde_json::from_str::<Notes>(&text).ok());
        let notes = known.filter(|notes| notes.program == program);
        let notes = notes.unwrap_or_else(|| Notes {
            program,
            passes: BTreeMap::new(),
        });
        Ok(Self {
            file: Some(file.to_owned()),
            notes,
        })
    }

    /// Runs what is left of a pass.
    pub(crate) fn run(
        &mut self,
        pass: &Pass,
        effort: Effort,
        progress: &Progress,
    ) -> Result<Summary> {
        let known = self.notes.passes.get(pass.title).cloned();
        // Other schedules of the same kind say nothing: another offset, another scenario.
        let known = known.filter(|done| {
            let first = pass.schedules.get(..done.schedules);
            first.is_some_and(|first| which(first) == done.which)
        });
        let mut summary = known.unwrap_or_default().summary();
        if summary.schedules > 0 {
            progress.say(&format!(
                "{}: {} of {} schedules were run before",
                pass.title,
                summary.schedules,
                pass.schedules.len()
            ));
        }
        let left = &pass.schedules[summary.schedules..];
        let chunk = if self.file.is_some() {
            CHUNK
        } else {
            left.len().max(1)
        };
        for schedules in left.chunks(chunk) {
            let before = summary.schedules;
            let ran = run_all(schedules, effort, &|done| progress.at(before + done));
            let held = ran.held(schedules.len());
            summary.add(ran);
            if !held {
                break;
            }
            self.note(pass, &summary)?;
        }
        Ok(summary)
    }

    /// Everything was run: the next run begins anew.
    pub(crate) fn end(self) -> Result<()> {
        match self.file {
            Some(file) if file.exists() => {
                fs::remove_file(&file).with_context(|| format!("{} stays", file.display()))
            }
            _ => Ok(()),
        }
    }

    fn note(&mut self, pass: &Pass, summary: &Summary) -> Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        let first = &pass.schedules[..summary.schedules.min(pass.schedules.len())];
        let done = Done::of(which(first), summary);
        self.notes.passes.insert(pass.title.to_owned(), done);
        let text = serde_json::to_string(&self.notes)?;
        // Written beside and moved, so that an interruption leaves the old notes or the new ones.
        let beside = file.with_extension("new");
        fs::write(&beside, text)
            .and_then(|()| fs::rename(&beside, file))
            .with_context(|| format!("{} cannot be written", file.display()))
    }
}

/// A hash of schedules in their order.
fn which(schedules: &[Schedule]) -> String {
    let mut hasher = Sha256::new();
    for schedule in schedules {
        hasher.update(format!("{schedule}\n"));
    }
    hex::encode(hasher.finalize())
}

impl Done {
    fn of(which: String, summary: &Summary) -> Self {
        Self {
            which,
            schedules: summary.schedules,
            effects: summary.effects,
            steps: summary.steps,
            sold: summary.sales.sold,
            turned_away: summary.sales.turned_away,
            unknowable: summary.sales.unknowable,
            on_its_way: summary.sales.on_its_way,
        }
    }

    fn summary(self) -> Summary {
        Summary {
            schedules: self.schedules,
            effects: self.effects,
            steps: self.steps,
            sales: Sales {
                sold: self.sold,
                turned_away: self.turned_away,
                unknowable: self.unknowable,
                on_its_way: self.on_its_way,
                within_rule: 0,
            },
            ..Summary::default()
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use kervan_simulation::{Breadth, one_fault_pass};

    /// A folder beside this program, so that nothing is written outside of the build folder.
    fn scratch() -> tempfile::TempDir {
        let program = std::env::current_exe().unwrap();
        tempfile::tempdir_in(program.parent().unwrap()).unwrap()
    }

    fn pass() -> Pass {
        let mut pass = one_fault_pass(Breadth::Full, Some("plain")).unwrap();
        pass.schedules.truncate(30);
        pass
    }

    fn run(resume: &mut Resume) -> Summary {
        let progress = Progress::new("a test", 30, true);
        resume.run(&pass(), Effort::usual(), &progress).unwrap()
    }

    #[test]
    fn an_interrupted_run_goes_on_and_ends_with_the_same_figures() {
        let folder = scratch();
        let file = folder.path().join("notes.json");
        let whole = run(&mut Resume::open(None).unwrap());
        assert_eq!(whole.schedules, 30);

        let mut resume = Resume::open(Some(&file)).unwrap();
        let mut first = pass();
        first.schedules.truncate(10);
        let progress = Progress::new("a test", 10, true);
        resume.run(&first, Effort::usual(), &progress).unwrap();
        // The process ends here, and another one begins.
        let mut resume = Resume::open(Some(&file)).unwrap();
        assert_eq!(resume.notes.passes["one fault"].schedules, 10);
        let summary = run(&mut resume);
        assert_eq!(
            (summary.schedules, summary.effects, summary.steps),
            (whole.schedules, whole.effects, whole.steps)
        );
        resume.end().unwrap();
        assert!(!file.exists());
    }

    #[test]
    fn notes_of_another_program_or_cut_off_ones_are_passed_over() {
        let folder = scratch();
        let file = folder.path().join("notes.json");
        for text in [
            r#"{"program":"another","passes":{"one fault":{"schedules":30,"effects":0,"steps":0,"sold":0,"turned_away":0,"unknowable":0,"on_its_way":0}}}"#,
            r#"{"program":"#,
        ] {
            fs::write(&file, text).unwrap();
            let resume = Resume::open(Some(&file)).unwrap();
            assert!(resume.notes.passes.is_empty(), "{text}");
        }
    }
}
