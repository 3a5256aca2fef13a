//! `kervan bench`: how fast it decides, how many offers it can keep in step, what that costs, and how long a stock drop takes
//! on the deployed stack. The benches are programs of their own, built as the functions are.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use kervan_infra::process::cargo_friendly;
use kervan_infra::workspace;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo kervan bench                            decisions and a million offers in memory; minutes, and some 4.5 GB of memory
  cargo kervan bench --offers 100000            fewer offers
  cargo kervan bench --only decisions
  cargo kervan bench --deployed                 a stock drop on the deployed local stack too; some minutes more
  cargo kervan bench --only stock-road --json   the figures as JSON, one line a bench

The first run compiles everything as it ships, which takes minutes. Figures are of this machine, on one core. Calls are counted at \
the ports; the costs a month are computed from them and from AWS's list prices, which tests/benches/src/costs.rs holds. \
What cold starts take is measured by cargo bench -p kervan-benches --bench cold_start.")]
pub(super) struct Arguments {
    /// Run only this bench; may be repeated
    #[arg(long, value_name = "BENCH")]
    only: Vec<Bench>,
    /// Leave this bench out; may be repeated
    #[arg(long, value_name = "BENCH")]
    skip: Vec<Bench>,
    /// Deploy the local stack and measure a stock drop there too
    #[arg(long)]
    deployed: bool,
    /// Offers of the road in memory
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(100..=10_000_000))]
    offers: u32,
    /// Offers that the supplier of the road in memory tells of in one call
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=200))]
    at_once: u32,
    /// Print JSON, one line a bench
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Bench {
    /// Decisions a second
    Decisions,
    /// Offers looked at and published on the memory ports, and costs a month
    StockRoad,
    /// From a supplier's stock drop to the channels, on the deployed local stack
    StockDrop,
}

impl Bench {
    const ALL: [Self; 3] = [Self::Decisions, Self::StockRoad, Self::StockDrop];

    const fn target(self) -> &'static str {
        match self {
            Self::Decisions => "decisions",
            Self::StockRoad => "stock_road",
            Self::StockDrop => "stock_drop",
        }
    }
}

impl Arguments {
    /// What is run. A stack is only deployed where it was asked for.
    fn benches(&self) -> Vec<Bench> {
        let named = |bench: &Bench| self.only.contains(bench);
        let usual = |bench: &Bench| *bench != Bench::StockDrop || self.deployed;
        Bench::ALL
            .into_iter()
            .filter(|bench| named(bench) || (self.only.is_empty() && usual(bench)))
            .filter(|bench| !self.skip.contains(bench))
            .collect()
    }
}

pub(super) async fn run(arguments: Arguments) -> Result<ExitCode> {
    tokio::task::spawn_blocking(move || {
        for bench in arguments.benches() {
            if !arguments.json {
                println!("\n==> {}", bench.target().replace('_', " "));
            }
            let mut command = cargo_friendly("cargo");
            command
                .args(["bench", "--locked", "--package", "kervan-benches"])
                .args(["--bench", bench.target(), "--"])
                .args(["--offers", &arguments.offers.to_string()])
                .args(["--at-once", &arguments.at_once.to_string()])
                .current_dir(workspace::root());
            if arguments.json {
                command.arg("--json");
            }
            let status = command.status().context("cargo cannot be run")?;
            if !status.success() {
                let code = status.code().and_then(|code| u8::try_from(code).ok());
                return Ok(ExitCode::from(code.unwrap_or(1)));
            }
        }
        Ok(ExitCode::SUCCESS)
    })
    .await?
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

    fn benches(line: &str) -> Vec<Bench> {
        let words = std::iter::once("bench").chain(line.split_whitespace());
        Line::try_parse_from(words).unwrap().arguments.benches()
    }

    #[test]
    fn a_stack_is_deployed_only_where_it_was_asked_for() {
        let in_memory = vec![Bench::Decisions, Bench::StockRoad];
        assert_eq!(benches(""), in_memory);
        assert_eq!(benches("--deployed"), Bench::ALL);
        assert_eq!(benches("--only stock-drop"), [Bench::StockDrop]);
        let skipped = benches("--deployed --skip stock-road");
        assert_eq!(skipped, [Bench::Decisions, Bench::StockDrop]);
    }
}
