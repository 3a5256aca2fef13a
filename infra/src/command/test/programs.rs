//! Builds all tests in one go and knows where their programs are, so that a step can run one without asking cargo, which
//! would wait for another step's build.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use kervan_infra::process::cargo_friendly;
use kervan_infra::workspace;
use serde_json::Value;

/// The programs of the workspace, by package and target.
#[derive(Debug, Default)]
pub(super) struct Programs(BTreeMap<(String, String), PathBuf>);

impl Programs {
    /// Builds every test of the workspace, with cargo's own progress.
    pub(super) fn build() -> Result<Self> {
        let mut cargo = cargo_friendly("cargo")
            .args(["test", "--workspace", "--locked", "--no-run"])
            .args(["--message-format", "json-render-diagnostics"])
            .current_dir(workspace::root())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("cargo cannot be started")?;
        let output = cargo.stdout.take().context("cargo says nothing")?;
        let mut programs = Self::default();
        for line in BufReader::new(output).lines() {
            programs.note(&line.context("cargo's messages cannot be read")?);
        }
        let status = cargo.wait().context("cargo cannot be waited for")?;
        if !status.success() {
            bail!("cargo test --no-run failed ({status})");
        }
        Ok(programs)
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// The end-to-end tests.
    pub(super) fn end_to_end(&self) -> Result<&Path> {
        self.named("kervan-end-to-end", "it")
    }

    fn named(&self, package: &str, target: &str) -> Result<&Path> {
        let program = self.0.get(&(package.to_owned(), target.to_owned()));
        let program = program.map(PathBuf::as_path);
        program.with_context(|| format!("cargo has built no program {target} of {package}"))
    }

    /// Takes a program out of one of cargo's messages. One that is built twice, as itself and with its unit tests, counts
    /// as itself.
    fn note(&mut self, line: &str) {
        let Ok(message) = serde_json::from_str::<Value>(line) else {
            return;
        };
        let (Some(program), Some(target)) = (
            message["executable"].as_str(),
            message["target"]["name"].as_str(),
        ) else {
            return;
        };
        let package = message["package_id"].as_str().and_then(package_name);
        let is_bin = message["target"]["kind"][0] == "bin";
        let has_unit_tests = message["profile"]["test"] == true;
        let (Some(package), false) = (package, is_bin && has_unit_tests) else {
            return;
        };
        let key = (package.to_owned(), target.to_owned());
        self.0.insert(key, PathBuf::from(program));
    }
}

/// The name in `path+file:///kervan/tests/end_to_end#kervan-end-to-end@0.1.0`.
fn package_name(id: &str) -> Option<&str> {
    let (_, name) = id.rsplit_once('#')?;
    Some(name.split_once('@').map_or(name, |(name, _)| name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: &str, test: bool, executable: &str) -> String {
        serde_json::json!({
            "reason": "compiler-artifact",
            "package_id": "path+file:///kervan/tests/simulation#kervan-simulation@0.1.0",
            "target": { "kind": [kind], "name": "simulate" },
            "profile": { "test": test },
            "executable": executable,
        })
        .to_string()
    }

    #[test]
    fn a_program_is_not_mistaken_for_its_unit_tests() {
        let mut programs = Programs::default();
        programs.note(&message("bin", false, "/debug/simulate"));
        programs.note(&message("bin", true, "/debug/deps/simulate-1"));
        programs.note("{\"reason\":\"build-finished\",\"success\":true}");
        programs.note("no message");
        let program = programs.named("kervan-simulation", "simulate").unwrap();
        assert_eq!(program, Path::new("/debug/simulate"));
        assert_eq!(programs.count(), 1);
        let error = programs.end_to_end().unwrap_err().to_string();
        assert_eq!(error, "cargo has built no program it of kervan-end-to-end");
    }
}
