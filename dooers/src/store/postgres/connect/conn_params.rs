//! The server, database and user of a connection.

use super::ssl::SslMode;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use std::fmt;
use std::fs::File;
use std::time::Duration;

/// The value of a root certificate that stands for the public authorities.
const PUBLIC_AUTHORITIES: &str = "system";

/// The settings of a connection. A value of `None` is read from `PGHOST`, `PGUSER` and so on, or is the default of
/// PostgreSQL's own programs.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) host: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) database: Option<String>,
    pub(crate) ssl_mode: Option<SslMode>,
    pub(crate) ssl_root_cert: Option<String>,
    pub(crate) ssl_client_cert: Option<String>,
    pub(crate) ssl_client_key: Option<String>,
    pub(crate) application_name: Option<String>,
    pub(crate) connect_timeout: Option<Duration>,
}

impl Target {
    /// Fills missing values from `under`.
    pub(crate) fn over(self, under: &Self) -> Self {
        let under = under.clone();
        Self {
            host: self.host.or(under.host),
            port: self.port.or(under.port),
            user: self.user.or(under.user),
            password: self.password.or(under.password),
            database: self.database.or(under.database),
            ssl_mode: self.ssl_mode.or(under.ssl_mode),
            ssl_root_cert: self.ssl_root_cert.or(under.ssl_root_cert),
            ssl_client_cert: self.ssl_client_cert.or(under.ssl_client_cert),
            ssl_client_key: self.ssl_client_key.or(under.ssl_client_key),
            application_name: self.application_name.or(under.application_name),
            connect_timeout: self.connect_timeout.or(under.connect_timeout),
        }
    }

    /// Returns the settings as options for sqlx.
    pub(crate) fn connect_options(&self) -> PgConnectOptions {
        let mut options = PgConnectOptions::new_without_pgpass()
            // PgBouncer refuses this setting, and numbers are complete without it.
            .extra_float_digits(None)
            .application_name(self.application_name.as_deref().unwrap_or("dooers"));
        if let Some(host) = &self.host {
            options = options.host(host);
        }
        if let Some(port) = self.port {
            options = options.port(port);
        }
        if let Some(user) = self.user.clone().or_else(default_user) {
            options = options.username(&user);
        }
        if let Some(password) = &self.password {
            options = options.password(password);
        }
        if let Some(database) = &self.database {
            options = options.database(database);
        }
        if let Some(cert) = self.given_root_cert() {
            options = match pem(cert) {
                Some(pem) => options.ssl_root_cert_from_pem(pem.to_vec()),
                None => options.ssl_root_cert(cert),
            };
        }
        if let Some(cert) = &self.ssl_client_cert {
            options = match pem(cert) {
                Some(pem) => options.ssl_client_cert_from_pem(pem),
                None => options.ssl_client_cert(cert),
            };
        }
        if let Some(key) = &self.ssl_client_key {
            options = match pem(key) {
                Some(pem) => options.ssl_client_key_from_pem(pem),
                None => options.ssl_client_key(key),
            };
        }
        match self.effective_ssl_mode() {
            Some(mode) => options.ssl_mode(mode),
            None => options,
        }
    }

    /// Checks that the certificates and the key exist, because sqlx's errors do not name the missing file. The error
    /// contains the reason and the way out.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.ssl_client_cert.is_some() != self.ssl_client_key.is_some() {
            return Err("a client certificate and its key belong together; set both (WORKER_DATABASE_SSL_CLIENT_CERT, WORKER_DATABASE_SSL_CLIENT_KEY) or neither".to_owned());
        }
        let files = [
            (self.given_root_cert(), "WORKER_DATABASE_SSL_ROOT_CERT"),
            (
                self.ssl_client_cert.as_deref(),
                "WORKER_DATABASE_SSL_CLIENT_CERT",
            ),
            (
                self.ssl_client_key.as_deref(),
                "WORKER_DATABASE_SSL_CLIENT_KEY",
            ),
        ];
        for (file, variable) in files {
            let Some(path) = file.filter(|text| pem(text).is_none()) else {
                continue;
            };
            File::open(path).map_err(|error| {
                format!(
                    "the file `{path}` cannot be read: {error}; set {variable} to a readable file"
                )
            })?;
        }
        Ok(())
    }

    /// Returns the mode as libpq interprets it. sqlx would verify nothing under `require` with a root certificate.
    fn effective_ssl_mode(&self) -> Option<PgSslMode> {
        if self.host.as_ref().is_some_and(|host| host.starts_with('/')) {
            // A Unix socket is not encrypted, whatever the mode.
            return Some(PgSslMode::Disable);
        }
        if self.ssl_root_cert.as_deref() == Some(PUBLIC_AUTHORITIES) {
            return Some(PgSslMode::VerifyFull);
        }
        let mode = match (self.ssl_mode, &self.ssl_root_cert) {
            (Some(SslMode::Require), Some(_)) => SslMode::VerifyCa,
            // A root certificate without a mode indicates that the server should be verified.
            (None, Some(_)) => SslMode::VerifyFull,
            (mode, _) => mode?,
        };
        Some(mode.for_sqlx())
    }

    fn given_root_cert(&self) -> Option<&str> {
        self.ssl_root_cert
            .as_deref()
            .filter(|cert| *cert != PUBLIC_AUTHORITIES)
    }
}

/// Returns the text if it is PEM, and not the path of a file.
fn pem(text: &str) -> Option<&[u8]> {
    let text = text.trim();
    text.starts_with("-----BEGIN").then_some(text.as_bytes())
}

/// Does not show passwords and keys.
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = |text: &String| {
            if pem(text).is_some() {
                "…".to_owned()
            } else {
                text.clone()
            }
        };
        f.debug_struct("Target")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("user", &self.user)
            .field("password", &self.password.as_ref().map(|_| "…"))
            .field("database", &self.database)
            .field("ssl_mode", &self.ssl_mode)
            .field("ssl_root_cert", &self.ssl_root_cert.as_ref().map(hidden))
            .field(
                "ssl_client_cert",
                &self.ssl_client_cert.as_ref().map(hidden),
            )
            .field("ssl_client_key", &self.ssl_client_key.as_ref().map(hidden))
            .field("application_name", &self.application_name)
            .field("connect_timeout", &self.connect_timeout)
            .finish()
    }
}

/// Returns the default user: `PGUSER`, or the system's user. sqlx would accept an empty `PGUSER`, and does not know the
/// system's user.
fn default_user() -> Option<String> {
    let set = std::env::var("PGUSER").ok().filter(|user| !user.is_empty());
    set.or_else(|| whoami::username().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(host: &str, ssl_mode: Option<SslMode>, root: Option<&str>) -> String {
        let target = Target {
            host: Some(host.to_owned()),
            ssl_mode,
            ssl_root_cert: root.map(str::to_owned),
            ..Target::default()
        };
        format!("{:?}", target.effective_ssl_mode())
    }

    #[test]
    fn verification_follows_mode_root_and_host() {
        let table = [
            ("db", None, None, "None"),
            ("db", None, Some("ca.pem"), "Some(VerifyFull)"),
            ("db", None, Some("system"), "Some(VerifyFull)"),
            (
                "db",
                Some(SslMode::Require),
                Some("system"),
                "Some(VerifyFull)",
            ),
            (
                "db",
                Some(SslMode::Disable),
                Some("ca.pem"),
                "Some(Disable)",
            ),
            ("db", Some(SslMode::Allow), None, "Some(Prefer)"),
            ("db", Some(SslMode::Prefer), Some("ca.pem"), "Some(Prefer)"),
            ("db", Some(SslMode::Require), None, "Some(Require)"),
            (
                "db",
                Some(SslMode::Require),
                Some("ca.pem"),
                "Some(VerifyCa)",
            ),
            ("db", Some(SslMode::VerifyCa), None, "Some(VerifyCa)"),
            (
                "/cloudsql/p:r:i",
                Some(SslMode::VerifyFull),
                Some("ca.pem"),
                "Some(Disable)",
            ),
        ];
        for (host, ssl_mode, root, expected) in table {
            assert_eq!(
                mode(host, ssl_mode, root),
                expected,
                "{host} {ssl_mode:?} {root:?}"
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn default_user_is_the_user_of_the_system() {
        let output = std::process::Command::new("id")
            .arg("-un")
            .output()
            .unwrap();
        let system = String::from_utf8(output.stdout).unwrap();
        let expected = std::env::var("PGUSER").unwrap_or_else(|_| system.trim().to_owned());
        let options = Target::default().connect_options();
        assert_eq!(options.get_username(), expected);
    }

    #[test]
    fn debug_shows_no_password_and_no_key() {
        let target = Target {
            host: Some("db".to_owned()),
            password: Some("hunter2".to_owned()),
            ssl_root_cert: Some("/etc/ca.pem".to_owned()),
            ssl_client_key: Some("-----BEGIN PRIVATE KEY-----\nhunter3".to_owned()),
            ..Target::default()
        };
        let shown = format!("{target:?}");
        assert!(!shown.contains("hunter"), "{shown}");
        assert!(shown.contains("/etc/ca.pem"), "{shown}");
    }
}
