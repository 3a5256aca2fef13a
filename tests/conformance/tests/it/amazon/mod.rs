//! Amazon: the contract's models, sandbox answers, schemas and tables through the public roles, and the same roles
//! against the simulator, which was written apart from them.
//!
//! The contract is not part of the project: `KERVAN_CONTRACTS` names the folder that holds it, and what the tests leave
//! out without it is recorded.

mod common;
mod coverage;
mod model;
mod requests;
mod samples;
pub(crate) mod simulator;
mod tables;
