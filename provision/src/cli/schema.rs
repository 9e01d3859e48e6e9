//! `provision schema`: what the JSON documents look like, as JSON Schema.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::arguments::SchemaArguments;
use super::document::{schema_file, schemas};
use super::exit::{BadInput, Exit};
use super::terminal::Terminal;

pub(crate) fn run(terminal: &Terminal, arguments: &SchemaArguments) -> Result<Exit> {
    let schemas = schemas();
    if let Some(folder) = &arguments.into {
        write(folder, &schemas)?;
        return Ok(Exit::Done);
    }
    let Some(wanted) = &arguments.name else {
        for (name, _) in &schemas {
            terminal.print(name);
        }
        return Ok(Exit::Done);
    };
    let called = |name: &str| name == wanted || name.split(['.', '/']).nth(1) == Some(wanted);
    let Some((_, schema)) = schemas.iter().find(|(name, _)| called(name)) else {
        let known: Vec<_> = schemas.iter().map(|(name, _)| *name).collect();
        return Err(BadInput(format!("there is no document {wanted}; it knows {}", known.join(", "))).into());
    };
    terminal.print(format_args!("{schema:#}"));
    Ok(Exit::Done)
}

fn write(folder: &Path, schemas: &[(&str, Value)]) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    for (name, schema) in schemas {
        let file = folder.join(schema_file(name));
        std::fs::write(&file, format!("{schema:#}\n")).with_context(|| format!("writing {}", file.display()))?;
    }
    Ok(())
}
