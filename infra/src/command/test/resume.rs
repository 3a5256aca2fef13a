//! Goes on where a full test was interrupted. What passed counts as long as neither a file of the checkout, the compiler nor
//! what the tests need has changed.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use kervan_infra::workspace;
use serde::{Deserialize, Serialize};

use super::steps::Step;

/// Where the test keeps its notes and logs.
pub(super) fn folder() -> PathBuf {
    workspace::target_dir().join("kervan-test")
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Notes {
    /// Hash of the checkout that was tested.
    checkout: u64,
    /// Titles of the steps that passed.
    passed: Vec<String>,
}

/// The notes of a full test; none for another.
#[derive(Debug)]
pub(super) struct Resume {
    file: Option<PathBuf>,
    notes: Notes,
}

impl Resume {
    /// Reads what an interrupted full test of the same checkout has passed.
    pub(super) fn open(full: bool, restart: bool) -> Result<Self> {
        if !full {
            let notes = Notes::default();
            return Ok(Self { file: None, notes });
        }
        let file = folder().join("full.json");
        let checkout = checkout()?;
        let known = fs::read_to_string(&file).ok();
        let known = known.and_then(|text| serde_json::from_str::<Notes>(&text).ok());
        let known = known.filter(|notes| !restart && notes.checkout == checkout);
        if restart {
            let _ = fs::remove_file(folder().join("simulation.json"));
        }
        let notes = known.unwrap_or(Notes {
            checkout,
            passed: Vec::new(),
        });
        Ok(Self {
            file: Some(file),
            notes,
        })
    }

    /// Whether the step passed before. What others need is done again: it is quick where nothing changed.
    pub(super) fn has_passed(&self, step: Step) -> bool {
        step != Step::Build && self.notes.passed.iter().any(|title| title == step.title())
    }

    /// The step has passed.
    pub(super) fn passed(&mut self, step: Step) -> Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        self.notes.passed.push(step.title().to_owned());
        let text = serde_json::to_string(&self.notes)?;
        fs::write(file, text).with_context(|| format!("{} cannot be written", file.display()))
    }

    /// Whether something passed before.
    pub(super) fn goes_on(&self) -> bool {
        !self.notes.passed.is_empty()
    }

    /// All that was asked for has passed. Once every step has, the next full test begins anew.
    pub(super) fn end(self) -> Result<()> {
        let all = Step::ALL.iter().all(|step| {
            let mut passed = self.notes.passed.iter();
            passed.any(|title| title == step.title())
        });
        match self.file {
            Some(file) if all && file.exists() => {
                fs::remove_file(&file).with_context(|| format!("{} stays", file.display()))
            }
            _ => Ok(()),
        }
    }
}

/// A hash of what decides how a test ends: the compiler, what is required, and every file of the checkout that git does not
/// ignore: the commit, what differs from it, and what is new.
fn checkout() -> Result<u64> {
    let mut hasher = DefaultHasher::new();
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let rustc = Command::new(rustc).arg("--version").output();
    rustc.map(|output| output.stdout).ok().hash(&mut hasher);
    for name in ["KERVAN_CONTRACTS", "KERVAN_REQUIRE"] {
        std::env::var_os(name).hash(&mut hasher);
    }
    git(&["rev-parse", "HEAD^{tree}"])?.hash(&mut hasher);
    git(&["diff", "--binary", "HEAD"])?.hash(&mut hasher);
    let new = git(&["ls-files", "--others", "--exclude-standard", "-z"])?;
    for name in new.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let name = String::from_utf8_lossy(name);
        name.hash(&mut hasher);
        // A file that went away between the two was no part of what is tested.
        fs::read(workspace::root().join(&*name))
            .unwrap_or_default()
            .hash(&mut hasher);
    }
    Ok(hasher.finish())
}

fn git(arguments: &[&str]) -> Result<Vec<u8>> {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(workspace::root())
        .output()
        .context("git cannot be started; a full test asks it which files were tested")?;
    anyhow::ensure!(
        output.status.success(),
        "git {} failed: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(output.stdout)
}
