//! The file of a database: its identity, and the checks before SQLite opens it.

use super::SqliteOptions;
use super::open_error::cannot_open;
use crate::store::StoreError;
use std::fmt::Display;
use std::fs::{File, FileType, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// The suffixes of SQLite's own files beside a database.
const SIDE_FILES: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Maximum number of symbolic links that are followed to a new file, as on Linux.
const LINKS: usize = 40;

/// The identity of a file, regardless of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileId {
    #[cfg(unix)]
    device: u64,
    #[cfg(unix)]
    inode: u64,
}

impl FileId {
    #[cfg(unix)]
    pub(super) fn of(file: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self {
            device: file.dev(),
            inode: file.ino(),
        }
    }

    /// Other systems do not provide an identity, and do not allow anyone to remove an open file.
    #[cfg(not(unix))]
    pub(super) fn of(_file: &Metadata) -> Self {
        Self {}
    }

    /// Returns the identity of the file that has this name now. A link counts as its own file: SQLite names its log
    /// after the name of the database, and the next start would follow the link and look for another log.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        Ok(Self::of(&path.symlink_metadata()?))
    }
}

/// Returns the path of the database with all links followed. A missing file is created.
pub(super) fn resolve(options: &SqliteOptions) -> Result<PathBuf, StoreError> {
    let path = &options.path;
    let fail = |why: &dyn Display| cannot_open(path, why);
    if path.as_os_str().is_empty() || path.as_os_str() == ":memory:" {
        return Err(fail(
            &"it needs the name of a file (a store in memory is `MemoryStore`)",
        ));
    }
    let resolved = match path.canonicalize() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if !options.auto_migrate {
                return Err(fail(
                    &"there is no such file; allow `auto_migrate` (WORKER_DATABASE_AUTO_MIGRATE=true) once to create it",
                ));
            }
            make(path)?;
            path.canonicalize()
        }
        found => found,
    };
    let resolved = resolved.map_err(|error| fail(&error))?;
    let file = resolved.metadata().map_err(|error| fail(&error))?;
    if let Some(kind) = not_a_file(file.file_type()) {
        return Err(fail(&format_args!("it is {kind}; name a file")));
    }
    if resolved.to_str().is_none() {
        return Err(fail(&"its path is not UTF-8"));
    }
    let names = names_of(&file);
    if names > 1 {
        return Err(fail(&format_args!(
            "it has {names} names (hard links), and SQLite would keep another log for each of them; remove the other \
             names, or copy the file and name the copy"
        )));
    }
    for ending in SIDE_FILES {
        let side = beside(&resolved, ending);
        // SQLite does not follow links here.
        if let Ok(found) = side.symlink_metadata()
            && let Some(kind) = not_a_file(found.file_type())
        {
            return Err(fail(&format_args!(
                "`{}` beside it is {kind}; remove that",
                side.display()
            )));
        }
    }
    Ok(resolved)
}

/// Creates an empty file, also at the target of a dangling link. A file that exists by now is not opened, because
/// closing it would drop the locks of a store that this process has just opened.
fn make(path: &Path) -> Result<(), StoreError> {
    let fail = |error: io::Error| match error.kind() {
        ErrorKind::NotFound => cannot_open(
            path,
            format_args!("its directory, or the target of its link, cannot be used: {error}"),
        ),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => cannot_open(
            path,
            format_args!(
                "it cannot be created ({error}); give this process a directory that it can write in"
            ),
        ),
        _ => cannot_open(path, error),
    };
    let mut place = path.to_owned();
    for _ in 0..LINKS {
        match open_private(OpenOptions::new().write(true).create_new(true), &place) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let Ok(target) = place.read_link() else {
                    return Ok(());
                };
                place.set_file_name("");
                place.push(target);
            }
            made => return made.map(drop).map_err(fail),
        }
    }
    Err(cannot_open(path, "its links form a loop"))
}

/// Opens a file. A missing file is created with permissions for its owner only, whatever the umask.
pub(super) fn open_private(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let is_new = !path.try_exists()?;
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    let file = options.open(path)?;
    #[cfg(unix)]
    if is_new {
        // The umask may have removed some of the owner's permissions.
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        file.set_permissions(private)?;
    }
    #[cfg(not(unix))]
    let _ = is_new;
    Ok(file)
}

/// Returns the kind of an object that is not a regular file, with an article.
pub(super) fn not_a_file(found: FileType) -> Option<&'static str> {
    if found.is_file() {
        return None;
    }
    if found.is_dir() {
        return Some("a directory");
    }
    if found.is_symlink() {
        return Some("a symbolic link");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if found.is_fifo() {
            return Some("a named pipe (FIFO)");
        }
        if found.is_socket() {
            return Some("a socket");
        }
        if found.is_char_device() || found.is_block_device() {
            return Some("a device");
        }
    }
    Some("not a regular file")
}

#[cfg(unix)]
fn names_of(file: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::nlink(file)
}

#[cfg(not(unix))]
fn names_of(_file: &Metadata) -> u64 {
    1
}

/// Returns the path of a file beside the database.
pub(super) fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
