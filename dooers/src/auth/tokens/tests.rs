//! Tests of the format, and of a file that changes.

use super::file::parse;
use super::static_tokens::StaticTokens;
use super::watched_file::WatchedFile;
use crate::auth::token_hash::TokenHash;
use crate::auth::{AllowedWorkers, Identity};
use crate::log_capture::CapturedLog;
use crate::protocol::User;
use std::fs;
use std::path::Path;

/// An entry with this token and these members.
fn entry(token: &str, members: &str) -> String {
    format!(
        "[[token]]\nsha256 = \"{}\"\n{members}\n",
        TokenHash::of(token)
    )
}

fn refused(text: &str) -> String {
    parse(text).map(|_| ()).expect_err(text).to_string()
}

#[test]
fn entry_has_all_members_of_an_identity() {
    let text = entry(
        "t",
        "user_id = \"ana\"\nuser_name = \"Ana\"\nuser_email = \"ana@example.com\"\nidentity_ids = [\"1\"]\n\
         system_role = \"admin\"\norganization_role = \"owner\"\nworkspace_role = \"guest\"\n\
         organization_id = \"acme\"\nworkspace_id = \"north\"\nworkers = [\"w\"]\n\
         rights = [\"analytics\", \"settings\"]\nexpires_at = 2030-01-31T14:00:00+02:00",
    );
    let mut user = User::new("ana").user_name("Ana").organization_role("owner");
    user.user_email = Some("ana@example.com".to_owned());
    user.identity_ids = vec!["1".to_owned()];
    user.system_role = "admin".to_owned();
    user.workspace_role = "guest".to_owned();
    let expected = Identity::new(user)
        .organization("acme")
        .workspace("north")
        .workers(AllowedWorkers::only(["w"]))
        .rights(|rights| (rights.analytics, rights.settings) = (true, true))
        .expires_at("2030-01-31T12:00:00Z".parse().unwrap());
    assert_eq!(parse(&text).unwrap()[0].identity, expected);
    let short = entry("t", "user_id = \"ana\"\nworkers = \"*\"");
    assert_eq!(parse(&short).unwrap()[0].identity, Identity::new("ana"));
    assert!(parse("# no tokens yet").unwrap().is_empty());
}

#[test]
fn error_names_the_line_and_the_member() {
    let with = |members: &str| refused(&entry("t", members));
    let twice = entry("t", "user_id = \"a\"").repeat(2);
    for (error, expected) in [
        (
            with("usr_id = \"a\""),
            "line 3: unknown member `usr_id`; did you mean `user_id`?",
        ),
        (
            with("token = \"t\""),
            "line 3: unknown member `token`; write `sha256`, the hash of the token, because anyone who reads the file could use a token",
        ),
        (
            with("user_id = \"a\"\nplan = \"gold\""),
            "line 4: unknown member `plan`; the members are sha256, user_id, user_name, user_email, identity_ids, system_role, organization_role, workspace_role, organization_id, workspace_id, workers, rights, expires_at",
        ),
        (
            refused("[[tokens]]\nsha256 = \"\""),
            "line 1: unknown member `tokens`; did you mean `token`?",
        ),
        (with(""), "line 1: the member `user_id` is missing"),
        (
            with("user_id = \"\""),
            "line 1: `user_id` must not be empty, because a token belongs to a user",
        ),
        (
            with("user_id = \" \u{200b}\""),
            "line 1: `user_id` has no visible character; write an id, or leave it out",
        ),
        (
            with("user_id = \"a\"\norganization_id = \" \""),
            "line 1: `organization_id` has no visible character; write an id, or leave it out",
        ),
        (
            with("user_id = \"a\"\nworkers = [\"w\", \"\"]"),
            "line 1: `workers` has an id without a visible character; remove it",
        ),
        (
            with("user_id = \"a\"\norganization_role = \"ownr\""),
            "line 4: `organization_role` must be `owner`, `manager` or `member`, because other roles give no rights; did you mean `owner`?",
        ),
        (
            with("user_id = \"a\"\norganization_role = \"Manager\""),
            "line 4: `organization_role` must be `owner`, `manager` or `member`, because other roles give no rights; did you mean `manager`?",
        ),
        (
            with("user_id = \"a\"\norganization_role = \"viewer\""),
            "line 4: `organization_role` must be `owner`, `manager` or `member`, because other roles give no rights",
        ),
        (
            with("user_id = 5"),
            "line 3: `user_id` cannot be read: invalid type: integer `5`, expected a string",
        ),
        (
            with("user_id = \"a\"\nrights = [\"analytic\"]"),
            "line 4: `rights` cannot be read: unknown variant `analytic`, expected one of `settings`, `creator_settings`, `analytics`",
        ),
        (
            with("user_id = \"a\"\nrights = \"analytics\""),
            "line 4: `rights` cannot be read: invalid type: string `…`, expected a sequence",
        ),
        (
            with("user_id = \"a\"\nworkers = \"w\""),
            "line 4: `workers` cannot be read: expected a list of worker ids, or \"*\" for every worker",
        ),
        (
            with("user_id = \"a\"\nexpires_at = 2030-01-31"),
            "line 4: `expires_at` must be a date and a time with an offset, such as 2030-01-31T12:00:00Z",
        ),
        (
            refused("\n[[token]]\nuser_id = \"a\"\nsha256 = \"my token\""),
            "line 4: `sha256` must be the 64 hexadecimal digits that `printf %s \"$TOKEN\" | sha256sum` prints, and never the token itself",
        ),
        (
            refused(&twice),
            "line 4: the entry on line 1 has the same `sha256`; each token has one entry",
        ),
    ] {
        assert_eq!(error, expected);
    }
    let long = with(&format!("user_id = \"{}\"", "a".repeat(200)));
    assert!(long.starts_with("line 1: `user_id` "), "{long}");
    let broken = refused("[[token]]\nsha256 = \"unfinished secret\nuser_id");
    assert!(
        broken.starts_with("line 3: the file is not valid TOML") && !broken.contains("secret"),
        "{broken}"
    );
}

#[test]
fn other_ways_to_write_the_file_are_read_or_explained() {
    let windows = entry("t", "user_id = \"ana\"").replace('\n', "\r\n");
    let inline = format!(
        "token = [{{ sha256 = \"{}\", user_id = \"ana\" }}]",
        TokenHash::of("t")
    );
    for text in [format!("\u{feff}{windows}"), inline] {
        assert_eq!(parse(&text).unwrap()[0].identity, Identity::new("ana"));
    }
    let table = refused(&entry("t", "user_id = \"ana\"").replace("[[token]]", "[token]"));
    assert!(table.contains("expected a sequence"), "{table}");
    let with = |members: &str| refused(&entry("t", &format!("user_id = \"a\"\n{members}")));
    let text = with("expires_at = \"2030-01-31T12:00:00Z\"");
    assert!(
        text.starts_with("line 4: `expires_at` cannot be read"),
        "{text}"
    );
    let twice = with("user_id = \"b\"");
    assert!(twice.starts_with("line 4: "), "{twice}");
}

#[test]
fn short_token_has_no_hash() {
    let hash = StaticTokens::hash(&"x".repeat(32)).unwrap();
    assert_eq!(hash, TokenHash::of(&"x".repeat(32)).to_string());
    assert_eq!(
        StaticTokens::hash(&"x".repeat(31)).unwrap_err().to_string(),
        "the token has less than 32 characters, and others might guess it; use a random one, such as `openssl rand -hex 32` prints"
    );
}

/// The users of the entries.
fn users(file: &WatchedFile) -> Vec<String> {
    let entries = file.entries();
    let users = entries
        .iter()
        .map(|entry| entry.identity.user.user_id.clone());
    users.collect()
}

fn write(path: &Path, users: &[&str]) {
    let entries = users.iter();
    let text: String = entries
        .map(|user| entry(user, &format!("user_id = \"{user}\"")))
        .collect();
    fs::write(path, text).unwrap();
}

#[test]
fn changed_file_is_read_at_the_next_use() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.toml");
    write(&path, &["ana", "eve"]);
    let file = WatchedFile::open(path.clone()).unwrap();
    assert_eq!(users(&file), ["ana", "eve"]);
    write(&path, &["ana"]);
    assert_eq!(users(&file), ["ana"]);
    // The size is the same, and the time may be.
    write(&path, &["bob"]);
    assert_eq!(users(&file), ["bob"]);
    let new = folder.path().join("new");
    write(&new, &["eve"]);
    fs::rename(&new, &path).unwrap();
    assert_eq!(users(&file), ["eve"]);
    // A file that is not text leaves the tokens as they are.
    fs::write(&path, [0xff]).unwrap();
    assert_eq!(users(&file), ["eve"]);
    // An empty file has no tokens.
    fs::write(&path, "").unwrap();
    assert!(users(&file).is_empty());
    // Kubernetes replaces a link.
    #[cfg(unix)]
    {
        write(&new, &["ada"]);
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(&new, &path).unwrap();
        assert_eq!(users(&file), ["ada"]);
    }
}

#[test]
fn broken_file_keeps_tokens_and_is_logged_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.toml");
    write(&path, &["ana"]);
    let file = WatchedFile::open(path.clone()).unwrap();
    let (log, _guard) = CapturedLog::start();
    let errors = || log.text().matches("ERROR").count();
    fs::write(&path, "[[token]]\nusr = 1").unwrap();
    assert_eq!(
        (users(&file), users(&file)),
        (vec!["ana".into()], vec!["ana".into()])
    );
    assert_eq!(errors(), 1, "{}", log.text());
    assert!(
        log.text()
            .contains("tokens.toml, line 2: unknown member `usr`"),
        "{}",
        log.text()
    );
    fs::remove_file(&path).unwrap();
    assert_eq!(
        (users(&file), users(&file)),
        (vec!["ana".into()], vec!["ana".into()])
    );
    assert_eq!(errors(), 2, "{}", log.text());
    write(&path, &["bob"]);
    assert_eq!(users(&file), ["bob"]);
    assert_eq!(errors(), 2);
}

#[test]
fn file_that_cannot_be_read_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().to_owned(), folder.path().join("missing")] {
        let error = StaticTokens::from_file(&path).unwrap_err();
        let expected = format!("{}: the file of tokens cannot be read", path.display());
        assert_eq!(error.to_string(), expected);
    }
    let path = folder.path().join("tokens.toml");
    fs::write(&path, entry("t", "")).unwrap();
    let error = StaticTokens::from_file(&path).unwrap_err();
    let expected = format!(
        "{}, line 1: the member `user_id` is missing",
        path.display()
    );
    assert_eq!(error.to_string(), expected);
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(unix)]
#[test]
fn file_that_everyone_can_read_is_logged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.toml");
    for (mode, is_logged) in [(0o600, false), (0o640, false), (0o644, true), (0o604, true)] {
        write(&path, &["ana"]);
        set_mode(&path, mode);
        let (log, _guard) = CapturedLog::start();
        WatchedFile::open(path.clone()).unwrap();
        let log = log.text();
        let warning = "every user of this machine can read the file of tokens";
        assert_eq!(log.contains(warning), is_logged, "{mode:o}: {log}");
        assert_eq!(log.contains("WARN"), is_logged, "{mode:o}: {log}");
    }
}

#[cfg(unix)]
#[test]
fn file_that_others_can_change_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    let path = inner.join("tokens.toml");
    write(&path, &["ana"]);
    let link = folder.path().join("link.toml");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    for mode in [0o620, 0o602, 0o666, 0o664] {
        set_mode(&path, mode);
        for path in [&path, &link] {
            let error = StaticTokens::from_file(path).unwrap_err().to_string();
            let expected = format!(
                "{}: users other than its owner can change this file, and so decide who may connect; run `chmod go-w` on it",
                path.display()
            );
            assert_eq!(error, expected, "{mode:o}");
        }
    }
    set_mode(&path, 0o600);
    for (mode, is_refused) in [
        (0o777, true),
        (0o773, true),
        (0o1777, false),
        (0o775, false),
    ] {
        set_mode(&inner, mode);
        for path in [&path, &link] {
            let opened = StaticTokens::from_file(path).map(|_| ());
            assert_eq!(opened.is_err(), is_refused, "{mode:o}");
            if let Err(error) = opened {
                let reason = format!(
                    "every user can replace this file, because everyone can write to {}",
                    inner.display()
                );
                assert!(error.to_string().contains(&reason), "{error}");
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn file_that_others_can_change_keeps_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.toml");
    write(&path, &["ana"]);
    set_mode(&path, 0o600);
    let file = WatchedFile::open(path.clone()).unwrap();
    let (log, _guard) = CapturedLog::start();
    write(&path, &["eve"]);
    set_mode(&path, 0o606);
    assert_eq!(
        (users(&file), users(&file)),
        (vec!["ana".into()], vec!["ana".into()])
    );
    let errors = log.text().matches("ERROR").count();
    assert_eq!(errors, 1, "{}", log.text());
    assert!(
        log.text().contains("users other than its owner can change"),
        "{}",
        log.text()
    );
    set_mode(&path, 0o600);
    assert_eq!(users(&file), ["eve"]);
    // The contents that were read remain, and the operator learns of the hole.
    set_mode(&path, 0o660);
    assert_eq!(users(&file), ["eve"]);
    assert_eq!(log.text().matches("ERROR").count(), 2, "{}", log.text());
}

#[test]
fn list_without_tokens_is_refused_or_logged() {
    let expected = "the list contains no token, so nobody could connect; add an entry `[[token]]`";
    for text in ["", "# none", "token = []"] {
        let error = text.parse::<StaticTokens>().unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.toml");
    fs::write(&path, "# later").unwrap();
    let (log, _guard) = CapturedLog::start();
    let file = WatchedFile::open(path.clone()).unwrap();
    let warnings = || {
        log.text()
            .matches("the file of tokens contains no token, so nobody can connect")
            .count()
    };
    assert_eq!(warnings(), 1, "{}", log.text());
    write(&path, &["ana"]);
    assert_eq!(users(&file), ["ana"]);
    fs::write(&path, "").unwrap();
    assert!(users(&file).is_empty() && users(&file).is_empty());
    assert_eq!(warnings(), 2, "{}", log.text());
}
