//! `cargo xtask image`: builds the service as one static program and lays it out as an OCI image.

mod architecture;
mod binary;
mod broken;
mod layer;
mod layout;
mod revision;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result};
use clap::Args;

pub(crate) use self::architecture::Architecture;
pub(crate) use self::broken::Fault;
use self::layer::{Entry, Layer};
use self::layout::Image;
use self::revision::Revision;
use crate::child;
use crate::toolchain::Needs;
use crate::workspace;

/// Root in the container is not root: the service runs as this user and group, and so do its files on the disk.
const USER: u64 = 65_532;

#[derive(Args, Debug, Default)]
pub(crate) struct ImageArguments {
    /// The processor the image is for; it must be the one of the environment's task.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) architecture: Architecture,
}

/// Builds the image and says what came out.
pub(crate) fn run(arguments: &ImageArguments) -> Result<()> {
    check_tools(arguments)?.or_fail()?;
    let built = build(arguments)?;
    println!("{}", built.image.digest);
    eprintln!("{built}");
    Ok(())
}

/// What building an image needs.
pub(crate) fn check_tools(arguments: &ImageArguments) -> Result<Needs> {
    let mut needs = Needs::to_compile();
    arguments.architecture.check(&mut needs)?;
    Ok(needs)
}

/// An image layout on the disk, and how long it took.
pub(crate) struct Built {
    pub(crate) folder: PathBuf,
    image: Image,
    binary_bytes: usize,
    compile_seconds: f64,
    assemble_seconds: f64,
}

impl std::fmt::Display for Built {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "image: {} of {} (program {}), compiled in {:.1} s, laid out in {:.2} s",
            workspace::shown(&self.folder),
            megabytes(self.image.bytes()),
            megabytes(self.binary_bytes),
            self.compile_seconds,
            self.assemble_seconds
        )
    }
}

#[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
fn megabytes(bytes: usize) -> String {
    format!("{:.2} MB", bytes as f64 / 1e6)
}

/// Compiles the service and lays the image out in the target folder.
pub(crate) fn build(arguments: &ImageArguments) -> Result<Built> {
    let started = Instant::now();
    let revision = Revision::of(&workspace::root());
    let program = compile(arguments.architecture, &revision)?;
    lay_out(&program, arguments.architecture, &revision, "image", started)
}

/// Lays out an image with another program in the service's place, one that is broken in one way.
pub(crate) fn build_broken(arguments: &ImageArguments, fault: Fault) -> Result<Built> {
    let started = Instant::now();
    let revision = Revision::of(&workspace::root());
    let program = broken::compile(arguments.architecture, fault)?;
    lay_out(&program, arguments.architecture, &revision, "image-of-a-fault", started)
}

fn lay_out(
    program: &Path,
    architecture: Architecture,
    revision: &Revision,
    name: &str,
    started: Instant,
) -> Result<Built> {
    let compile_seconds = started.elapsed().as_secs_f64();

    let started = Instant::now();
    let binary = fs::read(program).with_context(|| format!("reading {}", program.display()))?;
    binary::check(&binary, architecture).with_context(|| format!("checking {}", program.display()))?;
    let binary_bytes = binary.len();
    let image = assemble(binary, architecture, revision);
    let folder = workspace::target().join(name);
    image.write(&folder).with_context(|| format!("writing {}", folder.display()))?;
    let assemble_seconds = started.elapsed().as_secs_f64();
    Ok(Built { folder, image, binary_bytes, compile_seconds, assemble_seconds })
}

fn compile(architecture: Architecture, revision: &Revision) -> Result<PathBuf> {
    // A folder of its own: these flags would otherwise rebuild what `cargo build` has made, and the other way round.
    let target = workspace::target().join("image-build");
    let folder = target.join(architecture.triple()).join("release-image");
    if !folder.exists() {
        eprintln!(
            "image: the first build compiles every dependency, 2 to 4 minutes on two cores; later ones take seconds"
        );
    }
    let mut cargo = child::cargo();
    cargo.args(["build", "--package", "app", "--profile", "release-image", "--target", architecture.triple()]);
    cargo.arg("--target-dir").arg(&target).env("CARGO_ENCODED_RUSTFLAGS", flags(&workspace::root()));
    // The service says on its health page which source it was made from.
    cargo.env("GIT_REVISION", &revision.commit);
    child::run("building the image's program", cargo)?;
    Ok(folder.join("app"))
}

/// Linked statically, so that the image needs no libraries; without this machine's paths, so that
/// another machine makes the same bytes.
fn flags(root: &Path) -> String {
    let home = std::env::home_dir().unwrap_or_default();
    let without = |path: &Path, name: &str| format!("--remap-path-prefix={}={name}", path.display());
    ["-Ctarget-feature=+crt-static".to_owned(), without(&home, "/home"), without(root, "/source")].join("\x1f")
}

fn assemble(binary: Vec<u8>, architecture: Architecture, revision: &Revision) -> Image {
    let service = Layer::new([("app/app", Entry::file(binary).mode(0o755))]);
    Image::new(architecture, revision, vec![("file system", skeleton()), ("service", service)])
}

/// What a program expects of a file system, and nothing else: no shell, no libraries. It changes
/// hardly ever, so registries and hosts keep this layer.
fn skeleton() -> Layer {
    let folder = || Entry::folder().mode(0o755);
    Layer::new([
        ("app", folder()),
        // The shared disk is mounted here; without one the service can still write.
        ("app/cache", folder().owner(USER)),
        ("dev", folder()),
        ("etc", folder()),
        ("etc/group", Entry::file(*b"root:x:0:\nnonroot:x:65532:\n")),
        // A static glibc asks these two by itself and must never look for another library.
        ("etc/nsswitch.conf", Entry::file(*b"hosts: files dns\n")),
        ("etc/passwd", Entry::file(*b"root:x:0:0:root:/:/none\nnonroot:x:65532:65532::/home/nonroot:/none\n")),
        ("home", folder()),
        ("home/nonroot", Entry::folder().mode(0o700).owner(USER)),
        ("proc", folder()),
        ("sys", folder()),
        ("tmp", Entry::folder().mode(0o1777)),
    ])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Read as _;

    use super::*;

    fn image() -> Image {
        assemble(b"the service".to_vec(), Architecture::X86_64, &Revision::example())
    }

    #[test]
    fn the_same_input_gives_the_same_digest_every_time() {
        let first = image().digest;
        for _ in 0..5 {
            assert_eq!(image().digest, first);
        }
    }

    #[test]
    fn another_program_changes_only_the_service_layer() {
        let (one, other) = (image(), assemble(b"changed".to_vec(), Architecture::X86_64, &Revision::example()));
        assert_ne!(one.digest, other.digest);
        let digests = |image: &Image| image.layers().map(|layer| layer.digest.clone()).collect::<Vec<_>>();
        assert_eq!(digests(&one)[0], digests(&other)[0]);
        assert_ne!(digests(&one)[1], digests(&other)[1]);
    }

    /// `path: mode uid:gid mtime owner-name`, which is all that may differ between two machines.
    fn listed(layer: &Layer) -> BTreeMap<String, String> {
        let mut tar = Vec::new();
        flate2::read::GzDecoder::new(&layer.bytes[..]).read_to_end(&mut tar).unwrap();
        let mut archive = tar::Archive::new(&tar[..]);
        let entries = archive.entries().unwrap().map(|entry| {
            let entry = entry.unwrap();
            let header = entry.header();
            let path = entry.path().unwrap().display().to_string();
            let (uid, gid) = (header.uid().unwrap(), header.gid().unwrap());
            let owner = header.username().unwrap().unwrap_or_default().to_owned();
            (path, format!("{:o} {uid}:{gid} {}{owner}", header.mode().unwrap(), header.mtime().unwrap()))
        });
        entries.collect()
    }

    #[test]
    fn a_foreign_user_finds_the_service_runnable_and_its_folders_writable() {
        let image = image();
        let mut files = BTreeMap::new();
        image.layers().for_each(|layer| files.extend(listed(layer)));
        assert_eq!(files["app/app"], "755 0:0 0");
        assert_eq!(files["app/cache"], "755 65532:65532 0");
        assert_eq!(files["home/nonroot"], "700 65532:65532 0");
        assert_eq!(files["tmp"], "1777 0:0 0");
        assert_eq!(files["etc/passwd"], "644 0:0 0");
    }

    #[test]
    fn every_folder_comes_before_what_lies_in_it() {
        let paths: Vec<_> = listed(&skeleton()).into_keys().collect();
        for path in &paths {
            let parent = Path::new(path).parent().unwrap().display().to_string();
            assert!(
                parent.is_empty() || paths.iter().position(|it| *it == parent) < paths.iter().position(|it| it == path)
            );
        }
    }
}
