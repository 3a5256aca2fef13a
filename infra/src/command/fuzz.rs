//! `kervan fuzz`: LLVM's fuzzer on the decoders and push verifiers.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use clap::Args;
use kervan_infra::process::{cargo_friendly, run_logged};
use kervan_infra::workspace;
use serde_json::json;

use super::progress;

/// What cargo calls in place of rustc for the crates of the workspace.
const INSTRUMENT: &str = include_str!("instrument.sh");

/// Longer answers have nothing new in them.
const LONGEST_INPUT_BYTES: u32 = 8_192;

#[derive(Debug, Args)]
#[command(after_help = "\
A target is one operation of one account, as in ebay-order: its input is what the marketplace answers, or pushes. The \
fuzzer begins with known answers and is guided by the code that they reach; a C++ compiler is needed once, to build it. \
Set KERVAN_CONTRACTS to begin with the marketplaces' own samples too. What is found is kept below target/kervan-fuzz. The \
exit code is 1 if an input made the code panic, or take for a success what is none.

Examples:
  cargo kervan fuzz --list
  cargo kervan fuzz ebay-order --seconds 300
  cargo kervan fuzz                            every target, a minute each")]
pub(super) struct Arguments {
    /// Targets, or the beginning of their names; all where none is named
    targets: Vec<String>,
    /// How long each target is tried
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    seconds: u32,
    /// Name the targets and do nothing
    #[arg(long)]
    list: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// How a target fared.
struct Tried {
    target: String,
    inputs: u64,
    /// The input that failed.
    failed: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let home = workspace::target_dir().join("kervan-fuzz");
    let say = progress();
    say("Building the targets");
    let corpus = home.join("corpus");
    let all = named_targets(&corpus, &home)?;
    let is_meant = |target: &&String| {
        let mut named = arguments.targets.iter();
        arguments.targets.is_empty() || named.any(|name| target.starts_with(name.as_str()))
    };
    let targets: Vec<&String> = all.iter().filter(is_meant).collect();
    if targets.is_empty() {
        bail!("No target has such a name; cargo kervan fuzz --list names them");
    }
    if arguments.list {
        for target in targets {
            println!("{target}");
        }
        return Ok(ExitCode::SUCCESS);
    }
    say("Building the fuzzer (minutes the first time)");
    let fuzzer = build(&home)?;
    let mut tried = Vec::new();
    for (place, target) in targets.iter().enumerate() {
        say(&format!(
            "{target} ({} of {}), {} s",
            place + 1,
            targets.len(),
            arguments.seconds
        ));
        let one = fuzz(&fuzzer, target, arguments.seconds, &home)?;
        match &one.failed {
            Some(input) => say(&format!(
                "{target} FAILED; repeat it: {}",
                again(&fuzzer, &one.target, input)
            )),
            None => say(&format!("{target}: {} inputs", one.inputs)),
        }
        tried.push(one);
    }
    report(&tried, arguments.json)
}

fn report(tried: &[Tried], as_json: bool) -> Result<ExitCode> {
    let inputs: u64 = tried.iter().map(|one| one.inputs).sum();
    let failed = tried.iter().filter(|one| one.failed.is_some()).count();
    if as_json {
        let each = tried
            .iter()
            .map(|one| json!({ "target": one.target, "inputs": one.inputs, "failed": one.failed }));
        let all = json!({ "inputs": inputs, "targets": each.collect::<Vec<_>>() });
        println!("{}", serde_json::to_string_pretty(&all)?);
    } else {
        println!(
            "{inputs} inputs for {} targets, {failed} failed",
            tried.len()
        );
    }
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn again(fuzzer: &Path, target: &str, input: &Path) -> String {
    format!(
        "KERVAN_FUZZ_TARGET={target} {} {}",
        fuzzer.display(),
        input.display()
    )
}

/// Names the targets and lays known answers for each below `corpus`.
fn named_targets(corpus: &Path, home: &Path) -> Result<Vec<String>> {
    let mut cargo = cargo_friendly("cargo");
    cargo.args(["build", "--locked", "-p", "kervan-fuzz", "--bin", "targets"]);
    cargo.current_dir(workspace::root());
    run_logged(
        "Building the targets",
        &mut cargo,
        &home.join("targets.log"),
    )?;
    let output = Command::new(workspace::target_dir().join("debug/targets"))
        .arg(corpus)
        .current_dir(workspace::root())
        .output()
        .context("the targets cannot be named")?;
    // It says which known answers are missing.
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        bail!("the known answers cannot be laid into {}", corpus.display());
    }
    let names = String::from_utf8(output.stdout)?;
    Ok(names.lines().map(str::to_owned).collect())
}

/// Builds the fuzzer; the code of this workspace, and no other, tells it what ran.
fn build(home: &Path) -> Result<PathBuf> {
    let wrapper = home.join("instrument.sh");
    fs::write(&wrapper, INSTRUMENT).context("the folder of the fuzzer cannot be written")?;
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755))?;
    let mut cargo = cargo_friendly("cargo");
    cargo
        .args([
            "build",
            "--locked",
            "-p",
            "kervan-fuzz",
            "--features",
            "libfuzzer",
        ])
        .args(["--bin", "libfuzzer"])
        .env("RUSTC_WORKSPACE_WRAPPER", &wrapper)
        .current_dir(workspace::root());
    run_logged("Building the fuzzer", &mut cargo, &home.join("build.log"))
        .context("The fuzzer cannot be built; it needs a C++ compiler (on Debian and Ubuntu: sudo apt install g++)")?;
    Ok(workspace::target_dir().join("debug/libfuzzer"))
}

fn fuzz(fuzzer: &Path, target: &str, seconds: u32, home: &Path) -> Result<Tried> {
    let corpus = home.join("corpus").join(target);
    let findings = home.join("findings").join(target);
    fs::create_dir_all(&findings)?;
    let output = Command::new(fuzzer)
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-max_len={LONGEST_INPUT_BYTES}"))
        .arg(format!("-artifact_prefix={}/", findings.display()))
        .arg(corpus)
        .env("KERVAN_FUZZ_TARGET", target)
        .output()
        .context("the fuzzer cannot be started")?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    fs::write(home.join(format!("{target}.log")), &said)?;
    let tried = |failed| Tried {
        target: target.to_owned(),
        inputs: inputs(&said),
        failed,
    };
    if output.status.success() {
        return Ok(tried(None));
    }
    let Some(input) = said
        .lines()
        .find_map(|line| line.split("Test unit written to ").nth(1))
    else {
        bail!(
            "the fuzzer itself failed; see {}",
            home.join(format!("{target}.log")).display()
        );
    };
    Ok(tried(Some(PathBuf::from(input))))
}

/// The number of inputs that the fuzzer says it ran: at its end, or in its last line of progress.
fn inputs(said: &str) -> u64 {
    let done = said
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("Done "));
    let last = said.lines().rev().find_map(|line| line.strip_prefix('#'));
    let number = done.or(last).unwrap_or_default();
    let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::inputs;

    #[test]
    fn the_inputs_are_counted_at_the_end_or_where_it_stopped() {
        assert_eq!(
            inputs("#2\tINITED\n#17\tNEW\nDone 157788 runs in 21 second(s)\n"),
            157_788
        );
        assert_eq!(
            inputs("#2\tINITED\n#4096\tpulse cov: 1\n==1== ERROR: libFuzzer\n"),
            4_096
        );
        assert_eq!(inputs(""), 0);
    }
}
