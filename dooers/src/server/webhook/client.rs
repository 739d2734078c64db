//! One HTTP request per batch.
//!
//! Each request has its own connection. It follows no redirect and uses no proxy, and the body of the answer is not
//! read. The name is resolved here, and the connection is opened to an address that was checked.

use super::back_off::retry_after;
use super::options::AnalyticsWebhook;
use super::url::WebhookUrl;
use crate::protocol::timestamp;
use axum::body::Body;
use futures::FutureExt;
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// Maximum size of the head of an answer, in bytes.
const HEAD: usize = 16 * 1024;

/// The header with the signature.
const SIGNATURE: &str = "x-dooers-signature";

/// The reason why a batch was not accepted.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    #[error("the receiver did not answer within {0:?}")]
    TooSlow(Duration),
    #[error("the name of the receiver cannot be resolved")]
    Resolve(#[source] io::Error),
    #[error(
        "the name of the receiver resolves only to private addresses, which a webhook must not reach; set WORKER_ANALYTICS_WEBHOOK_ALLOW_PRIVATE=true if that is intended"
    )]
    Private,
    #[error("the connection to the receiver failed")]
    Connect(#[source] io::Error),
    #[error("the encryption of the connection cannot be set up")]
    Tls(#[source] rustls::Error),
    #[error("the receiver closed the connection or did not answer in HTTP")]
    Http(#[source] hyper::Error),
    #[error("a stored event is not JSON")]
    Body(#[source] serde_json::Error),
    #[error("the request cannot be built")]
    Request(#[source] hyper::http::Error),
    #[error(
        "the receiver answered {status}; only 2xx confirms a batch, and redirects are not followed"
    )]
    Refused {
        status: StatusCode,
        /// The wait that the receiver asks for.
        wait: Option<Duration>,
    },
}

impl SendError {
    /// Returns the wait that the receiver asks for.
    pub(super) fn asked_wait(&self) -> Option<Duration> {
        match self {
            Self::Refused { wait, .. } => *wait,
            _ => None,
        }
    }
}

/// Sends requests to the webhook.
#[derive(Debug)]
pub(super) struct Client {
    url: WebhookUrl,
    timeout: Duration,
    pub(super) tls: Option<Arc<ClientConfig>>,
}

impl Client {
    pub(super) fn new(webhook: &AnalyticsWebhook) -> Self {
        Self {
            url: webhook.url.clone(),
            timeout: webhook.timeout,
            tls: None,
        }
    }

    /// Sends a body. Returns `Ok` if the receiver confirms it.
    pub(super) async fn post(&mut self, body: Vec<u8>, signature: &str) -> Result<(), SendError> {
        let at_most = self.timeout;
        let sent = timeout(at_most, self.send(body, signature)).await;
        let response = sent.map_err(|_| SendError::TooSlow(at_most))??;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let wait = response.headers().get(RETRY_AFTER);
        let wait = wait.and_then(|wait| retry_after(wait.to_str().ok()?, timestamp::now()));
        Err(SendError::Refused { status, wait })
    }

    async fn send(
        &mut self,
        body: Vec<u8>,
        signature: &str,
    ) -> Result<Response<hyper::body::Incoming>, SendError> {
        let request = Request::post(&self.url.path)
            .header(HOST, &self.url.authority)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("dooers/", env!("CARGO_PKG_VERSION")))
            .header(CONNECTION, "close")
            .header(SIGNATURE, signature)
            .body(Body::from(body))
            .map_err(SendError::Request)?;
        let stream = self.connect().await?;
        if !self.url.is_https {
            return exchange(stream, request).await;
        }
        let connector = TlsConnector::from(self.tls()?);
        let encrypted = connector.connect(self.url.name.clone(), stream).await;
        exchange(encrypted.map_err(SendError::Connect)?, request).await
    }

    /// Connects to the first permitted address that accepts the connection. Each address gets a share of the time limit,
    /// so that an address that does not answer leaves time for the others.
    async fn connect(&self) -> Result<TcpStream, SendError> {
        let mut addresses = self.addresses().await?;
        addresses.retain(|address| self.url.permits(address.ip()));
        let share = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
        let share = self.timeout / share.max(1);
        let mut failed = SendError::Private;
        for address in addresses {
            let connected = timeout(share, TcpStream::connect(address)).await;
            match connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
                Ok(stream) => return Ok(stream),
                Err(error) => failed = SendError::Connect(error),
            }
        }
        Err(failed)
    }

    async fn addresses(&self) -> Result<Vec<SocketAddr>, SendError> {
        let port = self.url.port;
        if let Some(address) = self.url.address() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let found = lookup_host((&*self.url.host, port)).await;
        Ok(found.map_err(SendError::Resolve)?.collect())
    }

    /// Returns the configuration of TLS, which is created by the first request.
    fn tls(&mut self) -> Result<Arc<ClientConfig>, SendError> {
        if let Some(tls) = &self.tls {
            return Ok(Arc::clone(tls));
        }
        let mut roots = RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        let tls = self.tls.insert(Arc::new(trusting(roots)?));
        Ok(Arc::clone(tls))
    }
}

/// Creates a configuration of TLS that trusts these authorities.
pub(super) fn trusting(roots: RootCertStore) -> Result<ClientConfig, SendError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(SendError::Tls)?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// Sends a request and reads the head of the answer.
async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    request: Request<Body>,
) -> Result<Response<hyper::body::Incoming>, SendError> {
    let mut http = http1::Builder::new();
    http.max_buf_size(HEAD);
    let (mut sender, connection) = http
        .handshake(TokioIo::new(stream))
        .await
        .map_err(SendError::Http)?;
    let mut connection = pin!(connection);
    let mut answer = pin!(sender.send_request(request));
    let answered = tokio::select! {
        biased;
        answered = &mut answer => answered,
        // A receiver may answer and close before it has read the whole request.
        ended = &mut connection => match (answer.as_mut().now_or_never(), ended) {
            (Some(answered), _) => answered,
            (None, Ok(())) => answer.await,
            (None, Err(error)) => Err(error),
        },
    };
    answered.map_err(SendError::Http)
}
