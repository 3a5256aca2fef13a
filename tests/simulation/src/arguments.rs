//! The options. The command `kervan` reads this file too: it answers `--help` and a wrong option without building the
//! simulation first.

use clap::{Parser, ValueEnum};
use std::path::PathBuf;

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
  cargo kervan simulate                                   everything; about half an hour on two cores
  cargo kervan simulate --sample                          the sample that every commit runs; some minutes
  cargo kervan simulate --seeds 100000                    as many random schedules as you want
  cargo kervan simulate --seed 4711 --trace               one of them, step by step
  cargo kervan simulate --scenario cancel --depth 1       one scenario with every single fault
  cargo kervan simulate --scenario plain --fault 13:late --trace
  cargo kervan simulate --guards                          take each guard away and see who notices

A schedule that fails is printed as the options that repeat it. The exit code is 0 only if every listed schedule was run, \
every invariant held and every guard was missed; of the sample, at least 25 of the 28 guards have to be missed by the \
sample alone."
)]
pub(crate) struct Arguments {
    /// Run so many random schedules
    #[arg(long, value_name = "N")]
    pub(crate) seeds: Option<u64>,
    /// The first of them
    #[arg(long, value_name = "SEED", default_value_t = 0, requires = "seeds")]
    pub(crate) first: u64,
    /// Run the schedule of this seed
    #[arg(long, value_name = "SEED", conflicts_with_all = ["seeds", "scenario"])]
    pub(crate) seed: Option<u64>,
    /// Run this scenario only
    #[arg(long, value_name = "NAME")]
    pub(crate) scenario: Option<String>,
    /// Let a fault happen at an effect point of the scenario; may be repeated
    #[arg(long, value_name = "POINT:FAULT", requires = "scenario")]
    pub(crate) fault: Vec<String>,
    /// Let the scenario's disturbance happen before this effect point
    #[arg(long, value_name = "POINT", requires = "scenario")]
    pub(crate) disturb: Option<u64>,
    /// Run every schedule with one fault, or with two on the road to the purchase
    #[arg(long, value_enum, value_name = "1|2")]
    pub(crate) depth: Option<Depth>,
    /// Take each guard away and run the schedule that is known to miss it, or search for one
    #[arg(long)]
    pub(crate) guards: bool,
    /// Run the sample of everything that every commit runs, and measure which guards it misses
    #[arg(long, conflicts_with_all = ["seeds", "seed", "depth", "guards", "fault", "disturb"])]
    pub(crate) sample: bool,
    /// Which sample: 0 to 255 [default: the first byte of the commit's tree, 0 where files were changed]
    #[arg(long, value_name = "N", requires = "sample")]
    pub(crate) offset: Option<u8>,
    /// Keep in this file which schedules were run, and go on from there where the same program was interrupted
    #[arg(long, value_name = "FILE")]
    pub(crate) resume: Option<PathBuf>,
    /// Print every step of the schedule
    #[arg(long)]
    pub(crate) trace: bool,
    /// List the scenarios and the faults
    #[arg(long)]
    pub(crate) list: bool,
    /// Threads [default: one a processor]
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<usize>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Depth {
    /// Every effect point with every fault
    #[value(name = "1")]
    One,
    /// Every pair of faults on the road to the purchase
    #[value(name = "2")]
    Two,
}
