//! Several sweeps and several refreshes of one token at once: a schedule that fires twice, two processes that wake
//! together. The channel is the simulated eBay, over HTTP; the table is the one that is looked at.

use super::Given;
use crate::ports::cases::{self, Case};
use jiff::{SignedDuration, Timestamp};
use kervan::clock::{Clock, ManualClock};
use kervan::flows;
use kervan::marketplaces::TokenStore;
use kervan::queue::{MemoryQueue, Queue};
use kervan::seal::{MemorySeal, Seal};
use kervan::secrets::MemorySecrets;
use kervan::{Accounts, Kervan, Queues, http::HttpClient};
use kervan_marketplaces::ebay::{NewListing, NewOrder};
use kervan_marketplaces::{Money, Simulators, SimulatorsConfig, defaults};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Barrier;

/// Sweeps at once.
const SWEEPS: usize = 8;
/// How often they start together, each time with new orders.
const ROUNDS: usize = 4;
const ORDERS_A_ROUND: usize = 10;

pub(super) fn cases(given: Given) -> Vec<Case> {
    cases::cases![given;
        eight_sweeps_at_once_renew_the_token_once_and_miss_no_order,
    ]
}

async fn eight_sweeps_at_once_renew_the_token_once_and_miss_no_order(given: Given) {
    let clock = Arc::new(ManualClock::at(Timestamp::now()));
    let config = SimulatorsConfig {
        clock: Arc::new(SharedClock(clock.clone())),
        ..SimulatorsConfig::default()
    };
    let simulators = Simulators::start(config).await.unwrap();
    let ebay = &simulators.ebay;
    ebay.add_listing(NewListing::new("LAMP", Money::usd(19_99), 10_000));
    let queue = Arc::new(MemoryQueue::new(clock.clone()));
    let seal: Arc<dyn Seal> = Arc::new(MemorySeal::new());
    let process = || {
        Arc::new(process(
            &given,
            clock.clone(),
            &simulators.ebay_url(),
            seal.clone(),
            queue.clone(),
        ))
    };
    let processes = (0..SWEEPS).map(|_| process()).collect::<Vec<_>>();

    let mut bought = BTreeSet::new();
    for round in 0..ROUNDS {
        let ready = Arc::new(Barrier::new(SWEEPS));
        let sweeps = processes.iter().map(|kervan| {
            let (kervan, ready) = (kervan.clone(), ready.clone());
            tokio::spawn(async move {
                ready.wait().await;
                flows::sweep(&kervan).await.unwrap()
            })
        });
        let sweeps = sweeps.collect::<Vec<_>>();
        for _ in 0..ORDERS_A_ROUND {
            bought.insert(ebay.place_order(NewOrder::one("LAMP", 1)).unwrap());
        }
        for sweep in sweeps {
            sweep.await.unwrap();
        }
        // In the first round one renews the token; the others find it being renewed, and leave the channel to the next.
        assert_eq!(ebay.counters().tokens_issued, 1, "round {round}");
        // eBay's list trails behind, and the newest moment is left to the next sweep.
        clock.advance(SignedDuration::from_mins(1));
    }
    flows::sweep(&process()).await.unwrap();
    let queued = queue.bodies();
    let missed = |id: &&String| !queued.iter().any(|body| body.contains(id.as_str()));
    let missed = bought.iter().filter(missed).collect::<Vec<_>>();
    assert_eq!(missed, [""; 0], "of {} signals", queued.len());
    assert_eq!(
        flows::sweep(&process()).await.unwrap(),
        0,
        "what was queued is not queued again"
    );
    assert_eq!(queue.bodies().len(), queued.len());
}

/// One clock for both sides.
#[derive(Debug)]
struct SharedClock(Arc<ManualClock>);

impl kervan_marketplaces::Clock for SharedClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    /// The case alone moves it.
    fn advance(&self, _: Duration) -> bool {
        false
    }
}

/// A process of the order-sweeper: what it keeps in memory is its own, the table and the key are all's.
fn process(
    given: &Given,
    clock: Arc<dyn Clock>,
    url: &str,
    seal: Arc<dyn Seal>,
    orders: Arc<dyn Queue>,
) -> Kervan {
    let secrets = MemorySecrets::new();
    let ebay = serde_json::json!({
        "environment": url,
        "client_id": defaults::EBAY_CLIENT_ID,
        "client_secret": defaults::EBAY_CLIENT_SECRET,
        "refresh_token": defaults::EBAY_REFRESH_TOKEN,
        "endpoint": "https://kervan.invalid/hooks/ebay/main",
        "verification_token": defaults::EBAY_VERIFICATION_TOKEN,
    });
    secrets.put("account/ebay/main", ebay.to_string());
    secrets.put("pseudonym-key", "0123456789abcdef0123456789abcdef");
    let http = Arc::new(HttpClient::new(Duration::from_secs(20)).unwrap());
    let tokens = TokenStore::new(given.store.clone(), seal.clone(), clock.clone());
    let ids = vec!["ebay:main".parse().unwrap()];
    let tokens = Some(Arc::new(tokens));
    let queues = Queues {
        orders: orders.clone(),
        tracking: orders.clone(),
        inventory: orders,
    };
    let accounts = Accounts::new(ids, "", Arc::new(secrets), http, clock.clone(), tokens);
    Kervan::new(clock, given.store.clone(), seal, queues, accounts)
}
