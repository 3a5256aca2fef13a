//! The steps of the test, and what each runs.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use kervan_infra::process::{Progress, cargo_friendly};
use kervan_infra::tooling::Tools;
use kervan_infra::workspace;

use super::super::simulate::SIMULATION_PROFILE;
use super::deployed::Deployed;
use super::programs::Programs;
use super::{deployed, resume};

/// What everything but the deployed test gives way to: that one has deadlines, as its functions have.
const NICENESS: &str = "10";

/// Tests that are in other steps: the deployed one, and the guards, which the optimised simulation takes away itself.
const IN_OTHER_STEPS: &str = "(package(kervan-end-to-end) & test(/^deployed::/)) \
     | (package(kervan-simulation) & test(/^guards::/))";

/// A step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Step {
    /// The compiler's version
    Toolchain,
    /// cargo fmt --check
    Format,
    /// Compile all tests
    Build,
    /// sam validate --lint
    Template,
    /// Licences, sources and bans of the dependencies, and those that nothing uses
    Dependencies,
    /// Known vulnerabilities of the dependencies, where the database can be reached
    Advisories,
    /// cargo clippy with warnings denied
    Lints,
    /// Every test of the workspace but the deployed one and the guards
    Tests,
    /// A sample of the simulation, or with --full all of it
    Simulation,
    /// Deploys on a local stack and sends orders through; begins before all others
    Deployed,
}

impl Step {
    pub(super) const ALL: [Self; 10] = [
        Self::Toolchain,
        Self::Format,
        Self::Build,
        Self::Template,
        Self::Dependencies,
        Self::Advisories,
        Self::Lints,
        Self::Tests,
        Self::Simulation,
        Self::Deployed,
    ];

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Toolchain => "toolchain",
            Self::Format => "format",
            Self::Build => "build",
            Self::Template => "template",
            Self::Dependencies => "dependencies",
            Self::Advisories => "advisories",
            Self::Lints => "lints",
            Self::Tests => "tests",
            Self::Simulation => "simulation",
            Self::Deployed => "deployed",
        }
    }

    /// Whether it runs programs that the build makes.
    pub(super) const fn needs_build(self) -> bool {
        matches!(self, Self::Tests | Self::Deployed)
    }
}

/// What the steps share.
pub(super) struct Bench {
    pub(super) full: bool,
    pub(super) offset: Option<u8>,
    /// Where tests record what they could not do.
    pub(super) skipped: PathBuf,
    pub(super) programs: Option<Programs>,
    pub(super) say: Progress,
    pub(super) deployed: Option<Deployed>,
}

impl Bench {
    /// Runs a step and says in a few words what came of it.
    pub(super) fn run(&mut self, step: Step) -> Result<String> {
        match step {
            Step::Toolchain => toolchain(),
            Step::Format => cargo(&["fmt", "--all", "--check"]),
            Step::Build => {
                let programs = Programs::build()?;
                if let Some(deployed) = &self.deployed {
                    deployed.go_on(programs.end_to_end()?);
                }
                let count = programs.count();
                self.programs = Some(programs);
                Ok(format!("{count} programs"))
            }
            Step::Template => {
                let template = workspace::root().join("template.yaml");
                Tools::ensure(&self.say)?.lint_template(&template)?;
                Ok(String::new())
            }
            Step::Dependencies => self.dependencies(),
            Step::Advisories => self.advisories(),
            Step::Lints => cargo(&[
                "clippy",
                "--workspace",
                "--all-targets",
                "--locked",
                "--",
                "-D",
                "warnings",
            ]),
            Step::Tests => self.tests(),
            Step::Simulation => self.simulation(),
            Step::Deployed => {
                let deployed = self.deployed.take();
                let deployed = deployed.context("the deployed test was never begun")?;
                deployed.wait(&self.say)
            }
        }
    }

    fn dependencies(&self) -> Result<String> {
        let tools = Tools::ensure_checks(&self.say)?;
        let mut deny = cargo_friendly(tools.program("cargo-deny"));
        deny.args(["check", "bans", "licenses", "sources"]);
        execute("cargo deny check bans licenses sources", &mut deny)?;
        let mut shear = cargo_friendly(tools.program("cargo-shear"));
        execute("cargo shear", &mut shear)?;
        Ok(String::new())
    }

    /// What is known of vulnerabilities is in a database that not every machine reaches; then that is what is said.
    fn advisories(&self) -> Result<String> {
        let tools = Tools::ensure_checks(&self.say)?;
        let output = cargo_friendly(tools.program("cargo-deny"))
            .args(["check", "advisories"])
            .current_dir(workspace::root())
            .stdin(Stdio::null())
            .output()
            .context("cargo-deny cannot be started")?;
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.success() {
            return Ok("none is known".to_owned());
        }
        if said.contains("failed to fetch advisory database") {
            return Ok("not checked: the database cannot be reached".to_owned());
        }
        bail!("cargo deny check advisories failed:\n{said}")
    }

    fn tests(&self) -> Result<String> {
        let tools = Tools::ensure_checks(&self.say)?;
        // Nextest writes its report below the build folder or the checkout, by its version.
        let report = "nextest/default/junit.xml";
        let reports = [
            workspace::target_dir().join(report),
            workspace::root().join("target").join(report),
        ];
        // What an earlier run has left is no word about this one.
        for report in &reports {
            let _ = fs::remove_file(report);
        }
        let filter = format!("not ({IN_OTHER_STEPS})");
        let mut nextest = nice(tools.program("cargo-nextest"));
        nextest
            .args(["nextest", "run", "--workspace", "--locked", "-E", &filter])
            .env(skipped_variable(), &self.skipped);
        if self.full {
            nextest.env(FULL, "1");
        }
        execute("cargo nextest run", &mut nextest)?;
        // A run without a test fails by itself, so the number is only for the summary.
        let written = reports
            .iter()
            .filter_map(|file| fs::read_to_string(file).ok());
        let count = written.filter_map(|text| tests_in(&text)).next();
        Ok(count.map_or_else(
            || "number of tests unknown".to_owned(),
            |count| format!("{count} tests"),
        ))
    }

    fn simulation(&self) -> Result<String> {
        let build = [
            "build",
            "--locked",
            "--profile",
            SIMULATION_PROFILE,
            "--package",
            "kervan-simulation",
            "--bin",
            "simulate",
        ];
        cargo(&build)?;
        let folder = workspace::target_dir().join(SIMULATION_PROFILE);
        let mut simulate = nice(folder.join("simulate"));
        if self.full {
            let notes = resume::folder().join("simulation.json");
            simulate.arg("--resume").arg(notes);
        } else {
            simulate.arg("--sample");
            if let Some(offset) = self.offset {
                simulate.args(["--offset", &offset.to_string()]);
            }
        }
        last_line("cargo kervan simulate", &mut simulate)
    }
}

/// The variable that has tests run with their full numbers.
pub(super) const FULL: &str = "KERVAN_FULL";

/// The variable that names the file in which tests record what they could not do.
pub(super) const fn skipped_variable() -> &'static str {
    "KERVAN_SKIPPED"
}

/// The compiler's version; one that is older than the workspace asks for is refused.
fn toolchain() -> Result<String> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .arg("--version")
        .current_dir(workspace::root())
        .output()
        .context("rustc cannot be started")?;
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let wanted = env!("CARGO_PKG_RUST_VERSION");
    let (Some(found), Some(least)) = (rustc_version(&said), version(wanted)) else {
        bail!("rustc says {said:?}, which is no version");
    };
    if found < least {
        bail!("{said} is older than {wanted}, which Cargo.toml asks for: run rustup update");
    }
    Ok(said)
}

/// The version in `rustc 1.95.0 (59807616e 2026-04-14)`.
fn rustc_version(said: &str) -> Option<[u64; 3]> {
    version(said.split_whitespace().nth(1)?)
}

fn version(text: &str) -> Option<[u64; 3]> {
    // A nightly is `1.97.0-nightly`.
    let numbers = text.split('-').next()?.split('.');
    let mut numbers = numbers.map(|number| number.parse().ok());
    let mut next = || numbers.next().unwrap_or(Some(0));
    Some([next()?, next()?, next()?])
}

/// The number of tests that a report of nextest counts.
fn tests_in(report: &str) -> Option<u64> {
    let head = report.split("<testsuites ").nth(1)?.split('>').next()?;
    let count = head.split("tests=\"").nth(1)?.split('"').next()?;
    count.parse().ok().filter(|count| *count > 0)
}

/// A program that gives way to the deployed test.
fn nice(program: impl Into<std::ffi::OsString>) -> Command {
    let mut command = cargo_friendly("nice");
    command.args(["-n", NICENESS]).arg(program.into());
    command
}

/// Runs cargo on the workspace, with its output where ours goes.
fn cargo(arguments: &[&str]) -> Result<String> {
    let what = format!("cargo {}", arguments.first().copied().unwrap_or_default());
    execute(&what, nice("cargo").args(arguments))?;
    Ok(String::new())
}

/// Runs a program in the checkout as [`execute`] does, and answers the last line of its output.
fn last_line(what: &str, command: &mut Command) -> Result<String> {
    let mut child = command
        .current_dir(workspace::root())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("{what} cannot be started"))?;
    let mut last = String::new();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines() {
            let line = line.with_context(|| format!("{what} cannot be read"))?;
            eprintln!("{line}");
            last = line;
        }
    }
    let status = child.wait().with_context(|| format!("{what} was lost"))?;
    if !status.success() {
        bail!("{what} failed ({status})");
    }
    Ok(last)
}

/// Runs a program in the checkout. Its output goes to standard error, where that of cargo goes too.
fn execute(what: &str, command: &mut Command) -> Result<()> {
    let status = command
        .current_dir(workspace::root())
        .stdin(Stdio::null())
        .stdout(deployed::standard_error()?)
        .status()
        .with_context(|| format!("{what} cannot be started"))?;
    if !status.success() {
        bail!("{what} failed ({status})");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiler_is_compared_by_the_numbers_of_its_version() {
        assert_eq!(
            rustc_version("rustc 1.95.0 (59807616e 2026-04-14)"),
            Some([1, 95, 0])
        );
        assert_eq!(
            rustc_version("rustc 1.100.0-nightly (x 2026-04-14)"),
            Some([1, 100, 0])
        );
        assert_eq!(rustc_version("nonsense"), None);
        assert!(version("1.94.1") < version("1.100"));
        assert_eq!(version("1.x"), None);
    }

    #[test]
    fn a_report_without_tests_is_none() {
        let report =
            r#"<?xml version="1.0"?><testsuites name="nextest-run" tests="941" failures="0">"#;
        assert_eq!(tests_in(report), Some(941));
        assert_eq!(tests_in(r#"<testsuites name="n" tests="0">"#), None);
        assert_eq!(tests_in(""), None);
    }
}
