//! A merchant's shop on this machine, selling at Amazon and eBay and buying at AliExpress and Alibaba.com: the template
//! deployed on a local stack, the simulated marketplaces, a small catalogue, the secrets filled and the pushes registered. The demo and the end-to-end test both stand on it.
//!
//! Nothing here does the functions' work: what happens after [`Shop::open`] is done by what the template declares.

mod accounts;
mod goods;
mod hands;
mod logs;

pub use goods::Basket;
pub use logs::{Invocation, LogLine};

use crate::deployment::Deployment;
use crate::local_stack::{LocalStack, StackOptions};
use crate::process::Progress;
use accounts::ACCOUNTS;
use anyhow::{Context, Result, bail};
use hands::Hands;
use jiff::Timestamp;
use kervan::aws::Aws;
use kervan::clock::SystemClock;
use kervan::domain::{HistoryRecord, Order, OrderKey};
use kervan::flows::{InventoryTask, catalog, ledger};
use kervan::queue::{Outgoing, Queue, Sqs};
use kervan::store::{DynamoDb, Store};
use kervan_marketplaces::ebay::NewOrder;
use kervan_marketplaces::{Simulators, SimulatorsConfig};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Until then every listing has to show its first quantity: a cold function, one look at the supplier, one call to the
/// channel, and Amazon shows a change late.
const LONGEST_PUBLISHING: Duration = Duration::from_secs(180);

/// An open shop. Everything of it stops when this is dropped.
pub struct Shop {
    /// The simulated marketplaces.
    pub simulators: Simulators,
    /// What is deployed.
    pub deployment: Deployment,
    /// Clients of the local stack.
    pub aws: Aws,
    /// The deployed table.
    pub store: Arc<dyn Store>,
    hands: Hands,
    // Last, so that the marketplaces stop pushing before the stack goes.
    stack: LocalStack,
}

/// What a shop begins with.
#[derive(Debug, Clone)]
pub struct ShopOptions {
    /// Customers, baskets, ids and addresses follow from it.
    pub seed: u64,
    /// Units that each supplier has of each variant.
    pub stock: u32,
    /// From the payment until the supplier ships.
    pub ships_after: Duration,
    /// From the shipment until the parcel arrives.
    pub delivers_after: Duration,
    /// How long the marketplaces hold a call open that is never answered.
    pub hang: Duration,
}

impl Default for ShopOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            stock: 1_000,
            ships_after: Duration::from_secs(4),
            delivers_after: Duration::from_secs(4),
            hang: Duration::from_secs(30),
        }
    }
}

impl Shop {
    /// Starts the local stack and the marketplaces, builds and deploys the template, fills the secrets, loads the
    /// catalogue, registers the pushes, and waits until every listing is on sale.
    pub async fn open(options: ShopOptions, progress: Progress) -> Result<Self> {
        progress("Starting the local stack and the simulated marketplaces");
        let stack = LocalStack::start_with(StackOptions::default(), progress.clone()).await?;
        let simulators = Simulators::start(simulators_config(&options))
            .await
            .context("the simulated marketplaces cannot be started")?;
        // A stack that lives for minutes need not be protected from being deleted.
        let parameters = [("TableDeletionProtection", "false"), ("Accounts", ACCOUNTS)];
        let deployment = Deployment::up(&stack, &parameters, progress.clone()).await?;
        let aws = Aws::local(stack.endpoint());
        let clock = Arc::new(SystemClock);
        let store: Arc<dyn Store> = Arc::new(DynamoDb::new(
            aws.dynamodb(),
            deployment.table.clone(),
            clock,
        ));
        let mut shop = Self {
            simulators,
            deployment,
            aws,
            store,
            hands: Hands::default(),
            stack,
        };
        progress("Filling the secrets, loading the catalogue, registering the pushes");
        shop.fill_secrets().await?;
        shop.register_pushes().await?;
        shop.start_hands(&options)?;
        shop.load_catalogue(options.stock).await?;
        shop.wait_until_published().await?;
        Ok(shop)
    }

    /// A customer buys; the order's key is how Kervan will know it.
    pub fn buy(&self, basket: impl Into<Basket>) -> Result<OrderKey> {
        let (channel, id) = match basket.into() {
            Basket::Amazon(order) => ("amazon:main", self.simulators.amazon.place_order(order)?),
            Basket::Ebay(order) => ("ebay:main", self.simulators.ebay.place_order(order)?),
        };
        Ok(OrderKey {
            channel: channel.parse()?,
            id: id.try_into()?,
        })
    }

    /// The customer's order number `index` of a run: the same for the same seed. Customers buy at Amazon and eBay in turn.
    pub fn basket(&self, seed: u64, index: u32) -> Basket {
        goods::basket(seed, index)
    }

    /// The same for a run at eBay alone, with skus that AliExpress alone has.
    pub fn ebay_basket(&self, seed: u64, index: u32) -> NewOrder {
        goods::ebay_basket(seed, index)
    }

    /// The product of AliExpress that fills a sku of the shop; `None` where Alibaba.com alone has it.
    pub fn product(&self, sku: &str) -> Option<u64> {
        goods::product(sku)
    }

    /// The order as the table has it.
    pub async fn order(&self, key: &OrderKey) -> Result<Option<Order>> {
        Ok(ledger::load(&*self.store, key).await?)
    }

    /// What happened to the order, the oldest first.
    pub async fn history(&self, key: &OrderKey) -> Result<Vec<HistoryRecord>> {
        Ok(ledger::history(&*self.store, key).await?)
    }

    /// A queue of the deployed stack, by its address.
    pub fn queue(&self, url: &str) -> Sqs {
        Sqs::new(self.aws.sqs(), url)
    }

    /// The local stack that it runs on.
    pub const fn stack(&self) -> &LocalStack {
        &self.stack
    }

    /// Everything that the deployed functions have logged so far.
    pub async fn logs(&self) -> Result<Vec<LogLine>> {
        logs::read(self.stack.endpoint(), &self.deployment).await
    }

    /// Stops everything and waits until no process is left.
    pub async fn close(self) {
        drop(self.hands);
        drop(self.simulators);
        self.stack.stop().await;
    }

    fn start_hands(&mut self, options: &ShopOptions) -> Result<()> {
        let queue = self.queue(self.output("NotificationsQueueUrl")?);
        let amazon = self.simulators.amazon.clone();
        self.hands.start(hands::notify(amazon, queue));
        let icbu = self.simulators.icbu.clone();
        let ship = hands::ship(icbu, options.ships_after, options.delivers_after);
        self.hands.start(ship);
        Ok(())
    }

    async fn load_catalogue(&self, stock: u32) -> Result<()> {
        let mut messages = Vec::new();
        for good in goods::GOODS {
            let (listings, offers) = good.put_on_sale(&self.simulators, stock)?;
            for offer in &offers {
                let offers = vec![(offer.sku.clone(), offer.id.clone())];
                let task = ledger::write(&InventoryTask::Look {
                    offers,
                    queued_at: None,
                })?;
                messages.push(Outgoing::now(task));
            }
            // One listing and one offer go in together; of what is fewer, the last goes in again.
            for index in 0..listings.len().max(offers.len()) {
                let listing = listings.get(index).or(listings.last());
                let offer = offers.get(index).or(offers.last());
                if let (Some(listing), Some(offer)) = (listing, offer) {
                    let (listing, offer) = (listing.clone(), offer.clone());
                    catalog::put(&*self.store, listing, offer, Timestamp::now()).await?;
                }
            }
        }
        // The schedule would find them within a minute; a shopkeeper who has just filled the shelves does not wait.
        self.queue(&self.deployment.queues.inventory)
            .send(messages)
            .await?;
        Ok(())
    }

    async fn wait_until_published(&self) -> Result<()> {
        let started = Instant::now();
        loop {
            let ebay = self.simulators.ebay.listings().into_iter();
            let amazon = self.simulators.amazon.listings().into_iter();
            let ebay = ebay.map(|listing| listing.quantity);
            let mut quantities = ebay.chain(amazon.map(|listing| listing.quantity));
            if quantities.all(|quantity| quantity > 0) {
                return Ok(());
            }
            if started.elapsed() > LONGEST_PUBLISHING {
                let log = self.stack.log_file();
                bail!(
                    "Not every listing was published within {} s. The functions' log is in {}.",
                    LONGEST_PUBLISHING.as_secs(),
                    log.display()
                );
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

fn simulators_config(options: &ShopOptions) -> SimulatorsConfig {
    let mut config = SimulatorsConfig {
        seed: options.seed,
        ..SimulatorsConfig::default()
    };
    let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    config.hang_ms = millis(options.hang);
    let supplier = &mut config.aliexpress.settings;
    supplier.merchant_pays_after_ms = Some(500);
    supplier.ships_after_ms = Some(millis(options.ships_after));
    supplier.delivers_after_ms = Some(millis(options.delivers_after));
    // Real waits are hours. What is pushed to a stack that is busy starting functions may miss its half second.
    supplier.push_wait_ms = 5_000;
    supplier.push_retry_gap_ms = 2_000;
    let supplier = &mut config.icbu.settings;
    supplier.push_wait_ms = 5_000;
    supplier.push_retry_gap_ms = 2_000;
    config.ebay.settings.order_push_gaps_ms = vec![2_000, 5_000, 10_000];
    config.ebay.settings.push_wait_ms = 10_000;
    config
}
