//! The web service of the Weather Comment Generator.
//!
//! ```text
//! main -> server -> pages, api -> service -> domain
//!                                 service -> forecasts -> weather (one file an outside service)
//! ```
//!
//! Invariants: `domain` is pure; every published word is a phrase of the corpus; the weather
//! source in use is always named; nothing is fetched twice at the same time.

pub mod api;
mod breaker;
pub mod coverage;
pub mod domain;
pub mod emf;
pub mod forecasts;
pub mod history;
mod http;
pub mod judge;
pub mod pages;
pub mod server;
pub mod service;
pub mod telemetry;
pub mod weather;
