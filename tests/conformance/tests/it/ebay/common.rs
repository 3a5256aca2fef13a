//! What the tests share: the contract's files, a network of fixed answers, an account at the simulator.

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use kervan::{
    clock::{Clock, ManualClock},
    domain::{ChannelOrderId, LineId, ListingId, Money, ParcelLine, Sku, TrackingNumber},
    http::{Http, HttpClient, HttpError},
    marketplaces::{
        ListingUpdate, Outside, ParcelToConfirm, Pseudonyms, RefundReason, RefundRequest,
        TokenStore, ebay::Ebay,
    },
    seal::MemorySeal,
    secrets::Secret,
    store::MemoryStore,
};
use kervan_marketplaces::{
    Clock as _, EbayConfig, Simulators, SimulatorsConfig, defaults, ebay::EbaySettings,
};
use serde_json::{Value, json};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

pub(crate) const ENDPOINT: &str = "https://hooks.example.com/push/ebay/main";
const TOKEN_PATH: &str = "/identity/v1/oauth2/token";

/// The contract's folder; `None`, which is recorded, where it is not named.
pub(crate) fn folder() -> Option<PathBuf> {
    kervan_conformance::contracts("ebay")
}

/// A text of the contract.
pub(crate) fn contract_text(path: &str) -> Option<String> {
    Some(crate::contracts::text(&folder()?.join(path)))
}

/// A file of the contract.
pub(crate) fn contract(path: &str) -> Option<Value> {
    Some(crate::contracts::json(&folder()?.join(path)))
}

type Answering = dyn Fn(&Request<Bytes>) -> (u16, String) + Send + Sync;

/// Answers each call by a function, tokens by itself, and keeps what it was asked.
pub(crate) struct Network {
    answer: Box<Answering>,
    asked: Mutex<Vec<Request<Bytes>>>,
}

impl std::fmt::Debug for Network {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Network")
    }
}

impl Network {
    pub(crate) fn saying(
        answer: impl Fn(&Request<Bytes>) -> (u16, String) + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            answer: Box::new(answer),
            asked: Mutex::default(),
        })
    }

    /// One answer to everything.
    pub(crate) fn always(status: u16, body: impl ToString) -> Arc<Self> {
        let body = body.to_string();
        Self::saying(move |_| (status, body.clone()))
    }

    /// What it was asked but for tokens.
    pub(crate) fn asked(&self) -> Vec<Request<Bytes>> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

#[async_trait]
impl Http for Network {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        if request.uri().path() == TOKEN_PATH {
            let token = json!({"access_token": "token-1", "expires_in": 7200});
            return Ok(Response::new(token.to_string().into()));
        }
        let (status, body) = (self.answer)(&request);
        self.asked.lock().unwrap().push(request);
        Ok(Response::builder()
            .status(status)
            .body(body.into())
            .unwrap())
    }
}

/// An account's secret; the fields of `more` are put over it.
pub(crate) fn secret(more: &Value) -> Value {
    let mut secret = json!({
        "environment": "production",
        "client_id": defaults::EBAY_CLIENT_ID,
        "client_secret": defaults::EBAY_CLIENT_SECRET,
        "refresh_token": defaults::EBAY_REFRESH_TOKEN,
        "endpoint": ENDPOINT,
        "verification_token": defaults::EBAY_VERIFICATION_TOKEN,
        "dev_id": defaults::EBAY_DEV_ID,
    });
    let fields = secret.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    secret
}

/// An account with this secret.
pub(crate) fn account(more: &Value, http: Arc<dyn Http>, clock: Arc<dyn Clock>) -> Ebay {
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let tokens = TokenStore::new(store, Arc::new(MemorySeal::new()), clock.clone());
    let outside = Outside {
        http,
        clock,
        tokens: Some(Arc::new(tokens)),
        limiter: None,
        pseudonyms: Arc::new(Pseudonyms::new(Secret::new("key".into()))),
    };
    let secret = Secret::new(secret(more).to_string());
    Ebay::new("ebay:main".parse().unwrap(), &secret, outside).unwrap()
}

/// An account before a network of fixed answers, in January 2026.
pub(crate) fn account_before(network: &Arc<Network>, more: &Value) -> Ebay {
    let now = "2026-01-15T12:30:00Z".parse().unwrap();
    account(more, network.clone(), Arc::new(ManualClock::at(now)))
}

pub(crate) fn order_id(text: &str) -> ChannelOrderId {
    ChannelOrderId::parse(text).unwrap()
}

pub(crate) fn parcel(number: &str, lines: &[(&str, u32)]) -> ParcelToConfirm {
    let line = |(id, quantity): &(&str, u32)| ParcelLine {
        line: LineId::parse(id).unwrap(),
        quantity: *quantity,
    };
    ParcelToConfirm {
        tracking_number: TrackingNumber::parse(number).unwrap(),
        carrier: "UPS Ground".into(),
        lines: lines.iter().map(line).collect(),
        shipped_at: "2026-01-15T12:00:00Z".parse().unwrap(),
        not_after: jiff::Timestamp::MAX,
    }
}

pub(crate) fn update(sku: &str, offer: &str, quantity: u32) -> ListingUpdate {
    ListingUpdate::new(
        ListingId {
            channel: "ebay:main".parse().unwrap(),
            sku: Sku::parse(sku).unwrap(),
            offer: offer.into(),
        },
        quantity,
        Money::parse("19.99", "USD".parse().unwrap()).unwrap(),
    )
}

pub(crate) fn refund(amount: &str) -> RefundRequest {
    RefundRequest {
        amount: Money::parse(amount, "USD".parse().unwrap()).unwrap(),
        line: None,
        reason: RefundReason::NotAsDescribed,
        comment: "example".into(),
        not_after: jiff::Timestamp::MAX,
    }
}

/// The simulator's clock, as Kervan asks it.
#[derive(Clone)]
pub(crate) struct OneClock(Arc<kervan_marketplaces::ManualClock>);

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

/// Real connections, whose requests are kept.
#[derive(Debug)]
pub(crate) struct Recorder {
    client: HttpClient,
    sent: Mutex<Vec<Request<Bytes>>>,
}

#[async_trait]
impl Http for Recorder {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let mut copy = Request::builder()
            .method(request.method().clone())
            .uri(request.uri().clone())
            .body(request.body().clone())
            .unwrap();
        *copy.headers_mut() = request.headers().clone();
        self.sent.lock().unwrap().push(copy);
        self.client.send(request).await
    }
}

/// An account at the simulator, over real connections and on one clock that is moved by hand.
pub(crate) struct World {
    pub(crate) simulators: Simulators,
    pub(crate) clock: Arc<kervan_marketplaces::ManualClock>,
    pub(crate) ebay: Ebay,
    recorder: Arc<Recorder>,
}

impl World {
    pub(crate) async fn start(more: &Value) -> Self {
        let settings = EbaySettings {
            // Nobody listens at the endpoint of these tests.
            challenge_destinations: false,
            ..EbaySettings::default()
        };
        Self::with(more, settings).await
    }

    pub(crate) async fn with(more: &Value, settings: EbaySettings) -> Self {
        let start = "2026-01-15T12:30:00Z".parse().unwrap();
        let clock = Arc::new(kervan_marketplaces::ManualClock::new(start));
        let config = SimulatorsConfig {
            clock: clock.clone(),
            hang_ms: 3_000,
            // Pushes are taken out by hand.
            push_tick_ms: 3_600_000,
            ebay: EbayConfig {
                settings,
                ..EbayConfig::default()
            },
            ..SimulatorsConfig::default()
        };
        let simulators = Simulators::start(config).await.unwrap();
        let mut more = more.clone();
        more["environment"] = simulators.ebay_url().into();
        let recorder = Arc::new(Recorder {
            client: HttpClient::new(Duration::from_millis(700)).unwrap(),
            sent: Mutex::default(),
        });
        let ebay = account(&more, recorder.clone(), Arc::new(OneClock(clock.clone())));
        Self {
            simulators,
            clock,
            ebay,
            recorder,
        }
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    pub(crate) fn now(&self) -> jiff::Timestamp {
        self.clock.now()
    }

    /// What was sent since the last time.
    pub(crate) fn sent(&self) -> Vec<Request<Bytes>> {
        std::mem::take(&mut self.recorder.sent.lock().unwrap())
    }
}
