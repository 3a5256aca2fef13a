//! 1688.com, a supplier inside China: the `param2` gateway of open.1688.com, signed with HMAC-SHA1.
//!
//! It can read stock, buy, push, and give again the pushes that nobody took. An order is of one seller and at most 50
//! variants; it is placed with our reference as `outOrderId`, by which a doubt is settled.
//!
//! 1688 ships inside China. As a rule the goods go to a forwarder, whose address the secret holds; then no buyer's data
//! goes to 1688 at all, and the numbers of the parcels to the forwarder are no customer's: the purchase arrives without
//! any, and a person enters the forwarder's.
//!
//! Sources: the pages of open.1688.com (signature, OAuth, each API, each message), named at each call.

mod auth;
mod client;
mod config;
mod convert;
pub mod error;
pub mod limits;
mod messages;
mod roles;
pub mod signature;
mod wire;

pub use config::Config;

use crate::domain::{AccountId, Invalid};
use crate::marketplaces::{Account, Buy, Examine, Outside, PullMissed, ReadStock, VerifyPushes};
use crate::secrets::Secret;
use client::Client;

/// A 1688 account that buys.
#[derive(Debug)]
pub struct Cn1688 {
    client: Client,
}

impl Cn1688 {
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
}

impl Account for Cn1688 {
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

    fn pull_missed(&self) -> Option<&dyn PullMissed> {
        Some(self)
    }

    fn examine(&self) -> Option<&dyn Examine> {
        Some(self)
    }
}
