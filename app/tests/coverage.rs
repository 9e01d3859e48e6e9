//! The corpus has enough to say on every day that Japan has, and the file that shows it is up to date.

use std::path::Path;

use app::coverage::{Cell, matrix, page};
use config::corpus::Corpus;

#[test]
fn every_weather_of_every_month_and_region_has_enough_pairs_and_the_matrix_is_written_down() {
    let cells = matrix(Corpus::embedded());
    let holes: Vec<_> = cells.iter().filter(|cell| cell.is_hole()).map(describe).collect();
    assert!(holes.is_empty(), "{} holes; add phrases or widen tags:\n{}", holes.len(), holes.join("\n"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/data/coverage.md");
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page(&cells), "config/data/coverage.md is out of date; run `cargo xtask corpus coverage`");
}

fn describe(cell: &Cell) -> String {
    let Cell { region, month, weather, temperature, counts } = cell;
    format!("{region} {month}月 {weather} {temperature}℃: {counts:?}")
}
