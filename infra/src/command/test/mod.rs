//! `kervan test`: every check, as continuous integration runs them.

mod deployed;
mod programs;
mod resume;
mod skipped;
mod steps;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::progress;
use deployed::Deployed;
use resume::Resume;
use skipped::Skipped;
use steps::{Bench, Step};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo kervan test                        every check and a sample of the simulation; what continuous integration runs
  cargo kervan test --only tests           one step; may be repeated
  cargo kervan test --keep-going           every step, even after one failed
  cargo kervan test --offset 17            another sample of the simulation
  cargo kervan test --full                 everything instead of samples; more than half an hour

The end-to-end test on the deployed stack begins first, in the background; everything else runs beside it with less \
priority. The test runner and the tools that look at the dependencies are installed below target/ once.

Conformance tests read the folder that KERVAN_CONTRACTS names: the marketplaces' official models, which are not part of \
this repository. What cannot be run without them, or without Node.js, is counted in the summary. \
KERVAN_REQUIRE=contracts,node makes it a failure.

An interrupted --full goes on where it was, as long as no file has changed.")]
pub(super) struct Arguments {
    /// Run only this step; may be repeated
    #[arg(long, value_name = "STEP")]
    only: Vec<Step>,
    /// Leave this step out; may be repeated
    #[arg(long, value_name = "STEP")]
    skip: Vec<Step>,
    /// Run the steps that follow a failed one too
    #[arg(long)]
    keep_going: bool,
    /// Run everything: every fault of every scenario, 10,000 seeds, 10,000 buyers, 2,000 orders
    #[arg(long)]
    full: bool,
    /// Which sample of the simulation: 0 to 255 [default: the first byte of the commit's tree, 0 where files were changed]
    #[arg(long, value_name = "N", conflicts_with = "full")]
    offset: Option<u8>,
    /// Begin anew, whatever an interrupted run has done
    #[arg(long, requires = "full")]
    restart: bool,
    /// Print the summary as JSON on standard output, and everything else on standard error
    #[arg(long)]
    json: bool,
}

impl Arguments {
    /// What is run, in its order. What runs tests needs them built.
    fn steps(&self) -> Vec<Step> {
        let is_named = |step: &Step| self.only.is_empty() || self.only.contains(step);
        let is_chosen = |step: &Step| is_named(step) && !self.skip.contains(step);
        let needs_build = Step::ALL
            .iter()
            .any(|step| is_chosen(step) && step.needs_build());
        let all = Step::ALL.into_iter();
        all.filter(|step| match step {
            Step::Build => needs_build || is_chosen(step),
            _ => is_chosen(step),
        })
        .collect()
    }
}

/// What came of a step.
enum Outcome {
    Passed(String),
    Failed(String),
    /// It passed before the run was interrupted.
    Before,
    NotRun,
}

struct Ran {
    step: Step,
    outcome: Outcome,
    took: Duration,
}

pub(super) async fn run(arguments: Arguments) -> Result<ExitCode> {
    tokio::task::spawn_blocking(move || run_steps(&arguments)).await?
}

fn run_steps(arguments: &Arguments) -> Result<ExitCode> {
    let steps = arguments.steps();
    let started = Instant::now();
    let mut resume = Resume::open(arguments.full, arguments.restart)?;
    let skipped = Skipped::begin(resume.goes_on())?;
    let say = progress();
    let mut bench = Bench {
        full: arguments.full,
        offset: arguments.offset,
        skipped: skipped.file().to_owned(),
        programs: None,
        say: say.clone(),
        deployed: None,
    };
    if steps.contains(&Step::Deployed) && !resume.has_passed(Step::Deployed) {
        bench.deployed = Some(Deployed::start(&say, arguments.full, skipped.file()));
    }
    let mut ran: Vec<Ran> = Vec::new();
    let mut has_failed = false;
    for (index, step) in steps.iter().copied().enumerate() {
        let (outcome, took) = if has_failed && !arguments.keep_going {
            (Outcome::NotRun, Duration::ZERO)
        } else if resume.has_passed(step) {
            (Outcome::Before, Duration::ZERO)
        } else {
            let at = started.elapsed().as_secs_f32();
            let place = format!("{} of {}", index + 1, steps.len());
            eprintln!("\n[{at:6.1} s] ==> {} ({place})", step.title());
            let step_started = Instant::now();
            let outcome = match bench.run(step) {
                Ok(words) => Outcome::Passed(words),
                Err(error) => Outcome::Failed(format!("{error:#}")),
            };
            (outcome, step_started.elapsed())
        };
        match &outcome {
            Outcome::Failed(text) => {
                has_failed = true;
                eprintln!("{text}");
            }
            Outcome::Passed(_) => resume.passed(step)?,
            Outcome::Before | Outcome::NotRun => {}
        }
        ran.push(Ran {
            step,
            outcome,
            took,
        });
    }
    // A background test whose turn never came ends here with what it started.
    drop(bench);
    let not_run = skipped.read()?;
    if arguments.json {
        print_json(&ran, &not_run, started.elapsed());
    } else {
        print_summary(&ran, &not_run, started.elapsed());
    }
    if has_failed {
        return Ok(ExitCode::FAILURE);
    }
    resume.end()?;
    Ok(ExitCode::SUCCESS)
}

fn counts(ran: &[Ran]) -> (usize, usize) {
    let failed = |one: &&Ran| matches!(one.outcome, Outcome::Failed(_));
    let passed = |one: &&Ran| matches!(one.outcome, Outcome::Passed(_) | Outcome::Before);
    (
        ran.iter().filter(passed).count(),
        ran.iter().filter(failed).count(),
    )
}

impl Outcome {
    fn word(&self) -> &'static str {
        match self {
            Self::Passed(_) => "passed",
            Self::Failed(_) => "FAILED",
            Self::Before => "passed before",
            Self::NotRun => "not run",
        }
    }

    fn detail(&self) -> &str {
        match self {
            Self::Passed(detail) => detail,
            Self::Failed(_) | Self::Before | Self::NotRun => "",
        }
    }
}

fn print_summary(ran: &[Ran], not_run: &[skipped::Group], total: Duration) {
    println!("\n==> summary after {:.0} s", total.as_secs_f32());
    for one in ran {
        let line = format!(
            "{:<13} {:<13} {:>7.1} s  {}",
            one.step.title(),
            one.outcome.word(),
            one.took.as_secs_f32(),
            one.outcome.detail()
        );
        println!("{}", line.trim_end());
    }
    for group in not_run {
        println!("{group}");
    }
    let (passed, failed) = counts(ran);
    println!("{passed} passed, {failed} failed");
}

fn print_json(ran: &[Ran], not_run: &[skipped::Group], total: Duration) {
    let steps: Vec<_> = ran
        .iter()
        .map(|one| {
            json!({
                "step": one.step.title(),
                "outcome": one.outcome.word(),
                "seconds": one.took.as_secs_f64(),
                "detail": one.outcome.detail(),
            })
        })
        .collect();
    let not_run: Vec<_> = not_run
        .iter()
        .map(|group| json!({ "requirement": group.requirement, "tests": group.tests, "reason": group.reason }))
        .collect();
    let (passed, failed) = counts(ran);
    println!(
        "{}",
        json!({
            "steps": steps,
            "not_run": not_run,
            "seconds": total.as_secs_f64(),
            "passed": passed,
            "failed": failed,
        })
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn steps(line: &str) -> Vec<Step> {
        let words = std::iter::once("test").chain(line.split_whitespace());
        Line::try_parse_from(words).unwrap().arguments.steps()
    }

    #[test]
    fn every_step_runs_where_none_is_named() {
        assert_eq!(steps(""), Step::ALL);
        assert_eq!(steps("--full"), Step::ALL);
    }

    #[test]
    fn a_step_that_runs_tests_has_them_built_first() {
        assert_eq!(steps("--only format"), [Step::Format]);
        assert_eq!(steps("--only simulation"), [Step::Simulation]);
        assert_eq!(steps("--only tests"), [Step::Build, Step::Tests]);
        let without = steps("--skip deployed --skip lints");
        assert_eq!(without.len(), Step::ALL.len() - 2);
        assert!(!without.contains(&Step::Deployed));
    }
}
