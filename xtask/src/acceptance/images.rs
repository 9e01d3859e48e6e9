//! Three images: the service, the service under another digest, and one whose program ends at once.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Folders with image layouts.
pub(super) struct Images {
    pub(super) first: String,
    pub(super) second: String,
    pub(super) broken: String,
    /// The digest of the broken one, by which it is known in the recording.
    pub(super) broken_digest: String,
}

impl Images {
    /// Makes the other two from a layout; only their configurations differ, so layers are pushed once.
    pub(super) fn beside(first: &Path) -> Result<Self> {
        let second = first.with_file_name("image-second");
        let broken = first.with_file_name("image-broken");
        variant(first, &second, |config| config["Labels"]["org.opencontainers.image.version"] = json!("second"))?;
        // Where no service runs, asking it for its health fails, and ends at once.
        let broken_digest = variant(first, &broken, |config| config["Cmd"] = json!(["health"]))?;
        Ok(Self { first: text(first)?, second: text(&second)?, broken: text(&broken)?, broken_digest })
    }
}

fn text(folder: &Path) -> Result<String> {
    folder.to_str().map(ToOwned::to_owned).with_context(|| format!("{} is no text", folder.display()))
}

/// Copies a layout with a changed configuration; gives the digest of the new image.
fn variant(from: &Path, to: &Path, change: impl FnOnce(&mut Value)) -> Result<String> {
    copy(from, to).with_context(|| format!("copying {} to {}", from.display(), to.display()))?;
    let mut index: Value = read(&to.join("index.json"))?;
    let mut manifest: Value = read(&blob(to, &index["manifests"][0]["digest"]))?;
    let mut config: Value = read(&blob(to, &manifest["config"]["digest"]))?;
    change(&mut config["config"]);
    describe(&mut manifest["config"], &write(to, &config)?);
    let (digest, size) = write(to, &manifest)?;
    describe(&mut index["manifests"][0], &(digest.clone(), size));
    fs::write(to.join("index.json"), index.to_string()).context("writing the index")?;
    Ok(digest)
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn blob(layout: &Path, digest: &Value) -> PathBuf {
    layout.join("blobs").join(digest.as_str().unwrap_or_default().replace(':', "/"))
}

fn read(file: &Path) -> Result<Value> {
    let text = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("reading {}", file.display()))
}

fn write(layout: &Path, document: &Value) -> Result<(String, usize)> {
    let bytes = document.to_string();
    let digest = format!("sha256:{:x}", Sha256::digest(bytes.as_bytes()));
    fs::write(blob(layout, &json!(digest)), &bytes).context("writing a blob")?;
    Ok((digest, bytes.len()))
}

fn describe(descriptor: &mut Value, (digest, size): &(String, usize)) {
    descriptor["digest"] = json!(digest);
    descriptor["size"] = json!(size);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variants_are_other_images_of_the_same_layers() {
        let folder = tempfile::tempdir().unwrap();
        let first = folder.path().join("image");
        fs::create_dir_all(first.join("blobs/sha256")).unwrap();
        let config = write(&first, &json!({"config": {"Entrypoint": ["/app/app"], "Labels": {}}})).unwrap();
        let mut manifest = json!({"config": {}, "layers": [{"digest": "sha256:l"}]});
        describe(&mut manifest["config"], &config);
        let mut index = json!({"manifests": [{}]});
        describe(&mut index["manifests"][0], &write(&first, &manifest).unwrap());
        fs::write(first.join("index.json"), index.to_string()).unwrap();

        let images = Images::beside(&first).unwrap();
        let digest =
            |layout: &str| read(&Path::new(layout).join("index.json")).unwrap()["manifests"][0]["digest"].clone();
        assert_ne!(digest(&images.first), digest(&images.second));
        assert_eq!(digest(&images.broken), images.broken_digest.as_str());
        let manifest = read(&blob(Path::new(&images.broken), &digest(&images.broken))).unwrap();
        assert_eq!(manifest["layers"][0]["digest"], "sha256:l");
        let config = read(&blob(Path::new(&images.broken), &manifest["config"]["digest"])).unwrap();
        assert_eq!(config["config"]["Cmd"], json!(["health"]));
        assert_eq!(config["config"]["Entrypoint"], json!(["/app/app"]));
    }
}
