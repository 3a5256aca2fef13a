//! `kervan test`: every check, as continuous integration runs them.

use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use kervan_infra::process::cargo_friendly;
use kervan_infra::tooling::Tools;
use kervan_infra::workspace;

use super::progress;

/// The test crate that the last step is, kept out of the others because it builds and deploys everything.
const END_TO_END: &str = "kervan-end-to-end";

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo kervan test                        everything; what continuous integration runs
  cargo kervan test --only tests           one step; may be repeated
  cargo kervan test --keep-going           every step, even after one failed

The tests run with cargo-nextest where it is installed, or else with cargo test. Conformance tests read the folder that \
KERVAN_CONTRACTS names, and say that they were skipped where it is unset.")]
pub(super) struct Arguments {
    /// Run only this step; may be repeated.
    #[arg(long, value_name = "STEP")]
    only: Vec<Step>,
    /// Run the steps that follow a failed one too.
    #[arg(long)]
    keep_going: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Step {
    /// cargo fmt --check
    Format,
    /// cargo clippy with warnings denied
    Lints,
    /// sam validate --lint
    Template,
    /// Every test of the workspace but the end-to-end one
    Tests,
    /// Deploys on a local stack and sends orders through
    EndToEnd,
}

enum Outcome {
    Passed,
    Failed(String),
    Skipped,
}

impl Step {
    const ALL: [Self; 5] = [
        Self::Format,
        Self::Lints,
        Self::Template,
        Self::Tests,
        Self::EndToEnd,
    ];

    fn title(self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::Lints => "lints",
            Self::Template => "template",
            Self::Tests => "tests",
            Self::EndToEnd => "end to end",
        }
    }

    fn run(self) -> Result<()> {
        match self {
            Self::Format => cargo(&["fmt", "--all", "--check"]),
            Self::Lints => cargo(&[
                "clippy",
                "--workspace",
                "--all-targets",
                "--locked",
                "--",
                "-D",
                "warnings",
            ]),
            Self::Template => {
                let template = workspace::root().join("template.yaml");
                Tools::ensure(&progress())?.lint_template(&template)?;
                println!("template.yaml is valid");
                Ok(())
            }
            Self::Tests => tests(),
            Self::EndToEnd => cargo(&[
                "test",
                "--package",
                END_TO_END,
                "--locked",
                "--",
                "--nocapture",
            ]),
        }
    }
}

pub(super) async fn run(arguments: Arguments) -> Result<ExitCode> {
    tokio::task::spawn_blocking(move || run_steps(&arguments)).await?
}

fn run_steps(arguments: &Arguments) -> Result<ExitCode> {
    let steps: Vec<Step> = Step::ALL
        .into_iter()
        .filter(|step| arguments.only.is_empty() || arguments.only.contains(step))
        .collect();
    let started = Instant::now();
    let mut results: Vec<(Step, Outcome, Duration)> = Vec::new();
    let mut has_failed = false;
    for (index, step) in steps.iter().copied().enumerate() {
        if has_failed && !arguments.keep_going {
            results.push((step, Outcome::Skipped, Duration::ZERO));
            continue;
        }
        println!("\n==> {} ({} of {})", step.title(), index + 1, steps.len());
        let step_started = Instant::now();
        let outcome = match step.run() {
            Ok(()) => Outcome::Passed,
            Err(error) => {
                has_failed = true;
                Outcome::Failed(format!("{error:#}"))
            }
        };
        if let Outcome::Failed(text) = &outcome {
            println!("{text}");
        }
        results.push((step, outcome, step_started.elapsed()));
    }
    summarise(&results, started.elapsed());
    Ok(if has_failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn summarise(results: &[(Step, Outcome, Duration)], total: Duration) {
    println!("\n==> summary after {:.0} s", total.as_secs_f32());
    let (mut passed, mut failed) = (0, 0);
    for (step, outcome, duration) in results {
        let word = match outcome {
            Outcome::Passed => {
                passed += 1;
                "passed"
            }
            Outcome::Failed(_) => {
                failed += 1;
                "FAILED"
            }
            Outcome::Skipped => "not run",
        };
        println!(
            "{:<12} {word:<8} {:>7.1} s",
            step.title(),
            duration.as_secs_f32()
        );
    }
    println!("{passed} passed, {failed} failed");
}

fn tests() -> Result<()> {
    // Nextest leaves the doc tests out.
    if has_nextest() {
        cargo(&[
            "nextest",
            "run",
            "--workspace",
            "--exclude",
            END_TO_END,
            "--locked",
            "--no-fail-fast",
        ])?;
        return cargo(&[
            "test",
            "--workspace",
            "--exclude",
            END_TO_END,
            "--locked",
            "--doc",
        ]);
    }
    cargo(&[
        "test",
        "--workspace",
        "--exclude",
        END_TO_END,
        "--locked",
        "--no-fail-fast",
    ])
}

fn has_nextest() -> bool {
    cargo_friendly("cargo")
        .args(["nextest", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Runs cargo on the workspace, with its output where ours goes.
fn cargo(arguments: &[&str]) -> Result<()> {
    println!("cargo {}", arguments.join(" "));
    let mut command: Command = cargo_friendly("cargo");
    let status = command
        .args(arguments)
        .current_dir(workspace::root())
        .stdin(Stdio::null())
        .status()
        .context("cargo cannot be started")?;
    if !status.success() {
        bail!(
            "cargo {} failed ({status})",
            arguments.first().copied().unwrap_or_default()
        );
    }
    Ok(())
}
