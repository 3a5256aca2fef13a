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
  cargo kervan simulators --ebay-port 9101 --amazon-port 0

Any client of these marketplaces can talk to them unchanged; point it at the printed addresses.")]
pub(super) struct Arguments {
    /// Port of the simulated eBay; 0 for one that is free.
    #[arg(long, default_value_t = 8101)]
    ebay_port: u16,
    /// Port of the simulated AliExpress; 0 for one that is free.
    #[arg(long, default_value_t = 8102)]
    aliexpress_port: u16,
    /// Port of the simulated Amazon; 0 for one that is free.
    #[arg(long, default_value_t = 8103)]
    amazon_port: u16,
    /// Port of the simulated Alibaba.com; 0 for one that is free.
    #[arg(long, default_value_t = 8104)]
    alibaba_port: u16,
    /// Port of the simulated 1688; 0 for one that is free.
    #[arg(long = "1688-port", default_value_t = 8105)]
    cn1688_port: u16,
}

pub(super) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let config = SimulatorsConfig {
        ebay_address: local(arguments.ebay_port),
        aliexpress_address: local(arguments.aliexpress_port),
        amazon_address: local(arguments.amazon_port),
        icbu_address: local(arguments.alibaba_port),
        cn1688_address: local(arguments.cn1688_port),
        ..SimulatorsConfig::default()
    };
    let simulators = Simulators::start(config).await.with_context(|| {
        let Arguments { ebay_port, aliexpress_port, amazon_port, alibaba_port, cn1688_port } = arguments;
        format!(
            "One of the ports {ebay_port}, {aliexpress_port}, {amazon_port}, {alibaba_port} and {cn1688_port} cannot be used: choose others with --ebay-port, --aliexpress-port, --amazon-port, --alibaba-port and --1688-port, or 0 for one that is free"
        )
    })?;
    show(
        "Amazon",
        &simulators.amazon_url(),
        &[
            ("client id", defaults::AMAZON_CLIENT_ID),
            ("client secret", defaults::AMAZON_CLIENT_SECRET),
            ("refresh token", defaults::AMAZON_REFRESH_TOKEN),
            ("seller id", defaults::AMAZON_SELLER_ID),
            ("marketplace", defaults::AMAZON_MARKETPLACE_ID),
        ],
    );
    show(
        "eBay",
        &simulators.ebay_url(),
        &[
            ("client id", defaults::EBAY_CLIENT_ID),
            ("client secret", defaults::EBAY_CLIENT_SECRET),
            ("refresh token", defaults::EBAY_REFRESH_TOKEN),
        ],
    );
    show(
        "AliExpress",
        &simulators.aliexpress_url(),
        &[
            ("app key", defaults::ALIEXPRESS_APP_KEY),
            ("app secret", defaults::ALIEXPRESS_APP_SECRET),
            ("access token", defaults::ALIEXPRESS_ACCESS_TOKEN),
            ("refresh token", defaults::ALIEXPRESS_REFRESH_TOKEN),
            (
                "shop's access token",
                defaults::ALIEXPRESS_SHOP_ACCESS_TOKEN,
            ),
            (
                "shop's refresh token",
                defaults::ALIEXPRESS_SHOP_REFRESH_TOKEN,
            ),
        ],
    );
    show(
        "Alibaba.com",
        &simulators.icbu_url(),
        &[
            ("app key", defaults::ALIBABA_APP_KEY),
            ("app secret", defaults::ALIBABA_APP_SECRET),
            ("access token", defaults::ALIBABA_ACCESS_TOKEN),
            ("refresh token", defaults::ALIBABA_REFRESH_TOKEN),
            ("seller id", defaults::ALIBABA_SELLER_ID),
        ],
    );
    show(
        "1688",
        &simulators.cn1688_url(),
        &[
            ("app key", defaults::CN1688_APP_KEY),
            ("app secret", defaults::CN1688_APP_SECRET),
            ("access token", defaults::CN1688_ACCESS_TOKEN),
            ("refresh token", defaults::CN1688_REFRESH_TOKEN),
            ("member id", defaults::CN1688_MEMBER_ID),
        ],
    );
    println!(
        "\nControl is below /_control on each, as in GET /_control/orders and POST /_control/faults; more in tests/marketplaces/README.md. Ctrl-C ends all."
    );
    tokio::signal::ctrl_c()
        .await
        .context("Ctrl-C cannot be watched for")?;
    Ok(ExitCode::SUCCESS)
}

/// One marketplace: where it is, and what its clients need.
fn show(name: &str, url: &str, credentials: &[(&str, &str)]) {
    println!("{name:<11}  {url}");
    for (what, value) in credentials {
        println!("{:<11}  {what:<20}  {value}", "");
    }
}
