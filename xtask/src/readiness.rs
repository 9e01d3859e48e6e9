//! Waits until the service answers.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::exit::Interrupted;
use crate::signals;

/// How often a port is asked; the service starts in milliseconds.
const INTERVAL: Duration = Duration::from_millis(100);

/// Waits until every port answers that it is ready, as long as `alive` says that it still can.
pub(crate) fn wait(ports: &[u16], deadline: Duration, mut alive: impl FnMut() -> Result<bool>) -> Result<()> {
    let started = Instant::now();
    loop {
        let waiting: Vec<_> = ports.iter().filter(|port| !is_ready(**port)).collect();
        if waiting.is_empty() {
            return Ok(());
        }
        if signals::asked_to_stop() {
            return Err(Interrupted.into());
        }
        if !alive()? {
            bail!("the service ended before it was ready");
        }
        if started.elapsed() > deadline {
            bail!("no answer from http://127.0.0.1:{}/health/ready within {} s", waiting[0], deadline.as_secs());
        }
        signals::wait(INTERVAL);
    }
}

fn is_ready(port: u16) -> bool {
    let config = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(2))).build();
    let answer = ureq::Agent::new_with_config(config).get(format!("http://127.0.0.1:{port}/health/ready")).call();
    answer.is_ok_and(|answer| answer.status() == 200)
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// Answers one request after the other with the given status lines.
    fn server(answers: &'static [&'static str]) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for answer in answers {
                let (mut connection, _) = listener.accept().unwrap();
                let mut request = [0; 1024];
                let read = connection.read(&mut request).unwrap();
                assert!(request[..read].starts_with(b"GET /health/ready "));
                write!(connection, "HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
            }
        });
        port
    }

    #[test]
    fn a_service_is_waited_for_until_it_is_ready() {
        let port = server(&["503 Service Unavailable", "200 OK"]);
        wait(&[port], Duration::from_secs(10), || Ok(true)).unwrap();
    }

    #[test]
    fn a_service_that_has_ended_is_not_waited_for() {
        let port = server(&["503 Service Unavailable"]);
        let error = wait(&[port], Duration::from_secs(10), || Ok(false)).unwrap_err().to_string();
        assert_eq!(error, "the service ended before it was ready");
    }

    #[test]
    fn a_service_that_never_answers_is_named_after_the_deadline() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let error = wait(&[free], Duration::ZERO, || Ok(true)).unwrap_err().to_string();
        assert!(error.contains(&format!("127.0.0.1:{free}/health/ready")), "{error}");
    }
}
