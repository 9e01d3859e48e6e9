//! Plans and applies the AWS stack of the Weather Comment Generator.
//!
//! ```text
//! main -> cli -> event <- execute -> plan -> stack -> resource <- resources/* -> aws
//! our_stack -> stack, resources
//! ```
//!
//! Invariants: only `cli` talks, to the terminal it was given, and nothing here exits; `plan` never writes (the guard in
//! every client refuses); a resource file knows only its own service; AWS is the only state.

pub mod aws;
pub mod cli;
pub mod context;
pub mod cost;
pub mod diff;
pub mod estimate;
pub mod event;
pub mod execute;
pub mod front_door;
pub mod guard;
pub mod names;
pub mod our_stack;
pub mod paint;
pub mod permissions;
pub mod plan;
pub mod record;
pub mod resource;
pub mod resources;
pub mod retry;
pub mod rollout;
pub mod run;
pub mod stack;
mod stop_reasons;
mod task_session;
pub mod transcript;
pub mod wait;
