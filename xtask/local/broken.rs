//! A service that is broken in one way, for trying out what a deploy tells then: `cargo xtask deploy --broken`.
//!
//! Its image differs from the service's only in the program, and each fault is another image, as it would be in life.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;
use std::{env, process, thread};

/// What is wrong with it, said when it is compiled.
const FAULT: &str = env!("FAULT");

fn main() {
    // The container's own check finds it well: what is wrong shows elsewhere.
    if env::args().nth(1).as_deref() == Some("health") {
        return;
    }
    println!("a service starts that is broken on purpose: {FAULT}");
    match FAULT {
        "ends" => fail("error: cannot start: it is the image of `--broken ends`"),
        "ill" => serve("503 Service Unavailable"),
        "crashes" => {
            thread::spawn(|| {
                thread::sleep(Duration::from_secs(20));
                fail("error: all went well for 20 s: it is the image of `--broken crashes`");
            });
            serve("200 OK");
        }
        "greedy" => take_memory(),
        other => fail(&format!("error: there is no fault {other}")),
    }
}

fn fail(why: &str) -> ! {
    eprintln!("{why}");
    process::exit(1)
}

/// Takes more and more before it serves anybody, until it is ended for it.
fn take_memory() {
    let mut taken = Vec::new();
    // More than its task has, but not all there is: as a plain process it has no limit.
    while taken.len() < 32 {
        taken.push(vec![1_u8; 128 << 20]);
        println!("took {} MiB", 128 * taken.len());
    }
    fail("error: nobody limits the memory here; `--broken greedy` needs docker or podman");
}

fn serve(status: &'static str) {
    let page = thread::spawn(move || answer_all("PAGE_ADDR", status));
    answer_all("API_ADDR", status);
    page.join().unwrap();
}

fn answer_all(address: &str, status: &'static str) {
    for connection in TcpListener::bind(env::var(address).unwrap()).unwrap().incoming() {
        thread::spawn(move || answer(connection.unwrap(), status));
    }
}

fn answer(mut connection: TcpStream, status: &str) -> Option<()> {
    // One read holds the whole of a check's request.
    connection.read(&mut [0; 8192]).ok()?;
    write!(connection, "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").ok()
}
