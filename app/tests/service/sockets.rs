//! Both listeners over real sockets, and how they stop.

use std::net::SocketAddr;

use crate::support::{service, settings};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

struct Running {
    page: SocketAddr,
    api: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<anyhow::Result<()>>,
    _folder: TempDir,
}

async fn start() -> Running {
    let folder = TempDir::new().unwrap();
    let listener = async || TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (page, api) = (listener().await, listener().await);
    let (stop, stopped) = oneshot::channel();
    let addresses = (page.local_addr().unwrap(), api.local_addr().unwrap());
    let stopped = async move { stopped.await.unwrap_or_default() };
    let ended = tokio::spawn(app::server::serve(page, api, service(&settings(folder.path())), stopped));
    Running { page: addresses.0, api: addresses.1, stop, ended, _folder: folder }
}

/// Sends a question by hand, as a client would, and leaves the answer to be read.
async fn send(address: SocketAddr, first_line: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let head = format!(
        "{first_line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // A server that refuses by the length alone may hang up before it has read all.
    drop(stream.write_all(body.as_bytes()).await);
    stream
}

async fn rest(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    stream.read_to_end(&mut text).await.unwrap();
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn both_ports_answer_each_for_itself() {
    let running = start().await;
    for address in [running.page, running.api] {
        let health = rest(send(address, "GET /health/ready", "").await).await;
        assert!(health.starts_with("HTTP/1.1 200 OK\r\n"), "{health}");
    }
    let question = r#"{"location":"札幌"}"#;
    let comment = rest(send(running.api, "POST /api/generate", question).await).await;
    assert!(comment.starts_with("HTTP/1.1 200 OK\r\n") && comment.contains("札幌"), "{comment}");
    // Only the load balancer's rule brings the two together, and a wrong one is to be seen.
    let elsewhere = rest(send(running.page, "POST /api/generate", question).await).await;
    assert!(elsewhere.starts_with("HTTP/1.1 404 "), "{elsewhere}");
}

#[tokio::test]
async fn a_question_that_is_too_long_is_a_problem_like_any_other() {
    let running = start().await;
    let long = format!(r#"{{"location":"{}"}}"#, "a".repeat(70_000));
    let answer = rest(send(running.api, "POST /api/generate", &long).await).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("application/problem+json") && answer.contains("nosniff"), "{answer}");
}

#[tokio::test]
async fn asked_to_stop_it_finishes_what_it_began() {
    let running = start().await;
    let mut stream = send(running.api, "GET /api/generate/stream?locations=all", "").await;
    let mut begun = [0; 16];
    stream.read_exact(&mut begun).await.unwrap();
    running.stop.send(()).unwrap();
    let rest = rest(stream).await;
    assert_eq!(rest.matches("data: {\"success\":true").count(), 142);
    assert!(rest.contains("event: done"), "{rest}");
    running.ended.await.unwrap().unwrap();
    assert!(TcpStream::connect(running.api).await.is_err() && TcpStream::connect(running.page).await.is_err());
}
