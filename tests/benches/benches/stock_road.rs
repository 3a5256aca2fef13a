//! A million offers from the supplier's word to the channel, on the memory ports: found due, asked for, compared, published.
//! Then what a look costs at AWS, counted, and what that comes to a month.
//!
//! `cargo kervan bench --only stock-road --offers 1000000`

#![allow(clippy::print_stdout, reason = "it prints its figures")]

use anyhow::Result;
use kervan_benches::costs::{Load, Month, PRICES_OF, PerLook};
use kervan_benches::memory_shop::{MemoryShop, Size, Worked};
use kervan_benches::options::Options;
use serde_json::json;

/// Of so few offers what DynamoDB bills is counted.
const COUNTED_OFFERS: u32 = 10_000;
/// Looks that find a change, of all, where costs are computed.
const CHANGED_SHARE: f64 = 0.02;

/// A pass with the name that it is shown by.
struct Pass {
    name: &'static str,
    worked: Worked,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let options = Options::of_program();
    let size = Size {
        offers: options.value("--offers", 1_000_000)?,
        offers_at_once: options.value("--at-once", 20)?,
        listings_at_once: 25,
        units: false,
    };
    let (passes, memory) = timed(size).await?;
    let (unchanged, changed, stored) = counted(size).await?;
    let months: Vec<Month> = [10_000, 100_000, 1_000_000]
        .into_iter()
        .flat_map(|skus| [60.0, 15.0].map(|every_minutes| (skus, every_minutes)))
        .map(|(skus, every_minutes)| {
            let load = Load {
                skus,
                every_minutes,
                changed_share: CHANGED_SHARE,
            };
            let look = |worked| PerLook::of(worked);
            Month::of(load, look(&unchanged.worked), look(&changed.worked), stored)
        })
        .collect();
    if options.has("--json") {
        let pass = |pass: &Pass| {
            json!({ "pass": pass.name, "offers": pass.worked.due,
            "poll_s": pass.worked.poll_s, "work_s": pass.worked.work_s,
            "per_s": per_s(&pass.worked), "told": pass.worked.told,
            "poll_calls": pass.worked.poll, "work_calls": pass.worked.work })
        };
        let look = |pass: &Pass| PerLook::of(&pass.worked);
        println!(
            "{}",
            json!({
                "passes": passes.iter().map(pass).collect::<Vec<_>>(),
                "memory": memory, "counted": [pass(&unchanged), pass(&changed)],
                "a_look": { "unchanged": look(&unchanged), "changed": look(&changed) },
                "stored_bytes_a_sku": stored, "prices": PRICES_OF, "months": months,
            })
        );
        return Ok(());
    }
    print_passes(&passes, &memory, size);
    print_calls(&[unchanged, changed], size);
    print_months(&months, stored);
    Ok(())
}

/// The passes over all offers, and the memory that the process took, after loading and at most.
async fn timed(size: Size) -> Result<(Vec<Pass>, Vec<(&'static str, u64)>)> {
    let shop = MemoryShop::open(size).await?;
    let mut memory = vec![("the catalogue", memory_mb("VmRSS:"))];
    let mut passes = Vec::new();
    let stocks = [
        ("first look, all published", 0),
        ("nothing changed", 0),
        ("1 % changed", 100),
    ];
    for (name, one_of) in stocks {
        shop.change_stock(one_of);
        let worked = shop.pass().await?;
        passes.push(Pass { name, worked });
    }
    memory.push(("the most", memory_mb("VmHWM:")));
    Ok((passes, memory))
}

/// A pass in which nothing changes and one in which everything does, and the bytes of a sku.
async fn counted(size: Size) -> Result<(Pass, Pass, u64)> {
    let shop = MemoryShop::open(Size {
        offers: size.offers.min(COUNTED_OFFERS),
        units: true,
        ..size
    })
    .await?;
    shop.pass().await?;
    let unchanged = Pass {
        name: "unchanged",
        worked: shop.pass().await?,
    };
    shop.change_stock(1);
    let changed = Pass {
        name: "changed",
        worked: shop.pass().await?,
    };
    Ok((unchanged, changed, shop.stored_bytes().await?))
}

#[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
const fn float(number: u64) -> f64 {
    number as f64
}

fn per_s(worked: &Worked) -> f64 {
    float(worked.due as u64) / (worked.poll_s + worked.work_s)
}

fn print_passes(passes: &[Pass], memory: &[(&'static str, u64)], size: Size) {
    println!(
        "{} skus with an offer and a listing each; {} offers a call of the supplier, {} listings a call of the channel; one core\n",
        size.offers, size.offers_at_once, size.listings_at_once
    );
    println!(
        "{:<28} {:>9} {:>9} {:>9} {:>10} {:>9}",
        "pass", "offers", "find due", "the rest", "offers/s", "told"
    );
    for Pass { name, worked } in passes {
        println!(
            "{name:<28} {:>9} {:>7.1} s {:>7.1} s {:>10.0} {:>9}",
            worked.due,
            worked.poll_s,
            worked.work_s,
            per_s(worked),
            worked.told
        );
    }
    for (name, mb) in memory {
        println!("memory of {name}: {mb} MB");
    }
}

fn print_calls(passes: &[Pass], size: Size) {
    println!(
        "\n{:<28} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>9}",
        "calls an offer", "reads", "writes", "RRU", "WRU", "WRU due", "SQS", "function"
    );
    for Pass { name, worked } in passes {
        let offers = float((worked.due as u64).max(1));
        let calls = worked.poll + worked.work;
        let look = PerLook::of(worked);
        println!(
            "{name:<28} {:>8.3} {:>8.3} {:>8.3} {:>8.3} {:>8.3} {:>8.4} {:>6.2} ms",
            float(calls.reads()) / offers,
            float(calls.writes) / offers,
            look.read_units,
            look.write_units,
            look.index_units,
            look.sqs_requests,
            look.function_s * 1000.0
        );
    }
    println!(
        "WRU due: write units of the due index. SQS: with what Lambda receives and deletes. Function: reckoned at 5 ms a call of \
         DynamoDB or SQS, 300 ms of the supplier, 500 ms of the channel, ten messages of {} offers side by side.",
        size.offers_at_once
    );
}

fn print_months(months: &[Month], stored: u64) {
    println!("\nDollars a month ({PRICES_OF})");
    println!(
        "{:>9} {:>7} {:>10} {:>8} {:>8} {:>10} {:>8} {:>7} {:>10}",
        "skus", "looked", "DynamoDB", "storage", "SQS", "Lambda", "logs", "fixed", "together"
    );
    for month in months {
        println!(
            "{:>9} {:>3.0} min {:>10.2} {:>8.2} {:>8.2} {:>10.2} {:>8.2} {:>7.2} {:>10.2}",
            month.load.skus,
            month.load.every_minutes,
            month.table,
            month.storage,
            month.queue,
            month.functions,
            month.logs,
            month.fixed,
            month.sum()
        );
    }
    println!(
        "Each sku has one offer and one listing, {stored} bytes together, and is looked at on average every so many minutes; \
         {:.0} % of the looks find a change. Orders come on top.",
        CHANGED_SHARE * 100.0
    );
}

/// Memory of this process in megabytes, as Linux counts it; 0 where it is not Linux.
fn memory_mb(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kb = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kb.unwrap_or_default() / 1024
}
