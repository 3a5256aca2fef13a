//! Alibaba.com, a supplier: the buyer's API of its open platform, behind `/rest` with the path in each signature.
//!
//! It can read stock, buy and push. An order is of one seller and one carrier; it is placed with our reference as
//! `channel_refer_id` and paid with a second call. Whether a repeated reference is recognised is not documented, so a
//! doubt is settled by searching the buyer's orders.
//!
//! Sources: developer.alibaba.com articles 120692 and 120693, and the dropshipping guide of openapi.alibaba.com
//! (docId=125, 131).

mod auth;
mod client;
mod config;
mod convert;
pub mod error;
pub mod limits;
mod roles;
pub mod signature;
mod wire;
pub mod xml;

pub use config::Config;

use crate::domain::{AccountId, Invalid, Signal};
use crate::marketplaces::{
    Account, Buy, Challenge, Examine, Outside, PushRefused, ReadStock, Unverified, VerifyPushes,
};
use crate::secrets::Secret;
use async_trait::async_trait;
use client::Client;
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};

/// An Alibaba.com account that buys.
#[derive(Debug)]
pub struct Icbu {
    client: Client,
}

impl Icbu {
    /// The account `id` with the credentials of its secret; see [`Config`] for the fields. The error names the field
    /// that is wrong.
    pub fn new(id: AccountId, secret: &Secret, outside: Outside) -> Result<Self, Invalid> {
        let config = Config::parse(secret)?;
        Ok(Self {
            client: Client {
                id,
                config,
                outside,
            },
        })
    }

    fn check_age(&self, push: &wire::Push) -> Result<Timestamp, PushRefused> {
        let bad = PushRefused::new(StatusCode::BAD_REQUEST, "the push has no timestamp");
        let sent = convert::pushed_at(push).ok_or(bad)?;
        let now = self.client.outside.clock.now();
        let limit = |duration| SignedDuration::try_from(duration).unwrap_or(SignedDuration::ZERO);
        let age = now.duration_since(sent);
        if age > limit(limits::OLDEST_PUSH) || age < -limit(limits::PUSH_AHEAD) {
            return Err(PushRefused::new(StatusCode::UNAUTHORIZED, "stale"));
        }
        Ok(now)
    }
}

impl Account for Icbu {
    fn id(&self) -> &AccountId {
        &self.client.id
    }

    fn read_stock(&self) -> Option<&dyn ReadStock> {
        Some(self)
    }

    fn buy(&self) -> Option<&dyn Buy> {
        Some(self)
    }

    fn verify_pushes(&self) -> Option<&dyn VerifyPushes> {
        Some(self)
    }

    fn examine(&self) -> Option<&dyn Examine> {
        Some(self)
    }
}

#[async_trait]
impl VerifyPushes for Icbu {
    async fn verify(&self, push: Unverified) -> Result<Vec<Signal>, PushRefused> {
        let config = &self.client.config;
        let authorization = push.header("authorization").unwrap_or_default().to_owned();
        let push = push.check(|body| {
            let (key, secret) = (&config.app_key, &config.app_secret);
            if signature::push_is_authentic(key, secret, body, &authorization) {
                return Ok(());
            }
            let reason = "the Authorization header does not fit the body";
            Err(PushRefused::new(StatusCode::UNAUTHORIZED, reason))
        })?;
        let bad = PushRefused::new(StatusCode::BAD_REQUEST, "the push cannot be read");
        let push: wire::Push = serde_json::from_slice(push.body()).map_err(|_| bad.clone())?;
        let seen_at = self.check_age(&push)?;
        // One application has many accounts; each push names its own, and product pushes name nobody.
        let of_another = matches!(
            (&config.seller_id, &push.seller_id),
            (Some(ours), Some(theirs)) if ours != theirs
        );
        if of_another {
            return Ok(Vec::new());
        }
        let kind = convert::signal(&push).map_err(|_| bad)?;
        Ok(kind
            .into_iter()
            .map(|kind| Signal {
                account: self.client.id.clone(),
                kind,
                seen_at,
            })
            .collect())
    }

    fn challenge(&self, _query: &str) -> Option<Result<Challenge, PushRefused>> {
        None
    }
}
