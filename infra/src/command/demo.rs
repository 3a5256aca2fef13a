//! `kervan demo`: customers buy at Amazon and eBay, goods come from AliExpress and Alibaba.com, and every order's way is
//! shown.

mod freshness;
mod stage;
mod summary;
mod watch;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use jiff::Timestamp;
use kervan_infra::shop::{Shop, ShopOptions};

use tokio::signal::unix::{SignalKind, signal};

use super::progress;
use summary::Summary;
use watch::Watch;

/// Customers come one after the other.
const BETWEEN_CUSTOMERS: Duration = Duration::from_millis(150);

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo kervan demo                 20 orders, from the purchase to the delivered parcel
  cargo kervan demo --orders 100
  cargo kervan demo --seed 7        the same customers and orders each time
  cargo kervan demo --keep          leave it running and print the addresses; Ctrl-C ends it
  cargo kervan demo --json          the summary as JSON on standard output

Customers buy at Amazon and eBay in turn; the goods come from AliExpress and Alibaba.com, those of some orders from both. \
Everything runs on this machine: the marketplaces are simulated, and MiniStack stands for AWS. The first run installs \
tools below target/ and compiles the functions, which takes minutes; later runs start in half a minute. The exit code is 0 \
only if every order arrived.")]
pub(super) struct Arguments {
    /// How many orders customers place, 1 to 10,000.
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
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be watched for")?;
    let code = tokio::select! {
        result = play(&arguments) => return result,
        _ = tokio::signal::ctrl_c() => 130,
        _ = terminate.recv() => 143,
    };
    // What was started went with the future that held it. A build or deployment under way runs on a thread of its own,
    // which only the end of this process ends; their keeper sees to the rest.
    eprintln!("Stopped; nothing is left running.");
    std::process::exit(code)
}

async fn play(arguments: &Arguments) -> Result<ExitCode> {
    let options = ShopOptions {
        seed: arguments.seed,
        stock: 100 + 3 * arguments.orders,
        ..ShopOptions::default()
    };
    let shop = Shop::open(options, progress()).await?;
    let mut watch = Watch::new(arguments.orders as usize);
    for index in 0..arguments.orders {
        let bought_at = Timestamp::now();
        let key = shop.buy(shop.basket(arguments.seed, index))?;
        watch.add(key, bought_at);
        tokio::time::sleep(BETWEEN_CUSTOMERS).await;
        watch.look(&shop).await?;
    }
    watch.until_over(&shop).await?;
    watch.end();
    let summary = Summary::of(&shop, &watch.orders).await?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&summary)?);
    } else {
        summary.print();
    }
    if arguments.keep {
        keep(&shop).await?;
    }
    let good = summary.is_good();
    shop.close().await;
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Prints where everything listens and waits; Ctrl-C ends the demo.
async fn keep(shop: &Shop) -> Result<()> {
    eprintln!("\nAWS endpoint   {}", shop.stack().endpoint());
    eprintln!("table          {}", shop.deployment.table);
    eprintln!(
        "webhooks       {}",
        shop.deployment.webhook_url("{marketplace}", "{account}")
    );
    let simulators = &shop.simulators;
    for (name, url) in [
        ("Amazon", simulators.amazon_url()),
        ("eBay", simulators.ebay_url()),
        ("AliExpress", simulators.aliexpress_url()),
        ("Alibaba.com", simulators.icbu_url()),
    ] {
        eprintln!("{name:<14} {url}   control: {url}/_control/orders");
    }
    eprintln!("log            {}", shop.stack().log_file().display());
    let endpoint = shop.stack().endpoint();
    eprintln!("\nLook around with region us-east-1, access key and secret `test`, or with:");
    eprintln!("  cargo kervan orders attention --endpoint {endpoint}");
    eprintln!("  cargo kervan catalog show LAMP-BRASS --endpoint {endpoint}");
    eprintln!("Everything is left running; Ctrl-C ends it.");
    std::future::pending().await
}
