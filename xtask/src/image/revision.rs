//! Which state of the source an image was made from.

use std::path::Path;
use std::process::Command;

/// A commit and its time; both go into the image, so both depend on the source alone.
pub(super) struct Revision {
    /// The commit's hash, with `-dirty` when there are changes that are not committed.
    pub(super) commit: String,
    /// The commit's time, in UTC.
    pub(super) created: String,
}

impl Revision {
    /// Asks git; a source without it, an unpacked archive for example, is of unknown revision.
    pub(super) fn of(root: &Path) -> Self {
        Self::committed(root)
            .unwrap_or_else(|| Self { commit: "unknown".to_owned(), created: "1970-01-01T00:00:00Z".to_owned() })
    }

    fn committed(root: &Path) -> Option<Self> {
        let commit = git(root, &["rev-parse", "HEAD"])?;
        let changed = !git(root, &["status", "--porcelain", "--untracked-files=no"])?.is_empty();
        let created = git(root, &["show", "-s", "--format=%cd", "--date=format-local:%Y-%m-%dT%H:%M:%SZ", "HEAD"])?;
        Some(Self { commit: if changed { commit + "-dirty" } else { commit }, created })
    }

    #[cfg(test)]
    pub(super) fn example() -> Self {
        let commit = "0123456789abcdef0123456789abcdef01234567".to_owned();
        Self { commit, created: "2026-11-23T05:00:00Z".to_owned() }
    }
}

fn git(root: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").arg("-C").arg(root).args(arguments).env("TZ", "UTC").output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "one").unwrap();
        git(folder.path(), &["init", "--quiet"]).unwrap();
        git(folder.path(), &["add", "file"]).unwrap();
        let who = ["-c", "user.name=n", "-c", "user.email=e", "commit", "--quiet", "-m", "m"];
        git(folder.path(), &[&who[..], &["--date=2026-01-02T03:04:05+09:00"]].concat()).unwrap();
        folder
    }

    #[test]
    fn a_commit_names_the_source_and_a_change_is_told() {
        let folder = repository();
        let clean = Revision::of(folder.path());
        assert_eq!(clean.commit.len(), 40);
        assert!(clean.created.ends_with('Z'), "{}", clean.created);
        std::fs::write(folder.path().join("file"), "two").unwrap();
        assert_eq!(Revision::of(folder.path()).commit, format!("{}-dirty", clean.commit));
    }

    #[test]
    fn a_source_without_git_is_of_unknown_revision() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Revision::of(folder.path()).commit, "unknown");
    }
}
