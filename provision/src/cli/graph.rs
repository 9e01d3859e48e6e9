//! `provision graph`: everything that is deployed, and what needs what.

use std::fmt::Write as _;

use anyhow::Result;
use serde_json::json;

use super::arguments::{GraphArguments, GraphFormat, Output};
use super::exit::Exit;
use super::session::Session;
use crate::stack::Stack;

pub(crate) fn run(session: &Session<'_>, arguments: &GraphArguments) -> Result<Exit> {
    let ours = session.stack_to_find();
    let stack = &ours.stack;
    match (session.output, arguments.format) {
        (Output::Json, _) => session.terminal.print(json!({
            "schema": "provision.graph/1",
            "resources": stack.described().map(|id| json!({
                "name": stack.name(id),
                "kind": stack.kind(id),
                "needs": stack.needs(id).iter().map(|need| stack.name(*need)).collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
        })),
        (Output::Text, GraphFormat::List) => session.terminal.print(list(stack)?),
        (Output::Text, GraphFormat::Mermaid) => session.terminal.print(mermaid(stack)?),
    }
    Ok(Exit::Done)
}

fn list(stack: &Stack) -> Result<String> {
    let mut text = String::new();
    for id in stack.described() {
        let needs: Vec<_> = stack.needs(id).iter().map(|need| stack.name(*need)).collect();
        let needs = if needs.is_empty() { String::new() } else { format!("after {}", needs.join(", ")) };
        writeln!(text, "{:<22} {:<20} {needs}", stack.kind(id), stack.name(id))?;
    }
    Ok(text.trim_end().to_owned())
}

fn mermaid(stack: &Stack) -> Result<String> {
    let mut text = "graph LR\n".to_owned();
    for id in stack.described() {
        writeln!(text, "  {}[\"{}<br/>{}\"]", stack.name(id), stack.name(id), stack.kind(id))?;
    }
    for id in stack.described() {
        for need in stack.needs(id) {
            writeln!(text, "  {} --> {}", stack.name(*need), stack.name(id))?;
        }
    }
    Ok(text.trim_end().to_owned())
}
