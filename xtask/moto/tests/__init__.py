"""The real `provision`, run against moto over HTTP; `cargo xtask moto` runs them."""
