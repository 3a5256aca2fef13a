//! `kervan simulators`: the simulated marketplaces alone.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use kervan_marketplaces::{Simulators, SimulatorsConfig, defaults};

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
    /// Port of the simulated Alibaba.com; 0 for one that is free.
    #[arg(long, default_value_t = 8104)]
    alibaba_port: u16,
    /// Port of the simulated 1688; 0 for one that is free.
    #[arg(long, default_value_t = 8105)]
    cn1688_port: u16,
}

pub(super) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let config = SimulatorsConfig {
        ebay_address: local(arguments.ebay_port),
        aliexpress_address: local(arguments.aliexpress_port),
        icbu_address: local(arguments.alibaba_port),
        cn1688_address: local(arguments.cn1688_port),
        ..SimulatorsConfig::default()
    };
    let simulators = Simulators::start(config).await.with_context(|| {
        let Arguments { ebay_port, aliexpress_port, alibaba_port, cn1688_port } = arguments;
        format!(
            "One of the ports {ebay_port}, {aliexpress_port}, {alibaba_port} and {cn1688_port} cannot be used: choose others with --ebay-port, --aliexpress-port, --alibaba-port and --cn1688-port, or 0 for one that is free"
        )
    })?;
    println!("eBay        {}", simulators.ebay_url());
    println!("            client id {}", defaults::EBAY_CLIENT_ID);
    println!("            client secret {}", defaults::EBAY_CLIENT_SECRET);
    println!("            refresh token {}", defaults::EBAY_REFRESH_TOKEN);
    println!("AliExpress  {}", simulators.aliexpress_url());
    println!("            app key {}", defaults::ALIEXPRESS_APP_KEY);
    println!("            app secret {}", defaults::ALIEXPRESS_APP_SECRET);
    println!(
        "            access token {}",
        defaults::ALIEXPRESS_ACCESS_TOKEN
    );
    println!(
        "            refresh token {}",
        defaults::ALIEXPRESS_REFRESH_TOKEN
    );
    println!("Alibaba.com {}", simulators.icbu_url());
    println!("            app key {}", defaults::ALIBABA_APP_KEY);
    println!("            app secret {}", defaults::ALIBABA_APP_SECRET);
    println!(
        "            refresh token {}",
        defaults::ALIBABA_REFRESH_TOKEN
    );
    println!("1688        {}", simulators.cn1688_url());
    println!("            app key {}", defaults::CN1688_APP_KEY);
    println!("            app secret {}", defaults::CN1688_APP_SECRET);
    println!(
        "            refresh token {}",
        defaults::CN1688_REFRESH_TOKEN
    );
    println!(
        "\nControl is below /_control on each, described in tests/marketplaces/README.md. Ctrl-C ends all."
    );
    tokio::signal::ctrl_c()
        .await
        .context("Ctrl-C cannot be watched for")?;
    Ok(ExitCode::SUCCESS)
}
