//! The corpus has enough to say on every kind of day; `coverage.md` shows it.

use std::path::Path;

use app::domain::coverage::{Cell, matrix, page};
use config::corpus::Corpus;

#[test]
fn every_kind_of_day_that_occurs_has_enough_pairs() {
    let cells = matrix(Corpus::embedded());
    assert!(cells.len() > 1000, "{} kinds of days are not all", cells.len());
    let page = page(&cells);
    let holes: Vec<&Cell> = cells.iter().filter(|cell| !cell.is_covered()).collect();
    assert!(holes.is_empty(), "{} of {} kinds of days are not covered:\n{page}", holes.len(), cells.len());
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/coverage.md");
    if std::fs::read_to_string(&file).unwrap_or_default() != page {
        let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join("coverage.md");
        std::fs::write(&new, &page).unwrap();
        panic!("the coverage has changed; copy {} to {}", new.display(), file.display());
    }
}
