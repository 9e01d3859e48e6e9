//! What the product does, in its own words; pure: no I/O, no clock, no web.

pub mod choice;
pub mod coverage;
pub mod day;
pub mod rules;
pub mod season;
pub mod sky;
