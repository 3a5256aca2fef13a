//! Decisions a second on one core: what Kervan does with what it knows, without the ports.
//!
//! `cargo kervan bench --only decisions`; each figure is the median of several runs after a warm-up, and counts the time that a
//! core worked for it.

#![allow(clippy::print_stdout, reason = "it prints its figures")]

use anyhow::{Result, ensure};
use jiff::{SignedDuration, Timestamp};
use kervan::decide::{
    Candidate, Need, Pace, Pricable, PricedOffer, PricedPart, Stocked, Supply, Urgency, landed,
    next_stock_interval, price as price_of, published_quantity, route,
};
use kervan::domain::{
    Currency, EvidenceRule, Exchange, LineId, Money, OfferId, Pricing, Rate, Rates, Rules, Sku,
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
    let shop = Shop::new()?;
    ensure!(shop.price(), "the bench's rule gives no price");
    ensure!(shop.route(), "the bench's line cannot be routed");
    let figures = figures(&shop);
    if options.has("--json") {
        let figures =
            figures.map(|(name, per_s)| json!({ "decision": name, "per_s": per_s.round() }));
        println!("{}", json!({ "decisions": figures }));
        return Ok(());
    }
    println!("{:<48} {:>16}", "decision", "a second, 1 core");
    for (name, per_s) in figures {
        println!("{name:<48} {:>14.2} M", per_s / 1e6);
    }
    Ok(())
}

fn figures(shop: &Shop) -> [(&'static str, f64); 8] {
    [
        (
            "what 3 offers cost, one in another currency",
            a_second(|| shop.compare()),
        ),
        ("routing of a line over 3 offers", a_second(|| shop.route())),
        (
            "published quantity from 3 offers",
            a_second(|| shop.quantity()),
        ),
        (
            "price by a rule, from another currency",
            a_second(|| shop.price()),
        ),
        ("next interval", a_second(|| shop.interval())),
        ("urgency", a_second(|| shop.urgency())),
        (
            "quantity, price, urgency, interval: one look",
            a_second(|| shop.look()),
        ),
        (
            "all together",
            a_second(|| (shop.compare(), shop.route(), shop.look())),
        ),
    ]
}

/// What is known of one sku.
struct Shop {
    sku: Sku,
    usd: Currency,
    offers: Vec<Bought>,
    needs: [Need; 1],
    supplies: [Supply; 1],
    pricing: Pricing,
    rules: Rules,
    rates: Rates,
    now: Timestamp,
}

/// An offer with what it costs.
struct Bought {
    id: OfferId,
    cost: Money,
    shipping: Option<Money>,
}

impl Shop {
    fn new() -> Result<Self> {
        let now: Timestamp = "2026-11-24T00:00:00Z".parse()?;
        let (usd, cny): (Currency, Currency) = ("USD".parse()?, "CNY".parse()?);
        let offer = |supplier: &str, minor, currency| -> Result<Bought> {
            Ok(Bought {
                id: OfferId::new(supplier.parse()?, "1005001", "12000")?,
                cost: Money { minor, currency },
                shipping: Some(Money {
                    minor: 350,
                    currency: usd,
                }),
            })
        };
        let offers = vec![
            offer("alibaba:main", 5_120, cny)?,
            offer("aliexpress:main", 820, usd)?,
            offer("aliexpress:other", 640, usd)?,
        ];
        let standing = [(2, 90), (1, 1), (3, 12)];
        let candidate = |(offer, (rank, free)): (&Bought, (u32, i64))| Candidate {
            offer: offer.id.clone(),
            rank,
            landed_minor: Some(offer.cost.minor),
            free,
        };
        let sku = Sku::parse("LAMP-BRASS")?;
        let need = Need {
            line: LineId::parse("1")?,
            sku: sku.clone(),
            quantity: 2,
            candidates: offers.iter().zip(standing).map(candidate).collect(),
        };
        let rules = json!({ "price": { "rules": [
            { "margin_percent": 20, "channel_fee_percent": 13, "rounding": ".99" },
        ] } });
        let rules: Rules = serde_json::from_value(rules)?;
        rules.check()?;
        Ok(Self {
            sku,
            usd,
            offers,
            needs: [need],
            supplies: [supply(now)],
            pricing: Pricing::default(),
            rules,
            rates: rates(now)?,
            now,
        })
    }

    fn exchange(&self) -> Exchange<'_> {
        Exchange {
            rates: &self.rates,
            now: self.now,
            most_age: SignedDuration::from_hours(96),
        }
    }

    fn compare(&self) -> i64 {
        let exchange = self.exchange();
        let landed = |offer: &Bought| {
            let (cost, shipping) = black_box((offer.cost, offer.shipping));
            landed(cost, shipping, self.usd, &exchange)
        };
        self.offers.iter().filter_map(landed).sum()
    }

    fn route(&self) -> bool {
        black_box(route(black_box(&self.needs))).is_ok()
    }

    fn quantity(&self) -> u32 {
        let (supplies, rule) = (black_box(&self.supplies), EvidenceRule::default());
        published_quantity(supplies, black_box(Some(9)), 2, 50, &rule, self.now)
    }

    fn price(&self) -> bool {
        let offer = &self.offers[0];
        let parts = [PricedPart {
            sku: &self.sku,
            units: 1,
            offer: Some(PricedOffer {
                id: &offer.id,
                cost: offer.cost,
                shipping: offer.shipping,
            }),
        }];
        let input = Pricable {
            sku: &self.sku,
            channel: &self.offers[1].id.supplier,
            currency: self.usd,
            pricing: &self.pricing,
            parts: &parts,
            rules: &self.rules.price,
            exchange: self.exchange(),
        };
        black_box(price_of(black_box(&input), &mut ())).is_ok()
    }

    fn interval(&self) -> u32 {
        next_stock_interval(black_box(Pace {
            interval_s: 600,
            elapsed_s: Some(612),
            changed: true,
            gone: 3,
            free: 40,
        }))
    }

    fn urgency(&self) -> Urgency {
        let price = Money {
            minor: 1_999,
            currency: self.usd,
        };
        Urgency::of(black_box(Some((9, price))), black_box((12, price)))
    }

    fn look(&self) -> (u32, bool, Urgency, u32) {
        (
            self.quantity(),
            self.price(),
            self.urgency(),
            self.interval(),
        )
    }
}

/// Three offers: fresh, fading and worthless.
fn supply(now: Timestamp) -> Supply {
    let stocked = |(free, minutes)| Stocked {
        free,
        evidence_at: now - SignedDuration::from_mins(minutes),
    };
    Supply {
        units: 1,
        offers: [(12, 5), (40, 300), (7, 2_000)].map(stocked).to_vec(),
    }
}

/// Both over the euro, as the European Central Bank names them.
fn rates(now: Timestamp) -> Result<Rates> {
    let mut rates = Rates::default();
    for (to, value) in [("USD", "1.1"), ("CNY", "7.7")] {
        let rate = Rate::new("EUR".parse()?, to.parse()?, value.parse()?, "ECB", now)?;
        ensure!(rates.take(rate, now), "the bench's rate is refused");
    }
    Ok(rates)
}

fn a_second<T>(mut decide: impl FnMut() -> T) -> f64 {
    let mut run = |time: Duration| {
        let (started, began_at, mut done) = (Instant::now(), processor_time(), 0_u32);
        while started.elapsed() < time {
            for _ in 0..BURST {
                black_box(decide());
            }
            done += BURST;
        }
        let worked = processor_time().zip(began_at);
        let worked = worked.map(|(now, began_at)| now.saturating_sub(began_at));
        f64::from(done) / worked.unwrap_or_else(|| started.elapsed()).as_secs_f64()
    };
    run(RUN);
    let mut figures: Vec<f64> = (0..RUNS).map(|_| run(RUN)).collect();
    figures.sort_by(f64::total_cmp);
    figures.get(RUNS / 2).copied().unwrap_or_default()
}

/// How long a core worked for this thread, so that other work on the machine does not count; none where Linux does not say.
fn processor_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanos = text.split_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanos))
}
