//! Alibaba, a supplier: two unrelated platforms that share a name.
//!
//! | folder | platform | secret's `platform` |
//! |---|---|---|
//! | `icbu/` | Alibaba.com, international, prices in US dollars | `alibaba.com` |
//! | `cn1688/` | 1688.com, inside China, prices in yuan | `1688` |
//!
//! An account `alibaba:<name>` is one of the two, as its secret says. Each folder has the same files as every other
//! marketplace; beside them, `fields.rs` reads a secret and `examine.rs` looks at what both have alike.

pub mod cn1688;
mod examine;
mod fields;
pub mod icbu;

use crate::domain::{AccountId, Invalid};
use crate::marketplaces::{Account, Outside};
use crate::secrets::Secret;
use fields::Fields;
use std::sync::Arc;

/// The account `id` on the platform that its secret names. The error names the field that is wrong.
pub fn account(
    id: AccountId,
    secret: &Secret,
    outside: Outside,
) -> Result<Arc<dyn Account>, Invalid> {
    match Fields::parse(secret)?.required("platform")?.as_str() {
        "alibaba.com" => Ok(Arc::new(icbu::Icbu::new(id, secret, outside)?)),
        "1688" => Ok(Arc::new(cn1688::Cn1688::new(id, secret, outside)?)),
        _ => Err(Invalid::new("platform", "must be alibaba.com or 1688")),
    }
}

#[cfg(test)]
mod tests;
