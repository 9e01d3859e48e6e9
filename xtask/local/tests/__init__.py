"""Checks that the stand-in answers as AWS does; `cargo xtask local check` runs them."""
