//! The program itself: what it says when it cannot start, and when it is asked for its health.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Command, Output};

use tempfile::TempDir;

fn run(more: &[(&str, &str)]) -> Output {
    run_with(&[], more)
}

fn run_with(words: &[&str], more: &[(&str, &str)]) -> Output {
    let folder = TempDir::new().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_app"));
    command.args(words);
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

/// Something that gives one answer to one question; its address.
fn answers_once(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut question = [0; 1024];
        let length = stream.read(&mut question).unwrap();
        assert!(question[..length].starts_with(b"GET /health/ready HTTP/1.1\r\n"));
        stream.write_all(answer.as_bytes()).unwrap();
    });
    address
}

#[test]
fn health_shows_what_both_ports_answer_and_fails_with_the_one_that_is_not_well() {
    const WELL: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{\"status\":\"ok\"}";
    let asked = |page: &str, api: &str| {
        run_with(&["health"], &[("WEATHER_SOURCE", "demo"), ("PAGE_ADDR", page), ("API_ADDR", api)])
    };
    let (page, api) = (answers_once(WELL), answers_once(WELL));
    let output = asked(&page, &api);
    let port = |address: &str| address.rsplit(':').next().unwrap().to_owned();
    let shown = format!(
        "page on port {}: {{\"status\":\"ok\"}}\nAPI  on port {}: {{\"status\":\"ok\"}}\n",
        port(&page),
        port(&api)
    );
    assert_eq!((output.status.code(), String::from_utf8(output.stdout).unwrap()), (Some(0), shown));
    let (page, api) = (answers_once(WELL), answers_once("HTTP/1.1 503 Service Unavailable\r\n\r\nbusy"));
    let output = asked(&page, &api);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(&format!("port {} is not well", port(&api))) && said.contains("503"), "{said}");
}
