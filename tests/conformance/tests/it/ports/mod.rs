//! One behaviour suite for every port, run on the implementation in memory and on the one on AWS.
//!
//! The simulation rests on the ports in memory, so what they claim about DynamoDB, SQS, KMS and Secrets Manager is
//! checked here against a local stack, by the same cases. There is one test an implementation and not one a case: a
//! test runner gives each test a process of its own, and each process would start a stack of its own. All cases run
//! even if one fails, and the failed ones are named.

mod aws;
mod cases;
mod lost_answers;
mod memory;
mod queue;
mod seal;
mod secrets;
mod store;
