//! `provision graph`: everything that is deployed, and what needs what.

use std::fmt::Write as _;

use anyhow::Result;
use schemars::JsonSchema;
use serde::Serialize;

use super::arguments::{GraphArguments, GraphFormat};
use super::document::Document;
use super::exit::Exit;
use super::session::Session;
use crate::stack::Stack;

/// Everything that is deployed.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Graph {
    /// In an order in which they can be created.
    resources: Vec<Resource>,
}

/// One resource.
#[derive(Debug, Serialize, JsonSchema)]
struct Resource {
    /// Its name in the stack.
    name: String,
    /// Its kind, in the words of AWS.
    kind: String,
    /// The names of what it needs.
    needs: Vec<String>,
}

impl Document for Graph {
    const NAME: &'static str = "provision.graph/1";
}

pub(crate) fn run(session: &Session<'_>, arguments: &GraphArguments) -> Result<Exit> {
    let ours = session.stack_to_find();
    let stack = &ours.stack;
    session.terminal.print(match arguments.format {
        GraphFormat::List => list(stack)?,
        GraphFormat::Mermaid => mermaid(stack)?,
    });
    session.terminal.document(&Graph {
        resources: stack
            .described()
            .map(|id| Resource {
                name: stack.name(id).to_owned(),
                kind: stack.kind(id).to_owned(),
                needs: stack.needs(id).iter().map(|need| stack.name(*need).to_owned()).collect(),
            })
            .collect(),
    });
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
