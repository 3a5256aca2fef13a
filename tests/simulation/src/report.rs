//! What the simulation says to a person or to a machine.

use anyhow::{Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use kervan_simulation::{Failure, Fault, Sales, Schedule, Search, Summary, scenarios};
use serde_json::{Value, json};
use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

/// A line that moves in a terminal.
pub(crate) struct Progress(Option<ProgressBar>);

impl Progress {
    pub(crate) fn new(title: &'static str, length: usize, quiet: bool) -> Self {
        if quiet {
            return Self(None);
        }
        if !std::io::stderr().is_terminal() {
            eprintln!("{title}: {length}");
            return Self(None);
        }
        let bar = ProgressBar::new(length as u64);
        let style = ProgressStyle::with_template("{msg}  {bar:30} {pos}/{len}  {eta} left");
        Self(Some(match style {
            Ok(style) => bar.with_style(style).with_message(title),
            Err(_) => bar,
        }))
    }

    pub(crate) fn at(&self, done: usize) {
        if let Some(bar) = &self.0 {
            bar.set_position(done as u64);
        }
    }

    pub(crate) fn end(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

/// What came of one kind of schedules.
pub(crate) struct Section {
    pub(crate) title: &'static str,
    pub(crate) listed: usize,
    pub(crate) summary: Summary,
    pub(crate) took: Duration,
}

/// The scenarios and the faults.
pub(crate) fn list(as_json: bool) {
    let all = scenarios();
    if as_json {
        let stories: Vec<Value> = all
            .iter()
            .map(|one| json!({ "name": one.name, "about": one.about }))
            .collect();
        let faults: Vec<Value> = Fault::ALL
            .iter()
            .map(|fault| json!({ "name": fault.name(), "about": fault.words() }))
            .collect();
        println!("{}", json!({ "scenarios": stories, "faults": faults }));
        return;
    }
    println!("Scenarios");
    for one in &all {
        println!("  {:<18} {}", one.name, one.about);
    }
    println!("Faults");
    for fault in Fault::ALL {
        println!("  {:<18} {}", fault.name(), fault.words());
    }
}

/// One schedule, with its steps where they were asked for.
pub(crate) fn one(schedule: &Schedule, traced: bool, as_json: bool) -> Result<ExitCode> {
    let Some(outcome) = schedule.run(traced) else {
        bail!("The schedule cannot be run: {schedule}");
    };
    let scenario = schedule.scenario().map_or("", |scenario| scenario.name);
    let violations: Vec<String> = outcome.violations.iter().map(ToString::to_string).collect();
    if as_json {
        let value = json!({
            "schedule": schedule.to_string(),
            "scenario": scenario,
            "effect_points": outcome.effects,
            "road": outcome.road,
            "steps": outcome.steps,
            "ends": outcome.ends,
            "sales": sales_value(&outcome.sales),
            "violations": violations,
            "trace": outcome.trace,
        });
        println!("{value}");
    } else {
        for line in &outcome.trace {
            println!("{line}");
        }
        println!("scenario  {scenario}");
        println!(
            "steps     {}, {} of them effect points",
            outcome.steps, outcome.effects
        );
        println!("orders    {}", outcome.ends.join(", "));
        if outcome.sales.sold > 0 {
            println!("sales     {}", outcome.sales);
        }
        for violation in &violations {
            println!("BROKEN    {violation}");
        }
    }
    Ok(code(violations.is_empty()))
}

/// Many schedules, and the guards.
pub(crate) fn many(
    sections: &[Section],
    guards: Option<&(Vec<Search>, Duration)>,
    as_json: bool,
) -> Result<ExitCode> {
    let held = sections.iter().all(|one| one.summary.failures.is_empty());
    let searches = guards.map_or(&[][..], |(searches, _)| searches);
    let missed = searches.iter().all(|search| search.noticed.is_some());
    if as_json {
        let sections: Vec<Value> = sections.iter().map(section_value).collect();
        let guards: Vec<Value> = searches.iter().map(search_value).collect();
        println!("{}", json!({ "schedules": sections, "guards": guards }));
        return Ok(code(held && missed));
    }
    for Section {
        title,
        listed,
        summary,
        took,
    } in sections
    {
        println!(
            "{title}: {} of {listed} schedules in {:.1} s, {} effect points, {} steps, {}",
            summary.schedules,
            took.as_secs_f64(),
            summary.effects,
            summary.steps,
            match summary.failures.len() {
                0 => "every invariant held".to_owned(),
                failures => format!("{failures} FAILED"),
            }
        );
        if summary.sales.sold > 0 {
            println!("  {}", summary.sales);
        }
        for Failure { schedule, outcome } in &summary.failures {
            println!("  cargo kervan simulate {schedule} --trace");
            for violation in &outcome.violations {
                println!("    {violation}");
            }
        }
    }
    if let Some((_, took)) = guards {
        let count = searches.len();
        println!(
            "{count} guards, each taken away, in {:.1} s",
            took.as_secs_f64()
        );
        println!(
            "  {:<18} {:<18} {:>9}  noticed by",
            "guard", "scenario", "schedules"
        );
    }
    for search in searches {
        let noticed = search.noticed.as_ref().map_or_else(
            || "NOBODY".to_owned(),
            |failure| {
                let first = failure.outcome.violations.first();
                let what = first.map_or_else(String::new, ToString::to_string);
                format!("{what}   ({})", failure.schedule)
            },
        );
        let (guard, scenario) = (format!("{:?}", search.guard), search.scenario);
        println!(
            "  {guard:<18} {scenario:<18} {:>9}  {noticed}",
            search.schedules
        );
    }
    Ok(code(held && missed))
}

fn section_value(section: &Section) -> Value {
    let failures: Vec<Value> = section
        .summary
        .failures
        .iter()
        .map(|failure| {
            let violations = failure.outcome.violations.iter();
            let violations: Vec<String> = violations.map(ToString::to_string).collect();
            json!({ "schedule": failure.schedule.to_string(), "violations": violations })
        })
        .collect();
    json!({
        "title": section.title,
        "listed": section.listed,
        "run": section.summary.schedules,
        "effect_points": section.summary.effects,
        "steps": section.summary.steps,
        "sales": sales_value(&section.summary.sales),
        "seconds": section.took.as_secs_f64(),
        "failures": failures,
    })
}

fn sales_value(sales: &Sales) -> Value {
    json!({
        "sold": sales.sold,
        "turned_away": sales.turned_away,
        "oversold_within_rule": sales.within_rule,
        "oversold_on_its_way": sales.on_its_way,
        "oversold_unknowable": sales.unknowable,
    })
}

fn search_value(search: &Search) -> Value {
    let noticed = search.noticed.as_ref();
    json!({
        "guard": format!("{:?}", search.guard),
        "scenario": search.scenario,
        "schedules": search.schedules,
        "schedule": noticed.map(|failure| failure.schedule.to_string()),
        "violation": noticed.and_then(|failure| failure.outcome.violations.first()).map(ToString::to_string),
    })
}

fn code(good: bool) -> ExitCode {
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
