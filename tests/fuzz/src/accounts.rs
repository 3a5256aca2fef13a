//! An account at each marketplace, with a network of its own.

use crate::network::Network;
use bytes::Bytes;
use http::Request;
use jiff::Timestamp;
use kervan::clock::{Clock, ManualClock};
use kervan::domain::AccountId;
use kervan::marketplaces::{
    Account, Outside, Pseudonyms, TokenStore, alibaba, aliexpress, amazon::Amazon, ebay::Ebay,
};
use kervan::seal::MemorySeal;
use kervan::secrets::Secret;
use kervan::store::MemoryStore;
use kervan_marketplaces::defaults;
use serde_json::{Value, json};
use std::sync::Arc;

/// When everything happens: Friday, 18 September 2026.
pub(crate) const NOW_S: i64 = 1_789_700_000;

/// A key of nobody's, on one line as eBay writes it.
const PUBLIC_KEY: &str = "-----BEGIN PUBLIC KEY-----MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEquoZXDVNSTqLW+EdW80iDLYsLCIPtDf8rII2ICd621iDD5I6RRvEUYaRequQugr7fDDBmZt/fYcBVFvoCZqqVQ==-----END PUBLIC KEY-----";

/// A kind of account: a marketplace, and what an account is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Amazon.
    Amazon,
    /// eBay, over its REST calls.
    Ebay,
    /// eBay, over the Trading API.
    EbayTrading,
    /// AliExpress, where is bought.
    AliExpress,
    /// AliExpress, where is sold.
    AliExpressShop,
    /// AliExpress, where is sold, over the old gateway with its XML.
    AliExpressTop,
    /// Alibaba.com.
    Alibaba,
    /// 1688.
    Cn1688,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Amazon,
        Self::Ebay,
        Self::EbayTrading,
        Self::AliExpress,
        Self::AliExpressShop,
        Self::AliExpressTop,
        Self::Alibaba,
        Self::Cn1688,
    ];

    /// The name in a target.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Amazon => "amazon",
            Self::Ebay => "ebay",
            Self::EbayTrading => "trading",
            Self::AliExpress => "aliexpress",
            Self::AliExpressShop => "shop",
            Self::AliExpressTop => "top",
            Self::Alibaba => "alibaba",
            Self::Cn1688 => "1688",
        }
    }

    /// The name of its marketplace.
    pub(crate) const fn marketplace(self) -> &'static str {
        match self {
            Self::Amazon => "amazon",
            Self::Ebay | Self::EbayTrading => "ebay",
            Self::AliExpress | Self::AliExpressShop | Self::AliExpressTop => "aliexpress",
            Self::Alibaba | Self::Cn1688 => "alibaba",
        }
    }

    /// The channel's id of the listing that is set.
    pub(crate) const fn listing(self) -> &'static str {
        match self {
            Self::EbayTrading => "item:110000000001",
            _ => "8001",
        }
    }

    /// An order of a customer, as the marketplace numbers them.
    pub(crate) const fn order(self) -> &'static str {
        match self {
            Self::AliExpressShop | Self::AliExpressTop => "8180000000000001",
            _ => "01-12345-67890",
        }
    }

    /// A submission of listings, as the adapters name them.
    pub(crate) const fn submission(self) -> &'static str {
        match self {
            Self::AliExpressShop | Self::AliExpressTop => "S50001+P50002",
            _ => "50001",
        }
    }

    /// What goods are bought for.
    pub(crate) const fn currency(self) -> &'static str {
        match self {
            Self::Cn1688 => "CNY",
            _ => "USD",
        }
    }

    /// How they are sent.
    pub(crate) const fn shipping_option(self) -> &'static str {
        match self {
            Self::Alibaba => "CN/EX_STANDARD",
            _ => "STANDARD",
        }
    }

    fn id(self) -> Option<AccountId> {
        format!("{}:main", self.marketplace()).parse().ok()
    }

    fn secret(self) -> Value {
        let ebay = |orders: &str| {
            json!({
                "environment": "production", "client_id": "Example-App", "client_secret": "cert",
                "refresh_token": "refresh", "endpoint": "https://hooks.example.com/hooks/ebay/main",
                "verification_token": "example-verification-token-0123456789", "orders": orders,
                "dev_id": "50000005-6666-4777-8888-999999999999",
            })
        };
        let aliexpress = |side: &str, gateway: Option<&str>| {
            let mut secret = json!({
                "environment": "production", "app_key": "500100", "app_secret": "secret",
                "refresh_token": "seed", "side": side,
            });
            if let Some(gateway) = gateway {
                secret["gateway"] = json!(gateway);
            }
            secret
        };
        match self {
            Self::Amazon => json!({
                "environment": "production", "marketplace_ids": [defaults::AMAZON_MARKETPLACE_ID],
                "client_id": "amzn1.application-oa2-client.1", "client_secret": "amzn1.oa2-cs.v1.1",
                "refresh_token": "Atzr|1", "seller_id": defaults::AMAZON_SELLER_ID,
            }),
            Self::Ebay => ebay("fulfillment"),
            Self::EbayTrading => ebay("trading"),
            Self::AliExpress => aliexpress("buyer", None),
            Self::AliExpressShop => aliexpress("seller", None),
            Self::AliExpressTop => aliexpress("seller", Some("top")),
            Self::Alibaba => json!({
                "platform": "alibaba.com", "environment": "production", "app_key": "500123",
                "app_secret": "secret", "refresh_token": "seed",
                "pay": {
                    "payment_method": "CREDIT_CARD", "user_ip": "203.0.113.7", "user_agent": "Mozilla/5.0",
                    "accept_language": "en-US", "screen_resolution": "1920*1080",
                    "registered_at_ms": 1_616_595_118_627_u64,
                },
            }),
            Self::Cn1688 => json!({
                "platform": "1688", "environment": "production", "app_key": "1000000",
                "app_secret": "secret", "refresh_token": "seed",
                "address": {"address_id": "593861699"}, "pay": "alipay",
            }),
        }
    }
}

/// An account with the network that it talks to.
pub(crate) struct Opened {
    pub(crate) kind: Kind,
    pub(crate) account: Arc<dyn Account>,
    pub(crate) network: Arc<Network>,
}

/// A new account, as in a function that has just started.
pub(crate) fn open(kind: Kind) -> Option<Opened> {
    let now = Timestamp::from_second(NOW_S).ok()?;
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(now));
    let network = Arc::new(Network::new(prepared));
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
    let account: Arc<dyn Account> = match kind {
        Kind::Amazon => Arc::new(Amazon::new(id, &secret, outside).ok()?),
        Kind::Ebay | Kind::EbayTrading => Arc::new(Ebay::new(id, &secret, outside).ok()?),
        Kind::AliExpress | Kind::AliExpressShop | Kind::AliExpressTop => {
            aliexpress::open(id, &secret, outside).ok()?
        }
        Kind::Alibaba | Kind::Cn1688 => alibaba::account(id, &secret, outside).ok()?,
    };
    Some(Opened {
        kind,
        account,
        network,
    })
}

/// A good token, whoever is asked: the fields of all.
fn prepared(request: &Request<Bytes>) -> Option<String> {
    let token = json!({
        "access_token": "access", "token_type": "bearer", "expires_in": 7_200,
        "refresh_token": "next", "refresh_expires_in": 864_000, "code": "0",
        "refresh_token_timeout": "20270401000000000+0800",
    });
    let path = request.uri().path();
    if path.contains("/public_key/") {
        let key = json!({"key": PUBLIC_KEY, "algorithm": "ECDSA", "digest": "SHA1"});
        return Some(key.to_string());
    }
    let asks = ["/oauth2/token", "/o2/token", "/auth/token/", "getToken"];
    asks.iter()
        .any(|part| path.contains(part))
        .then(|| token.to_string())
}
