//! Amazon, eBay, AliExpress, Alibaba.com and 1688 as HTTP servers on this machine, as strict as the real ones.
//!
//! This crate knows nothing of the code that it is used to test: signatures, token rules and wire formats are written
//! a second time here, from the marketplaces' own documentation, so that an error in one place shows up against the
//! other.
//!
//! Use it in one of two ways. `Simulators::start` listens on a local port for each and delivers pushes by itself.
//! `Ebay::new(..).router()` and its like are called in-process, with a clock that stands still
//! until it is moved; the caller then looks for `WireFault` in each response and drains `take_due_pushes`.
//!
//! Everything that a test does to a marketplace is a method on the handle, and the same over HTTP under `/_control`.

mod actions;
pub mod alibaba;
pub mod aliexpress;
pub mod amazon;
mod answer;
mod buyer;
mod clock;
mod control;
pub mod defaults;
pub mod ebay;
mod error;
mod fault;
mod form;
mod money;
mod operation;
mod push;
mod random;
mod serve;
mod simulator;

pub use actions::Channel;
pub use actions::FeeReport;
pub use actions::Hidden;
pub use actions::ListHabits;
pub use actions::OrderAction;
pub use actions::Party;
pub use actions::RefundEnd;
pub use actions::RefundOf;
pub use actions::Spoiled;
pub use actions::Supplier;
pub use actions::SupplierAction;
pub use alibaba::cn1688::Cn1688;
pub use alibaba::cn1688::Cn1688Config;
pub use alibaba::icbu::Icbu;
pub use alibaba::icbu::IcbuConfig;
pub use aliexpress::AliExpress;
pub use aliexpress::AliExpressConfig;
pub use amazon::Amazon;
pub use amazon::AmazonConfig;
pub use buyer::Buyer;
pub use clock::Clock;
pub use clock::ManualClock;
pub use clock::SystemClock;
pub use ebay::Ebay;
pub use ebay::EbayConfig;
pub use error::ControlError;
pub use fault::Fault;
pub use fault::RateLimit;
pub use fault::Takes;
pub use fault::WireFault;
pub use money::Money;
pub use operation::Operation;
pub use push::Push;
pub use push::PushState;
pub use push::PushView;
pub use random::Random;
pub use serve::Simulators;
pub use serve::SimulatorsConfig;
pub use simulator::Marketplace;
pub use simulator::Pushing;
pub use simulator::Simulator;
