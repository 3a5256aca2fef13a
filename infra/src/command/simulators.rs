//! `kervan simulators`: the simulated marketplaces alone.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo kervan simulators
  cargo kervan simulators --ebay-port 8101 --aliexpress-port 8102

Any client of these marketplaces can talk to them unchanged; point it at the printed addresses.")]
pub(super) struct Arguments {
    /// Port of the simulated eBay; 0 for one that is free.
    #[arg(long, default_value_t = 8101)]
    ebay_port: u16,
    /// Port of the simulated AliExpress; 0 for one that is free.
    #[arg(long, default_value_t = 8102)]
    aliexpress_port: u16,
}

pub(super) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let Arguments {
        ebay_port,
        aliexpress_port,
    } = arguments;
    bail!("The simulators for the ports {ebay_port} and {aliexpress_port} do not exist yet")
}
