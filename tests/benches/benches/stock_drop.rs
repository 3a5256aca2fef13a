//! How long customers can still buy what the supplier has sold out: a shop is deployed on a local stack, a simulated supplier's
//! stock goes to zero, and the simulated channels are watched until they show zero.
//!
//! First the road alone, from the poller's message on: one offer after the other. Then with the wait for the schedule, from an
//! offer's time having come, at a random moment of the schedule's minute. The wait until that time, 1 to 60 minutes, is the
//! polling's rule and not measured here. Other moments: `cargo bench -p kervan-benches --bench stock_drop -- --seed 2`.
//!
//! `cargo kervan bench --only stock-drop`

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it prints its figures"
)]

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use kervan::domain::{OfferId, Sku};
use kervan::flows::{InventoryTask, catalog, ledger};
use kervan::queue::{Outgoing, Queue};
use kervan::store::{Write, keys};
use kervan_benches::options::Options;
use kervan_infra::shop::{Shop, ShopOptions};
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Skus that AliExpress alone has: their stock alone decides.
const SKUS: [&str; 4] = ["LAMP-BRASS", "LAMP-WHITE", "TEAPOT-08", "RUG-SMALL"];
/// Units before the drop.
const STOCK: u32 = 50;
const LONGEST: Duration = Duration::from_secs(180);
/// How often the template's schedule looks for what is due.
const SCHEDULE_MS: u64 = 60_000;
const LOOKS_EVERY: Duration = Duration::from_millis(20);

/// Numbers by a seed (splitmix64), so that a run can be repeated.
struct Random(u64);

impl Random {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// An offer of AliExpress that is dropped.
struct Dropped {
    sku: &'static str,
    offer: OfferId,
    product: u64,
    variant: u64,
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::of_program();
    let seed = options.value("--seed", 1)?;
    let progress = Arc::new(|line: &str| eprintln!("{line}"));
    let shop = Shop::open(
        ShopOptions {
            stock: STOCK,
            ..ShopOptions::default()
        },
        progress,
    )
    .await?;
    let measured = measure(&shop, seed).await;
    shop.close().await;
    let (road, scheduled) = measured?;
    if options.has("--json") {
        println!(
            "{}",
            json!({ "road_s": road, "with_schedule_s": scheduled })
        );
        return Ok(());
    }
    println!(
        "{:<48} {:>9} {:>9} {:>6}",
        "stock drop to 0 at the supplier, until", "median", "longest", "drops"
    );
    print("all channels show 0, from the poller's message", road);
    print("all channels show 0, from the time being due", scheduled);
    Ok(())
}

fn print(what: &str, mut seconds: Vec<f64>) {
    seconds.sort_by(f64::total_cmp);
    let median = seconds.get(seconds.len() / 2).copied().unwrap_or_default();
    let longest = seconds.last().copied().unwrap_or_default();
    println!(
        "{what:<48} {median:>7.2} s {longest:>7.2} s {:>6}",
        seconds.len()
    );
}

async fn measure(shop: &Shop, seed: u64) -> Result<(Vec<f64>, Vec<f64>)> {
    let mut dropped = Vec::new();
    for sku in SKUS {
        dropped.push(find(shop, sku).await?);
    }
    let mut road = Vec::new();
    for offer in &dropped {
        offer.set_stock(shop, 0)?;
        let started = Instant::now();
        offer.look(shop).await?;
        offer.wait(shop, |quantity| quantity == 0).await?;
        road.push(started.elapsed().as_secs_f64());
    }
    for offer in &dropped {
        offer.set_stock(shop, STOCK)?;
        offer.look(shop).await?;
        offer.wait(shop, |quantity| quantity > 0).await?;
    }
    let (mut scheduled, mut random) = (Vec::new(), Random(seed));
    for offer in &dropped {
        // The offer before was published right after the schedule's tick: without a wait, all times would begin there.
        let wait = random.next() % SCHEDULE_MS;
        tokio::time::sleep(Duration::from_millis(wait)).await;
        offer.set_stock(shop, 0)?;
        let started = Instant::now();
        offer.make_due(shop).await?;
        offer.wait(shop, |quantity| quantity == 0).await?;
        scheduled.push(started.elapsed().as_secs_f64());
    }
    Ok((road, scheduled))
}

async fn find(shop: &Shop, sku: &'static str) -> Result<Dropped> {
    let entry = catalog::load(&*shop.store, &Sku::parse(sku)?).await?;
    let offer = entry
        .offers
        .into_iter()
        .next()
        .context("a sku without an offer")?
        .offer
        .id;
    Ok(Dropped {
        sku,
        product: offer.product.parse()?,
        variant: offer.variant.parse()?,
        offer,
    })
}

impl Dropped {
    fn set_stock(&self, shop: &Shop, stock: u32) -> Result<()> {
        let supplier = &shop.simulators.aliexpress;
        Ok(supplier.set_stock(self.product, self.variant, stock)?)
    }

    /// Sends what the poller sends.
    async fn look(&self, shop: &Shop) -> Result<()> {
        let offers = vec![(Sku::parse(self.sku)?, self.offer.clone())];
        let task = ledger::write(&InventoryTask::Look {
            offers,
            queued_at: None,
        })?;
        let queue = shop.queue(&shop.deployment.queues.inventory);
        Ok(queue.send(vec![Outgoing::now(task)]).await?)
    }

    /// Lets the offer's time come now, in the lane that it is in.
    async fn make_due(&self, shop: &Shop) -> Result<()> {
        let key = keys::offer(&Sku::parse(self.sku)?, &self.offer);
        let item = shop.store.get(&key).await?.context("the offer is gone")?;
        let mut due = item.due.context("the offer is never due")?;
        due.at = Timestamp::now();
        let write = Write::Update {
            key,
            set_body: None,
            set_due: Some(Some(due)),
            add: Vec::new(),
            only_if: Vec::new(),
        };
        Ok(shop.store.write(vec![write]).await?)
    }

    /// Waits until all channels that list the sku show such a quantity.
    async fn wait(&self, shop: &Shop, is_shown: impl Fn(u32) -> bool) -> Result<()> {
        let started = Instant::now();
        loop {
            let ebay = shop.simulators.ebay.listings().into_iter();
            let amazon = shop.simulators.amazon.listings().into_iter();
            let shown = ebay
                .map(|listing| (listing.sku, listing.quantity))
                .chain(amazon.map(|listing| (listing.sku, listing.quantity)));
            let mut of_sku = shown.filter(|(sku, _)| sku == self.sku);
            if of_sku.all(|(_, quantity)| is_shown(quantity)) {
                return Ok(());
            }
            if started.elapsed() > LONGEST {
                bail!("{} was not published within {LONGEST:?}", self.sku);
            }
            tokio::time::sleep(LOOKS_EVERY).await;
        }
    }
}
