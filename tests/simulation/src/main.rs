//! `simulate`: the purchase protocol, broken on purpose. `cargo kervan simulate` runs it.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is a program for a terminal"
)]

mod report;

use anyhow::{Result, bail};
use clap::{Parser, ValueEnum};
use kervan::guards::Guard;
use kervan_simulation::{
    Effort, Fault, Schedule, Summary, calm, depth_one, depth_two, named, run_all, scenarios,
    search, seeds, seeds_of,
};
use report::{Progress, Section};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Run Kervan's real flows and adapters against the simulated marketplaces in one process, let everything fail, and check
/// that nothing is bought twice, lost or forgotten.
///
/// Without options: every scenario with every single fault, every pair of faults on the road to the purchase, 10,000 seeds,
/// and each guard taken away once.
#[derive(Debug, Parser)]
#[command(
    name = "simulate",
    bin_name = "cargo kervan simulate",
    after_help = "\
Examples:
  cargo kervan simulate                                   everything; some minutes
  cargo kervan simulate --seeds 100000                    as many random schedules as you want
  cargo kervan simulate --seed 4711 --trace               one of them, step by step
  cargo kervan simulate --scenario cancel --depth 1       one scenario with every single fault
  cargo kervan simulate --scenario plain --fault 13:late --trace
  cargo kervan simulate --guards                          take each guard away and see who notices

A schedule that fails is printed as the options that repeat it. The exit code is 0 only if every invariant held and every \
guard was missed."
)]
struct Arguments {
    /// Run so many random schedules
    #[arg(long, value_name = "N")]
    seeds: Option<u64>,
    /// The first of them
    #[arg(long, value_name = "SEED", default_value_t = 0, requires = "seeds")]
    first: u64,
    /// Run the schedule of this seed
    #[arg(long, value_name = "SEED", conflicts_with_all = ["seeds", "scenario"])]
    seed: Option<u64>,
    /// Run this scenario only
    #[arg(long, value_name = "NAME")]
    scenario: Option<String>,
    /// Let a fault happen at an effect point of the scenario; may be repeated
    #[arg(long, value_name = "POINT:FAULT", requires = "scenario", value_parser = fault)]
    fault: Vec<(u64, Fault)>,
    /// Let the scenario's disturbance happen before this effect point
    #[arg(long, value_name = "POINT", requires = "scenario")]
    disturb: Option<u64>,
    /// Run every schedule with one fault, or with two on the road to the purchase
    #[arg(long, value_enum, value_name = "1|2")]
    depth: Option<Depth>,
    /// Take each guard away and search for a schedule that misses it
    #[arg(long)]
    guards: bool,
    /// Print every step of the schedule
    #[arg(long)]
    trace: bool,
    /// List the scenarios and the faults
    #[arg(long)]
    list: bool,
    /// Threads [default: one a processor]
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Depth {
    /// Every effect point with every fault
    #[value(name = "1")]
    One,
    /// Every pair of faults on the road to the purchase
    #[value(name = "2")]
    Two,
}

/// Failures that are shown; a defect usually breaks thousands of schedules.
const MOST_FAILURES: usize = 20;
/// Random schedules of a run of everything.
const USUAL_SEEDS: u64 = 10_000;
/// The scenarios whose pairs of faults are all tried: one for each way of settling a doubt.
const DEEP: [&str; 2] = ["plain", "search-only"];

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
    let is_many = arguments.depth.is_some() || arguments.seeds.is_some() || arguments.guards;
    let scenario = arguments.scenario.as_deref().and_then(named);
    Ok(scenario
        .filter(|_| !is_many)
        .map(|scenario| Schedule::Faults {
            scenario: scenario.name,
            faults: arguments.fault.clone(),
            disturb_at: arguments.disturb,
        }))
}

/// Runs as much as was asked for, or everything.
fn many(arguments: &Arguments) -> Result<ExitCode> {
    let all = arguments.depth.is_none() && arguments.seeds.is_none() && !arguments.guards;
    let jobs = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let jobs = arguments.jobs.unwrap_or(jobs).max(1);
    let chosen = || {
        let all = scenarios().into_iter();
        let is_chosen = |name| arguments.scenario.as_deref().is_none_or(|one| one == name);
        all.filter(move |scenario| is_chosen(scenario.name))
    };
    let mut sections = Vec::new();
    if all || arguments.depth == Some(Depth::One) {
        let list: Vec<Schedule> = chosen()
            .flat_map(|scenario| {
                let mut list = vec![calm(&scenario)];
                list.extend(depth_one(&scenario));
                list
            })
            .collect();
        sections.push(section("every single fault", &list, jobs, arguments.json));
    }
    if all || arguments.depth == Some(Depth::Two) {
        let is_deep = |name| arguments.scenario.is_some() || DEEP.contains(&name);
        let deep = chosen().filter(|scenario| is_deep(scenario.name));
        let list: Vec<Schedule> = deep.flat_map(|scenario| depth_two(&scenario)).collect();
        let title = "every pair of faults on the road to the purchase";
        sections.push(section(title, &list, jobs, arguments.json));
    }
    if let Some(count) = arguments.seeds.or_else(|| all.then_some(USUAL_SEEDS)) {
        let list = match arguments.scenario.as_deref().and_then(named) {
            Some(scenario) => seeds_of(&scenario, count),
            None => seeds(arguments.first, count),
        };
        sections.push(section("random schedules", &list, jobs, arguments.json));
    }
    let guards = if all || arguments.guards {
        let started = Instant::now();
        Some((without_guards(jobs, arguments.json), started.elapsed()))
    } else {
        None
    };
    report::many(&sections, guards.as_ref(), arguments.json)
}

fn section(title: &'static str, list: &[Schedule], jobs: usize, quiet: bool) -> Section {
    let started = Instant::now();
    let progress = Progress::new(title, list.len(), quiet);
    let effort = Effort {
        jobs,
        most_failures: MOST_FAILURES,
        without: None,
    };
    let summary: Summary = run_all(list, effort, &|done| progress.at(done));
    progress.end();
    Section {
        title,
        listed: list.len(),
        summary,
        took: started.elapsed(),
    }
}

/// Each guard is searched for by one thread; several guards at once.
fn without_guards(jobs: usize, quiet: bool) -> Vec<kervan_simulation::Search> {
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let progress = Progress::new("guards taken away", Guard::ALL.len(), quiet);
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some(guard) = Guard::ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let search = search(*guard);
                    let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                    found.extend(search);
                    progress.at(found.len());
                }
            });
        }
    });
    progress.end();
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort_by_key(|search| search.guard);
    found
}
