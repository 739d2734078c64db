//! Files that decide who may connect, and that only their owner may change.

use std::fs::Metadata;
use std::path::{Path, PathBuf};

/// The reason why a file is not trusted: other users of this machine can change it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unprotected {
    #[error(
        "users other than its owner can change this file, and so decide who may connect; run `chmod go-w` on it"
    )]
    File,
    #[error(
        "every user can replace this file, because everyone can write to {}, and so decide who may connect; run `chmod o-w` on that directory",
        .0.display()
    )]
    Directory(PathBuf),
}

/// Refuses a file that others can change. `metadata` is that of the opened file.
///
/// The group may write to the directories above the file, as it often does in shared volumes. If everyone may, the directory
/// needs the sticky bit, which lets only the owner replace a file.
#[cfg(unix)]
pub(crate) fn check_writers(path: &Path, metadata: &Metadata) -> Result<(), Unprotected> {
    use std::os::unix::fs::PermissionsExt;
    const GROUP_AND_OTHERS: u32 = 0o022;
    const OTHERS: u32 = 0o002;
    const STICKY: u32 = 0o1000;
    if metadata.permissions().mode() & GROUP_AND_OTHERS != 0 {
        return Err(Unprotected::File);
    }
    // A link can be replaced as well as its target.
    let given = path.parent().and_then(|parent| parent.canonicalize().ok());
    let target = path.canonicalize().ok();
    let target = target.as_deref().and_then(Path::parent);
    let directories = given.iter().map(PathBuf::as_path).chain(target);
    for directory in directories.flat_map(Path::ancestors) {
        // A directory that cannot be read now is not known to be open.
        let Ok(metadata) = directory.metadata() else {
            continue;
        };
        let mode = metadata.permissions().mode();
        if mode & OTHERS != 0 && mode & STICKY == 0 {
            return Err(Unprotected::Directory(directory.to_owned()));
        }
    }
    Ok(())
}

/// Accepts every file, because the permissions of other systems are not known.
#[cfg(not(unix))]
pub(crate) fn check_writers(_: &Path, _: &Metadata) -> Result<(), Unprotected> {
    Ok(())
}
