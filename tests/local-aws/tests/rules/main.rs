//! Each rule bites, and it alone: the same probe is refused with the rule and goes otherwise without it.
//!
//! The whole stack shows elsewhere that none bites where it should not.
#![expect(clippy::unwrap_used, reason = "the helpers of the tests fail as the tests do")]

mod account;
mod balancing;
mod containers;
mod harness;
mod identity;
mod names_and_metrics;
mod network;
mod rows;
mod services;
mod storage;
