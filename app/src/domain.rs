//! What the product does, in its own words; pure: no I/O, no clock, no web.

pub mod choice;
pub mod count;
pub mod day;
pub mod decision;
mod measures;
pub mod recent;
pub mod rules;
mod search;
pub mod season;
pub mod sky;
