//! A million offers from the supplier's word to the channel, on the memory ports: found due, asked for, compared, published.
//! Then what a look costs at AWS, counted, and what that comes to a month.
//!
//! `cargo kervan bench --only stock-road --offers 1000000`

#![allow(clippy::print_stdout, reason = "it prints its figures")]

use anyhow::Result;
use kervan_benches::costs::{Load, Month, PRICES_OF, PerLook};
use kervan_benches::memory_shop::{MemoryShop, Size, Worked};
use kervan_benches::options::Options;
use serde_json::{Value, json};

/// Of so few offers what DynamoDB bills is counted.
const COUNTED_OFFERS: u32 = 10_000;
/// Looks that find a change, of all, where costs are computed.
const CHANGED_SHARE: f64 = 0.02;

/// A pass with the name that it is shown by.
struct Pass {
    name: &'static str,
    worked: Worked,
}

/// What was counted with a supplier that tells of so many products a call.
struct Counted {
    at_once: usize,
    unchanged: Pass,
    changed: Pass,
    stored_bytes: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let options = Options::of_program();
    let is_json = options.has("--json");
    let size = Size {
        offers: options.value("--offers", 1_000_000)?,
        offers_at_once: options.value("--at-once", 20)?,
        listings_at_once: 25,
        units: false,
    };
    let (passes, memory) = timed(size, !is_json).await?;
    // Every supplier of today tells of one product a call.
    let mut suppliers = vec![counted(size, 1).await?];
    if size.offers_at_once > 1 {
        suppliers.push(counted(size, size.offers_at_once).await?);
    }
    if is_json {
        let passes: Vec<Value> = passes.iter().map(Pass::json).collect();
        let suppliers: Vec<Value> = suppliers.iter().map(Counted::json).collect();
        println!(
            "{}",
            json!({ "passes": passes, "memory": memory, "suppliers": suppliers, "prices": PRICES_OF })
        );
        return Ok(());
    }
    for (name, mb) in &memory {
        println!("memory of {name}: {mb} MB");
    }
    print_calls(&suppliers);
    print_months(&suppliers);
    Ok(())
}

/// The passes over all offers, each told as it ends, and the memory that the process took, after loading and at most.
async fn timed(size: Size, tells: bool) -> Result<(Vec<Pass>, Vec<(&'static str, u64)>)> {
    if tells {
        print_heading(size);
    }
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
        let pass = Pass { name, worked };
        if tells {
            pass.print();
        }
        passes.push(pass);
    }
    memory.push(("the most", memory_mb("VmHWM:")));
    Ok((passes, memory))
}

/// A pass in which nothing changes and one in which everything does, and the bytes of a sku.
async fn counted(size: Size, at_once: usize) -> Result<Counted> {
    let shop = MemoryShop::open(Size {
        offers: size.offers.min(COUNTED_OFFERS),
        offers_at_once: at_once,
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
    Ok(Counted {
        at_once,
        unchanged,
        changed,
        stored_bytes: shop.stored_bytes().await?,
    })
}

impl Pass {
    fn per_s(&self) -> f64 {
        float(self.worked.due as u64) / (self.worked.poll_s + self.worked.work_s)
    }

    fn json(&self) -> Value {
        let worked = &self.worked;
        json!({ "pass": self.name, "offers": worked.due, "poll_s": worked.poll_s, "work_s": worked.work_s,
            "per_s": self.per_s(), "told": worked.told, "asked": worked.asked,
            "poll_calls": worked.poll, "work_calls": worked.work })
    }

    fn print(&self) {
        let (name, worked) = (self.name, &self.worked);
        println!(
            "{name:<28} {:>9} {:>7.1} s {:>7.1} s {:>10.0} {:>9}",
            worked.due,
            worked.poll_s,
            worked.work_s,
            self.per_s(),
            worked.told
        );
    }
}

impl Counted {
    fn months(&self) -> Vec<Month> {
        let loads = [10_000, 100_000, 1_000_000].into_iter();
        let loads = loads.flat_map(|skus| [60.0, 15.0].map(|every_minutes| (skus, every_minutes)));
        let month = |(skus, every_minutes)| {
            let load = Load {
                skus,
                every_minutes,
                changed_share: CHANGED_SHARE,
            };
            let look = |pass: &Pass| PerLook::of(&pass.worked);
            Month::of(
                load,
                look(&self.unchanged),
                look(&self.changed),
                self.stored_bytes,
            )
        };
        loads.map(month).collect()
    }

    fn json(&self) -> Value {
        let look = |pass: &Pass| PerLook::of(&pass.worked);
        json!({ "products_a_call": self.at_once,
            "counted": [self.unchanged.json(), self.changed.json()],
            "a_look": { "unchanged": look(&self.unchanged), "changed": look(&self.changed) },
            "stored_bytes_a_sku": self.stored_bytes, "months": self.months() })
    }
}

#[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
const fn float(number: u64) -> f64 {
    number as f64
}

fn print_heading(size: Size) {
    println!(
        "{} skus with an offer and a listing each; {} offers a call of the supplier, {} listings a call of the channel; one core\n",
        size.offers, size.offers_at_once, size.listings_at_once
    );
    println!(
        "{:<28} {:>9} {:>9} {:>9} {:>10} {:>9}",
        "pass", "offers", "find due", "the rest", "offers/s", "told"
    );
}

fn print_calls(suppliers: &[Counted]) {
    println!(
        "\n{:<28} {:>8} {:>8} {:>8} {:>8} {:>8} {:>9} {:>8} {:>9}",
        "calls an offer",
        "reads",
        "writes",
        "RRU",
        "WRU",
        "WRU due",
        "WRU limit",
        "SQS",
        "function"
    );
    for supplier in suppliers {
        println!("{} of the supplier's products a call", supplier.at_once);
        for Pass { name, worked } in [&supplier.unchanged, &supplier.changed] {
            let offers = float((worked.due as u64).max(1));
            let calls = worked.poll + worked.work;
            let look = PerLook::of(worked);
            println!(
                "  {name:<26} {:>8.3} {:>8.3} {:>8.3} {:>8.3} {:>8.3} {:>9.3} {:>8.4} {:>6.2} ms",
                float(calls.reads()) / offers,
                float(calls.writes) / offers,
                look.read_units,
                look.write_units,
                look.index_units,
                look.limit_units,
                look.sqs_requests,
                look.function_s * 1000.0
            );
        }
    }
    println!(
        "Reads and writes are counted, without those of the shared limits. WRU due: write units of the due index. WRU limit: \
         those of the limits, reckoned at ten calls a write at the supplier and one at the channel. SQS: with what Lambda \
         receives and deletes. Function: reckoned at 5 ms a call of DynamoDB or SQS, 300 ms of the supplier, 500 ms of the \
         channel; ten messages side by side, and eight calls to the supplier for each."
    );
}

fn print_months(suppliers: &[Counted]) {
    println!("\nDollars a month ({PRICES_OF})");
    println!(
        "{:>9} {:>7} {:>10} {:>8} {:>8} {:>8} {:>7} {:>7} {:>10} {:>9} {:>5}",
        "skus",
        "looked",
        "DynamoDB",
        "storage",
        "SQS",
        "Lambda",
        "logs",
        "fixed",
        "together",
        "asked",
        "busy"
    );
    for supplier in suppliers {
        println!("{} of the supplier's products a call", supplier.at_once);
        for month in supplier.months() {
            println!(
                "{:>9} {:>3.0} min {:>10.2} {:>8.2} {:>8.2} {:>8.2} {:>7.2} {:>7.2} {:>10.2} {:>7.1}/s {:>5.1}{}",
                month.load.skus,
                month.load.every_minutes,
                month.table,
                month.storage,
                month.queue,
                month.functions,
                month.logs,
                month.fixed,
                month.sum(),
                month.asked_per_s,
                month.at_a_time,
                if month.is_carried { "" } else { " *" }
            );
        }
    }
    let stored = suppliers.first().map_or(0, |it| it.stored_bytes);
    println!(
        "Each sku has one offer and one listing, {stored} bytes together, and is looked at on average every so many minutes; \
         {:.0} % of the looks find a change. Orders come on top. Asked: calls to the supplier. Busy: invocations at a time, \
         reckoned.\n\
         * No such load is carried: AliExpress's limit leaves an account 250 calls a second, or the template lets five \
         invocations run for the queue. No supplier of today tells of more than one product a call.",
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
