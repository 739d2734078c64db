//! The format of the file of tokens.

use super::invalid::InvalidTokens;
use crate::auth::token_hash::TokenHash;
use crate::auth::{AllowedWorkers, Identity, organization_role};
use crate::protocol::User;
use crate::similar::similar;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use std::collections::HashMap;
use std::ops::Range;
use toml::Spanned;
use toml::value::Datetime;

/// A token that is accepted, and its identity.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) hash: TokenHash,
    pub(super) identity: Identity,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    token: Vec<Spanned<WrittenToken>>,
}

/// An entry as it is written. The members have the names of the protocol.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenToken {
    sha256: Spanned<String>,
    user_id: String,
    user_name: Option<String>,
    user_email: Option<String>,
    #[serde(default)]
    identity_ids: Vec<String>,
    system_role: Option<String>,
    organization_role: Option<Spanned<String>>,
    workspace_role: Option<String>,
    #[serde(default)]
    organization_id: String,
    #[serde(default)]
    workspace_id: String,
    #[serde(default)]
    workers: AllowedWorkers,
    #[serde(default)]
    rights: Vec<Right>,
    expires_at: Option<Spanned<Datetime>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Right {
    Settings,
    CreatorSettings,
    Analytics,
}

/// Reads the entries of a file.
pub(super) fn parse(text: &str) -> Result<Vec<Entry>, InvalidTokens> {
    let written: Written = toml::from_str(text).map_err(|error| {
        let invalid = InvalidTokens::new(described(error.message(), text, error.span()));
        match error.span() {
            Some(span) => invalid.on_line(line_of(text, span.start)),
            None => invalid,
        }
    })?;
    let mut lines = HashMap::new();
    let mut entries = Vec::new();
    for token in written.token {
        let line = line_of(text, token.span().start);
        let entry = entry(token.into_inner(), text, line)?;
        if let Some(earlier) = lines.insert(entry.hash, line) {
            return Err(InvalidTokens::new(format!(
                "the entry on line {earlier} has the same `sha256`; each token has one entry"
            ))
            .on_line(line));
        }
        entries.push(entry);
    }
    Ok(entries)
}

fn entry(written: WrittenToken, text: &str, line: usize) -> Result<Entry, InvalidTokens> {
    let hash_line = line_of(text, written.sha256.span().start);
    let hash = TokenHash::parse(written.sha256.get_ref()).ok_or_else(|| {
        InvalidTokens::new(
            "`sha256` must be the 64 hexadecimal digits that `printf %s \"$TOKEN\" | sha256sum` prints, and never the token itself",
        )
        .on_line(hash_line)
    })?;
    if written.user_id.is_empty() {
        return Err(InvalidTokens::new(
            "`user_id` must not be empty, because a token belongs to a user",
        )
        .on_line(line));
    }
    let mut user = User::new(written.user_id);
    user.user_name = written.user_name;
    user.user_email = written.user_email;
    user.identity_ids = written.identity_ids;
    if let Some(role) = written.organization_role {
        let line = line_of(text, role.span().start);
        user.organization_role =
            known_role(role.into_inner()).map_err(|error| error.on_line(line))?;
    }
    for (role, written) in [
        (&mut user.system_role, written.system_role),
        (&mut user.workspace_role, written.workspace_role),
    ] {
        if let Some(written) = written {
            *role = written;
        }
    }
    let mut identity = Identity::new(user)
        .organization(written.organization_id)
        .workspace(written.workspace_id)
        .workers(written.workers);
    for right in written.rights {
        match right {
            Right::Settings => identity.rights.settings = true,
            Right::CreatorSettings => identity.rights.creator_settings = true,
            Right::Analytics => identity.rights.analytics = true,
        }
    }
    identity.expires_at = written
        .expires_at
        .map(|at| {
            let line = line_of(text, at.span().start);
            instant(at.get_ref()).ok_or_else(|| {
                InvalidTokens::new(
                    "`expires_at` must be a date and a time with an offset, such as 2030-01-31T12:00:00Z",
                )
                .on_line(line)
            })
        })
        .transpose()?;
    identity.admit_proven().map_err(|refused| {
        let member = refused.member.rsplit('.').next().unwrap_or_default();
        InvalidTokens::new(format!("`{member}` {}", refused.problem)).on_line(line)
    })?;
    Ok(Entry { hash, identity })
}

/// Returns the role in the organization if it is a known one. The operator writes the file, so another one is a mistake.
fn known_role(role: String) -> Result<String, InvalidTokens> {
    if organization_role::is_known(&role) {
        return Ok(role);
    }
    let rule = "`organization_role` must be `owner`, `manager` or `member`, because other roles give no rights";
    Err(InvalidTokens::new(match organization_role::meant(&role) {
        Some(meant) => format!("{rule}; did you mean `{meant}`?"),
        None => rule.to_owned(),
    }))
}

fn instant(at: &Datetime) -> Option<DateTime<Utc>> {
    let at = DateTime::parse_from_rfc3339(&at.to_string()).ok()?;
    Some(at.to_utc())
}

/// Returns the number of the line of a byte, counted from 1.
fn line_of(text: &str, byte: usize) -> usize {
    let before = text.as_bytes().iter().take(byte);
    before.filter(|byte| **byte == b'\n').count() + 1
}

/// Rewords an error of the TOML library.
fn described(message: &str, text: &str, span: Option<Range<usize>>) -> String {
    if let Some(rest) = message.strip_prefix("unknown field ") {
        let mut names = rest.split('`').skip(1).step_by(2);
        let unknown = names.next().unwrap_or_default();
        return format!("unknown member `{unknown}`; {}", suggestion(unknown, names));
    }
    if let Some(name) = message.strip_prefix("missing field ") {
        return format!("the member {name} is missing");
    }
    // Only the name of a member is repeated. A value may be a token.
    let member = span.and_then(|span| member_at(text, span.start));
    match member {
        Some(member) => format!("`{member}` cannot be read: {}", without_values(message)),
        None => format!("the file is not valid TOML: {}", without_values(message)),
    }
}

fn suggestion<'a>(unknown: &str, names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.collect();
    if unknown == "token" && names.contains(&"sha256") {
        return "write `sha256`, the hash of the token, because anyone who reads the file could use a token".to_owned();
    }
    match similar(unknown, names.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("the members are {}", names.join(", ")),
    }
}

/// Returns the name of the member on the line of a byte.
fn member_at(text: &str, byte: usize) -> Option<&str> {
    let start = text.get(..byte)?.rfind('\n').map_or(0, |at| at + 1);
    let (name, _) = text.get(start..)?.lines().next()?.split_once('=')?;
    let name = name.trim();
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (!name.is_empty() && name.bytes().all(is_name)).then_some(name)
}

/// Replaces the value that a message quotes.
fn without_values(message: &str) -> String {
    let quoted = message
        .split_once("string \"")
        .and_then(|(before, rest)| Some((before, rest.rsplit_once("\", expected")?.1)));
    match quoted {
        Some((before, after)) => format!("{before}string `…`, expected{after}"),
        None => message.to_owned(),
    }
}
