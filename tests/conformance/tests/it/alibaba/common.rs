//! What the tests share: the contract's files, a gateway of fixed answers, orders, and simulators on one clock.

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use kervan::{
    clock::{Clock, ManualClock},
    domain::{Address, Buyer, LineId, Money, OfferId, PurchaseLine, Reference, Sku},
    http::{Http, HttpClient, HttpError},
    marketplaces::{
        Account, Outside, PlaceRequest, Pseudonyms, Quote, QuoteRequest, TokenStore, Wanted,
        alibaba,
    },
    seal::MemorySeal,
    secrets::Secret,
    store::MemoryStore,
};
use kervan_marketplaces::{
    Cn1688Config, IcbuConfig, Simulators, SimulatorsConfig, alibaba::cn1688::Cn1688Settings,
    alibaba::icbu::IcbuSettings, defaults,
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

pub(crate) const APP_SECRET: &str = "unit-test-secret-Zx81";
/// When the clock of fixed answers stands, in seconds since 1970.
pub(crate) const NOW_S: i64 = 1_790_000_000;

/// The contract's folder; `None`, which is recorded, where it is not named.
pub(crate) fn folder() -> Option<PathBuf> {
    kervan_conformance::contracts("alibaba")
}

/// A file of the contract.
pub(crate) fn contract(path: &str) -> Option<Value> {
    Some(crate::contracts::json(&folder()?.join(path)))
}

/// A sample's payload.
pub(crate) fn sample(path: &str) -> Option<Value> {
    Some(contract(path)?["body"].clone())
}

/// Answers each operation (the last parts of its path) with one body, and keeps what it was sent.
#[derive(Debug, Default)]
pub(crate) struct Gateway {
    answers: HashMap<&'static str, (u16, Value)>,
    pub(crate) sent: Mutex<Vec<Sent>>,
}

/// A request as it was sent.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) path: String,
    pub(crate) content_type: String,
    pub(crate) form: BTreeMap<String, String>,
}

impl Gateway {
    /// A gateway whose tokens can be renewed.
    pub(crate) fn new() -> Self {
        let icbu = json!({"access_token": "session-1", "refresh_token": "refresh-1",
                          "expires_in": "864000", "refresh_expires_in": "5184000", "code": "0"});
        let cn = json!({"access_token": "session-1", "expires_in": "36000"});
        Self::default()
            .saying("/auth/token/refresh", icbu)
            .saying("system.oauth2/getToken", cn)
    }

    /// The same, with one more answer.
    pub(crate) fn saying(self, operation: &'static str, body: Value) -> Self {
        self.answering(operation, 200, body)
    }

    /// The same, with one more answer of this status.
    pub(crate) fn answering(mut self, operation: &'static str, status: u16, body: Value) -> Self {
        self.answers.insert(operation, (status, body));
        self
    }

    /// What was sent to an operation the first time.
    pub(crate) fn sent_to(&self, operation: &str) -> Sent {
        let sent = self.sent.lock().unwrap();
        let mut calls = sent.iter().filter(|call| call.path.contains(operation));
        let call = calls.next().cloned();
        call.unwrap_or_else(|| panic!("nothing was sent to {operation}"))
    }
}

#[async_trait]
impl Http for Gateway {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let path = request.uri().path().to_owned();
        let content_type = request.headers()["content-type"]
            .to_str()
            .unwrap()
            .to_owned();
        let form = url::form_urlencoded::parse(request.body())
            .into_owned()
            .collect();
        let known = |operation: &&&str| {
            path.strip_prefix("/rest") == Some(**operation)
                || path.contains(&format!("/{}/", **operation))
        };
        let operation = self.answers.keys().find(known);
        let (status, body) = match operation {
            Some(operation) => self.answers[operation].clone(),
            None => panic!("{path} has no answer"),
        };
        self.sent.lock().unwrap().push(Sent {
            path,
            content_type,
            form,
        });
        let mut answer = Response::new(Bytes::from(body.to_string()));
        *answer.status_mut() = StatusCode::from_u16(status).unwrap();
        Ok(answer)
    }
}

/// The secret of an Alibaba.com account.
pub(crate) fn icbu_secret() -> Value {
    json!({"platform": "alibaba.com", "environment": "production", "app_key": "500123",
           "app_secret": APP_SECRET, "refresh_token": "seed",
           "quote_addresses": {"US": {"zip": "10012", "province": "New York",
               "province_code": "NY", "city": "New York", "address": "1 Example Street"}},
           "pay": {"payment_method": "CREDIT_CARD", "user_ip": "203.0.113.7",
               "user_agent": "Kervan", "accept_language": "en-US",
               "screen_resolution": "1920*1080", "registered_at_ms": 1_616_595_118_627_u64}})
}

/// The secret of a 1688 account.
pub(crate) fn cn1688_secret() -> Value {
    json!({"platform": "1688", "environment": "production", "app_key": "1000000",
           "app_secret": APP_SECRET, "refresh_token": "seed", "ship_to": "buyer",
           "trade_types": ["assureTrade", "alipay", "nzassure"],
           "address": {"full_name": "仓库 KV-1", "mobile": "13800000000", "province": "浙江省",
               "city": "杭州市", "area": "滨江区", "address": "网商路699号", "post_code": "310000"}})
}

/// An account with this secret.
pub(crate) fn account(
    secret: &Value,
    http: Arc<dyn Http>,
    clock: Arc<dyn Clock>,
) -> Arc<dyn Account> {
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let tokens = TokenStore::new(store, Arc::new(MemorySeal::new()), clock.clone());
    let outside = Outside {
        http,
        clock,
        tokens: Some(Arc::new(tokens)),
        limiter: None,
        pseudonyms: Arc::new(Pseudonyms::new(Secret::new("key".into()))),
    };
    let secret = Secret::new(secret.to_string());
    alibaba::account("alibaba:main".parse().unwrap(), &secret, outside).unwrap()
}

/// An account of fixed answers.
pub(crate) fn of_gateway(secret: &Value, gateway: &Arc<Gateway>) -> Arc<dyn Account> {
    let now = jiff::Timestamp::from_second(NOW_S).unwrap();
    account(secret, gateway.clone(), Arc::new(ManualClock::at(now)))
}

/// An offer of the account.
pub(crate) fn offer(product: impl ToString, variant: &str) -> OfferId {
    OfferId::new(
        "alibaba:main".parse().unwrap(),
        &product.to_string(),
        variant,
    )
    .unwrap()
}

/// The quote of one offer to the United States, or to China.
pub(crate) async fn quote(
    account: &Arc<dyn Account>,
    offer: OfferId,
    quantity: u32,
    ship_to: &str,
) -> Result<Quote, kervan::marketplaces::CallError> {
    let wanted = [Wanted {
        line: LineId::parse("1").unwrap(),
        offer,
        quantity,
    }];
    let request = QuoteRequest {
        wanted: &wanted,
        ship_to: &ship_to.parse().unwrap(),
    };
    account.buy().unwrap().quote(&request).await
}

/// The line of a purchase on the terms of its quote.
pub(crate) fn line(offer: OfferId, quantity: u32, quote: &Quote) -> PurchaseLine {
    let terms = &quote.lines[0];
    PurchaseLine {
        line: LineId::parse("1").unwrap(),
        sku: Sku::parse("SKU-1").unwrap(),
        offer,
        quantity,
        unit_cost: terms.unit_cost,
        shipping: terms.shipping,
        shipping_option: terms.shipping_option.clone(),
        variant_attributes: terms.variant_attributes.clone(),
    }
}

/// A line on made-up terms.
pub(crate) fn plain_line(
    offer: OfferId,
    quantity: u32,
    currency: &str,
    option: &str,
) -> PurchaseLine {
    let currency = currency.parse().unwrap();
    PurchaseLine {
        line: LineId::parse("1").unwrap(),
        sku: Sku::parse("SKU-1").unwrap(),
        offer,
        quantity,
        unit_cost: Money {
            minor: 1_000_000,
            currency,
        },
        shipping: Money::zero(currency),
        shipping_option: option.to_owned(),
        variant_attributes: "company".to_owned(),
    }
}

/// Somebody in the United States.
pub(crate) fn buyer() -> Buyer {
    Buyer {
        name: "Jane Doe".into(),
        phone: "+1 555 0100 200".into(),
        email: String::new(),
        account_name: "jane1".into(),
        address: Address {
            line1: "1 Example Street".into(),
            line2: "Unit 2".into(),
            city: "New York".into(),
            region: "NY".into(),
            postal_code: "10012".into(),
            country: "US".parse().unwrap(),
        },
    }
}

/// Somebody in China.
pub(crate) fn buyer_in_china() -> Buyer {
    Buyer {
        name: "张三".into(),
        phone: "+86 138 0000 0000".into(),
        address: Address {
            line1: "网商路699号".into(),
            line2: "滨江区".into(),
            city: "杭州市".into(),
            region: "浙江省".into(),
            postal_code: "310000".into(),
            country: "CN".parse().unwrap(),
        },
        ..buyer()
    }
}

/// Our reference of some order.
pub(crate) fn reference() -> Reference {
    Reference::of(&"ebay:main/01-1".parse().unwrap(), 1)
}

/// Places a purchase.
pub(crate) async fn place(
    account: &Arc<dyn Account>,
    lines: &[PurchaseLine],
    buyer: &Buyer,
) -> Result<kervan::marketplaces::Placed, kervan::marketplaces::CallError> {
    let request = PlaceRequest {
        reference: &reference(),
        lines,
        buyer,
        not_after: jiff::Timestamp::MAX,
    };
    account.buy().unwrap().place(&request).await
}

/// The simulators' clock, as Kervan asks it.
#[derive(Clone)]
struct OneClock(Arc<kervan_marketplaces::ManualClock>);

impl std::fmt::Debug for OneClock {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("OneClock")
    }
}

#[async_trait]
impl Clock for OneClock {
    fn now(&self) -> jiff::Timestamp {
        kervan_marketplaces::Clock::now(&*self.0)
    }

    async fn sleep(&self, time: Duration) {
        kervan_marketplaces::Clock::advance(&*self.0, time);
    }
}

/// The simulators, served, and an account at one of the two platforms.
pub(crate) struct World {
    pub(crate) simulators: Simulators,
    clock: Arc<kervan_marketplaces::ManualClock>,
    pub(crate) account: Arc<dyn Account>,
}

impl World {
    pub(crate) async fn icbu(change: impl FnOnce(&mut Value)) -> Self {
        let mut secret = icbu_secret();
        secret["app_key"] = json!(defaults::ALIBABA_APP_KEY);
        secret["app_secret"] = json!(defaults::ALIBABA_APP_SECRET);
        secret["refresh_token"] = json!(defaults::ALIBABA_REFRESH_TOKEN);
        secret["seller_id"] = json!(defaults::ALIBABA_SELLER_ID);
        Self::start(secret, change, Simulators::icbu_url).await
    }

    pub(crate) async fn cn1688(change: impl FnOnce(&mut Value)) -> Self {
        let mut secret = cn1688_secret();
        secret["app_key"] = json!(defaults::CN1688_APP_KEY);
        secret["app_secret"] = json!(defaults::CN1688_APP_SECRET);
        secret["refresh_token"] = json!(defaults::CN1688_REFRESH_TOKEN);
        secret["member_id"] = json!(defaults::CN1688_MEMBER_ID);
        Self::start(secret, change, Simulators::cn1688_url).await
    }

    async fn start(
        mut secret: Value,
        change: impl FnOnce(&mut Value),
        url: impl Fn(&Simulators) -> String,
    ) -> Self {
        let start = "2026-11-02T08:00:00Z".parse().unwrap();
        let clock = Arc::new(kervan_marketplaces::ManualClock::new(start));
        let push_url = Some("http://127.0.0.1:9/".to_owned());
        let config = SimulatorsConfig {
            clock: clock.clone(),
            hang_ms: 3_000,
            // Pushes are taken out by hand.
            push_tick_ms: 3_600_000,
            icbu: IcbuConfig {
                settings: IcbuSettings {
                    push_url: push_url.clone(),
                    ..IcbuSettings::default()
                },
                ..IcbuConfig::default()
            },
            cn1688: Cn1688Config {
                settings: Cn1688Settings {
                    push_url,
                    ..Cn1688Settings::default()
                },
                ..Cn1688Config::default()
            },
            ..SimulatorsConfig::default()
        };
        let simulators = Simulators::start(config).await.unwrap();
        secret["environment"] = json!(url(&simulators));
        change(&mut secret);
        let http = Arc::new(HttpClient::new(Duration::from_millis(700)).unwrap());
        let account = account(&secret, http, Arc::new(OneClock(clock.clone())));
        Self {
            simulators,
            clock,
            account,
        }
    }

    pub(crate) fn now(&self) -> jiff::Timestamp {
        kervan_marketplaces::Clock::now(&*self.clock)
    }

    pub(crate) fn pass(&self, time: Duration) {
        kervan_marketplaces::Clock::advance(&*self.clock, time);
    }
}
