//! Where things are: the workspace's root, and the folder that holds everything that can be made again.

use std::path::{Path, PathBuf};

/// The folder of the workspace: the one that `cargo xtask` was typed in, where cargo says so. Two clones that share a
/// target folder share this program, too, and it may have been compiled in the other one.
pub(crate) fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&here).parent().expect("xtask lies in the workspace").to_owned()
}

/// Cargo's target folder, wherever the user has put it.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |target| root().join(target))
}

/// A path as the user would type it from the workspace's root.
pub(crate) fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}
