//! Alibaba.com and 1688: the contract's vectors, samples and tables through the public roles, and the same roles against the
//! simulators, which were written apart from them.
//!
//! The contract is not part of the project: `KERVAN_CONTRACTS` names the folder that holds it, and what the tests leave
//! out without it is recorded.

mod cn1688_road;
mod cn1688_samples;
mod common;
mod coverage;
mod icbu_road;
mod icbu_samples;
mod requests;
mod tables;
