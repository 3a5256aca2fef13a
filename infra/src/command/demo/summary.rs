//! What a demo came to. Purchases and parcels are counted at the marketplaces, not in our own table.

use super::freshness::Freshness;
use super::stage::{Stage, times};
use super::watch::Watched;
use anyhow::Result;
use kervan::domain::{Marketplace, Money, Order, Purchase};
use kervan_infra::deployment::FUNCTIONS;
use kervan_infra::shop::{Invocation, LogLine, Shop};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The figures of a demo.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    /// Customers' orders.
    pub(super) orders: usize,
    /// Of these, delivered and confirmed.
    pub(super) arrived: usize,
    /// Where customers bought.
    channels: Vec<Channel>,
    /// Where the goods were bought.
    suppliers: Vec<Supplier>,
    /// Orders whose goods came from more than one supplier.
    from_several_suppliers: usize,
    /// What the customers paid, less fees, goods and shipping, in minor units.
    money_made_minor: i64,
    /// The currency of the money.
    currency: String,
    /// Seconds from the stage before, by stage.
    steps: Vec<Step>,
    /// Calls to AWS, by function.
    functions: Vec<Function>,
    /// How fresh stock was.
    freshness: Freshness,
    /// Orders that did not arrive, and why.
    stuck: Vec<Stuck>,
}

/// What happened at a marketplace where customers buy.
#[derive(Debug, Serialize)]
struct Channel {
    marketplace: Marketplace,
    /// Customers' orders.
    orders: u64,
    /// Parcels that it knows.
    parcels: u64,
    /// Parcels that it was told of twice.
    confirmed_twice: u64,
    /// What the customers paid, less what it keeps, in minor units.
    money_in_minor: i64,
}

/// What happened at a marketplace where the goods are bought.
#[derive(Debug, Serialize)]
struct Supplier {
    marketplace: Marketplace,
    /// Purchases that it took.
    purchases: usize,
    /// Orders that they made at its sellers; AliExpress splits one purchase over several.
    seller_orders: u64,
    /// Purchases that were made twice.
    bought_twice: usize,
    /// What goods and shipping cost, in minor units.
    money_out_minor: i64,
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
        let (made, currency) = money_made(orders);
        let lines = shop.logs().await?;
        Ok(Self {
            orders: orders.len(),
            arrived: orders.iter().filter(|order| order.has_arrived()).count(),
            channels: channels(shop, orders),
            suppliers: suppliers(shop, orders),
            from_several_suppliers: orders
                .iter()
                .filter(|watched| suppliers_of(watched) > 1)
                .count(),
            money_made_minor: made,
            currency,
            steps: steps(orders),
            functions: functions(&lines, orders.len()),
            freshness: Freshness::of(&lines),
            stuck: orders
                .iter()
                .filter(|order| !order.has_arrived())
                .map(stuck)
                .collect(),
        })
    }

    /// Whether every order arrived, once.
    pub(super) fn is_good(&self) -> bool {
        let twice = |channel: &Channel| channel.confirmed_twice > 0;
        let bought_twice = |supplier: &Supplier| supplier.bought_twice > 0;
        self.arrived == self.orders
            && !self.channels.iter().any(twice)
            && !self.suppliers.iter().any(bought_twice)
    }

    pub(super) fn print(&self) {
        println!(
            "\n{} orders placed, {} delivered; {} with goods of more than one supplier\n",
            self.orders, self.arrived, self.from_several_suppliers
        );
        for channel in &self.channels {
            let what = format!(
                "{} orders, {} parcels confirmed, {} twice",
                channel.orders, channel.parcels, channel.confirmed_twice
            );
            let money = self.money(channel.money_in_minor);
            println!(
                "{:<12} {what:<56} {money:>13} in",
                channel.marketplace.as_str()
            );
        }
        for supplier in &self.suppliers {
            let what = format!(
                "{} purchases, {} orders at its sellers, {} bought twice",
                supplier.purchases, supplier.seller_orders, supplier.bought_twice
            );
            let money = self.money(supplier.money_out_minor);
            println!(
                "{:<12} {what:<56} {money:>13} out",
                supplier.marketplace.as_str()
            );
        }
        let made = self.money(self.money_made_minor);
        println!("{:<12} {:<56} {made:>13}\n", "", "money made");
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
        self.freshness.print();
        for stuck in &self.stuck {
            println!("\nnot delivered: {}: {}", stuck.order, stuck.reason);
        }
    }

    /// An amount in the currency of the shop.
    fn money(&self, minor: i64) -> String {
        let money = |currency| Money { minor, currency }.to_string();
        self.currency.parse().map(money).unwrap_or_default()
    }
}

/// Where customers bought: orders and parcels as the marketplaces count them, money as the orders say.
fn channels(shop: &Shop, orders: &[Watched]) -> Vec<Channel> {
    let (amazon, ebay) = (
        shop.simulators.amazon.counters(),
        shop.simulators.ebay.counters(),
    );
    let of = |marketplace, orders_there, parcels, confirmed_twice| {
        let its = known(orders).filter(|order| order.key.channel.marketplace() == marketplace);
        let left = its.filter_map(|order| order.revenue().minus(order.details.fee));
        Channel {
            marketplace,
            orders: orders_there,
            parcels,
            confirmed_twice,
            money_in_minor: left.map(|money| money.minor).sum(),
        }
    };
    vec![
        of(
            Marketplace::Amazon,
            amazon.orders,
            amazon.packages,
            // A repeat under the same reference changes nothing there, and still it is one.
            amazon.duplicate_packages + amazon.package_edits,
        ),
        of(
            Marketplace::Ebay,
            ebay.orders,
            ebay.fulfillments,
            ebay.duplicate_fulfillments,
        ),
    ]
}

/// Where the goods were bought: purchases as the marketplaces count them, money as the purchases' terms say.
fn suppliers(shop: &Shop, orders: &[Watched]) -> Vec<Supplier> {
    let aliexpress = shop.simulators.aliexpress.counters();
    let alibaba = shop.simulators.icbu.counters();
    let of = |marketplace, references: &BTreeMap<String, u64>, seller_orders| Supplier {
        marketplace,
        purchases: references.len(),
        seller_orders,
        bought_twice: references.values().filter(|times| **times > 1).count(),
        money_out_minor: known(orders)
            .flat_map(|order| &order.purchases)
            .filter(|purchase| {
                !purchase.is_given_up() && supplier_of(purchase) == Some(marketplace)
            })
            .filter_map(Purchase::cost)
            .map(|cost| cost.minor)
            .sum(),
    };
    vec![
        of(
            Marketplace::AliExpress,
            &aliexpress.purchases_by_out_order_id,
            aliexpress.orders,
        ),
        of(
            Marketplace::Alibaba,
            &alibaba.orders_by_reference,
            alibaba.orders,
        ),
    ]
}

fn known(orders: &[Watched]) -> impl Iterator<Item = &Order> {
    orders.iter().filter_map(|watched| watched.order.as_ref())
}

/// How many marketplaces supply an order.
fn suppliers_of(watched: &Watched) -> usize {
    let purchases = watched.order.iter().flat_map(|order| &order.purchases);
    let live = purchases.filter(|purchase| !purchase.is_given_up());
    live.filter_map(supplier_of).collect::<BTreeSet<_>>().len()
}

fn supplier_of(purchase: &Purchase) -> Option<Marketplace> {
    let line = purchase.lines.first()?;
    Some(line.offer.supplier.marketplace())
}

/// What is left of all orders. The shop sells in one currency.
fn money_made(orders: &[Watched]) -> (i64, String) {
    let mut made = 0;
    let mut currency = "USD".to_owned();
    for order in known(orders) {
        let left = order.revenue().minus(order.details.fee);
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

fn functions(lines: &[LogLine], orders: usize) -> Vec<Function> {
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
    FUNCTIONS.into_iter().map(count).collect()
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
