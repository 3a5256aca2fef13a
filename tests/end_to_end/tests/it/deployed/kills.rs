//! Ends the processes of deployed functions as a crash would, by SIGKILL, and only those of the test's own stack: what
//! is killed descends from the stack's keeper.

use kervan_infra::shop::Shop;
use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

/// The functions that are killed, by the names of their crates.
pub(super) const KILLED: [&str; 4] = [
    "webhook-intake",
    "order-forwarder",
    "tracking-updater",
    "order-sweeper",
];

/// MiniStack takes a process that dies while it starts for a broken function and ends all others of it, which Lambda does
/// not. So processes that are younger than this are spared; a start takes some 10 ms where nothing else runs.
pub(super) const SPARED: Duration = Duration::from_secs(1);

/// As many as run of any function but the door. Of that there can be many more, and to start them all anew at once is more
/// than a small machine can do.
const MOST_AT_ONCE: usize = 10;

/// How many processes of each function were killed.
#[derive(Debug, Default)]
pub(super) struct Kills(BTreeMap<&'static str, u32>);

impl Kills {
    /// Kills the function's processes, of many the youngest; says how many those were.
    pub(super) fn all_of(&mut self, shop: &Shop, function: &'static str) -> u32 {
        let processes = processes_of(shop, function);
        let youngest = processes.len().saturating_sub(MOST_AT_ONCE);
        self.kill(function, &processes[youngest..])
    }

    /// Kills one process of the function, which `number` picks.
    pub(super) fn one_of(&mut self, shop: &Shop, function: &'static str, number: usize) -> u32 {
        let processes = processes_of(shop, function);
        let place = number % processes.len().max(1);
        let one = processes.get(place..=place).unwrap_or_default();
        self.kill(function, one)
    }

    fn kill(&mut self, function: &'static str, processes: &[u32]) -> u32 {
        let killed = processes.iter().filter(|process| send_kill(**process));
        let killed = u32::try_from(killed.count()).unwrap();
        *self.0.entry(function).or_default() += killed;
        killed
    }

    /// How many processes were killed.
    pub(super) fn of(&self, function: &str) -> u32 {
        self.0.get(function).copied().unwrap_or_default()
    }
}

/// How many invocations of the function ended because their process did, by the stack's own log: a process that was idle
/// when it was killed leaves no such line.
pub(super) fn cut_short(log: &str, function: &str) -> usize {
    let name = format!("kervan-{function}: ");
    let died = |line: &&str| {
        line.contains("Runtime exited before returning a response")
            || line.contains("bootstrap exited during init with code -9")
    };
    let lines = log.lines().filter(|line| line.contains(&name));
    lines.filter(died).count()
}

/// The functions of which no invocation was cut short yet.
pub(super) fn not_cut_short(shop: &Shop) -> Vec<&'static str> {
    let log = fs::read(shop.stack().log_file()).unwrap();
    let log = String::from_utf8_lossy(&log);
    let functions = KILLED.into_iter();
    functions
        .filter(|function| cut_short(&log, function) == 0)
        .collect()
}

/// The ids of a function's processes on this shop's stack, the oldest first.
fn processes_of(shop: &Shop, function: &str) -> Vec<u32> {
    let name = format!(
        "AWS_LAMBDA_FUNCTION_NAME={}",
        shop.deployment.function_name(function)
    );
    let uptime = fs::read_to_string("/proc/uptime").unwrap();
    let uptime_s: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
    let is_one = |process: u32| {
        let environment = fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
        let program = fs::read_link(format!("/proc/{process}/exe"));
        let is_bootstrap = program.is_ok_and(|program| program.ends_with("bootstrap"));
        let mut variables = environment.split(|byte| *byte == 0);
        is_bootstrap && variables.any(|variable| variable == name.as_bytes())
    };
    // Counted in hundredths of a second on every Linux.
    let started = |process: u32| stat(process)?.get(19)?.parse::<u64>().ok();
    let below = descendants(shop.stack().keeper_id()).into_iter();
    let mut found: Vec<(u64, u32)> = below
        .filter(|process| is_one(*process))
        .filter_map(|process| Some((started(process)?, process)))
        .filter(|(started, _)| *started as f64 / 100.0 + SPARED.as_secs_f64() < uptime_s)
        .collect();
    found.sort_unstable();
    found.into_iter().map(|(_, process)| process).collect()
}

fn descendants(root: u32) -> Vec<u32> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(process) = entry.file_name().to_str().and_then(|it| it.parse().ok()) else {
            continue;
        };
        let parent = stat(process).and_then(|fields| fields.get(1)?.parse().ok());
        if let Some(parent) = parent {
            children.entry(parent).or_default().push(process);
        }
    }
    let (mut found, mut open) = (Vec::new(), vec![root]);
    while let Some(parent) = open.pop() {
        let below = children.remove(&parent).unwrap_or_default();
        found.extend(&below);
        open.extend(below);
    }
    found
}

/// What the kernel says of a process, from its state on; `None` where it is gone.
fn stat(process: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The command's name stands in parentheses and may itself hold any of them.
    let (_, fields) = text.rsplit_once(')')?;
    Some(fields.split_whitespace().map(str::to_owned).collect())
}

fn send_kill(process: u32) -> bool {
    let mut command = Command::new("kill");
    command.args(["-KILL", &process.to_string()]);
    // One that ended by itself in between is no failure.
    let status = command.stderr(Stdio::null()).status().unwrap();
    status.success()
}
