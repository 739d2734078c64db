//! The file of tokens, which is read again when it changes.

use super::file::{Entry, parse};
use super::invalid::InvalidTokens;
use crate::auth::protected_file::check_writers;
use sha2::{Digest, Sha256};
use std::error::Error;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// Maximum size of the file, in bytes.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// The age from which a change of the file is certain to have another time than the next one. Clocks of file systems are
/// coarse.
const SETTLED: Duration = Duration::from_secs(2);

/// A file of tokens, and its entries.
#[derive(Debug)]
pub(super) struct WatchedFile {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    entries: Arc<[Entry]>,
    /// The version of the file that was read. `None` if the next change of the file may look the same.
    version: Option<Version>,
    /// The hash of the last contents.
    contents: Option<[u8; 32]>,
    /// The error of the last reading, so that it is logged once.
    error: Option<String>,
}

impl WatchedFile {
    pub(super) fn open(path: PathBuf) -> Result<Self, InvalidTokens> {
        let file = Self {
            state: Mutex::default(),
            path,
        };
        let mut state = State::default();
        file.read_changes(&mut state)
            .map_err(|error| error.in_file(&file.path))?;
        Ok(Self {
            state: Mutex::new(state),
            ..file
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the entries of the file. Reads the file if it has changed. If that fails, the entries stay as they are.
    pub(super) fn entries(&self) -> Arc<[Entry]> {
        // A panic leaves the earlier entries.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let read = self.read_changes(&mut state);
        let text = read.as_ref().err().map(InvalidTokens::to_string);
        let last = std::mem::replace(&mut state.error, text);
        if let Err(error) = read {
            let is_repeated = last == state.error;
            if !is_repeated {
                let error = error.in_file(&self.path);
                tracing::error!(target: "dooers::auth", error = &error as &dyn Error, "the file of tokens cannot be used; the tokens of its last good version remain valid");
            }
        }
        Arc::clone(&state.entries)
    }

    fn read_changes(&self, state: &mut State) -> Result<(), InvalidTokens> {
        let metadata = fs::metadata(&self.path).map_err(InvalidTokens::unreadable)?;
        if !metadata.is_file() {
            let error = io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file");
            return Err(InvalidTokens::unreadable(error));
        }
        let version = Version::of(&metadata).map_err(InvalidTokens::unreadable)?;
        if state.version == Some(version) {
            return Ok(());
        }
        let file = File::open(&self.path).map_err(InvalidTokens::unreadable)?;
        // The opened file counts, because another one may have replaced it since.
        let metadata = file.metadata().map_err(InvalidTokens::unreadable)?;
        check_writers(&self.path, &metadata)
            .map_err(|open| InvalidTokens::new(open.to_string()))?;
        let text = read(file).map_err(InvalidTokens::unreadable)?;
        state.version = version.is_settled().then_some(version);
        let contents = Some(Sha256::digest(&text).into());
        if state.contents == contents {
            return Ok(());
        }
        state.contents = contents;
        warn_about_readers(&self.path, &metadata);
        state.entries = parse(&text)?.into();
        if state.entries.is_empty() {
            tracing::warn!(target: "dooers::auth", path = %self.path.display(), "the file of tokens contains no token, so nobody can connect; add an entry `[[token]]`");
        }
        tracing::info!(target: "dooers::auth", path = %self.path.display(), tokens = state.entries.len(), "read the file of tokens");
        Ok(())
    }
}

fn read(file: File) -> io::Result<String> {
    let mut text = String::new();
    file.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it has more than {MAX_BYTES} bytes"),
        ));
    }
    Ok(text)
}

/// The version of a file, without its contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Version {
    modified: SystemTime,
    /// The time of the last change. On Unix, programs cannot set it.
    changed: SystemTime,
    length: u64,
    inode: u64,
}

impl Version {
    fn of(metadata: &Metadata) -> io::Result<Self> {
        let modified = metadata.modified()?;
        #[cfg(unix)]
        let (changed, inode) = {
            use std::os::unix::fs::MetadataExt;
            let seconds = u64::try_from(metadata.ctime()).unwrap_or_default();
            let nanos = u32::try_from(metadata.ctime_nsec()).unwrap_or_default();
            let changed = SystemTime::UNIX_EPOCH + Duration::new(seconds, nanos);
            (changed, metadata.ino())
        };
        #[cfg(not(unix))]
        let (changed, inode) = (modified, 0);
        Ok(Self {
            modified,
            changed,
            length: metadata.len(),
            inode,
        })
    }

    /// Returns true if a later change of the file has another version.
    fn is_settled(&self) -> bool {
        let age = SystemTime::now().duration_since(self.changed);
        age.is_ok_and(|age| age > SETTLED)
    }
}

#[cfg(unix)]
fn warn_about_readers(path: &Path, metadata: &Metadata) {
    use std::os::unix::fs::PermissionsExt;
    const OTHERS: u32 = 0o004;
    if metadata.permissions().mode() & OTHERS != 0 {
        tracing::warn!(target: "dooers::auth", path = %path.display(), "every user of this machine can read the file of tokens; protect it with `chmod o-r`");
    }
}

#[cfg(not(unix))]
fn warn_about_readers(_: &Path, _: &Metadata) {}
