//! What programs read: every JSON document has a name with a version, and a schema made from its type.
//!
//! A document may gain fields within a version; when one changes its meaning or goes, the version counts up.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde_json::{Value, json};

/// Something that is written as JSON.
pub(super) trait Document: Serialize + JsonSchema {
    /// Its name and version; the value of its field `schema`.
    const NAME: &'static str;
}

#[derive(Serialize)]
struct Named<'a, D> {
    schema: &'static str,
    #[serde(flatten)]
    document: &'a D,
}

/// A document on one line.
pub(super) fn written<D: Document>(document: &D) -> String {
    let named = Named { schema: D::NAME, document };
    serde_json::to_string(&named).expect("documents are plain data with text for keys")
}

/// The schemas of all documents, by name.
pub fn schemas() -> Vec<(&'static str, Value)> {
    vec![
        schema::<super::ci_role::Role>(),
        schema::<super::cost::Cost>(),
        schema::<super::doctor::Findings>(),
        schema::<super::error::Error>(),
        schema::<super::event::Line>(),
        schema::<super::exec::Executed>(),
        schema::<super::graph::Graph>(),
        schema::<super::history::History>(),
        schema::<super::history::Rollback>(),
        schema::<super::logs::Line>(),
        schema::<super::outputs::Known>(),
        schema::<super::plan::View>(),
        schema::<super::push::Pushed>(),
        schema::<super::secrets::Keys>(),
        schema::<super::status::Status>(),
        schema::<super::summary::Summary>(),
        schema::<super::unlock::Unlocked>(),
        schema::<super::validate::Valid>(),
    ]
}

fn schema<D: Document>() -> (&'static str, Value) {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema = generator.into_root_schema_for::<D>().to_value();
    schema["title"] = json!(D::NAME);
    schema["properties"]["schema"] = json!({"const": D::NAME, "description": "The document's name and version."});
    match schema["required"].as_array_mut() {
        Some(required) => required.insert(0, json!("schema")),
        None => schema["required"] = json!(["schema"]),
    }
    (D::NAME, schema)
}

/// The file in which a document's schema is kept: `provision.plan/1` is in `plan-1.json`.
pub fn schema_file(name: &str) -> String {
    format!("{}.json", name.trim_start_matches("provision.").replace('/', "-"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn the_schemas_in_the_repository_are_those_of_the_code() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
        for (name, schema) in schemas() {
            let file = folder.join(schema_file(name));
            let kept = std::fs::read_to_string(&file).unwrap_or_default();
            let kept: Value = serde_json::from_str(&kept).unwrap_or_default();
            assert!(kept == schema, "{name} has changed; run `provision schema --into provision/schemas`");
        }
        let files: BTreeSet<_> = schemas().iter().map(|(name, _)| schema_file(name)).collect();
        let kept = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        assert_eq!(kept.collect::<BTreeSet<_>>(), files, "a file for each schema, and no other");
    }
}
