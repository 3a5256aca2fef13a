//! An account at each marketplace, with a network of its own.

use crate::network::{Network, Prepared};
use bytes::Bytes;
use http::Request;
use jiff::Timestamp;
use kervan::clock::{Clock, ManualClock};
use kervan::domain::AccountId;
use kervan::marketplaces::{
    Account, Outside, Pseudonyms, TokenStore, aliexpress::AliExpress, ebay::Ebay,
};
use kervan::seal::MemorySeal;
use kervan::secrets::Secret;
use kervan::store::MemoryStore;
use serde_json::{Value, json};
use std::sync::Arc;

/// When everything happens: Friday, 18 September 2026.
pub(crate) const NOW_S: i64 = 1_789_700_000;

/// A kind of account: a marketplace, and what an account is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// eBay, over its REST calls.
    Ebay,
    /// AliExpress, where is bought.
    AliExpress,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Ebay, Self::AliExpress];

    /// The name in a target.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ebay => "ebay",
            Self::AliExpress => "aliexpress",
        }
    }

    /// The name of its marketplace.
    pub(crate) const fn marketplace(self) -> &'static str {
        match self {
            Self::Ebay => "ebay",
            Self::AliExpress => "aliexpress",
        }
    }

    fn id(self) -> Option<AccountId> {
        let name = match self {
            Self::Ebay => "ebay:main",
            Self::AliExpress => "aliexpress:main",
        };
        name.parse().ok()
    }

    fn secret(self) -> Value {
        match self {
            Self::Ebay => json!({
                "environment": "production", "client_id": "Example-App", "client_secret": "cert",
                "refresh_token": "refresh", "endpoint": "https://hooks.example.com/hooks/ebay/main",
                "verification_token": "example-verification-token-0123456789",
            }),
            Self::AliExpress => json!({
                "environment": "production", "app_key": "500100", "app_secret": "secret",
                "refresh_token": "seed",
            }),
        }
    }

    const fn prepared(self) -> Prepared {
        match self {
            Self::Ebay => ebay_prepared,
            Self::AliExpress => aliexpress_prepared,
        }
    }
}

/// An account with the network that it talks to.
pub(crate) struct Opened {
    pub(crate) account: Box<dyn Account>,
    pub(crate) network: Arc<Network>,
}

/// A new account, as in a function that has just started.
pub(crate) fn open(kind: Kind) -> Option<Opened> {
    let now = Timestamp::from_second(NOW_S).ok()?;
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(now));
    let network = Arc::new(Network::new(kind.prepared()));
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let tokens = TokenStore::new(store, Arc::new(MemorySeal::new()), clock.clone());
    let outside = Outside {
        http: network.clone(),
        clock,
        tokens: Some(Arc::new(tokens)),
        limiter: None,
        pseudonyms: Arc::new(Pseudonyms::new(Secret::new("key".to_owned()))),
    };
    let (id, secret) = (kind.id()?, Secret::new(kind.secret().to_string()));
    let account: Box<dyn Account> = match kind {
        Kind::Ebay => Box::new(Ebay::new(id, &secret, outside).ok()?),
        Kind::AliExpress => Box::new(AliExpress::new(id, &secret, outside).ok()?),
    };
    Some(Opened { account, network })
}

fn ebay_prepared(request: &Request<Bytes>) -> Option<String> {
    let path = request.uri().path();
    path.contains("/oauth2/token")
        .then(|| json!({"access_token": "access", "expires_in": 7200}).to_string())
}

fn aliexpress_prepared(request: &Request<Bytes>) -> Option<String> {
    let token = json!({
        "access_token": "access", "expires_in": 86_400, "refresh_token": "next",
        "refresh_expires_in": 864_000, "code": "0",
    });
    let path = request.uri().path();
    path.contains("/auth/token/").then(|| token.to_string())
}
