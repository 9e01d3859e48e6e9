//! The program itself: what it says when it cannot start.

use std::process::{Command, Output};

use tempfile::TempDir;

fn run(more: &[(&str, &str)]) -> Output {
    let folder = TempDir::new().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_app"));
    command.env_clear().env("ENV", "local").env("LOG_FORMAT", "text").env("CACHE_DIR", folder.path());
    command.env("PAGE_ADDR", "127.0.0.1:0").env("API_ADDR", "127.0.0.1:0");
    command.envs(more.iter().copied()).output().unwrap()
}

#[test]
fn a_missing_key_is_an_error_at_the_start_that_says_what_to_do() {
    let output = run(&[("WEATHER_SOURCE", "wxtech")]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("WXTECH_API_KEY") && said.contains("provision secrets set WXTECH_API_KEY"), "{said}");
}

#[test]
fn a_key_that_cannot_be_sent_is_an_error_that_does_not_show_it() {
    let output = run(&[("WEATHER_SOURCE", "wxtech"), ("WXTECH_API_KEY", "secret\nvalue")]);
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(!output.status.success());
    assert!(said.contains("WXTECH_API_KEY") && !said.contains("secret\nvalue") && !said.contains("value"), "{said}");
}

#[test]
fn sample_weather_in_production_is_refused() {
    let output = run(&[("WEATHER_SOURCE", "demo"), ("ENV", "production")]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("demo is not for production"), "{said}");
}
