//! What the simulation says to a person or to a machine.

use crate::offset::Offset;
use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use kervan_simulation::{Failure, Fault, Sales, Schedule, Search, Summary, scenarios};
use serde_json::{Value, json};
use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Between two lines of progress where no terminal shows one that moves.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// A line that moves in a terminal; elsewhere a line every ten seconds.
pub(crate) struct Progress {
    title: &'static str,
    length: usize,
    shown: Shown,
}

enum Shown {
    Nothing,
    Bar(ProgressBar),
    Lines { last: Mutex<Instant> },
}

impl Progress {
    pub(crate) fn new(title: &'static str, length: usize, quiet: bool) -> Self {
        let shown = if quiet {
            Shown::Nothing
        } else if std::io::stderr().is_terminal() {
            let bar = ProgressBar::new(length as u64);
            let style = ProgressStyle::with_template("{msg}  {bar:30} {pos}/{len}  {eta} left");
            Shown::Bar(match style {
                Ok(style) => bar.with_style(style).with_message(title),
                Err(_) => bar,
            })
        } else {
            eprintln!("{title}: {length}");
            let last = Mutex::new(Instant::now());
            Shown::Lines { last }
        };
        Self {
            title,
            length,
            shown,
        }
    }

    pub(crate) fn at(&self, done: usize) {
        match &self.shown {
            Shown::Nothing => {}
            Shown::Bar(bar) => bar.set_position(done as u64),
            Shown::Lines { last } => {
                let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
                if last.elapsed() >= LINE_EVERY {
                    *last = Instant::now();
                    eprintln!("{}: {done} of {}", self.title, self.length);
                }
            }
        }
    }

    /// A sentence beside the progress.
    pub(crate) fn say(&self, line: &str) {
        match &self.shown {
            Shown::Nothing => {}
            Shown::Bar(bar) => bar.println(line),
            Shown::Lines { .. } => eprintln!("{line}"),
        }
    }

    pub(crate) fn end(&self) {
        if let Shown::Bar(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }
}

/// What came of one kind of schedules.
pub(crate) struct Section {
    pub(crate) title: &'static str,
    pub(crate) listed: usize,
    /// Fewer schedules than these mean that a list was lost.
    pub(crate) floor: usize,
    pub(crate) summary: Summary,
    pub(crate) took: Duration,
}

impl Section {
    fn held(&self) -> bool {
        self.listed >= self.floor && self.summary.held(self.listed)
    }

    /// What came of it, in words.
    fn verdict(&self) -> String {
        if !self.summary.failures.is_empty() {
            return format!("{} FAILED", self.summary.failures.len());
        }
        if !self.summary.not_run.is_empty() {
            return format!("{} COULD NOT BE RUN", self.summary.not_run.len());
        }
        if self.listed < self.floor {
            return format!("TOO FEW: at least {} were expected", self.floor);
        }
        if self.summary.schedules != self.listed {
            return "NOT ALL WERE RUN".to_owned();
        }
        "every invariant held".to_owned()
    }
}

/// What came of taking guards away.
pub(crate) struct Guards {
    title: &'static str,
    /// Of a few words, for the last line.
    short: &'static str,
    searches: Vec<Search>,
    /// So many have to be missed.
    needed: usize,
    took: Duration,
}

impl Guards {
    /// Each has to be missed.
    pub(crate) fn each((searches, took): (Vec<Search>, Duration)) -> Self {
        Self {
            title: "guards, each taken away",
            short: "guards missed",
            needed: searches.len(),
            searches,
            took,
        }
    }

    /// So many have to be missed by the sample alone.
    pub(crate) fn by_sample((searches, took): (Vec<Search>, Duration), needed: usize) -> Self {
        Self {
            title: "guards, each taken away, and the sample of its scenario alone",
            short: "by the sample alone",
            needed,
            searches,
            took,
        }
    }

    fn missed(&self) -> usize {
        let missed = self
            .searches
            .iter()
            .filter(|search| search.noticed.is_some());
        missed.count()
    }

    fn held(&self) -> bool {
        self.missed() >= self.needed
    }
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
    let outcome = schedule
        .run(traced)
        .with_context(|| format!("The schedule cannot be run: {schedule}"))?;
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
    guards: &[Guards],
    offset: Option<&Offset>,
    as_json: bool,
) -> ExitCode {
    let held = sections.iter().all(Section::held) && guards.iter().all(Guards::held);
    if as_json {
        let sections: Vec<Value> = sections.iter().map(section_value).collect();
        let guards: Vec<Value> = guards.iter().map(guards_value).collect();
        let offset = offset.map(Offset::number);
        println!(
            "{}",
            json!({ "offset": offset, "schedules": sections, "guards": guards, "held": held })
        );
        return code(held);
    }
    sections.iter().for_each(print_section);
    guards.iter().for_each(print_guards);
    println!("{}", conclusion(sections, guards, offset));
    code(held)
}

/// Everything in one line, the last one: the summary of `cargo kervan test` shows it.
fn conclusion(sections: &[Section], guards: &[Guards], offset: Option<&Offset>) -> String {
    let run: usize = sections.iter().map(|one| one.summary.schedules).sum();
    let mut words = vec![format!("{run} schedules")];
    words.extend(offset.map(|offset| format!("offset {}", offset.number())));
    for one in guards {
        let (missed, all) = (one.missed(), one.searches.len());
        words.push(format!("{missed} of {all} {}", one.short));
    }
    words.join(", ")
}

fn print_section(section: &Section) {
    let summary = &section.summary;
    println!(
        "{}: {} of {} schedules in {:.1} s, {} effect points, {} steps, {}",
        section.title,
        summary.schedules,
        section.listed,
        section.took.as_secs_f64(),
        summary.effects,
        summary.steps,
        section.verdict()
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
    for (schedule, why) in &summary.not_run {
        println!("  cargo kervan simulate {schedule}: {why}");
    }
}

fn print_guards(guards: &Guards) {
    println!(
        "{}: {} of {} missed in {:.1} s{}",
        guards.title,
        guards.missed(),
        guards.searches.len(),
        guards.took.as_secs_f64(),
        if guards.held() {
            String::new()
        } else {
            format!(", at least {} are NEEDED", guards.needed)
        }
    );
    println!(
        "  {:<18} {:<18} {:>9}  noticed by",
        "guard", "scenario", "schedules"
    );
    for search in &guards.searches {
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
        let has_known = guards.needed == guards.searches.len();
        if has_known && !search.was_known && search.noticed.is_some() {
            println!(
                "  {:<18} its known schedule no longer notices: put this one into guarded.rs",
                ""
            );
        }
    }
}

fn guards_value(guards: &Guards) -> Value {
    let each: Vec<Value> = guards.searches.iter().map(search_value).collect();
    json!({
        "title": guards.title,
        "missed": guards.missed(),
        "needed": guards.needed,
        "seconds": guards.took.as_secs_f64(),
        "each": each,
    })
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
        "not_run": section.summary.not_run.len(),
        "held": section.held(),
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
        "was_known": search.was_known,
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
