//! What stands before anything runs: both sides' marketplaces, the table, the queues, the secrets and the time. Kervan's
//! functions are put on it as often as somebody wants, on these ports or on ports that go through something else.

use crate::network::{
    ALIBABA_URL, AMAZON_URL, EBAY_URL, Network, SECOND_EBAY_URL, SECOND_SUPPLIER_URL, SUPPLIER_URL,
    SharedClock,
};
use jiff::Timestamp;
use kervan::clock::{Clock, ManualClock};
use kervan::domain::{
    AccountId, Bundle, Listing, ListingId, Money, Offer, OfferId, Order, OrderKey, Part, Sku,
};
use kervan::flows::{Notified, catalog, ledger};
use kervan::http::Http;
use kervan::limiter::Limiter;
use kervan::marketplaces::{Account, TokenStore};
use kervan::queue::{MemoryQueue, Queue};
use kervan::seal::{MemorySeal, Seal};
use kervan::secrets::MemorySecrets;
use kervan::store::{MemoryStore, Store};
use kervan::{Accounts, Door, Kervan, Queues};
use kervan_marketplaces::aliexpress::{NewProduct, NewSku};
use kervan_marketplaces::ebay::{EbayOrderView, NewListing, NewOrder};
use kervan_marketplaces::{
    AliExpress, AliExpressConfig, Amazon, AmazonConfig, Buyer, Ebay, EbayConfig, Icbu, IcbuConfig,
    defaults,
};
use std::sync::Arc;

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

/// The endpoint that is registered at eBay.
pub(crate) const EBAY_ENDPOINT: &str = "https://kervan.invalid/hooks/ebay/main";
/// The endpoint that is registered at eBay for the second account there.
pub(crate) const SECOND_EBAY_ENDPOINT: &str = "https://kervan.invalid/hooks/ebay/second";
/// The endpoint that is registered at AliExpress.
pub(crate) const SUPPLIER_ENDPOINT: &str = "https://kervan.invalid/hooks/aliexpress/main";
/// Deliveries of a message before it lies in the dead-letter queue, as in the template.
const MOST_DELIVERIES: u32 = 5;
/// 2026-11-18, a Wednesday: nothing special happens then.
const START_S: i64 = 1_795_000_000;

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

/// What a stage begins with.
#[derive(Debug, Clone)]
pub struct WorldOptions {
    /// eBay's settings.
    pub ebay: EbayConfig,
    /// AliExpress's settings.
    pub aliexpress: AliExpressConfig,
    /// Whether there is a second account at AliExpress, `aliexpress:second`, with stores of its own.
    pub second_supplier: bool,
    /// Whether the merchant sells through a second account at eBay too, `ebay:second`. Every sku is listed on both.
    pub second_channel: bool,
    /// Amazon's and Alibaba.com's settings, where the merchant sells and buys there too.
    pub everywhere: Option<(AmazonConfig, IcbuConfig)>,
    /// Whether the functions keep to limits that they share.
    pub limits: bool,
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
            second_supplier: false,
            second_channel: false,
            everywhere: None,
            limits: false,
        }
    }
}

/// An offer to put into the catalogue.
#[derive(Debug, Clone, Copy)]
pub struct NewOffer {
    /// AliExpress's product; its one variant is ten times that and one.
    pub product: u64,
    /// Cost of one unit in cents of a US dollar.
    pub cost: i64,
    /// Units that the store has.
    pub stock: u32,
    /// Lower is tried first.
    pub rank: u32,
    /// Whether it is an offer of `aliexpress:second`.
    pub at_second: bool,
}

/// The ports that functions are given.
#[derive(Debug, Clone)]
pub(crate) struct Ports {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) http: Arc<dyn Http>,
    pub(crate) orders: Arc<dyn Queue>,
    pub(crate) tracking: Arc<dyn Queue>,
    pub(crate) inventory: Arc<dyn Queue>,
    /// Accounts at marketplaces that Kervan has no adapter for.
    pub(crate) given: Vec<Arc<dyn Account>>,
}

/// Both sides' marketplaces, the table, the queues, the secrets and the time.
pub struct Stage {
    /// The channel.
    pub ebay: Ebay,
    /// The second account's channel, where there is one.
    pub second_ebay: Option<Ebay>,
    /// The supplier.
    pub aliexpress: AliExpress,
    /// The second account's supplier, where there is one.
    pub second: Option<AliExpress>,
    /// Amazon, where the merchant sells there.
    pub amazon: Option<Amazon>,
    /// Alibaba.com, where the merchant buys there.
    pub alibaba: Option<Icbu>,
    /// The time of all.
    pub clock: Arc<ManualClock>,
    /// The table.
    pub store: Arc<MemoryStore>,
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
    pub(crate) network: Network,
    limits: bool,
    seal: Arc<dyn Seal>,
}

impl Stage {
    /// A stage with empty shelves.
    pub fn new(options: WorldOptions) -> Self {
        let start: Timestamp = Timestamp::from_second(START_S).unwrap_or(Timestamp::UNIX_EPOCH);
        let clock = Arc::new(ManualClock::at(start));
        let shared: Arc<dyn kervan_marketplaces::Clock> = Arc::new(SharedClock(clock.clone()));
        // Another seed, so that no id of one account is an id of the other.
        let second_ebay = options
            .second_channel
            .then(|| Ebay::new(options.ebay.clone(), shared.clone(), 13));
        let ebay = Ebay::new(options.ebay, shared.clone(), 7);
        let second = options
            .second_supplier
            .then(|| AliExpress::new(options.aliexpress.clone(), shared.clone(), 11));
        let aliexpress = AliExpress::new(options.aliexpress, shared.clone(), 7);
        let (amazon, alibaba) = match options.everywhere {
            Some((amazon, alibaba)) => {
                let amazon = Amazon::new(amazon, shared.clone(), 7);
                (Some(amazon), Some(Icbu::new(alibaba, shared, 7)))
            }
            None => (None, None),
        };
        let dead = Arc::new(MemoryQueue::new(clock.clone()));
        let queue = || {
            let queue = MemoryQueue::new(clock.clone());
            Arc::new(queue.with_dead_letters(MOST_DELIVERIES, dead.clone()))
        };
        Self {
            network: Network {
                ebay: ebay.router(),
                second_ebay: second_ebay.as_ref().map(Ebay::router),
                aliexpress: aliexpress.router(),
                second: second.as_ref().map(AliExpress::router),
                amazon: amazon.as_ref().map(Amazon::router),
                alibaba: alibaba.as_ref().map(Icbu::router),
            },
            ebay,
            second_ebay,
            aliexpress,
            second,
            amazon,
            alibaba,
            store: Arc::new(MemoryStore::new(clock.clone())),
            secrets: Arc::new(secrets()),
            orders: queue(),
            tracking: queue(),
            inventory: queue(),
            dead,
            limits: options.limits,
            seal: Arc::new(MemorySeal::new()),
            clock,
        }
    }

    /// A stage that stands as this one does and goes its own way from here. A simulation prepares a stage once and plays
    /// each schedule on a copy.
    pub(crate) fn fork(&self) -> Self {
        let clock = Arc::new(ManualClock::at(self.clock.now()));
        let shared: Arc<dyn kervan_marketplaces::Clock> = Arc::new(SharedClock(clock.clone()));
        let second_ebay = self.second_ebay.as_ref();
        let second_ebay = second_ebay.map(|ebay| ebay.fork(shared.clone()));
        let ebay = self.ebay.fork(shared.clone());
        let second = self.second.as_ref().map(|one| one.fork(shared.clone()));
        let aliexpress = self.aliexpress.fork(shared.clone());
        let amazon = self.amazon.as_ref().map(|one| one.fork(shared.clone()));
        let alibaba = self.alibaba.as_ref().map(|one| one.fork(shared.clone()));
        let dead = Arc::new(self.dead.fork(clock.clone(), &self.dead));
        let queue = |queue: &MemoryQueue| Arc::new(queue.fork(clock.clone(), &dead));
        Self {
            network: Network {
                ebay: ebay.router(),
                second_ebay: second_ebay.as_ref().map(Ebay::router),
                aliexpress: aliexpress.router(),
                second: second.as_ref().map(AliExpress::router),
                amazon: amazon.as_ref().map(Amazon::router),
                alibaba: alibaba.as_ref().map(Icbu::router),
            },
            ebay,
            second_ebay,
            aliexpress,
            second,
            amazon,
            alibaba,
            store: Arc::new(self.store.fork(clock.clone())),
            secrets: Arc::new(self.secrets.fork()),
            orders: queue(&self.orders),
            tracking: queue(&self.tracking),
            inventory: queue(&self.inventory),
            dead,
            limits: self.limits,
            seal: self.seal.clone(),
            clock,
        }
    }

    /// The stage's own ports, with nothing in between.
    pub(crate) fn ports(&self) -> Ports {
        Ports {
            clock: self.clock.clone(),
            store: self.store.clone(),
            http: Arc::new(self.network.clone()),
            orders: self.orders.clone(),
            tracking: self.tracking.clone(),
            inventory: self.inventory.clone(),
            given: Vec::new(),
        }
    }

    /// One instance of a worker's function.
    pub(crate) fn worker(&self, ports: &Ports) -> Kervan {
        let seal = self.seal.clone();
        let tokens = TokenStore::new(ports.store.clone(), seal, ports.clock.clone());
        let mut accounts = self.accounts(ports, Some(Arc::new(tokens)));
        if self.limits {
            let limiter = Limiter::new(ports.store.clone(), ports.clock.clone());
            accounts = accounts.with_limiter(Arc::new(limiter));
        }
        let queues = Queues {
            orders: ports.orders.clone(),
            tracking: ports.tracking.clone(),
            inventory: ports.inventory.clone(),
        };
        let (clock, store) = (ports.clock.clone(), ports.store.clone());
        Kervan::new(clock, store, self.seal.clone(), queues, accounts)
    }

    /// One instance of the door's function.
    pub(crate) fn door(&self, ports: &Ports) -> Door {
        Door {
            accounts: self.accounts(ports, None),
            orders: ports.orders.clone(),
            tracking: ports.tracking.clone(),
            notified: Notified::default(),
        }
    }

    fn accounts(&self, ports: &Ports, tokens: Option<Arc<TokenStore>>) -> Accounts {
        let mut ids = vec![channel(), supplier()];
        ids.extend(self.second_ebay.as_ref().map(|_| second_channel()));
        ids.extend(self.second.as_ref().map(|_| second_supplier()));
        ids.extend(self.amazon.as_ref().map(|_| account("amazon:main")));
        ids.extend(self.alibaba.as_ref().map(|_| account("alibaba:main")));
        let (secrets, http, clock) = (
            self.secrets.clone(),
            ports.http.clone(),
            ports.clock.clone(),
        );
        let accounts = Accounts::new(ids, "kervan/", secrets, http, clock, tokens);
        let given = ports.given.iter().cloned();
        given.fold(accounts, Accounts::with_account)
    }

    /// Puts a sku on each channel, with nothing to sell yet.
    fn add_listings(&self, sku: &str, price: i64) -> anyhow::Result<Vec<Listing>> {
        let mut listings = Vec::new();
        for (channel, ebay) in self.channels() {
            let new = NewListing::new(sku, kervan_marketplaces::Money::usd(price), 0);
            let offer = ebay.add_listing(new).offer_id;
            let sku = Sku::parse(sku)?;
            let id = ListingId {
                channel,
                sku,
                offer,
            };
            listings.push(Listing::new(id, usd(price)?));
        }
        Ok(listings)
    }

    /// Puts a bundle on eBay and into the catalogue; its parts are there. The price is in US cents.
    pub async fn list_bundle(
        &self,
        sku: &str,
        price: i64,
        parts: &[(&str, u32)],
    ) -> anyhow::Result<()> {
        let part = |(sku, units): &(&str, u32)| {
            let sku = Sku::parse(sku)?;
            Ok(Part { sku, units: *units })
        };
        let parts: anyhow::Result<Vec<Part>> = parts.iter().map(part).collect();
        let listings = self.add_listings(sku, price)?.into_iter();
        let terms = catalog::Terms {
            sku: Sku::parse(sku)?,
            listings: listings.map(Into::into).collect(),
            offers: Vec::new(),
            bundle: Some(Bundle::new(Sku::parse(sku)?, parts?)?),
        };
        catalog::put_terms(&*self.store, &terms, self.clock.now()).await?;
        Ok(())
    }

    /// Puts a sku on eBay and into the catalogue, and its offers into stores of AliExpress. Amounts are US cents.
    pub async fn list(&self, sku: &str, price: i64, offers: &[NewOffer]) -> anyhow::Result<()> {
        let listings = self.add_listings(sku, price)?;
        for offer in offers {
            let (store, account) = match (&self.second, offer.at_second) {
                (Some(second), true) => (second, second_supplier()),
                _ => (&self.aliexpress, supplier()),
            };
            let product = NewProduct {
                product_id: offer.product,
                title: None,
                // Each product is of a store of its own, so that two of them become two orders there.
                store_id: 9_000 + offer.product % 1_000,
                skus: vec![NewSku {
                    sku_id: offer.product * 10 + 1,
                    sku_attr: String::new(),
                    price: kervan_marketplaces::Money::usd(offer.cost),
                    stock: offer.stock,
                }],
                delivery: Vec::new(),
                not_to: Vec::new(),
            };
            store.add_product(product)?;
            let (product, variant) = (offer.product.to_string(), offer.product * 10 + 1);
            let id = OfferId::new(account, &product, &variant.to_string())?;
            for listing in &listings {
                self.offer(listing, id.clone(), offer.rank).await?;
            }
        }
        Ok(())
    }

    /// Puts an offer into the catalogue.
    pub(crate) async fn offer(
        &self,
        listing: &Listing,
        id: OfferId,
        rank: u32,
    ) -> anyhow::Result<()> {
        let offer = Offer {
            id,
            sku: listing.id.sku.clone(),
            rank,
            ship_to: "US".parse()?,
            shipping: None,
            evidence: None,
            interval_s: 600,
        };
        catalog::put(&*self.store, listing.clone(), offer, self.clock.now()).await?;
        Ok(())
    }

    /// Puts a sku with one offer on eBay, into a store of AliExpress, and into the catalogue.
    pub async fn add(
        &self,
        sku: &str,
        price: i64,
        product: u64,
        cost: i64,
        stock: u32,
    ) -> anyhow::Result<()> {
        let offer = NewOffer {
            product,
            cost,
            stock,
            rank: 1,
            at_second: false,
        };
        self.list(sku, price, &[offer]).await
    }

    /// Each account that sells at eBay, with its channel.
    pub fn channels(&self) -> Vec<(AccountId, &Ebay)> {
        let second = self.second_ebay.iter();
        let second = second.map(|ebay| (second_channel(), ebay));
        std::iter::once((channel(), &self.ebay))
            .chain(second)
            .collect()
    }

    /// All customers' orders with their channels, in the order in which they were bought.
    pub(crate) fn sold(&self) -> Vec<(AccountId, EbayOrderView)> {
        let orders = |(channel, ebay): (AccountId, &Ebay)| {
            let orders = ebay.orders().into_iter();
            orders.map(move |order| (channel.clone(), order))
        };
        let mut sold: Vec<_> = self.channels().into_iter().flat_map(orders).collect();
        sold.sort_by_key(|(_, order)| order.created_at);
        sold
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

    /// Tells AliExpress where to push.
    pub(crate) fn subscribe_to_suppliers(&self) {
        let mut settings = self.aliexpress.settings();
        settings.push_url = Some(SUPPLIER_ENDPOINT.to_owned());
        self.aliexpress.set_settings(settings);
    }
}

pub(crate) fn usd(minor: i64) -> anyhow::Result<Money> {
    let currency = "USD".parse()?;
    Ok(Money { minor, currency })
}

pub(crate) fn channel() -> AccountId {
    account("ebay:main")
}

pub(crate) fn second_channel() -> AccountId {
    account("ebay:second")
}

pub(crate) fn supplier() -> AccountId {
    account("aliexpress:main")
}

pub(crate) fn second_supplier() -> AccountId {
    account("aliexpress:second")
}

#[allow(
    clippy::expect_used,
    reason = "constants of this crate, checked by every test"
)]
pub(crate) fn account(id: &str) -> AccountId {
    id.parse().expect("a valid account id")
}

fn secrets() -> MemorySecrets {
    let secrets = MemorySecrets::new();
    let ebay = [
        ("main", EBAY_URL, EBAY_ENDPOINT),
        ("second", SECOND_EBAY_URL, SECOND_EBAY_ENDPOINT),
    ];
    for (name, url, endpoint) in ebay {
        let secret = serde_json::json!({
            "environment": url,
            "client_id": defaults::EBAY_CLIENT_ID,
            "client_secret": defaults::EBAY_CLIENT_SECRET,
            "refresh_token": defaults::EBAY_REFRESH_TOKEN,
            "endpoint": endpoint,
            "verification_token": defaults::EBAY_VERIFICATION_TOKEN,
        });
        secrets.put(format!("kervan/account/ebay/{name}"), secret.to_string());
    }
    let first = supplier_secret(SUPPLIER_URL, defaults::ALIEXPRESS_REFRESH_TOKEN);
    secrets.put("kervan/account/aliexpress/main", first);
    let second = supplier_secret(SECOND_SUPPLIER_URL, defaults::ALIEXPRESS_REFRESH_TOKEN);
    secrets.put("kervan/account/aliexpress/second", second);
    let amazon = serde_json::json!({
        "environment": AMAZON_URL,
        "marketplace_ids": [defaults::AMAZON_MARKETPLACE_ID],
        "client_id": defaults::AMAZON_CLIENT_ID,
        "client_secret": defaults::AMAZON_CLIENT_SECRET,
        "refresh_token": defaults::AMAZON_REFRESH_TOKEN,
        "seller_id": defaults::AMAZON_SELLER_ID,
    });
    secrets.put("kervan/account/amazon/main", amazon.to_string());
    let alibaba = serde_json::json!({
        "platform": "alibaba.com",
        "environment": ALIBABA_URL,
        "app_key": defaults::ALIBABA_APP_KEY,
        "app_secret": defaults::ALIBABA_APP_SECRET,
        "refresh_token": defaults::ALIBABA_REFRESH_TOKEN,
        "quote_addresses": {"US": {
            "zip": "10012", "province": "New York", "province_code": "NY", "city": "New York",
            "address": "1 Example Street",
        }},
        "pay": {
            "payment_method": "CREDIT_CARD", "user_ip": "203.0.113.7", "user_agent": "Kervan",
            "accept_language": "en-US", "screen_resolution": "1920*1080",
            "registered_at_ms": 1_616_595_118_627_i64,
        },
    });
    secrets.put("kervan/account/alibaba/main", alibaba.to_string());
    secrets.put("kervan/pseudonym-key", "0123456789abcdef0123456789abcdef");
    secrets
}

pub(crate) fn supplier_secret(url: &str, refresh_token: &str) -> String {
    let secret = serde_json::json!({
        "environment": url,
        "app_key": defaults::ALIEXPRESS_APP_KEY,
        "app_secret": defaults::ALIEXPRESS_APP_SECRET,
        "refresh_token": refresh_token,
    });
    secret.to_string()
}
