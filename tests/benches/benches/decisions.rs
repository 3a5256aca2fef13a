//! Decisions a second on one core: what Kervan does with what it knows, without the ports.
//!
//! `cargo kervan bench --only decisions`; each figure is the median of several runs after a warm-up.

#![allow(clippy::print_stdout, reason = "it prints its figures")]

use anyhow::{Result, ensure};
use jiff::{SignedDuration, Timestamp};
use kervan::decide::{
    Candidate, Need, Pace, Pricable, PricedOffer, PricedPart, Stocked, Supply, Urgency,
    next_stock_interval, price as price_of, published_quantity, route,
};
use kervan::domain::{
    EvidenceRule, Exchange, LineId, Money, OfferId, Pricing, Rate, Rates, Rules, Sku,
};
use kervan_benches::options::Options;
use serde_json::json;
use std::hint::black_box;
use std::time::{Duration, Instant};

const RUNS: usize = 9;
const RUN: Duration = Duration::from_millis(300);
/// Decisions between two looks at the time.
const BURST: u32 = 1_000;

fn main() -> Result<()> {
    let options = Options::of_program();
    let now: Timestamp = "2026-11-24T00:00:00Z".parse()?;
    let usd = "USD".parse()?;
    let price = |minor| Money {
        minor,
        currency: usd,
    };
    let needs = [need(&price)?];
    let stocked = |free, minutes| Stocked {
        free,
        evidence_at: now - SignedDuration::from_mins(minutes),
    };
    // Fresh, fading and worthless.
    let supplies = [Supply {
        units: 1,
        offers: vec![stocked(12, 5), stocked(40, 300), stocked(7, 2_000)],
    }];
    let rule = EvidenceRule::default();
    let pace = Pace {
        interval_s: 600,
        elapsed_s: Some(612),
        changed: true,
        gone: 3,
        free: 40,
    };
    let priced = Shelf::new(now)?;
    let offer = PricedOffer {
        id: &priced.offer,
        cost: Money {
            minor: 5_120,
            currency: "CNY".parse()?,
        },
        shipping: Some(price(350)),
    };
    let parts = [PricedPart {
        sku: &priced.sku,
        units: 1,
        offer: Some(offer),
    }];
    let input = Pricable {
        sku: &priced.sku,
        channel: &needs[0].candidates[0].offer.supplier,
        currency: usd,
        pricing: &priced.pricing,
        parts: &parts,
        rules: &priced.rules.price,
        exchange: Exchange {
            rates: &priced.rates,
            now,
            most_age: SignedDuration::from_hours(96),
        },
    };
    ensure!(
        price_of(&input, &mut ()).is_ok(),
        "the bench's rule gives no price"
    );
    let pricing = || price_of(black_box(&input), &mut ()).is_ok();
    let routing = || black_box(route(black_box(&needs)).is_ok());
    let quantity =
        || published_quantity(black_box(&supplies), black_box(Some(9)), 2, 50, &rule, now);
    let interval = || next_stock_interval(black_box(pace));
    let urgency = || {
        Urgency::of(
            black_box(Some((9, price(1_999)))),
            black_box((12, price(1_999))),
        )
    };
    let figures = [
        ("routing of a line over 3 offers", a_second(routing)),
        ("published quantity from 3 offers", a_second(quantity)),
        ("price by a rule, from another currency", a_second(pricing)),
        ("next interval", a_second(interval)),
        ("urgency", a_second(urgency)),
        (
            "quantity, price, urgency, interval: one look",
            a_second(|| (quantity(), pricing(), urgency(), interval())),
        ),
        (
            "all together",
            a_second(|| (routing(), quantity(), pricing(), urgency(), interval())),
        ),
    ];
    if options.has("--json") {
        let figures =
            figures.map(|(name, per_s)| json!({ "decision": name, "per_s": per_s.round() }));
        println!("{}", json!({ "decisions": figures }));
        return Ok(());
    }
    println!("{:<44} {:>16}", "decision", "a second, 1 core");
    for (name, per_s) in figures {
        println!("{name:<44} {:>14.2} M", per_s / 1e6);
    }
    Ok(())
}

/// What a price is found from.
struct Shelf {
    sku: Sku,
    offer: OfferId,
    pricing: Pricing,
    rules: Rules,
    rates: Rates,
}

impl Shelf {
    fn new(now: Timestamp) -> Result<Self> {
        let rules = json!({ "price": { "rules": [
            { "margin_percent": 20, "channel_fee_percent": 13, "rounding": ".99" },
        ] } });
        let rules: Rules = serde_json::from_value(rules)?;
        rules.check()?;
        let mut rates = Rates::default();
        for (to, value) in [("USD", "1.1"), ("CNY", "7.7")] {
            let rate = Rate::new("EUR".parse()?, to.parse()?, value.parse()?, "ECB", now)?;
            ensure!(rates.take(rate, now), "the bench's rate is refused");
        }
        Ok(Self {
            sku: Sku::parse("LAMP-BRASS")?,
            offer: OfferId::new("alibaba:main".parse()?, "1005001", "12000")?,
            pricing: Pricing::default(),
            rules,
            rates,
        })
    }
}

fn need(price: &impl Fn(i64) -> Money) -> Result<Need> {
    let candidate = |supplier: &str, rank, minor, free| -> Result<Candidate> {
        Ok(Candidate {
            offer: OfferId::new(supplier.parse()?, "1005001", "12000")?,
            rank,
            cost: price(minor),
            free,
        })
    };
    Ok(Need {
        line: LineId::parse("1")?,
        sku: Sku::parse("LAMP-BRASS")?,
        quantity: 2,
        candidates: vec![
            candidate("alibaba:main", 2, 700, 90)?,
            candidate("aliexpress:main", 1, 820, 1)?,
            candidate("aliexpress:other", 3, 640, 12)?,
        ],
    })
}

fn a_second<T>(mut decide: impl FnMut() -> T) -> f64 {
    let mut run = |time: Duration| {
        let (started, mut done) = (Instant::now(), 0_u32);
        while started.elapsed() < time {
            for _ in 0..BURST {
                black_box(decide());
            }
            done += BURST;
        }
        f64::from(done) / started.elapsed().as_secs_f64()
    };
    run(RUN);
    let mut figures: Vec<f64> = (0..RUNS).map(|_| run(RUN)).collect();
    figures.sort_by(f64::total_cmp);
    figures.get(RUNS / 2).copied().unwrap_or_default()
}
