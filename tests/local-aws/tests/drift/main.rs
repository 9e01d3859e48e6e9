//! Each attribute of each resource, changed by somebody else's hands: the plan names it, and a deploy undoes it.
//!
//! A case is what somebody does, and the lines that the plan then has, no more and no fewer. [`complete`] compares the
//! cases with everything that a deployed stack consists of, and names what has none.
#![expect(clippy::unwrap_used, reason = "the helpers of the tests fail as the tests do")]

mod account;
mod case;
mod complete;
mod containers;
mod edge;
mod hardened;
mod identity;
mod monitoring;
mod network;
mod storage;
mod untagged;
