//! The image as the OCI specification describes it: blobs named by their digests, and an index to begin at.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::layer::Layer;
use super::{Architecture, Revision, USER};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// A complete image in memory.
pub(super) struct Image {
    /// What names the image everywhere: the digest of its manifest.
    pub(super) digest: String,
    manifest: Vec<u8>,
    config: Vec<u8>,
    layers: Vec<Layer>,
}

impl Image {
    /// Puts layers together; each comes with what it is called in the image's history.
    pub(super) fn new(architecture: Architecture, revision: &Revision, layers: Vec<(&str, Layer)>) -> Self {
        let config = bytes(&config(architecture, revision, &layers));
        let layers: Vec<Layer> = layers.into_iter().map(|(_, layer)| layer).collect();
        let manifest = bytes(&json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": descriptor(CONFIG, &config),
            "layers": layers.iter().map(|layer| descriptor(LAYER, &layer.bytes)).collect::<Vec<_>>(),
        }));
        Self { digest: digest(&manifest), manifest, config, layers }
    }

    #[cfg(test)]
    pub(super) fn layers(&self) -> impl Iterator<Item = &Layer> {
        self.layers.iter()
    }

    /// What a registry stores.
    pub(super) fn bytes(&self) -> usize {
        self.blobs().map(|(_, blob)| blob.len()).sum()
    }

    fn blobs(&self) -> impl Iterator<Item = (String, &[u8])> {
        let layers = self.layers.iter().map(|layer| (layer.digest.clone(), &layer.bytes[..]));
        let documents = [(self.digest.clone(), &self.manifest[..]), (digest(&self.config), &self.config[..])];
        layers.chain(documents)
    }

    /// Replaces the folder by this image's layout.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let unfinished = folder.with_extension("unfinished");
        remove(&unfinished)?;
        let blobs = unfinished.join("blobs/sha256");
        fs::create_dir_all(&blobs)?;
        for (digest, blob) in self.blobs() {
            fs::write(blobs.join(digest.trim_start_matches("sha256:")), blob)?;
        }
        fs::write(unfinished.join("oci-layout"), bytes(&json!({ "imageLayoutVersion": "1.0.0" })))?;
        let manifest = descriptor(MANIFEST, &self.manifest);
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [manifest] });
        fs::write(unfinished.join("index.json"), bytes(&index))?;
        remove(folder)?;
        fs::rename(unfinished, folder)
    }
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn config(architecture: Architecture, revision: &Revision, layers: &[(&str, Layer)]) -> Value {
    let history = layers
        .iter()
        .map(|(name, _)| json!({ "created": revision.created, "created_by": "cargo xtask image", "comment": name }));
    json!({
        "architecture": architecture.oci(),
        "os": "linux",
        "created": revision.created,
        "config": {
            "User": format!("{USER}:{USER}"),
            "Entrypoint": ["/app/app"],
            "WorkingDir": "/app",
            "ExposedPorts": { "8000/tcp": {}, "8501/tcp": {} },
            // Fargate gives a volume that goes with the task to root, unless the image declares one in this
            // place: then the folder keeps its permissions, and everybody may write to it.
            "Volumes": { "/tmp": {} },
            "StopSignal": "SIGTERM",
            "Labels": {
                "org.opencontainers.image.title": "weather-comment-generator",
                "org.opencontainers.image.description": "Weather Comment Generator: the page and its JSON API",
                "org.opencontainers.image.licenses": "MIT OR Apache-2.0",
                "org.opencontainers.image.revision": revision.commit,
            },
        },
        "rootfs": {
            "type": "layers",
            "diff_ids": layers.iter().map(|(_, layer)| &layer.diff_id).collect::<Vec<_>>(),
        },
        "history": history.collect::<Vec<_>>(),
    })
}

fn descriptor(media_type: &str, blob: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": digest(blob), "size": blob.len() })
}

/// With sorted keys, whatever features other packages turn on in `serde_json`: the digest is made from these bytes.
fn bytes(value: &Value) -> Vec<u8> {
    serde_json::to_vec(&Sorted::of(value)).expect("a JSON value can be written")
}

/// A value whose objects are sorted.
#[derive(Serialize)]
#[serde(untagged)]
enum Sorted<'a> {
    Object(BTreeMap<&'a str, Self>),
    Array(Vec<Self>),
    Plain(&'a Value),
}

impl<'a> Sorted<'a> {
    fn of(value: &'a Value) -> Self {
        match value {
            Value::Object(fields) => {
                Self::Object(fields.iter().map(|(key, value)| (key.as_str(), Self::of(value))).collect())
            }
            Value::Array(items) => Self::Array(items.iter().map(Self::of).collect()),
            plain => Self::Plain(plain),
        }
    }
}

/// The name of a blob.
pub(super) fn digest(blob: &[u8]) -> String {
    format!("sha256:{:x}", Sha256::digest(blob))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::layer::Entry;

    fn image() -> Image {
        let layer = || Layer::new([("file", Entry::file(*b"content"))]);
        Image::new(Architecture::Arm64, &Revision::example(), vec![("one", layer()), ("two", layer())])
    }

    #[test]
    fn objects_are_written_with_sorted_keys() {
        assert_eq!(bytes(&json!({ "b": 1, "a": { "d": 2, "c": 3 } })), br#"{"a":{"c":3,"d":2},"b":1}"#);
    }

    #[test]
    fn the_layout_holds_every_blob_under_its_digest_and_replaces_an_older_one() {
        let folder = tempfile::tempdir().unwrap();
        let layout = folder.path().join("image");
        fs::create_dir_all(layout.join("blobs/sha256")).unwrap();
        fs::write(layout.join("blobs/sha256/stale"), "").unwrap();
        let image = image();
        image.write(&layout).unwrap();

        let mut names = Vec::new();
        for blob in fs::read_dir(layout.join("blobs/sha256")).unwrap() {
            let blob = blob.unwrap();
            let name = blob.file_name().into_string().unwrap();
            assert_eq!(format!("sha256:{name}"), digest(&fs::read(blob.path()).unwrap()));
            names.push(name);
        }
        // Both layers have the same content, so one blob serves both.
        assert_eq!(names.len(), 3);
        let index: Value = serde_json::from_slice(&fs::read(layout.join("index.json")).unwrap()).unwrap();
        assert_eq!(index["manifests"][0]["digest"], image.digest);
    }

    #[test]
    fn the_configuration_says_how_to_run_the_service() {
        let config: Value = serde_json::from_slice(&image().config).unwrap();
        assert_eq!(config["architecture"], "arm64");
        assert_eq!(config["config"]["User"], "65532:65532");
        assert_eq!(config["config"]["Entrypoint"], json!(["/app/app"]));
        assert_eq!(config["config"]["ExposedPorts"], json!({ "8000/tcp": {}, "8501/tcp": {} }));
        assert_eq!(config["config"]["Labels"]["org.opencontainers.image.revision"], Revision::example().commit);
        assert_eq!(config["rootfs"]["diff_ids"].as_array().unwrap().len(), 2);
    }
}
