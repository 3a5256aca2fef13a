//! Alibaba: two unrelated platforms that share a name, each a marketplace of its own here.

pub mod cn1688;
pub mod icbu;
mod supply;
