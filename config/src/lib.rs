//! The settings of everything here, checked before anything starts; the only code that reads them.
//!
//! [`deployment::Deployment`] is one environment's file: what `provision` builds. Part of it,
//! [`service::App`], is what the service is told: it turns itself into environment variables for
//! the task definition and is read back from them by the service.
//!
//! Invariants: unknown keys are refused, every problem is reported at once, nothing defaults to a
//! stand-in, and only [`service::process_environment`] looks at the process's environment.

pub mod corpus;
pub mod deployment;
pub mod llm;
pub mod metrics;
pub mod places;
pub mod problems;
mod reader;
pub mod rules;
pub mod service;
pub mod weather_codes;
mod words;

/// The keys of the secret, which are also the variables that the service reads them from.
pub const SECRET_KEYS: [&str; 4] = ["ANTHROPIC_API_KEY", "GEMINI_API_KEY", "OPENAI_API_KEY", "WXTECH_API_KEY"];
