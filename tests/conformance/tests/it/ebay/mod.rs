//! eBay: the contract's vectors, samples and tables through the public roles, and the same roles against the simulator,
//! which was written apart from them.
//!
//! The contract is not part of the project: `KERVAN_CONTRACTS` names the folder that holds it, and what the tests leave
//! out without it is recorded.

mod codes;
pub(crate) mod common;
mod requests;
mod samples;
mod simulator;
mod trading;
mod vectors;
