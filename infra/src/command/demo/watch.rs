//! Watches the orders in the deployed table and shows each step as it happens.

use super::stage::{Stage, times};
use anyhow::Result;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use jiff::Timestamp;
use kervan::domain::{HistoryRecord, Order, OrderKey, Phase};
use kervan_infra::shop::Shop;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// How often the table is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// Without any step of any order for so long, nothing more is expected: longer than a schedule's interval, which brings
/// back what a push lost.
const LONGEST_SILENCE: Duration = Duration::from_secs(420);
/// More orders than this are shown as one bar a stage, not a line an order.
const MOST_LINES: usize = 40;

/// One customer's order as it is watched.
pub(super) struct Watched {
    pub(super) key: OrderKey,
    pub(super) bought_at: Timestamp,
    pub(super) order: Option<Order>,
    pub(super) history: Vec<HistoryRecord>,
    line: Option<ProgressBar>,
    stage: Stage,
}

impl Watched {
    fn is_over(&self) -> bool {
        self.order
            .as_ref()
            .is_some_and(|order| order.phase != Phase::Open)
    }

    /// Whether it needs a person, which nobody is here.
    fn is_stuck(&self) -> bool {
        let attention = self
            .order
            .as_ref()
            .and_then(|order| order.attention.as_ref());
        attention.is_some_and(|attention| !attention.reason.passes())
    }

    pub(super) fn has_arrived(&self) -> bool {
        self.order
            .as_ref()
            .is_some_and(|order| order.phase == Phase::Done)
    }
}

/// Shows orders from their purchase on.
pub(super) struct Watch {
    pub(super) orders: Vec<Watched>,
    started: Instant,
    expected: usize,
    screen: Option<MultiProgress>,
    stages: Vec<ProgressBar>,
}

impl Watch {
    /// A watch of `expected` orders: a moving display in a terminal, plain lines otherwise.
    pub(super) fn new(expected: usize) -> Self {
        let screen = std::io::stderr().is_terminal().then(MultiProgress::new);
        let mut stages = Vec::new();
        if let Some(screen) = screen.as_ref().filter(|_| expected > MOST_LINES) {
            for stage in Stage::ALL {
                let bar = screen.add(ProgressBar::new(expected as u64).with_style(stage_style()));
                bar.set_prefix(format!("{} {}", stage.letter(), stage.words()));
                stages.push(bar);
            }
        }
        Self {
            orders: Vec::new(),
            started: Instant::now(),
            expected,
            screen,
            stages,
        }
    }

    /// Begins to watch an order that was just bought.
    pub(super) fn add(&mut self, key: OrderKey, bought_at: Timestamp) {
        let line = match &self.screen {
            Some(screen) if self.stages.is_empty() => {
                let bar = ProgressBar::new(Stage::ALL.len() as u64).with_style(order_style());
                let bar = screen.add(bar);
                bar.set_prefix(format!("{} {}", key.channel.marketplace(), key.id));
                Some(bar)
            }
            _ => None,
        };
        let history = Vec::new();
        let watched = Watched {
            key,
            bought_at,
            order: None,
            history,
            line,
            stage: Stage::Bought,
        };
        self.orders.push(watched);
        self.show(self.orders.len() - 1, Stage::Bought);
    }

    /// Waits until every order is over or stuck, or nothing has happened for too long.
    pub(super) async fn until_over(&mut self, shop: &Shop) -> Result<()> {
        let mut last_step = Instant::now();
        loop {
            if self.look(shop).await? {
                last_step = Instant::now();
            }
            let open = self
                .orders
                .iter()
                .any(|watched| !watched.is_over() && !watched.is_stuck());
            if !open || last_step.elapsed() > LONGEST_SILENCE {
                return Ok(());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// One look at every open order; whether any took a step.
    pub(super) async fn look(&mut self, shop: &Shop) -> Result<bool> {
        let mut stepped = false;
        for index in 0..self.orders.len() {
            let watched = &mut self.orders[index];
            if watched.is_over() {
                continue;
            }
            let order = shop.order(&watched.key).await?;
            let version = |order: &Option<Order>| order.as_ref().map(|order| order.version);
            if version(&order) == version(&watched.order) {
                continue;
            }
            stepped = true;
            watched.order = order;
            watched.history = shop.history(&watched.key).await?;
            for (stage, _) in times(watched.bought_at, &watched.history) {
                if stage > self.orders[index].stage {
                    self.show(index, stage);
                }
            }
        }
        Ok(stepped)
    }

    /// Takes the display away, so that the summary stands alone.
    pub(super) fn end(&self) {
        if let Some(screen) = &self.screen {
            let _ = screen.clear();
        }
    }

    fn show(&mut self, index: usize, stage: Stage) {
        let count = self.orders.len().max(self.expected);
        let watched = &mut self.orders[index];
        watched.stage = stage;
        if let Some(bar) = &watched.line {
            bar.set_position(stage as u64 + 1);
            bar.set_message(format!("{} {}", stage.letter(), stage.words()));
        } else if let Some(bar) = self.stages.get(stage as usize) {
            bar.inc(1);
        } else {
            eprintln!(
                "{:7.1} s  order {:>width$} of {count}  {}  {} {}",
                self.started.elapsed().as_secs_f32(),
                index + 1,
                watched.key,
                stage.letter(),
                stage.words(),
                width = count.to_string().len(),
            );
        }
    }
}

fn order_style() -> ProgressStyle {
    ProgressStyle::with_template("{prefix:<26} {bar:14} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn stage_style() -> ProgressStyle {
    ProgressStyle::with_template("{prefix:<22} {wide_bar} {pos}/{len}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
