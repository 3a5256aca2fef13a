//! AliExpress: the contract's vectors, samples and tables through the public roles, and the same roles against the
//! simulator, which was written apart from them.
//!
//! The contract is not part of the project: `KERVAN_CONTRACTS` names the folder that holds it, and what the tests leave
//! out without it is recorded.

mod common;
mod examined;
mod requests;
mod samples;
mod seller;
mod seller_listings;
pub(crate) mod seller_simulator;
mod simulator;
mod tables;
