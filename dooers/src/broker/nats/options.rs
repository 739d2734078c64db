//! Options for connecting to NATS servers.

use crate::tls;
use async_nats::{Client, ConnectError, ConnectOptions, Event, ServerAddr};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use std::fmt;
use std::fs;
use std::str::FromStr;
use std::time::Duration;
use tokio::sync::mpsc;

/// The longest time for connecting and logging in.
const CONNECT: Duration = Duration::from_secs(5);

/// The interval at which the client asks the server for an answer. After two without one, it connects again.
const PING: Duration = Duration::from_secs(5);

/// Maximum number of received messages of one subject that wait.
const MOST_MESSAGES: usize = 1_024;

/// The name under which the server lists the connection.
const NAME: &str = "dooers";

/// Options for connecting to NATS servers.
///
/// The servers are those of one cluster. A process connects to one of them, and to another one if the connection is lost.
/// At most one of a password, a token, a key and a file of credentials proves who the client is.
///
/// ```
/// use dooers::{BrokerKind, NatsOptions, WorkerConfig};
///
/// let options = NatsOptions::from_urls("tls://worker:secret@a.example.com,tls://b.example.com:4443")?;
/// assert!(!format!("{options:?}").contains("secret"));
/// let config = WorkerConfig::new().broker(BrokerKind::Nats(options));
/// # Ok::<(), dooers::InvalidNatsOptions>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct NatsOptions {
    servers: Vec<ServerAddr>,
    login: Option<Login>,
    root_cert: Option<String>,
    client_cert: Option<String>,
    client_key: Option<String>,
}

/// The proof of who the client is.
#[derive(Clone, PartialEq, Eq)]
enum Login {
    Password(String, String),
    Token(String),
    Nkey(String),
    /// The path of a file.
    Credentials(String),
}

/// The error for options with which no NATS server can be reached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct InvalidNatsOptions {
    pub(crate) part: NatsPart,
    text: String,
}

/// The part of the options that is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NatsPart {
    Urls,
    Nkey,
    Credentials,
    RootCert,
    ClientCert,
    ClientKey,
}

impl NatsPart {
    fn invalid(self, text: impl Into<String>) -> InvalidNatsOptions {
        let text = text.into();
        InvalidNatsOptions { part: self, text }
    }
}

impl NatsOptions {
    /// Options for the servers of these URLs, which are separated by commas, such as
    /// `nats://user:password@a.example.com:4222,nats://b.example.com`. The default port is 4222.
    ///
    /// `tls://` means that connections must be encrypted. `nats://` encrypts them if the server asks for it. All URLs have the
    /// same beginning. A URL with a user and without a password contains a token. One URL with a password or a token is enough.
    ///
    /// # Errors
    ///
    /// [`InvalidNatsOptions`] for another text. The error does not contain the text.
    pub fn from_urls(urls: &str) -> Result<Self, InvalidNatsOptions> {
        let mut options = Self {
            servers: Vec::new(),
            login: None,
            root_cert: None,
            client_cert: None,
            client_key: None,
        };
        for url in urls.split(',') {
            options.add(url.trim())?;
        }
        Ok(options)
    }

    fn add(&mut self, url: &str) -> Result<(), InvalidNatsOptions> {
        let invalid = |text: &str| NatsPart::Urls.invalid(text);
        if !url.starts_with("nats://") && !url.starts_with("tls://") {
            return Err(invalid("each URL must begin with nats:// or tls://"));
        }
        let mut url = ServerAddr::from_str(url)
            .map_err(|_| invalid("it is not a URL such as nats://user:password@host:4222"))?
            .into_inner();
        if url.host_str().is_none_or(str::is_empty) {
            return Err(invalid("a URL must have a host, such as nats://host:4222"));
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(invalid("a URL must end after the port"));
        }
        let decode = |text: &str| {
            let decoded = percent_encoding::percent_decode_str(text).decode_utf8();
            let decoded = decoded.map(std::borrow::Cow::into_owned);
            decoded.map_err(|_| invalid("the user and the password must be UTF-8 text"))
        };
        let user = decode(url.username())?;
        let login = match url.password() {
            Some(password) => Some(Login::Password(user, decode(password)?)),
            None if user.is_empty() => None,
            None => Some(Login::Token(user)),
        };
        if let Some(login) = login {
            if self.login.as_ref().is_some_and(|other| *other != login) {
                return Err(invalid("all servers must have the same user and password"));
            }
            self.login = Some(login);
        }
        // The client logs whole URLs.
        let is_plain = url.set_username("").is_ok() && url.set_password(None).is_ok();
        let server = ServerAddr::from_url(url).ok().filter(|_| is_plain);
        let server =
            server.ok_or_else(|| invalid("a URL must have a host, such as nats://host:4222"))?;
        if let Some(first) = self.servers.first()
            && first.scheme() != server.scheme()
        {
            return Err(invalid(
                "all URLs must begin with nats://, or all with tls://",
            ));
        }
        self.servers.push(server);
        Ok(())
    }

    /// Sets a token. It replaces another token, a password, a key and credentials.
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.login = Some(Login::Token(token.into()));
        self
    }

    /// Sets the seed of a user's NKey, such as `SUA…`. It replaces another key, a password, a token and credentials.
    #[must_use]
    pub fn nkey(mut self, seed: impl Into<String>) -> Self {
        self.login = Some(Login::Nkey(seed.into()));
        self
    }

    /// Sets the path of a file with a JSON Web Token and an NKey, as `nsc` writes it (`user.creds`). The file is read when the
    /// server starts. It replaces other credentials, a password, a token and a key.
    #[must_use]
    pub fn credentials_file(mut self, path: impl Into<String>) -> Self {
        self.login = Some(Login::Credentials(path.into()));
        self
    }

    /// Sets the certificates of authorities that are trusted in addition to the public ones: the path of a file, or its text in
    /// PEM. Connections are then always encrypted.
    #[must_use]
    pub fn ssl_root_cert(mut self, cert: impl Into<String>) -> Self {
        self.root_cert = Some(cert.into());
        self
    }

    /// Sets the certificate that proves the client's identity: the path of a file, or its text in PEM. It requires its
    /// [key](NatsOptions::ssl_client_key). Connections are then always encrypted.
    #[must_use]
    pub fn ssl_client_cert(mut self, cert: impl Into<String>) -> Self {
        self.client_cert = Some(cert.into());
        self
    }

    /// Sets the key of the [certificate](NatsOptions::ssl_client_cert): the path of a file, or its text in PEM. The key must
    /// not be encrypted.
    #[must_use]
    pub fn ssl_client_key(mut self, key: impl Into<String>) -> Self {
        self.client_key = Some(key.into());
        self
    }

    /// Returns true if a password, a token, a key or credentials are set.
    pub(crate) fn has_login(&self) -> bool {
        self.login.is_some()
    }

    /// Reads the files and checks the values.
    pub(crate) fn prepare(&self) -> Result<Prepared, InvalidNatsOptions> {
        let is_encrypted = self.root_cert.is_some()
            || self.client_cert.is_some()
            || self.servers.iter().any(ServerAddr::tls_required);
        let options = self
            .log_in(ConnectOptions::new())?
            .name(NAME)
            .connection_timeout(CONNECT)
            .ping_interval(PING)
            .subscription_capacity(MOST_MESSAGES)
            .require_tls(is_encrypted)
            .tls_client_config(self.tls()?)
            .retry_on_initial_connect()
            .max_reconnects(None);
        Ok(Prepared {
            servers: self.servers.clone(),
            options,
        })
    }

    fn log_in(&self, options: ConnectOptions) -> Result<ConnectOptions, InvalidNatsOptions> {
        Ok(match &self.login {
            None => options,
            Some(Login::Password(user, password)) => {
                options.user_and_password(user.clone(), password.clone())
            }
            Some(Login::Token(token)) => options.token(token.clone()),
            Some(Login::Nkey(seed)) => {
                let seed = seed.trim();
                if !is_seed(seed) {
                    let text = "it must be the seed of a user's NKey, which has 58 characters and begins with SU";
                    return Err(NatsPart::Nkey.invalid(text));
                }
                options.nkey(seed.to_owned())
            }
            Some(Login::Credentials(path)) => {
                let text = read(path).map_err(|error| NatsPart::Credentials.invalid(error))?;
                options.credentials(&text).map_err(|_| {
                    let text = format!("the file `{path}` must contain a JSON Web Token and an NKey, as `nsc` writes them");
                    NatsPart::Credentials.invalid(text)
                })?
            }
        })
    }

    fn tls(&self) -> Result<ClientConfig, InvalidNatsOptions> {
        let mut roots = tls::public_roots();
        if let Some(cert) = &self.root_cert {
            trust(&mut roots, cert).map_err(|text| NatsPart::RootCert.invalid(text))?;
        }
        let config = match (&self.client_cert, &self.client_key) {
            (None, None) => tls::trusting(roots),
            (Some(cert), Some(key)) => {
                let certs =
                    certificates(cert).map_err(|text| NatsPart::ClientCert.invalid(text))?;
                let key = private_key(key).map_err(|text| NatsPart::ClientKey.invalid(text))?;
                tls::trusting_as(roots, certs, key)
            }
            (Some(_), None) => {
                return Err(NatsPart::ClientCert.invalid("it needs its key (`ssl_client_key`)"));
            }
            (None, Some(_)) => {
                return Err(
                    NatsPart::ClientKey.invalid("it needs its certificate (`ssl_client_cert`)")
                );
            }
        };
        config.map_err(|error| {
            let text = format!("the certificate and the key do not fit: {error}");
            NatsPart::ClientCert.invalid(text)
        })
    }
}

/// Does not show passwords, tokens and keys.
impl fmt::Debug for NatsOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let servers: Vec<_> = self.servers.iter().map(ServerAddr::as_url_str).collect();
        let login = self.login.as_ref().map(|login| match login {
            Login::Password(..) => "password",
            Login::Token(_) => "token",
            Login::Nkey(_) => "NKey",
            Login::Credentials(path) => path,
        });
        f.debug_struct("NatsOptions")
            .field("servers", &servers)
            .field("login", &login)
            .field("root_cert", &self.root_cert.is_some())
            .field("client_cert", &self.client_cert.is_some())
            .finish_non_exhaustive()
    }
}

/// Options whose files were read.
pub(crate) struct Prepared {
    servers: Vec<ServerAddr>,
    options: ConnectOptions,
}

impl Prepared {
    /// The URLs of the servers, without logins, for the log.
    pub(super) fn urls(&self) -> String {
        let urls: Vec<_> = self.servers.iter().map(ServerAddr::as_url_str).collect();
        urls.join(",")
    }

    /// Starts to connect. The client sends its events to `events`, and connects again by itself.
    ///
    /// # Errors
    ///
    /// None that depends on the server.
    pub(super) async fn connect(self, events: mpsc::Sender<Event>) -> Result<Client, ConnectError> {
        let options = self.options.event_callback(move |event| {
            let events = events.clone();
            async move {
                // The broker was closed.
                let _ = events.send(event).await;
            }
        });
        async_nats::connect_with_options(self.servers, options).await
    }
}

fn is_seed(text: &str) -> bool {
    let is_base32 = |byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7');
    text.len() == 58 && text.starts_with("SU") && text.bytes().all(is_base32)
}

fn read(path: &str) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("the file `{path}` cannot be read: {error}"))
}

/// A text in PEM, or that of the file with this path.
fn pem(text: &str) -> Result<String, String> {
    if text.trim_start().starts_with("-----BEGIN") {
        // Files with variables often write line breaks as `\n`, which PEM never contains.
        return Ok(text.replace("\\n", "\n"));
    }
    read(text.trim())
}

fn certificates(text: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = pem(text)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let certificates = certificates.unwrap_or_default();
    if certificates.is_empty() {
        return Err("it must contain a certificate in PEM".to_owned());
    }
    Ok(certificates)
}

fn private_key(text: &str) -> Result<PrivateKeyDer<'static>, String> {
    let pem = pem(text)?;
    PrivateKeyDer::from_pem_slice(pem.as_bytes())
        .map_err(|_| "it must contain a private key in PEM that is not encrypted".to_owned())
}

fn trust(roots: &mut RootCertStore, text: &str) -> Result<(), String> {
    for certificate in certificates(text)? {
        let added = roots.add(certificate);
        added.map_err(|error| format!("it contains a certificate of no authority: {error}"))?;
    }
    Ok(())
}
