//! `simulate`: the purchase protocol, broken on purpose. `cargo kervan simulate` runs it.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is a program for a terminal"
)]

mod arguments;
mod offset;
mod report;
mod resume;

use anyhow::{Result, bail};
use arguments::{Arguments, Depth};
use clap::Parser;
use kervan_simulation::{
    Breadth, Effort, Fault, NOTICED_BY_SAMPLE_MIN, Pass, Schedule, named, one_fault_pass, passes,
    processors, search, search_sample, seeds, two_faults_pass, with_every_guard,
};
use report::{Guards, Progress, Section};
use resume::Resume;
use std::process::ExitCode;
use std::time::Instant;

/// Failures that are shown; a defect usually breaks thousands of schedules.
const FAILURES_MAX: usize = 20;

fn fault(text: &str) -> Result<(u64, Fault), String> {
    let (point, name) = text.split_once(':').ok_or("as in 13:late")?;
    let point = point
        .parse()
        .map_err(|_| "the point is a number, as in 13:late")?;
    let named = |fault: &Fault| fault.name() == name;
    let names = || Fault::ALL.map(Fault::name).join(", ");
    let fault = Fault::ALL.into_iter().find(named);
    let fault = fault.ok_or_else(|| format!("there is no fault {name}; there are {}", names()))?;
    Ok((point, fault))
}

fn main() -> ExitCode {
    run(&Arguments::parse()).unwrap_or_else(|error| {
        eprintln!("Error: {error:#}");
        ExitCode::FAILURE
    })
}

fn run(arguments: &Arguments) -> Result<ExitCode> {
    if arguments.list {
        report::list(arguments.json);
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(name) = &arguments.scenario
        && named(name).is_none()
    {
        bail!("There is no scenario {name}. See: cargo kervan simulate --list");
    }
    if let Some(schedule) = one_schedule(arguments)? {
        return report::one(&schedule, arguments.trace, arguments.json);
    }
    if arguments.trace {
        bail!("--trace needs one schedule: --seed N, or --scenario NAME with --fault or --disturb");
    }
    many(arguments)
}

/// The one schedule that was asked for, if it was one.
fn one_schedule(arguments: &Arguments) -> Result<Option<Schedule>> {
    if let Some(seed) = arguments.seed {
        return Ok(Some(Schedule::Seed(seed)));
    }
    let faults = arguments.fault.iter().map(|text| fault(text));
    let faults = faults.collect::<Result<Vec<_>, _>>();
    let faults = faults.map_err(|problem| anyhow::anyhow!("--fault: {problem}"))?;
    let is_many = arguments.depth.is_some()
        || arguments.seeds.is_some()
        || arguments.guards
        || arguments.sample;
    let scenario = arguments.scenario.as_deref().and_then(named);
    Ok(scenario
        .filter(|_| !is_many)
        .map(|scenario| Schedule::Faults {
            scenario: scenario.name,
            faults,
            disturb_at: arguments.disturb,
        }))
}

/// Runs as much as was asked for, or everything.
fn many(arguments: &Arguments) -> Result<ExitCode> {
    let jobs = arguments.jobs.unwrap_or_else(processors).max(1);
    let quiet = arguments.json;
    let offset = match (arguments.sample, arguments.offset) {
        (true, None) => Some(offset::of_this_commit()),
        (true, Some(offset)) => Some(offset::Offset::asked_for(offset)),
        (false, _) => None,
    };
    if let Some(offset) = &offset
        && !quiet
    {
        println!("sample, offset {offset}");
    }
    let mut resume = Resume::open(arguments.resume.as_deref())?;
    let mut sections = Vec::new();
    for pass in chosen_passes(arguments, offset.as_ref().map(offset::Offset::number))? {
        sections.push(section(pass, jobs, quiet, &mut resume)?);
    }
    let is_everything = arguments.depth.is_none() && arguments.seeds.is_none();
    let guards = if arguments.guards || is_everything {
        let taken = guards_taken_away("guards taken away", quiet, |progress| {
            with_every_guard(search, jobs, progress)
        })?;
        Some(Guards::each(taken))
    } else {
        None
    };
    let strength = match &offset {
        Some(offset) if arguments.scenario.is_none() => {
            let number = offset.number();
            let taken =
                guards_taken_away("guards taken away from the sample", quiet, |progress| {
                    with_every_guard(|guard| search_sample(guard, number), jobs, progress)
                })?;
            Some(Guards::by_sample(taken, NOTICED_BY_SAMPLE_MIN))
        }
        _ => None,
    };
    let all: Vec<Guards> = guards.into_iter().chain(strength).collect();
    let code = report::many(&sections, &all, offset.as_ref(), arguments.json);
    resume.end()?;
    Ok(code)
}

fn chosen_passes(arguments: &Arguments, offset: Option<u64>) -> Result<Vec<Pass>> {
    let only = arguments.scenario.as_deref();
    if let Some(offset) = offset {
        return passes(Breadth::Sample { offset }, only);
    }
    let mut chosen = Vec::new();
    if arguments.depth == Some(Depth::One) {
        chosen.push(one_fault_pass(Breadth::Full, only)?);
    }
    if arguments.depth == Some(Depth::Two) {
        chosen.push(two_faults_pass(Breadth::Full, only)?);
    }
    if let Some(count) = arguments.seeds {
        let schedules = match only {
            Some(name) => kervan_simulation::seeds_of_scenario(
                name,
                arguments.first,
                count.saturating_mul(kervan_simulation::scenarios().len() as u64),
            ),
            None => seeds(arguments.first, count),
        };
        chosen.push(Pass {
            title: "random schedules",
            floor: schedules.len(),
            schedules,
        });
    }
    if chosen.is_empty() && !arguments.guards {
        return passes(Breadth::Full, only);
    }
    Ok(chosen)
}

fn section(pass: Pass, jobs: usize, quiet: bool, resume: &mut Resume) -> Result<Section> {
    let started = Instant::now();
    let listed = pass.schedules.len();
    let progress = Progress::new(pass.title, listed, quiet);
    let effort = Effort {
        jobs,
        failures_max: FAILURES_MAX,
        without: None,
    };
    let summary = resume.run(&pass, effort, &progress)?;
    progress.end();
    Ok(Section {
        title: pass.title,
        listed,
        floor: pass.floor,
        summary,
        took: started.elapsed(),
    })
}

fn guards_taken_away(
    title: &'static str,
    quiet: bool,
    search: impl FnOnce(&(dyn Fn(usize) + Sync)) -> Result<Vec<kervan_simulation::Search>>,
) -> Result<(Vec<kervan_simulation::Search>, std::time::Duration)> {
    let started = Instant::now();
    let count = kervan::guards::Guard::ALL.len();
    let progress = Progress::new(title, count, quiet);
    let found = search(&|done| progress.at(done))?;
    progress.end();
    Ok((found, started.elapsed()))
}
