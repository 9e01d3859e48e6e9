//! The service of the tests: answers on both ports what it was told, and is as ill as its environment says.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::{env, fs, process, thread};

fn main() {
    let asked_for = |name| env::var_os(name).is_some();
    if env::args().nth(1).as_deref() == Some("health") {
        process::exit(i32::from(asked_for("SICK")));
    }
    if asked_for("CRASH") {
        eprintln!("cannot start");
        process::exit(3);
    }
    if asked_for("GREEDY") {
        take_memory();
    }
    println!("the service is up");
    let page = thread::spawn(|| serve("PAGE_ADDR"));
    serve("API_ADDR");
    page.join().unwrap();
}

/// More than its task has, but not all there is: a machine without limits survives it.
fn take_memory() {
    let taken = vec![1_u8; 700 << 20];
    eprintln!("took {} bytes and lives", taken.len());
}

fn serve(address: &str) {
    for connection in TcpListener::bind(env::var(address).unwrap()).unwrap().incoming() {
        thread::spawn(|| answer(connection.unwrap()));
    }
}

fn answer(mut connection: TcpStream) -> Option<()> {
    // One read holds the whole of any request of a test.
    connection.read(&mut [0; 8192]).ok()?;
    let status = if env::var_os("ILL").is_some() { "500 Ill" } else { "200 OK" };
    let body = told();
    let length = body.len();
    write!(connection, "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}").ok()
}

/// The environment, the process, its user, and whether it can write to its root, as JSON.
fn told() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let user = status.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap_or_default();
    let more = [
        ("PID", process::id().to_string()),
        ("USER_ID", user.split_whitespace().next().unwrap_or_default().to_owned()),
        ("ROOT", if fs::write("/probe", "").is_ok() { "writable" } else { "read-only" }.to_owned()),
    ];
    let all = env::vars().chain(more.map(|(name, value)| (name.to_owned(), value)));
    // What the tests put in has no sign that JSON and Rust escape differently.
    let members: Vec<_> = all.map(|(name, value)| format!("{name:?}:{value:?}")).collect();
    format!("{{{}}}", members.join(","))
}
