//! The simulators, called as the marketplaces are: what they answer, what they refuse, and what they count.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first surprise, in its helpers too"
)]

mod actions_alibaba;
mod actions_aliexpress;
mod actions_amazon;
mod actions_ebay;
mod alibaba;
mod alibaba_client;
mod aliexpress_calls;
mod aliexpress_purchases;
mod aliexpress_seller;
mod amazon;
mod common;
mod control;
mod ebay_calls;
mod ebay_setup;
mod ebay_trading;
mod matrix;
mod pushes;
mod serving;
mod vectors;
