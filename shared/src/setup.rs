//! The ports of a function, built once from its environment.

use crate::aws::{Aws, MissingVariable};
use crate::clock::{Clock, SystemClock};
use crate::domain::{AccountId, Invalid};
use crate::flows::{Notified, RatesSource};
use crate::http::{HttpClient, HttpError};
use crate::limiter::Limiter;
use crate::marketplaces::TokenStore;
use crate::queue::{Queue, Sqs, UnsetQueue};
use crate::seal::{Kms, Seal};
use crate::secrets::SecretsManager;
use crate::store::{DynamoDb, Store};
use crate::{Accounts, Door, Kervan, Queues};
use std::sync::Arc;
use std::time::Duration;

/// At the door, where a key may have to be fetched within eBay's 3 seconds.
const DOOR_TIMEOUT: Duration = Duration::from_millis(1500);

/// The environment cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A variable is missing.
    #[error(transparent)]
    Missing(#[from] MissingVariable),
    /// A variable's value is wrong.
    #[error("the environment variable {0}: {1}")]
    Invalid(&'static str, Invalid),
    /// The HTTP client cannot be built.
    #[error("the HTTP client: {0}")]
    Http(#[from] HttpError),
}

/// All ports, for a function that works on orders.
pub fn kervan() -> Result<Kervan, SetupError> {
    let aws = Aws::from_environment()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let table = variable("KERVAN_TABLE")?;
    let store: Arc<dyn Store> = Arc::new(DynamoDb::new(aws.dynamodb(), table, clock.clone()));
    let seal: Arc<dyn Seal> = Arc::new(Kms::new(aws.kms(), variable("KERVAN_SEAL_KEY")?));
    let tokens = Arc::new(TokenStore::new(store.clone(), seal.clone(), clock.clone()));
    let accounts = accounts(&aws, &clock, Some(tokens), HttpClient::USUAL_TIMEOUT)?;
    let accounts = accounts.with_limiter(Arc::new(Limiter::new(store.clone(), clock.clone())));
    let sqs = aws.sqs();
    let queues = Queues {
        orders: queue(&sqs, "KERVAN_ORDERS_QUEUE"),
        tracking: queue(&sqs, "KERVAN_TRACKING_QUEUE"),
        inventory: queue(&sqs, "KERVAN_INVENTORY_QUEUE"),
    };
    Ok(Kervan::new(clock, store, seal, queues, accounts))
}

/// Where the inventory-poller gets rates; `None` where no address is set.
pub fn rates_source() -> Result<Option<RatesSource>, SetupError> {
    let Ok(url) = variable("KERVAN_RATES_URL") else {
        return Ok(None);
    };
    let http = Arc::new(HttpClient::new(HttpClient::USUAL_TIMEOUT)?);
    Ok(Some(RatesSource { url, http }))
}

/// What the door needs, and nothing else.
pub fn door() -> Result<Door, SetupError> {
    let aws = Aws::from_environment()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let accounts = accounts(&aws, &clock, None, DOOR_TIMEOUT)?;
    let sqs = aws.sqs();
    let (orders, tracking) = (
        queue(&sqs, "KERVAN_ORDERS_QUEUE"),
        queue(&sqs, "KERVAN_TRACKING_QUEUE"),
    );
    Ok(Door {
        accounts,
        orders,
        tracking,
        notified: Notified::default(),
    })
}

/// The queue that marketplaces write to themselves.
pub fn notifications() -> Result<Arc<dyn Queue>, SetupError> {
    let aws = Aws::from_environment()?;
    Ok(queue(&aws.sqs(), "KERVAN_NOTIFICATIONS_QUEUE"))
}

fn accounts(
    aws: &Aws,
    clock: &Arc<dyn Clock>,
    tokens: Option<Arc<TokenStore>>,
    timeout: Duration,
) -> Result<Accounts, SetupError> {
    let ids: Result<Vec<AccountId>, Invalid> = variable("KERVAN_ACCOUNTS")?
        .split(',')
        .map(|id| id.trim().parse())
        .collect();
    let ids = ids.map_err(|error| SetupError::Invalid("KERVAN_ACCOUNTS", error))?;
    let prefix = variable("KERVAN_SECRETS_PREFIX")?;
    let secrets = Arc::new(SecretsManager::new(aws.secrets(), clock.clone()));
    let http = Arc::new(HttpClient::new(timeout)?);
    Ok(Accounts::new(
        ids,
        &prefix,
        secrets,
        http,
        clock.clone(),
        tokens,
    ))
}

fn queue(client: &aws_sdk_sqs::Client, name: &'static str) -> Arc<dyn Queue> {
    match std::env::var(name) {
        Ok(url) if !url.is_empty() => Arc::new(Sqs::new(client.clone(), url)),
        _ => Arc::new(UnsetQueue(name)),
    }
}

fn variable(name: &'static str) -> Result<String, MissingVariable> {
    let value = std::env::var(name).ok().filter(|value| !value.is_empty());
    value.ok_or(MissingVariable(name))
}
