//! One HTTP request per connection.
//!
//! The client follows no redirect and uses no proxy. The name is resolved here, and the connection is opened to an address
//! that was checked.

use super::error::HttpError;
use super::url::HttpUrl;
use crate::tls;
use axum::body::Body;
use futures::FutureExt;
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST, HeaderMap, USER_AGENT};
use hyper::http::request::Builder;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// Maximum size of the head of an answer, in bytes.
const HEAD: usize = 16 * 1024;

/// Sends requests to one URL.
#[derive(Debug)]
pub(crate) struct HttpClient {
    url: HttpUrl,
    timeout: Duration,
    /// The configuration of TLS, which the first request creates.
    pub(super) tls: OnceLock<Arc<ClientConfig>>,
}

/// The answer to a request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// The body. Empty if it was not read.
    #[allow(dead_code, reason = "the analytics webhook reads no bodies")]
    pub(crate) body: Vec<u8>,
}

impl HttpClient {
    /// Creates a client. A request and its answer take `timeout` at most.
    pub(crate) fn new(url: HttpUrl, timeout: Duration) -> Self {
        Self {
            url,
            timeout,
            tls: OnceLock::new(),
        }
    }

    /// Starts a request for the URL. The caller adds its headers and the body.
    pub(crate) fn request(&self, method: Method) -> Builder {
        Request::builder()
            .method(method)
            .uri(&self.url.path)
            .header(HOST, &self.url.authority)
            .header(USER_AGENT, concat!("dooers/", env!("CARGO_PKG_VERSION")))
            .header(CONNECTION, "close")
    }

    /// Sends a request, and reads a body of `max_body` bytes at most. Without that limit, the body is not read.
    pub(crate) async fn send(
        &self,
        request: Request<Body>,
        max_body: Option<usize>,
    ) -> Result<Answer, HttpError> {
        let sent = timeout(self.timeout, self.send_unlimited(request, max_body)).await;
        sent.unwrap_or(Err(HttpError::TooSlow(self.timeout)))
    }

    async fn send_unlimited(
        &self,
        request: Request<Body>,
        max_body: Option<usize>,
    ) -> Result<Answer, HttpError> {
        let stream = self.connect().await?;
        if !self.url.is_https {
            return exchange(stream, request, max_body).await;
        }
        let connector = TlsConnector::from(self.tls()?);
        let encrypted = connector.connect(self.url.name.clone(), stream).await;
        exchange(encrypted.map_err(HttpError::Connect)?, request, max_body).await
    }

    /// Connects to the first permitted address that accepts the connection. Each address gets a share of the time limit,
    /// so that an address that does not answer leaves time for the others.
    async fn connect(&self) -> Result<TcpStream, HttpError> {
        let mut addresses = self.addresses().await?;
        addresses.retain(|address| self.url.permits(address.ip()));
        let share = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
        let share = self.timeout / share.max(1);
        let mut failed = HttpError::Private;
        for address in addresses {
            let connected = timeout(share, TcpStream::connect(address)).await;
            match connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
                Ok(stream) => return Ok(stream),
                Err(error) => failed = HttpError::Connect(error),
            }
        }
        Err(failed)
    }

    async fn addresses(&self) -> Result<Vec<SocketAddr>, HttpError> {
        let port = self.url.port;
        if let Some(address) = self.url.address() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let found = lookup_host((&*self.url.host, port)).await;
        Ok(found.map_err(HttpError::Resolve)?.collect())
    }

    fn tls(&self) -> Result<Arc<ClientConfig>, HttpError> {
        if let Some(tls) = self.tls.get() {
            return Ok(Arc::clone(tls));
        }
        let tls = Arc::new(tls::of_the_web().map_err(HttpError::Tls)?);
        Ok(Arc::clone(self.tls.get_or_init(|| tls)))
    }
}

/// Sends a request and reads the answer.
async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    request: Request<Body>,
    max_body: Option<usize>,
) -> Result<Answer, HttpError> {
    let mut http = http1::Builder::new();
    http.max_buf_size(HEAD);
    let (mut sender, connection) = http
        .handshake(TokioIo::new(stream))
        .await
        .map_err(HttpError::Http)?;
    let mut connection = pin!(connection);
    let mut answer = pin!(async {
        let response = sender.send_request(request).await;
        let (head, body) = response.map_err(HttpError::Http)?.into_parts();
        let body = match max_body {
            None => Vec::new(),
            Some(max_bytes) => read(body, max_bytes).await?,
        };
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body,
        })
    });
    tokio::select! {
        biased;
        answered = &mut answer => answered,
        // A receiver may answer and close before it has read the whole request.
        ended = &mut connection => match (answer.as_mut().now_or_never(), ended) {
            (Some(answered), _) => answered,
            (None, Ok(())) => answer.await,
            (None, Err(error)) => Err(HttpError::Http(error)),
        },
    }
}

async fn read(mut body: Incoming, max_bytes: usize) -> Result<Vec<u8>, HttpError> {
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let Ok(data) = frame.map_err(HttpError::Http)?.into_data() else {
            continue;
        };
        if bytes.len() + data.len() > max_bytes {
            return Err(HttpError::TooLarge(max_bytes));
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}
