//! What a flow is given: every port it may need, built once.

use crate::clock::Clock;
use crate::domain::{AccountId, Invalid, Marketplace};
use crate::flows::{Notified, RatesShelf, RulesShelf};
use crate::http::Http;
use crate::limiter::Limiter;
use crate::marketplaces::{
    Account, CallError, Kind, Outside, PseudonymKey, Pseudonyms, Retry, TokenStore, alibaba,
    aliexpress, amazon::Amazon, ebay::Ebay,
};
use crate::metrics::Metrics;
use crate::queue::Queue;
use crate::seal::Seal;
use crate::secrets::{Secret, Secrets, SecretsError};
use crate::store::Store;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

type SecretHash = [u8; 32];
/// Accounts that are open, each with the hash of the secret that it was made from.
type Open = BTreeMap<AccountId, (SecretHash, Arc<dyn Account>)>;

/// The ports, as one function has them.
#[derive(Debug)]
pub struct Kervan {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The table.
    pub store: Arc<dyn Store>,
    /// Buyers' data and tokens.
    pub seal: Arc<dyn Seal>,
    /// Where work goes.
    pub queues: Queues,
    /// The merchant's accounts.
    pub accounts: Accounts,
    /// What the merchant decides about stock and prices.
    pub rules: RulesShelf,
    /// What currencies are worth.
    pub rates: RatesShelf,
    /// What is measured while this function works.
    pub metrics: Metrics,
}

impl Kervan {
    /// The ports together.
    pub fn new(
        clock: Arc<dyn Clock>,
        store: Arc<dyn Store>,
        seal: Arc<dyn Seal>,
        queues: Queues,
        accounts: Accounts,
    ) -> Self {
        Self {
            rules: RulesShelf::new(store.clone(), clock.clone()),
            rates: RatesShelf::new(store.clone(), clock.clone()),
            clock,
            store,
            seal,
            queues,
            accounts,
            metrics: Metrics::default(),
        }
    }
}

/// What the door has: enough to verify a push and to queue it, and no way to the table or to a buyer's data.
#[derive(Debug)]
pub struct Door {
    /// The merchant's accounts.
    pub accounts: Accounts,
    /// Signals of customers' orders.
    pub orders: Arc<dyn Queue>,
    /// Signals of suppliers' orders.
    pub tracking: Arc<dyn Queue>,
    /// Notifications that were read lately.
    pub notified: Notified,
}

impl Door {
    /// Opens every account, which reads the secrets and makes the first connections. Failures are left to the push that
    /// meets them again.
    pub async fn warm(&self) {
        for id in self.accounts.ids() {
            if let Err(error) = self.accounts.get(id).await {
                tracing::warn!(account = %id, %error, "An account could not be opened ahead of time.");
            }
        }
    }
}

/// The queues.
#[derive(Debug, Clone)]
pub struct Queues {
    /// Signals of customers' orders, for the order-forwarder.
    pub orders: Arc<dyn Queue>,
    /// Signals of suppliers' orders, for the tracking-updater.
    pub tracking: Arc<dyn Queue>,
    /// Offers to look at and skus to publish, for the inventory-poller.
    pub inventory: Arc<dyn Queue>,
}

/// The merchant's accounts: made from their secrets when they are first needed, and kept while the secret stays.
#[derive(Debug)]
pub struct Accounts {
    ids: Vec<AccountId>,
    given: Vec<Arc<dyn Account>>,
    prefix: String,
    secrets: Arc<dyn Secrets>,
    http: Arc<dyn Http>,
    clock: Arc<dyn Clock>,
    tokens: Option<Arc<TokenStore>>,
    limiter: Option<Arc<Limiter>>,
    pseudonyms: Arc<Pseudonyms>,
    open: Mutex<Open>,
}

impl Accounts {
    /// The accounts of `ids`, whose secrets are `<prefix>account/<marketplace>/<name>`. Without `tokens` they can
    /// verify pushes but not call for a user.
    pub fn new(
        ids: Vec<AccountId>,
        prefix: &str,
        secrets: Arc<dyn Secrets>,
        http: Arc<dyn Http>,
        clock: Arc<dyn Clock>,
        tokens: Option<Arc<TokenStore>>,
    ) -> Self {
        let key = format!("{prefix}pseudonym-key");
        Self {
            ids,
            given: Vec::new(),
            prefix: prefix.to_owned(),
            pseudonyms: Arc::new(Pseudonyms::kept_in(secrets.clone(), key)),
            secrets,
            http,
            clock,
            tokens,
            limiter: None,
            open: Mutex::new(BTreeMap::new()),
        }
    }

    /// The same, keeping to limits that all functions share.
    #[must_use]
    pub fn with_limiter(mut self, limiter: Arc<Limiter>) -> Self {
        self.limiter = Some(limiter);
        self
    }

    /// One more account, which is what it is: a marketplace that Kervan has no adapter for.
    #[must_use]
    pub fn with_account(mut self, account: Arc<dyn Account>) -> Self {
        self.ids.push(account.id().clone());
        self.given.push(account);
        self
    }

    /// All accounts that are configured.
    pub fn ids(&self) -> &[AccountId] {
        &self.ids
    }

    /// Whether the account is configured.
    pub fn knows(&self, id: &AccountId) -> bool {
        self.ids.contains(id)
    }

    /// How persons are named where they must not be.
    pub async fn pseudonyms(&self) -> Result<&PseudonymKey, SecretsError> {
        self.pseudonyms.key().await
    }

    /// The account, made anew where its secret has changed.
    pub async fn get(&self, id: &AccountId) -> Result<Arc<dyn Account>, CallError> {
        self.open(id).await.map_err(|error| {
            let (kind, retry, code) = match &error {
                OpenError::Unknown => (Kind::Misconfigured, Retry::Person, "unknown-account"),
                OpenError::Secret(SecretsError::Missing(_)) => {
                    (Kind::Misconfigured, Retry::Person, "secret-missing")
                }
                OpenError::Secret(SecretsError::Denied(_)) => {
                    (Kind::Misconfigured, Retry::Person, "secret-denied")
                }
                OpenError::Secret(SecretsError::Unavailable(_)) => {
                    let retry = Retry::After(Duration::from_secs(10));
                    (Kind::Unavailable, retry, "secrets")
                }
                OpenError::Invalid(error) => {
                    tracing::error!(account = %id, %error, "The account's secret cannot be used.");
                    (Kind::Misconfigured, Retry::Person, "secret-invalid")
                }
            };
            CallError::new(id, "configuration", kind, retry, code)
        })
    }

    /// As [`Accounts::get`], with the reason in words for whoever sets the account up.
    pub async fn open(&self, id: &AccountId) -> Result<Arc<dyn Account>, OpenError> {
        if !self.knows(id) {
            return Err(OpenError::Unknown);
        }
        if let Some(given) = self.given.iter().find(|account| account.id() == id) {
            return Ok(given.clone());
        }
        let name = self.secret_name(id);
        // Held while secrets are read: messages of one batch open an account together, and one reading is enough.
        let mut open = self.open.lock().await;
        let secret = self.secrets.get(&name).await?;
        // A hash tells whether a person has changed the secret, without keeping a second copy of it.
        let hash: SecretHash = Sha256::digest(secret.expose()).into();
        if let Some((seen, account)) = open.get(id)
            && *seen == hash
        {
            return Ok(account.clone());
        }
        let outside = Outside {
            http: self.http.clone(),
            clock: self.clock.clone(),
            tokens: self.tokens.clone(),
            limiter: self.limiter.clone(),
            pseudonyms: self.pseudonyms.clone(),
        };
        let account = made(id, &secret, outside)?;
        open.insert(id.clone(), (hash, account.clone()));
        Ok(account)
    }

    /// The name of an account's secret.
    pub fn secret_name(&self, id: &AccountId) -> String {
        format!("{}account/{}/{}", self.prefix, id.marketplace(), id.name())
    }
}

/// An account cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It is not configured.
    #[error("there is no such account")]
    Unknown,
    /// Its secret cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretsError),
    /// Its secret is not what it should be; the text names the field and never the value.
    #[error(transparent)]
    Invalid(#[from] Invalid),
}

/// The account as its marketplace's adapter has it.
fn made(id: &AccountId, secret: &Secret, outside: Outside) -> Result<Arc<dyn Account>, Invalid> {
    let id = id.clone();
    Ok(match id.marketplace() {
        Marketplace::Ebay => Arc::new(Ebay::new(id, secret, outside)?),
        Marketplace::AliExpress => aliexpress::open(id, secret, outside)?,
        Marketplace::Alibaba => alibaba::account(id, secret, outside)?,
        Marketplace::Amazon => Arc::new(Amazon::new(id, secret, outside)?),
    })
}
