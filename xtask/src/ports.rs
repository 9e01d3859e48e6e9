//! Ports of this machine: whether one is free, and if not, who has it.

use std::fs;
use std::net::TcpListener;

use anyhow::{Context as _, Result};

use crate::exit::BadInput;

/// Fails when a port is taken, naming all that are; each comes with the option that chooses another one.
pub(crate) fn check_free(ports: &[(u16, &str)]) -> Result<()> {
    let taken: Vec<_> = ports.iter().filter(|(port, _)| !is_free(*port)).collect();
    if taken.is_empty() {
        return Ok(());
    }
    let lines = taken.iter().map(|(port, option)| {
        let holder = holder(*port).unwrap_or_else(|| "another program".to_owned());
        format!("port {port} of 127.0.0.1 is in use by {holder}; end it, or choose another port with {option}")
    });
    Err(BadInput(lines.collect::<Vec<_>>().join("\n")).into())
}

/// The preferred port if nobody has it, or one that nobody has.
pub(crate) fn free_one(preferred: u16) -> Result<u16> {
    if is_free(preferred) {
        return Ok(preferred);
    }
    let listener = TcpListener::bind("127.0.0.1:0").context("looking for a free port of 127.0.0.1")?;
    Ok(listener.local_addr()?.port())
}

pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

/// The program that listens on a port, where Linux tells us.
fn holder(port: u16) -> Option<String> {
    let table = fs::read_to_string("/proc/net/tcp").ok()?;
    let inode = listening_inode(&table, port)?;
    let wanted = format!("socket:[{inode}]");
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let holder = processes.filter_map(|process| process.file_name().to_str()?.parse::<u32>().ok()).find(|pid| {
        let files = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        files.filter_map(|file| fs::read_link(file.path()).ok()).any(|file| file.as_os_str() == wanted.as_str())
    })?;
    let name = fs::read_to_string(format!("/proc/{holder}/comm")).ok()?;
    Some(format!("{} (process {holder})", name.trim()))
}

/// Finds the listening socket (state 0A) of a port in the kernel's table.
fn listening_inode(table: &str, port: u16) -> Option<&str> {
    let port = format!(":{port:04X}");
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        (fields.get(1)?.ends_with(&port) && *fields.get(3)? == "0A").then(|| *fields.get(9).unwrap_or(&""))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_refused_with_its_holder_and_the_way_out() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let error = check_free(&[(port, "--port")]).unwrap_err();
        assert_eq!(crate::exit::code(&error), 3);
        let text = error.to_string();
        assert!(text.contains(&format!("port {port} of 127.0.0.1 is in use by ")), "{text}");
        assert!(text.ends_with("choose another port with --port"), "{text}");
        if cfg!(target_os = "linux") {
            assert!(text.contains(&format!("(process {})", std::process::id())), "{text}");
        }
        drop(listener);
        check_free(&[(port, "--port")]).unwrap();
    }

    #[test]
    fn a_taken_port_is_replaced_by_a_free_one() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let taken = listener.local_addr().unwrap().port();
        let other = free_one(taken).unwrap();
        assert_ne!(other, taken);
        assert_eq!(free_one(other).unwrap(), other);
    }

    #[test]
    fn only_a_listening_socket_holds_a_port() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
                     \n   0: 0100007F:2135 0100007F:D431 06 0:0 0:0 0 0 0 11 1 x\n\
                     \n   1: 0100007F:2135 00000000:0000 0A 0:0 0:0 0 0 0 4242 1 x\n";
        assert_eq!(listening_inode(table, 8501), Some("4242"));
        assert_eq!(listening_inode(table, 8000), None);
    }
}
