//! A merchant's whole world in one process.

use crate::network::{EBAY_URL, Network, SUPPLIER_URL, SharedClock};
use jiff::{SignedDuration, Timestamp};
use kervan::clock::{Clock, ManualClock};
use kervan::domain::{
    AccountId, Listing, ListingId, Money, Offer, OfferId, Order, OrderKey, Signal, Sku,
};
use kervan::flows::{self, Intake, IntakeAnswer, InventoryTask, catalog, ledger};
use kervan::handler::{self, Message};
use kervan::marketplaces::TokenStore;
use kervan::queue::{MemoryQueue, Queue};
use kervan::seal::{MemorySeal, Seal};
use kervan::secrets::MemorySecrets;
use kervan::store::MemoryStore;
use kervan::{Accounts, Kervan, Queues};
use kervan_marketplaces::aliexpress::NewProduct;
use kervan_marketplaces::ebay::{NewListing, NewOrder};
use kervan_marketplaces::{AliExpress, AliExpressConfig, Buyer, Ebay, EbayConfig, Push, defaults};
use std::sync::Arc;
use std::time::Duration;

/// Words of the buyers' data that the tests search for in everything that came out.
pub const BUYER_WORDS: [&str; 3] = ["Zebedee Quillfeather", "77 Marzipan Crescent", "5550177"];

/// What may stand nowhere but under the seal, in the secrets and at the supplier: the known buyer's data, and secrets.
pub const NEVER_IN_THE_OPEN: [&str; 7] = [
    BUYER_WORDS[0],
    BUYER_WORDS[1],
    BUYER_WORDS[2],
    defaults::EBAY_CLIENT_SECRET,
    defaults::EBAY_REFRESH_TOKEN,
    defaults::ALIEXPRESS_APP_SECRET,
    defaults::ALIEXPRESS_REFRESH_TOKEN,
];

/// The endpoint that the world registers at eBay.
const EBAY_ENDPOINT: &str = "https://kervan.invalid/hooks/ebay/main";
const SUPPLIER_ENDPOINT: &str = "https://kervan.invalid/hooks/aliexpress/main";
/// Deliveries of a message before it lies in the dead-letter queue, as in the template.
const MOST_DELIVERIES: u32 = 5;
const VISIBILITY: Duration = Duration::from_secs(360);

/// A buyer whose data holds [`BUYER_WORDS`].
pub fn known_buyer() -> Buyer {
    Buyer {
        username: "zebedee_q".to_owned(),
        full_name: BUYER_WORDS[0].to_owned(),
        address_line1: BUYER_WORDS[1].to_owned(),
        address_line2: None,
        city: "Orlando".to_owned(),
        state_or_province: "FL".to_owned(),
        postal_code: "32807".to_owned(),
        country_code: "US".to_owned(),
        phone: format!("407{}", BUYER_WORDS[2]),
        email: "zq@members.example.invalid".to_owned(),
    }
}

/// What a world begins with.
#[derive(Debug, Clone)]
pub struct WorldOptions {
    /// eBay's settings.
    pub ebay: EbayConfig,
    /// AliExpress's settings.
    pub aliexpress: AliExpressConfig,
}

impl Default for WorldOptions {
    /// A merchant who pays a second after the purchase, and a store that ships after a minute and delivers after an hour.
    fn default() -> Self {
        let mut aliexpress = AliExpressConfig::default();
        aliexpress.settings.merchant_pays_after_ms = Some(1_000);
        aliexpress.settings.ships_after_ms = Some(60_000);
        aliexpress.settings.delivers_after_ms = Some(3_600_000);
        Self {
            ebay: EbayConfig::default(),
            aliexpress,
        }
    }
}

/// Kervan, both marketplaces, and the time.
pub struct World {
    /// The ports and accounts of the workers.
    pub kervan: Kervan,
    /// The door for pushes.
    pub door: kervan::Door,
    /// The channel.
    pub ebay: Ebay,
    /// The supplier.
    pub aliexpress: AliExpress,
    /// The time of all.
    pub clock: Arc<ManualClock>,
    /// The table.
    pub store: Arc<MemoryStore>,
    network: Network,
    /// The secrets.
    pub secrets: Arc<MemorySecrets>,
    /// Signals of customers' orders.
    pub orders: Arc<MemoryQueue>,
    /// Signals of suppliers' orders.
    pub tracking: Arc<MemoryQueue>,
    /// Offers to look at.
    pub inventory: Arc<MemoryQueue>,
    /// Where messages end that failed too often.
    pub dead: Arc<MemoryQueue>,
}

impl World {
    /// A world with empty shelves.
    pub fn new(options: WorldOptions) -> Self {
        let start: Timestamp =
            Timestamp::from_second(1_795_000_000).unwrap_or(Timestamp::UNIX_EPOCH);
        let clock = Arc::new(ManualClock::at(start));
        let shared: Arc<dyn kervan_marketplaces::Clock> = Arc::new(SharedClock(clock.clone()));
        let ebay = Ebay::new(options.ebay, shared.clone(), 7);
        let aliexpress = AliExpress::new(options.aliexpress, shared, 7);
        let network = Network {
            ebay: ebay.router(),
            aliexpress: aliexpress.router(),
        };
        let store = Arc::new(MemoryStore::new(clock.clone()));
        let seal: Arc<dyn Seal> = Arc::new(MemorySeal::new());
        let secrets = Arc::new(secrets());
        let tokens = TokenStore::new(store.clone(), seal.clone(), clock.clone());
        let accounts = |tokens| {
            let ids = vec![channel(), supplier()];
            let http = Arc::new(network.clone());
            Accounts::new(ids, "kervan/", secrets.clone(), http, clock.clone(), tokens)
        };
        let dead = Arc::new(MemoryQueue::new(clock.clone()));
        let queue = || {
            let queue = MemoryQueue::new(clock.clone());
            Arc::new(queue.with_dead_letters(MOST_DELIVERIES, dead.clone()))
        };
        let (orders, tracking, inventory) = (queue(), queue(), queue());
        let kervan = Kervan {
            clock: clock.clone(),
            store: store.clone(),
            seal,
            queues: Queues {
                orders: orders.clone(),
                tracking: tracking.clone(),
                inventory: inventory.clone(),
            },
            accounts: accounts(Some(Arc::new(tokens))),
        };
        let door = kervan::Door {
            accounts: accounts(None),
            orders: orders.clone(),
            tracking: tracking.clone(),
        };
        Self {
            kervan,
            door,
            ebay,
            aliexpress,
            clock,
            store,
            network,
            secrets,
            orders,
            tracking,
            inventory,
            dead,
        }
    }

    /// A world that sells one lamp on eBay and can buy `stock` of them at AliExpress, with its pushes registered.
    pub async fn with_lamp(options: WorldOptions, stock: u32) -> anyhow::Result<Self> {
        let world = Self::new(options);
        world.add("LAMP-01", 19_99, 500_001, 7_00, stock).await?;
        world.register_pushes().await?;
        world.run_schedules().await?;
        world.settle().await?;
        Ok(world)
    }

    /// Puts a sku on eBay, into a store of AliExpress, and into the catalogue. Amounts are US cents.
    pub async fn add(
        &self,
        sku: &str,
        price: i64,
        product: u64,
        cost: i64,
        stock: u32,
    ) -> anyhow::Result<()> {
        let usd = "USD".parse()?;
        let listing = NewListing::new(sku, kervan_marketplaces::Money::usd(price), 0);
        let listing = self.ebay.add_listing(listing);
        let cost = kervan_marketplaces::Money::usd(cost);
        self.aliexpress
            .add_product(NewProduct::simple(product, 9_001, cost, stock))?;
        let sku = Sku::parse(sku)?;
        let listing = Listing {
            id: ListingId {
                channel: channel(),
                sku: sku.clone(),
                offer: listing.offer_id,
            },
            price: Money {
                minor: price,
                currency: usd,
            },
            buffer: 0,
            cap: 50,
            published: None,
        };
        let variant = (product * 10 + 1).to_string();
        let offer = Offer {
            id: OfferId::new(supplier(), &product.to_string(), &variant)?,
            sku,
            rank: 1,
            ship_to: "US".parse()?,
            evidence: None,
            interval_s: 600,
        };
        catalog::put(&*self.store, listing, offer, self.clock.now()).await?;
        Ok(())
    }

    /// Answers eBay's challenge through the door and tells AliExpress where to push.
    pub async fn register_pushes(&self) -> anyhow::Result<()> {
        let challenge = self
            .ebay
            .begin_registration(EBAY_ENDPOINT, defaults::EBAY_VERIFICATION_TOKEN)?;
        let query = challenge
            .url
            .split_once('?')
            .map_or("", |(_, query)| query)
            .to_owned();
        let answer = flows::intake(&self.door, "ebay", "main", Intake::Challenge { query }).await;
        let status = answer.status.as_u16();
        self.ebay.finish_registration(
            &challenge,
            status,
            "application/json",
            answer.body.as_bytes(),
        )?;
        let mut settings = self.aliexpress.settings();
        settings.push_url = Some(SUPPLIER_ENDPOINT.to_owned());
        self.aliexpress.set_settings(settings);
        Ok(())
    }

    /// The merchant ships an order without Kervan and says so at eBay.
    pub async fn ship_by_hand(&self, key: &OrderKey) -> anyhow::Result<()> {
        let order = self
            .order(key)
            .await?
            .ok_or_else(|| anyhow::anyhow!("no such order"))?;
        let lines = order
            .details
            .lines
            .iter()
            .map(|line| kervan::domain::ParcelLine {
                line: line.id.clone(),
                quantity: line.quantity,
            });
        let parcel = kervan::marketplaces::ParcelToConfirm {
            tracking_number: kervan::domain::TrackingNumber::parse("BYHAND0001")?,
            carrier: "UPS".to_owned(),
            lines: lines.collect(),
            shipped_at: self.clock.now(),
        };
        let account = self.kervan.accounts.get(&key.channel).await?;
        let door = account
            .confirm_parcels()
            .ok_or_else(|| anyhow::anyhow!("not a channel"))?;
        Ok(door.confirm(&key.id, &parcel).await?)
    }

    /// A person consents anew at AliExpress and puts the refresh token into the secret.
    pub async fn renew_supplier_consent(&self) -> anyhow::Result<()> {
        let code = self.aliexpress.consent();
        let refresh_token = self.exchange(&code).await?;
        self.secrets.put(
            "kervan/account/aliexpress/main",
            supplier_secret(&refresh_token),
        );
        // Functions look at a secret again within minutes.
        self.pass(SignedDuration::from_mins(6)).await
    }

    /// The code of a consent page for a refresh token, as a merchant's own tool does it.
    async fn exchange(&self, code: &str) -> anyhow::Result<String> {
        let now = self.clock.now().as_millisecond().to_string();
        let mut parameters = vec![
            (
                "app_key".to_owned(),
                defaults::ALIEXPRESS_APP_KEY.to_owned(),
            ),
            ("code".to_owned(), code.to_owned()),
            ("sign_method".to_owned(), "sha256".to_owned()),
            ("timestamp".to_owned(), now),
        ];
        let path = "/auth/token/create";
        let signature = kervan_marketplaces::aliexpress::signature::sign(
            kervan_marketplaces::aliexpress::signature::SignMethod::Sha256,
            defaults::ALIEXPRESS_APP_SECRET,
            path,
            &parameters,
        );
        parameters.push(("sign".to_owned(), signature));
        let form: Vec<String> = parameters
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = http::Request::post(format!("{SUPPLIER_URL}/rest{path}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(bytes::Bytes::from(form.join("&")))?;
        let answer = kervan::http::Http::send(&self.network, request).await?;
        let answer: serde_json::Value = serde_json::from_slice(answer.body())?;
        let token = answer["refresh_token"].as_str();
        token
            .map(str::to_owned)
            .ok_or_else(|| anyhow::anyhow!("no refresh token in {answer}"))
    }

    /// A customer buys one or more units of a sku.
    pub fn buy(&self, sku: &str, quantity: u32) -> anyhow::Result<OrderKey> {
        self.buy_as(NewOrder::one(sku, quantity))
    }

    /// A customer buys.
    pub fn buy_as(&self, order: NewOrder) -> anyhow::Result<OrderKey> {
        let id = self.ebay.place_order(order)?;
        Ok(OrderKey {
            channel: channel(),
            id: id.try_into()?,
        })
    }

    /// The order as Kervan has it.
    pub async fn order(&self, key: &OrderKey) -> anyhow::Result<Option<Order>> {
        Ok(ledger::load(&*self.store, key).await?)
    }

    /// The attention reason of an order, as its code; empty where there is none.
    pub async fn attention(&self, key: &OrderKey) -> anyhow::Result<String> {
        let order = self.order(key).await?;
        let attention = order.and_then(|order| order.attention);
        Ok(attention
            .map(|attention| attention.reason.code())
            .unwrap_or_default())
    }

    /// Delivers one push by hand and returns what was answered.
    pub async fn push(&self, push: &Push) -> IntakeAnswer {
        let name = if push.url.contains("/ebay/") {
            "ebay"
        } else {
            "aliexpress"
        };
        let request = Intake::Push {
            headers: push.headers.clone(),
            body: push.body.clone(),
        };
        flows::intake(&self.door, name, "main", request).await
    }

    /// Lets everything happen that can happen now.
    pub async fn settle(&self) -> anyhow::Result<()> {
        while self.step().await? {}
        Ok(())
    }

    /// Lets time pass, and everything happen in its order. Schedules do not run by themselves.
    pub async fn pass(&self, time: SignedDuration) -> anyhow::Result<()> {
        let end = self.clock.now() + time;
        loop {
            self.settle().await?;
            let now = self.clock.now();
            let next = self.next_event().filter(|next| *next > now && *next < end);
            let Some(next) = next else {
                self.clock.advance(end.duration_since(now));
                return self.settle().await;
            };
            self.clock.advance(next.duration_since(now));
        }
    }

    /// Runs each schedule of the template once.
    pub async fn run_schedules(&self) -> anyhow::Result<()> {
        flows::sweep(&self.kervan).await?;
        flows::queue_due_tracking(&self.kervan).await?;
        flows::queue_due_stock(&self.kervan).await?;
        Ok(())
    }

    /// Lets time pass with the schedules running every five minutes.
    pub async fn pass_with_schedules(&self, time: SignedDuration) -> anyhow::Result<()> {
        let end = self.clock.now() + time;
        while self.clock.now() < end {
            self.run_schedules().await?;
            let left = end.duration_since(self.clock.now());
            self.pass(left.min(SignedDuration::from_mins(5))).await?;
        }
        Ok(())
    }

    /// Lets the workers look at the stock and publish it, without delivering a push.
    pub async fn look_at_stock(&self) -> anyhow::Result<()> {
        flows::queue_due_stock(&self.kervan).await?;
        self.settle_queues().await
    }

    /// Works on everything that is queued now, without delivering a push.
    pub async fn settle_queues(&self) -> anyhow::Result<()> {
        while self.work().await? {}
        Ok(())
    }

    fn next_event(&self) -> Option<Timestamp> {
        let queues = [&self.orders, &self.tracking, &self.inventory];
        let messages = queues
            .into_iter()
            .filter_map(|queue| queue.next_visible_at());
        messages
            .chain(self.ebay.next_due())
            .chain(self.aliexpress.next_due())
            .min()
    }

    /// Delivers due pushes and works on one batch of each queue; whether there was anything.
    async fn step(&self) -> anyhow::Result<bool> {
        let now = self.clock.now();
        let mut busy = false;
        for push in self.ebay.take_due_pushes(now) {
            let status = self.push(&push).await.status.as_u16();
            self.ebay.push_answered(push.id, Some(status));
            busy = true;
        }
        for push in self.aliexpress.take_due_pushes(now) {
            let status = self.push(&push).await.status.as_u16();
            self.aliexpress.push_answered(push.id, Some(status));
            busy = true;
        }
        Ok(self.work().await? || busy)
    }

    /// One batch of each queue.
    async fn work(&self) -> anyhow::Result<bool> {
        let mut busy = false;
        let kervan = &self.kervan;
        let forward = |signal: Signal| async move { flows::forward(kervan, &signal).await };
        let track = |signal: Signal| async move { flows::track(kervan, &signal).await };
        let look = |task: InventoryTask| async move { flows::inventory(kervan, &task).await };
        busy |= drain(&self.orders, forward).await?;
        busy |= drain(&self.tracking, track).await?;
        busy |= drain(&self.inventory, look).await?;
        Ok(busy)
    }
}

/// One batch, as Lambda takes it from a queue: what did not fail is deleted.
async fn drain<M, F>(queue: &Arc<MemoryQueue>, work: impl Fn(M) -> F) -> anyhow::Result<bool>
where
    M: serde::de::DeserializeOwned + Clone,
    F: Future<Output = Result<flows::Outcome, flows::FlowError>>,
{
    let received = queue.receive(10, VISIBILITY, Duration::ZERO).await?;
    if received.is_empty() {
        return Ok(false);
    }
    let messages: Vec<Message> = received
        .iter()
        .map(|received| Message {
            id: received.id.clone(),
            receipt: received.receipt.clone(),
            body: received.body.clone(),
            deliveries: received.deliveries,
        })
        .collect();
    let port: Arc<dyn Queue> = queue.clone();
    let failed = handler::batch(&port, messages, work).await;
    for message in received
        .iter()
        .filter(|message| !failed.contains(&message.id))
    {
        queue.delete(&message.receipt).await?;
    }
    Ok(true)
}

fn channel() -> AccountId {
    account("ebay:main")
}

fn supplier() -> AccountId {
    account("aliexpress:main")
}

#[allow(
    clippy::expect_used,
    reason = "constants of this file, checked by every test"
)]
fn account(id: &str) -> AccountId {
    id.parse().expect("a valid account id")
}

fn secrets() -> MemorySecrets {
    let secrets = MemorySecrets::new();
    let ebay = serde_json::json!({
        "environment": EBAY_URL,
        "client_id": defaults::EBAY_CLIENT_ID,
        "client_secret": defaults::EBAY_CLIENT_SECRET,
        "refresh_token": defaults::EBAY_REFRESH_TOKEN,
        "endpoint": EBAY_ENDPOINT,
        "verification_token": defaults::EBAY_VERIFICATION_TOKEN,
    });
    secrets.put("kervan/account/ebay/main", ebay.to_string());
    let aliexpress = supplier_secret(defaults::ALIEXPRESS_REFRESH_TOKEN);
    secrets.put("kervan/account/aliexpress/main", aliexpress);
    secrets.put("kervan/pseudonym-key", "0123456789abcdef0123456789abcdef");
    secrets
}

fn supplier_secret(refresh_token: &str) -> String {
    let secret = serde_json::json!({
        "environment": SUPPLIER_URL,
        "app_key": defaults::ALIEXPRESS_APP_KEY,
        "app_secret": defaults::ALIEXPRESS_APP_SECRET,
        "refresh_token": refresh_token,
    });
    secret.to_string()
}
