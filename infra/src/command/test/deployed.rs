//! The end-to-end test on the deployed stack, in the background: it builds the functions as they ship, deploys them, and
//! mostly waits, so it begins first and everything else runs beside it.

use std::fs::{self, File};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use kervan_infra::deployment;
use kervan_infra::process::{self, Progress, cargo_friendly};
use kervan_infra::tooling::Tools;

use super::resume;
use super::steps::{FULL, skipped_variable};

/// Between two looks at what the test says.
const TAIL_EVERY: Duration = Duration::from_secs(1);

/// The test that runs, or waits for its program.
pub(super) struct Deployed {
    program: Sender<PathBuf>,
    work: JoinHandle<Result<String>>,
    log: PathBuf,
}

impl Deployed {
    /// Begins: the functions are built at once, and the test runs when its own program is there.
    pub(super) fn start(say: &Progress, full: bool, skipped: &Path) -> Self {
        let (program, programs) = channel();
        let log = resume::folder().join("deployed.log");
        let (say, to, skipped) = (say.clone(), log.clone(), skipped.to_owned());
        let work = thread::spawn(move || build_and_run(&say, &programs, &to, full, &skipped));
        Self { program, work, log }
    }

    /// The test's program is there.
    pub(super) fn go_on(&self, program: &Path) {
        // Where the functions did not compile nobody listens; waiting for the test says why.
        let _ = self.program.send(program.to_owned());
    }

    /// Waits for the test's end, and shows meanwhile what it says.
    pub(super) fn wait(self, say: &Progress) -> Result<String> {
        let Self { program, work, log } = self;
        drop(program);
        let mut shown = 0;
        loop {
            let is_over = work.is_finished();
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            let lines = text.lines().skip(shown);
            let is_news = |line: &&str| !line.trim().is_empty();
            lines.clone().filter(is_news).for_each(|line| say(line));
            shown += lines.count();
            if is_over {
                break;
            }
            thread::sleep(TAIL_EVERY);
        }
        let ended = work.join();
        ended.unwrap_or_else(|_| Err(anyhow::anyhow!("the deployed test panicked")))
    }
}

fn build_and_run(
    say: &Progress,
    programs: &Receiver<PathBuf>,
    log: &Path,
    full: bool,
    skipped: &Path,
) -> Result<String> {
    let tools = Tools::ensure(say)?;
    drop(deployment::build(&tools, say)?);
    let program = programs.recv();
    let program = program.context("the deployed test was not run: the tests were not built")?;
    say("The deployed test runs in the background");
    let mut test = cargo_friendly(&program);
    test.args(["deployed::", "--nocapture"])
        .env(skipped_variable(), skipped);
    if full {
        test.env(FULL, "1");
    }
    let started = Instant::now();
    process::run_kept("The deployed test", &tools.program("python3"), &test, log)?;
    let said = fs::read_to_string(log).with_context(|| format!("{} is gone", log.display()))?;
    let figures = figures(&said)?;
    let seconds = started.elapsed().as_secs();
    Ok(format!("{figures}; {seconds} s in the background"))
}

/// What the test says of its orders. One that did not run is no success, whatever its exit code is.
fn figures(said: &str) -> Result<&str> {
    let has_run = said
        .lines()
        .any(|line| line.contains("test result: ok. 1 passed"));
    anyhow::ensure!(
        has_run,
        "the deployed test was not run: its program has no test of that name"
    );
    let figures = said.lines().find(|line| line.starts_with("orders "));
    figures.context("the deployed test does not say what became of its orders")
}

/// Standard error once more, for a program's standard output.
pub(super) fn standard_error() -> Result<Stdio> {
    let copy = std::io::stderr().as_fd().try_clone_to_owned();
    let copy = copy.context("standard error cannot be shared")?;
    Ok(Stdio::from(File::from(copy)))
}

#[cfg(test)]
mod tests {
    use super::figures;

    #[test]
    fn a_test_that_did_not_run_is_no_success() {
        let orders = "orders 200, purchases 200, parcels 245; 0 lost, 0 twice, 0 stuck";
        let ran = format!("{orders}\ntest result: ok. 1 passed; 0 failed");
        assert_eq!(figures(&ran).unwrap(), orders);
        assert!(figures("test result: ok. 0 passed; 0 failed").is_err());
        assert!(figures("test result: ok. 1 passed; 0 failed").is_err());
    }
}
