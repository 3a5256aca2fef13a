//! The simulators as servers on this machine.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::alibaba::cn1688::Cn1688;
use crate::alibaba::cn1688::Cn1688Config;
use crate::alibaba::icbu::Icbu;
use crate::alibaba::icbu::IcbuConfig;
use crate::aliexpress::AliExpress;
use crate::aliexpress::AliExpressConfig;
use crate::amazon::Amazon;
use crate::amazon::AmazonConfig;
use crate::clock::Clock;
use crate::clock::SystemClock;
use crate::ebay::Ebay;
use crate::ebay::EbayConfig;
use crate::fault::Takes;
use crate::fault::WireFault;
use crate::push::Push;
use crate::simulator::Pushing;
use crate::simulator::Simulator;

/// What to start, where, and by which clock.
#[derive(Clone)]
pub struct SimulatorsConfig {
    /// eBay's credentials and settings.
    pub ebay: EbayConfig,
    /// AliExpress's credentials and settings.
    pub aliexpress: AliExpressConfig,
    /// Amazon's credentials and settings.
    pub amazon: AmazonConfig,
    /// Alibaba.com's credentials and settings.
    pub icbu: IcbuConfig,
    /// 1688's credentials and settings.
    pub cn1688: Cn1688Config,
    /// Where eBay listens. Port 0 takes a free one.
    pub ebay_address: SocketAddr,
    /// Where AliExpress listens. Port 0 takes a free one.
    pub aliexpress_address: SocketAddr,
    /// Where Amazon listens. Port 0 takes a free one.
    pub amazon_address: SocketAddr,
    /// Where Alibaba.com listens. Port 0 takes a free one.
    pub icbu_address: SocketAddr,
    /// Where 1688 listens. Port 0 takes a free one.
    pub cn1688_address: SocketAddr,
    /// The clock of all.
    pub clock: Arc<dyn Clock>,
    /// Ids, buyers and keys follow from it.
    pub seed: u64,
    /// How long a call that is never answered is held open, in milliseconds.
    pub hang_ms: u64,
    /// How often the outboxes are looked through, in milliseconds.
    pub push_tick_ms: u64,
}

impl Default for SimulatorsConfig {
    fn default() -> Self {
        let local = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            ebay: EbayConfig::default(),
            aliexpress: AliExpressConfig::default(),
            amazon: AmazonConfig::default(),
            icbu: IcbuConfig::default(),
            cn1688: Cn1688Config::default(),
            ebay_address: local,
            aliexpress_address: local,
            amazon_address: local,
            icbu_address: local,
            cn1688_address: local,
            clock: Arc::new(SystemClock::default()),
            seed: 1,
            hang_ms: 60_000,
            push_tick_ms: 20,
        }
    }
}

/// The marketplaces, listening. They stop when this is dropped.
pub struct Simulators {
    /// The handle on eBay.
    pub ebay: Ebay,
    /// The handle on AliExpress.
    pub aliexpress: AliExpress,
    /// The handle on Amazon. Its messages stay in its outbox: whoever plays the queue takes them out.
    pub amazon: Amazon,
    /// The handle on Alibaba.com.
    pub icbu: Icbu,
    /// The handle on 1688.
    pub cn1688: Cn1688,
    ebay_address: SocketAddr,
    aliexpress_address: SocketAddr,
    amazon_address: SocketAddr,
    icbu_address: SocketAddr,
    cn1688_address: SocketAddr,
    tasks: Vec<JoinHandle<()>>,
}

impl Simulators {
    /// Binds the ports and starts serving and pushing. Fails if a port is taken.
    pub async fn start(config: SimulatorsConfig) -> io::Result<Self> {
        let ebay = Ebay::new(config.ebay, config.clock.clone(), config.seed);
        let aliexpress = AliExpress::new(config.aliexpress, config.clock.clone(), config.seed);
        let amazon = Amazon::new(config.amazon, config.clock.clone(), config.seed);
        let icbu = Icbu::new(config.icbu, config.clock.clone(), config.seed);
        let cn1688 = Cn1688::new(config.cn1688, config.clock, config.seed);
        let hang = Duration::from_millis(config.hang_ms);
        let (ebay_address, ebay_task) = listen(config.ebay_address, ebay.router(), hang).await?;
        let (aliexpress_address, aliexpress_task) =
            listen(config.aliexpress_address, aliexpress.router(), hang).await?;
        let (amazon_address, amazon_task) =
            listen(config.amazon_address, amazon.router(), hang).await?;
        let (icbu_address, icbu_task) = listen(config.icbu_address, icbu.router(), hang).await?;
        let (cn1688_address, cn1688_task) =
            listen(config.cn1688_address, cn1688.router(), hang).await?;
        let client = http_client().map_err(io::Error::other)?;
        let tick = Duration::from_millis(config.push_tick_ms.max(1));
        let tasks = vec![
            ebay_task,
            aliexpress_task,
            amazon_task,
            icbu_task,
            cn1688_task,
            tokio::spawn(deliver(client.clone(), ebay.clone(), tick)),
            tokio::spawn(deliver(client.clone(), aliexpress.clone(), tick)),
            tokio::spawn(deliver(client.clone(), icbu.clone(), tick)),
            tokio::spawn(deliver(client, cn1688.clone(), tick)),
        ];
        Ok(Self {
            ebay,
            aliexpress,
            amazon,
            icbu,
            cn1688,
            ebay_address,
            aliexpress_address,
            amazon_address,
            icbu_address,
            cn1688_address,
            tasks,
        })
    }

    /// `http://127.0.0.1:port` of eBay; its paths follow it as they follow `https://api.ebay.com`.
    pub fn ebay_url(&self) -> String {
        format!("http://{}", self.ebay_address)
    }

    /// `http://127.0.0.1:port` of Amazon; the API's paths follow it as at `https://sellingpartnerapi-na.amazon.com`, and
    /// the token server's as at `https://api.amazon.com`.
    pub fn amazon_url(&self) -> String {
        format!("http://{}", self.amazon_address)
    }

    /// `http://127.0.0.1:port` of Alibaba.com; `/rest` follows it as at `https://openapi-api.alibaba.com`.
    pub fn icbu_url(&self) -> String {
        format!("http://{}", self.icbu_address)
    }

    /// `http://127.0.0.1:port` of 1688; `/openapi` follows it as at `https://gw.open.1688.com`.
    pub fn cn1688_url(&self) -> String {
        format!("http://{}", self.cn1688_address)
    }

    /// `http://127.0.0.1:port` of AliExpress; `/sync` and `/rest` follow it as at `https://api-sg.aliexpress.com`.
    pub fn aliexpress_url(&self) -> String {
        format!("http://{}", self.aliexpress_address)
    }
}

impl Drop for Simulators {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn listen(
    address: SocketAddr,
    router: Router,
    hang: Duration,
) -> io::Result<(SocketAddr, JoinHandle<()>)> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let router = router.layer(axum::middleware::from_fn(
        move |request: Request, next: Next| act_on_wire_fault(request, next, hang),
    ));
    let task = tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "a simulator stopped serving");
        }
    });
    Ok((address, task))
}

/// Makes slowness and a wire fault real: holds the connection, then breaks it off before a byte of an answer went out.
async fn act_on_wire_fault(request: Request, next: Next, hang: Duration) -> Response {
    let mut response = next.run(request).await;
    if let Some(Takes(time)) = response.extensions().get::<Takes>().copied() {
        tokio::time::sleep(time).await;
    }
    let Some(fault) = response.extensions().get::<WireFault>().copied() else {
        return response;
    };
    if fault == WireFault::Hang {
        tokio::time::sleep(hang).await;
    }
    // The server closes the connection when a body fails, and this one fails before the head was flushed.
    let broken = futures::stream::once(async {
        Err::<Bytes, io::Error>(io::Error::from(io::ErrorKind::ConnectionReset))
    });
    *response.body_mut() = Body::from_stream(broken);
    response
}

/// Sends what is due, for as long as the simulators live. Deliveries do not wait for each other.
async fn deliver<M: Pushing>(client: reqwest::Client, simulator: Simulator<M>, tick: Duration) {
    loop {
        for push in simulator.take_due_pushes(simulator.clock().now()) {
            let (client, simulator) = (client.clone(), simulator.clone());
            tokio::spawn(async move {
                let status = send(&client, &push).await;
                simulator.push_answered(push.id, status);
            });
        }
        tokio::time::sleep(tick).await;
    }
}

/// The status that a push was answered with, `None` where there was none in time.
async fn send(client: &reqwest::Client, push: &Push) -> Option<u16> {
    let sent = client
        .post(&push.url)
        .headers(push.headers.clone())
        .body(push.body.clone())
        .timeout(Duration::from_millis(push.wait_ms))
        .send()
        .await;
    match sent {
        Ok(response) => Some(response.status().as_u16()),
        Err(error) => {
            tracing::debug!(topic = push.topic, %error, "a push was not answered");
            None
        }
    }
}

/// A client for pushes and challenges. The endpoint of a test is plain HTTP, yet the client wants a TLS provider.
pub(crate) fn http_client() -> reqwest::Result<reqwest::Client> {
    // An error only says that the process has a provider already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build()
}
