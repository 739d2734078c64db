//! Encrypted connections, and the verification of servers and clients.

use crate::authority::Authority;
use dooers::store::{PostgresOptions, PostgresStore, SslMode, Store};
use dooers_tests::postgres::{Cluster, ClusterOptions, connect, dedicated, shared};
use dooers_tests::within;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// The rules per user: `clear` never connects with TLS, `tls` always does, and `proven` also needs a certificate.
const RULES: &str = "\
    local all all trust\n\
    hostnossl all clear 127.0.0.1/32 trust\n\
    hostssl all tls 127.0.0.1/32 trust\n\
    hostssl all proven 127.0.0.1/32 cert\n\
    host all postgres 127.0.0.1/32 trust\n";

/// The host name in the server's certificate, and another address of the same machine.
const NAMED: &str = "localhost";
const UNNAMED: &str = "127.0.0.1";

/// A server with a certificate, and the files that its clients need.
struct TlsServer {
    cluster: Cluster,
    directory: TempDir,
    authority: String,
}

impl TlsServer {
    async fn start() -> Option<Self> {
        let (authority, other) = (Authority::new(), Authority::new());
        let (certificate, key) = authority.sign(NAMED);
        let setup = ClusterOptions::default()
            .setting("ssl", "on")
            .setting("ssl_cert_file", "server.crt")
            .setting("ssl_key_file", "server.key")
            .setting("ssl_ca_file", "ca.crt")
            .file("server.crt", &certificate)
            .file("server.key", &key)
            .file("ca.crt", &authority.pem)
            .file("pg_hba.conf", RULES);
        let cluster = dedicated(setup)?;
        let mut admin = connect(&cluster.url()).await.unwrap();
        for role in ["clear", "tls", "proven"] {
            let create = match role {
                "clear" => "CREATE ROLE clear SUPERUSER LOGIN",
                "tls" => "CREATE ROLE tls SUPERUSER LOGIN",
                _ => "CREATE ROLE proven SUPERUSER LOGIN",
            };
            sqlx::query(create).execute(&mut admin).await.unwrap();
        }
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text);
        write("right.pem", &authority.pem).unwrap();
        write("wrong.pem", &other.pem).unwrap();
        for (name, signer) in [("me", &authority), ("stranger", &other)] {
            let (certificate, key) = signer.sign("proven");
            write(&format!("{name}.pem"), &certificate).unwrap();
            write(&format!("{name}.key"), &key).unwrap();
        }
        Some(Self {
            cluster,
            directory,
            authority: authority.pem,
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn options(&self, host: &str, user: &str) -> PostgresOptions {
        PostgresOptions::new()
            .host(host)
            .port(self.cluster.port())
            .user(user)
            .database("postgres")
            .application_name(user)
            .pool_size(1)
    }

    /// Opens a store. Returns whether its connections are encrypted.
    async fn is_encrypted(&self, options: PostgresOptions, user: &str) -> bool {
        let store = PostgresStore::open(options).await.unwrap();
        store.ping().await.unwrap();
        let mut admin = connect(&self.cluster.url()).await.unwrap();
        let (all, any): (bool, bool) = sqlx::query_as(
            "SELECT bool_and(ssl), bool_or(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
            WHERE application_name = $1",
        )
        .bind(user)
        .fetch_one(&mut admin)
        .await
        .unwrap();
        store.close().await;
        assert_eq!(all, any, "one connection is encrypted and another is not");
        all
    }
}

/// The error of opening a store. It must be immediate, as a retry cannot succeed.
async fn open_error(options: PostgresOptions) -> String {
    let options = options.connect_timeout(Duration::from_secs(3600));
    let error = within("an error", PostgresStore::open(options)).await;
    error.unwrap_err().to_string()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test]
async fn ssl_modes_encrypt_and_verify_as_documented() {
    let Some(server) = TlsServer::start().await else {
        return;
    };
    let right = server.path("right.pem");
    let right = Some(text(&right));
    let table = [
        (UNNAMED, "clear", Some(SslMode::Disable), None, false),
        (UNNAMED, "tls", Some(SslMode::Allow), None, true),
        (UNNAMED, "tls", Some(SslMode::Prefer), None, true),
        (UNNAMED, "tls", None, None, true),
        (UNNAMED, "tls", Some(SslMode::Require), None, true),
        (UNNAMED, "tls", Some(SslMode::Require), right, true),
        (UNNAMED, "tls", Some(SslMode::VerifyCa), right, true),
        (NAMED, "tls", Some(SslMode::VerifyFull), right, true),
        (NAMED, "tls", None, right, true),
        // The certificate itself instead of a path.
        (
            NAMED,
            "tls",
            Some(SslMode::VerifyFull),
            Some(&*server.authority),
            true,
        ),
    ];
    for (host, user, mode, root, expected) in table {
        let mut options = server.options(host, user);
        if let Some(mode) = mode {
            options = options.ssl_mode(mode);
        }
        if let Some(root) = root {
            options = options.ssl_root_cert(root);
        }
        let is_encrypted = server.is_encrypted(options, user).await;
        assert_eq!(is_encrypted, expected, "{host} {user} {mode:?} {root:?}");
    }
}

#[tokio::test]
async fn unverified_server_is_rejected() {
    let Some(server) = TlsServer::start().await else {
        return;
    };
    let [right, wrong, missing] =
        ["right.pem", "wrong.pem", "missing.pem"].map(|name| server.path(name));
    let [right, wrong, missing] = [&right, &wrong, &missing].map(|path| text(path));
    let table = [
        // The server requires TLS.
        (UNNAMED, Some(SslMode::Disable), None, "no encryption"),
        // Signed by another authority, or no authority is known.
        (NAMED, Some(SslMode::Require), Some(wrong), "certificate"),
        (NAMED, Some(SslMode::VerifyCa), Some(wrong), "certificate"),
        (NAMED, Some(SslMode::VerifyFull), Some(wrong), "certificate"),
        (NAMED, None, Some(wrong), "certificate"),
        (NAMED, Some(SslMode::VerifyCa), None, "certificate"),
        (NAMED, Some(SslMode::VerifyFull), None, "certificate"),
        (NAMED, None, Some("system"), "certificate"),
        // Issued for another host.
        (
            UNNAMED,
            Some(SslMode::VerifyFull),
            Some(right),
            "certificate",
        ),
        (UNNAMED, None, Some(right), "certificate"),
        (
            NAMED,
            Some(SslMode::VerifyFull),
            Some(missing),
            "missing.pem` cannot be read",
        ),
    ];
    for (host, mode, root, expected) in table {
        let mut options = server.options(host, "tls");
        if let Some(mode) = mode {
            options = options.ssl_mode(mode);
        }
        if let Some(root) = root {
            options = options.ssl_root_cert(root);
        }
        let why = open_error(options).await;
        assert!(why.contains(expected), "{host} {mode:?} {root:?}: {why}");
    }
}

#[tokio::test]
async fn plain_server_is_accepted_only_by_optional_modes() {
    let Some(options) = shared() else {
        return;
    };
    let prefers = options.clone().ssl_mode(SslMode::Prefer);
    PostgresStore::open(prefers).await.unwrap().close().await;
    for mode in [SslMode::Require, SslMode::VerifyCa, SslMode::VerifyFull] {
        let why = open_error(options.clone().ssl_mode(mode)).await;
        assert!(why.contains("TLS"), "{mode:?}: {why}");
    }
}

#[tokio::test]
async fn client_certificate_authenticates_the_user() {
    let Some(server) = TlsServer::start().await else {
        return;
    };
    let options = || {
        let root = server.path("right.pem");
        server.options(NAMED, "proven").ssl_root_cert(text(&root))
    };
    let with = |name: &str| {
        let certificate = server.path(&format!("{name}.pem"));
        let key = server.path(&format!("{name}.key"));
        options()
            .ssl_client_cert(text(&certificate))
            .ssl_client_key(text(&key))
    };
    assert!(server.is_encrypted(with("me"), "proven").await);
    let why = open_error(options()).await;
    assert!(why.contains("certificate"), "{why}");
    let stranger = open_error(with("stranger")).await;
    assert!(!stranger.contains("PRIVATE KEY"), "{stranger}");
    let certificate = server.path("me.pem");
    let why = open_error(options().ssl_client_cert(text(&certificate))).await;
    assert!(why.contains("key"), "{why}");
}
