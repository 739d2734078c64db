//! The authenticator for a fixed list of tokens.

use super::file::{Entry, parse};
use super::invalid::InvalidTokens;
use super::watched_file::WatchedFile;
use crate::auth::token_hash::TokenHash;
use crate::auth::{Authenticator, ConnectRequest, Identity, Refusal};
use async_trait::async_trait;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use tokio::task::spawn_blocking;

/// Minimum length of a token, in bytes. 32 hexadecimal digits are 128 random bits.
const MIN_TOKEN_BYTES: usize = 32;

/// The authenticator for a fixed list of tokens, each of which belongs to a user. It is for programs, for small teams and
/// for a first deployment.
///
/// The variable `WORKER_TOKENS_FILE` names the file of the tokens. The file contains hashes, so nobody who reads it can
/// connect. This command prints a new token and its hash:
///
/// ```sh
/// TOKEN=$(openssl rand -hex 32); echo "$TOKEN"; printf %s "$TOKEN" | sha256sum
/// ```
///
/// The file is TOML, with one entry for each token:
///
/// ```
/// use dooers::auth::StaticTokens;
/// use dooers::prelude::*;
///
/// # #[dooers::agent]
/// # async fn echo(request: WorkerRequest) -> String { request.message }
/// let tokens: StaticTokens = r#"
///     [[token]]
///     sha256 = "0dc28f6ff94f5ec1f7d71bb5be18f3ba1eb7a7dfcc3cfe2c0ab7d7a7bd5ca3c1"
///     user_id = "ana"
///     user_name = "Ana"                     # optional, as are all members below
///     user_email = "ana@example.com"
///     organization_id = "acme"
///     workspace_id = "north"
///     organization_role = "owner"           # or manager, or member, which is the default
///     workers = ["support", "sales"]        # every worker by default
///     rights = ["analytics"]                # settings, creator_settings, analytics
///     expires_at = 2030-01-31T12:00:00Z
/// "#.parse()?;
/// let server = WorkerServer::new(WorkerConfig::new()).authenticator(tokens);
/// # Ok::<(), dooers::auth::InvalidTokens>(())
/// ```
///
/// The members `identity_ids`, `system_role` and `workspace_role` are also known. Another `organization_role` than these three
/// is refused. Tokens with less than 32 characters are
/// refused, because others might guess them. A token must be random: the hash is a fast one.
///
/// A file is read again at the first `connect` after it has changed, so a token that is removed does not authenticate
/// anybody any more. Connections that are already open continue until the token expires, or until
/// [`WorkerServer::disconnect`](crate::WorkerServer::disconnect) closes them. If the changed file has an error or cannot be
/// read, the error is logged and the tokens of the last good version remain valid. Replace the file in one step, by renaming
/// a new file, so that no half of it is read. A file without tokens is logged, because nobody can connect.
///
/// Only the owner of the file may change it. A file that the group or others can write to is refused, and so is a file below
/// a directory that everyone can write to and that has no sticky bit: other users could give themselves any identity. A file
/// that everyone can read is logged.
pub struct StaticTokens(Source);

enum Source {
    List(Arc<[Entry]>),
    File(Arc<WatchedFile>),
}

impl StaticTokens {
    /// Reads a file of tokens.
    ///
    /// # Errors
    ///
    /// [`InvalidTokens`] if the file cannot be read, if others can change it, if it is not valid TOML, or if it has a member
    /// that is unknown or wrong.
    pub fn from_file(path: impl Into<PathBuf>) -> Result<Self, InvalidTokens> {
        let file = WatchedFile::open(path.into())?;
        Ok(Self(Source::File(Arc::new(file))))
    }

    /// Computes the hash of a token, as the file contains it.
    ///
    /// ```
    /// use dooers::auth::StaticTokens;
    ///
    /// let hash = StaticTokens::hash("4f1d8bc2a07e4f5a9a1b0c3d5e6f7081")?;
    /// assert_eq!(hash.len(), 64);
    /// assert!(StaticTokens::hash("password").is_err());
    /// # Ok::<(), dooers::auth::InvalidTokens>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidTokens`] if the token has less than 32 bytes.
    pub fn hash(token: &str) -> Result<String, InvalidTokens> {
        if token.len() < MIN_TOKEN_BYTES {
            return Err(InvalidTokens::new(TOO_SHORT));
        }
        Ok(TokenHash::of(token).to_string())
    }

    async fn entries(&self) -> Result<Arc<[Entry]>, Refusal> {
        match &self.0 {
            Source::List(entries) => Ok(Arc::clone(entries)),
            Source::File(file) => {
                let file = Arc::clone(file);
                let entries = spawn_blocking(move || file.entries()).await;
                entries.map_err(|_| Refusal::unavailable("the server is stopping"))
            }
        }
    }
}

const TOO_SHORT: &str = "the token has less than 32 characters, and others might guess it; use a random one, such as `openssl rand -hex 32` prints";

/// Reads tokens in the format of the file.
impl FromStr for StaticTokens {
    type Err = InvalidTokens;

    fn from_str(text: &str) -> Result<Self, InvalidTokens> {
        let entries = parse(text)?;
        if entries.is_empty() {
            return Err(InvalidTokens::new(
                "the list contains no token, so nobody could connect; add an entry `[[token]]`",
            ));
        }
        Ok(Self(Source::List(entries.into())))
    }
}

#[async_trait]
impl Authenticator for StaticTokens {
    async fn authenticate(&self, request: ConnectRequest) -> Result<Identity, Refusal> {
        let token = request.token().ok_or_else(Refusal::no_token)?;
        if token.len() < MIN_TOKEN_BYTES {
            return Err(Refusal::unauthorized(TOO_SHORT));
        }
        let hash = TokenHash::of(token);
        let entries = self.entries().await?;
        // All entries are compared, so that the time does not depend on the token.
        let found = entries.iter().fold(None, |found, entry| {
            if entry.hash.is_same(&hash) {
                Some(entry)
            } else {
                found
            }
        });
        let entry = found.ok_or_else(|| {
            Refusal::unauthorized(
                "the token is not known or was revoked; ask the operator of this server for a new one",
            )
        })?;
        Ok(entry.identity.clone())
    }
}

/// Shows the path of the file, or the number of tokens.
impl fmt::Debug for StaticTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("StaticTokens");
        match &self.0 {
            Source::List(entries) => shown.field("tokens", &entries.len()),
            Source::File(file) => shown.field("path", &file.path()),
        };
        shown.finish_non_exhaustive()
    }
}
