//! What a demo came to. Purchases and parcels are counted at the marketplaces, not in our own table.

use super::stage::{Stage, times};
use super::watch::Watched;
use anyhow::Result;
use kervan::domain::Money;
use kervan_infra::deployment::FUNCTIONS;
use kervan_infra::shop::{Invocation, Shop};
use serde::Serialize;

/// The figures of a demo.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    /// Customers' orders.
    pub(super) orders: usize,
    /// Of these, delivered and confirmed.
    pub(super) arrived: usize,
    /// Orders at the supplier's stores; one purchase can be split over several.
    supplier_orders: u64,
    /// Purchases that the supplier took.
    purchases: usize,
    /// Purchases that were made twice.
    bought_twice: usize,
    /// Parcels that the channel knows.
    parcels: u64,
    /// Parcels that the channel was told of twice.
    confirmed_twice: u64,
    /// What the customers paid, less fees, goods and shipping, in minor units.
    money_made_minor: i64,
    /// The currency of the money.
    currency: String,
    /// Seconds from the stage before, by stage.
    steps: Vec<Step>,
    /// Calls to AWS, by function.
    functions: Vec<Function>,
    /// Orders that did not arrive, and why.
    stuck: Vec<Stuck>,
}

#[derive(Debug, Serialize)]
struct Step {
    letter: char,
    stage: &'static str,
    median_s: f64,
    longest_s: f64,
}

#[derive(Debug, Serialize)]
struct Function {
    name: &'static str,
    invocations: usize,
    cold_starts: usize,
    messages: u64,
    aws_calls: u64,
    aws_calls_per_order: f64,
}

#[derive(Debug, Serialize)]
struct Stuck {
    order: String,
    reason: String,
}

impl Summary {
    /// Counts.
    pub(super) async fn of(shop: &Shop, orders: &[Watched]) -> Result<Self> {
        let supplier = shop.simulators.aliexpress.counters();
        let channel = shop.simulators.ebay.counters();
        let by_reference = &supplier.purchases_by_out_order_id;
        let (made, currency) = money_made(orders);
        Ok(Self {
            orders: orders.len(),
            arrived: orders.iter().filter(|order| order.has_arrived()).count(),
            supplier_orders: supplier.orders,
            purchases: by_reference.len(),
            bought_twice: by_reference.values().filter(|times| **times > 1).count(),
            parcels: channel.fulfillments,
            confirmed_twice: channel.duplicate_fulfillments,
            money_made_minor: made,
            currency,
            steps: steps(orders),
            functions: functions(shop, orders.len()).await?,
            stuck: orders
                .iter()
                .filter(|order| !order.has_arrived())
                .map(stuck)
                .collect(),
        })
    }

    /// Whether every order arrived, once.
    pub(super) const fn is_good(&self) -> bool {
        self.arrived == self.orders && self.bought_twice == 0 && self.confirmed_twice == 0
    }

    pub(super) fn print(&self) {
        println!(
            "\norders     {} placed, {} delivered",
            self.orders, self.arrived
        );
        println!(
            "purchases  {} placed, which made {} orders at the supplier's stores; {} bought twice",
            self.purchases, self.supplier_orders, self.bought_twice
        );
        println!(
            "parcels    {} confirmed, {} twice",
            self.parcels, self.confirmed_twice
        );
        println!("money made {}\n", self.money());
        println!("{:<24} {:>9} {:>9}", "step", "median", "longest");
        for step in &self.steps {
            let name = format!("{} {}", step.letter, step.stage);
            println!(
                "{name:<24} {:>7.1} s {:>7.1} s",
                step.median_s, step.longest_s
            );
        }
        println!(
            "\n{:<18} {:>11} {:>6} {:>9} {:>10} {:>11}",
            "function", "invocations", "cold", "messages", "AWS calls", "per order"
        );
        for function in &self.functions {
            println!(
                "{:<18} {:>11} {:>6} {:>9} {:>10} {:>11.1}",
                function.name,
                function.invocations,
                function.cold_starts,
                function.messages,
                function.aws_calls,
                function.aws_calls_per_order
            );
        }
        for stuck in &self.stuck {
            println!("\nnot delivered: {}: {}", stuck.order, stuck.reason);
        }
    }

    fn money(&self) -> String {
        let money = |currency| {
            Money {
                minor: self.money_made_minor,
                currency,
            }
            .to_string()
        };
        self.currency.parse().map(money).unwrap_or_default()
    }
}

/// What is left of all orders. The shop sells in one currency.
fn money_made(orders: &[Watched]) -> (i64, String) {
    let mut made = 0;
    let mut currency = "USD".to_owned();
    for order in orders.iter().filter_map(|watched| watched.order.as_ref()) {
        let left = order.details.total.minus(order.details.fee);
        if let Some(left) = left.and_then(|left| left.minus(order.cost()?)) {
            made += left.minor;
            currency = left.currency.code().to_owned();
        }
    }
    (made, currency)
}

fn steps(orders: &[Watched]) -> Vec<Step> {
    let mut steps = Vec::new();
    for pair in Stage::ALL.windows(2) {
        let [before, stage] = pair else { continue };
        let mut seconds: Vec<f64> = Vec::new();
        for watched in orders {
            let times = times(watched.bought_at, &watched.history);
            let at = |wanted: Stage| {
                times
                    .iter()
                    .find(|(stage, _)| *stage == wanted)
                    .map(|(_, at)| *at)
            };
            if let (Some(from), Some(to)) = (at(*before), at(*stage)) {
                seconds.push(to.duration_since(from).as_secs_f64());
            }
        }
        seconds.sort_by(f64::total_cmp);
        steps.push(Step {
            letter: stage.letter(),
            stage: stage.words(),
            median_s: seconds.get(seconds.len() / 2).copied().unwrap_or_default(),
            longest_s: seconds.last().copied().unwrap_or_default(),
        });
    }
    steps
}

async fn functions(shop: &Shop, orders: usize) -> Result<Vec<Function>> {
    let lines = shop.logs().await?;
    let count = |name: &'static str| {
        let of_function = lines.iter().filter(|line| line.function == name);
        let invocations: Vec<Invocation> =
            of_function.filter_map(|line| line.invocation()).collect();
        let calls = |one: &Invocation| one.dynamodb + one.sqs + one.secrets + one.kms;
        let aws_calls: u64 = invocations.iter().map(calls).sum();
        #[allow(
            clippy::cast_precision_loss,
            reason = "a figure for people, far below 2^52"
        )]
        let aws_calls_per_order = aws_calls as f64 / orders.max(1) as f64;
        Function {
            name,
            invocations: invocations.len(),
            cold_starts: invocations.iter().filter(|one| one.cold).count(),
            messages: invocations.iter().map(|one| one.messages).sum(),
            aws_calls,
            aws_calls_per_order,
        }
    };
    Ok(FUNCTIONS.into_iter().map(count).collect())
}

fn stuck(watched: &Watched) -> Stuck {
    let reason = match &watched.order {
        None => "it never reached the table".to_owned(),
        Some(order) => match &order.attention {
            Some(attention) => {
                format!(
                    "{}. {}",
                    attention.reason.code(),
                    attention.reason.next_action()
                )
            }
            None => {
                let last = watched
                    .history
                    .last()
                    .map_or("nothing", |record| record.event.name());
                format!("nothing has happened since: {last}")
            }
        },
    };
    Stuck {
        order: watched.key.to_string(),
        reason,
    }
}
