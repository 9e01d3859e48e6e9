//! What the product does, in its own words; pure: no I/O, no clock, no web.

pub mod choice;
pub mod count;
pub mod day;
pub mod decision;
mod measures;
pub mod outline;
pub mod recent;
pub mod rules;
pub mod score;
mod search;
pub mod season;
pub mod sky;
pub mod why;
