//! `kervan demo`: customers buy, and every order's way is shown.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo kervan demo                 20 orders, from the purchase to the delivered parcel
  cargo kervan demo --orders 100
  cargo kervan demo --seed 7        the same customers and orders each time
  cargo kervan demo --keep          leave it running and print the addresses; Ctrl-C ends it
  cargo kervan demo --json          the summary as JSON on standard output

Everything runs on this machine: the marketplaces are simulated, and MiniStack stands for AWS. The first run installs \
tools below target/ and compiles the functions, which takes minutes; later runs start in seconds. The exit code is 0 \
only if every order arrived.")]
pub(super) struct Arguments {
    /// How many orders customers place.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    orders: u32,
    /// Leave it running afterwards and print the addresses, until Ctrl-C.
    #[arg(long)]
    keep: bool,
    /// Print the summary as JSON.
    #[arg(long)]
    json: bool,
    /// What the customers, their baskets and their addresses are drawn from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(super) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let Arguments {
        orders,
        keep: _,
        json: _,
        seed: _,
    } = arguments;
    bail!("The demo of {orders} orders does not exist yet")
}
