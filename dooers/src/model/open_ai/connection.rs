//! The HTTP service that `async-openai` sends its requests with.

use super::body;
use super::endpoint::Endpoint;
use super::exchange::Exchange;
use super::failure;
use crate::Secret;
use crate::model::ModelError;
use crate::tls;
use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use futures::FutureExt;
use futures::future::BoxFuture;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::redirect::Policy;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::timeout;
use tower_service::Service;

/// The time limit for opening a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Sends one request: adds the key, refuses answers that are not a stream of events, and limits sizes and times. It does not
/// repeat anything, because [`Tools::run`](crate::Tools::run) does.
#[derive(Clone)]
pub(super) struct Connection {
    http: reqwest::Client,
    key: Option<Secret>,
    /// The header with the key.
    authorization: Option<HeaderValue>,
    idle_timeout: Duration,
    exchange: Arc<Exchange>,
}

impl Connection {
    pub(super) fn new(
        is_local: bool,
        key: Option<Secret>,
        idle_timeout: Duration,
        exchange: Arc<Exchange>,
    ) -> Result<Self, ModelError> {
        let authorization = key.as_ref().map(authorization).transpose()?;
        Ok(Self {
            http: shared_client(is_local)?,
            key,
            authorization,
            idle_timeout,
            exchange,
        })
    }

    /// The client of `async-openai` for this request. It does not know the key, and reads no variables.
    pub(super) fn client(self, endpoint: &Endpoint) -> Client<OpenAIConfig> {
        let config = OpenAIConfig::new()
            .with_api_base(&endpoint.base_url)
            .with_api_key("")
            .with_org_id("")
            .with_project_id("");
        Client::build(self.http.clone(), config).with_http_service(self)
    }

    async fn send(self, factory: HttpRequestFactory) -> Result<reqwest::Response, ModelError> {
        let mut request = factory
            .build()
            .await
            .map_err(|_| ModelError::new("the request to the model's server cannot be built"))?;
        let headers = request.headers_mut();
        headers.remove(AUTHORIZATION);
        headers.extend(self.authorization.map(|key| (AUTHORIZATION, key)));
        headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        let sent = timeout(self.idle_timeout, self.http.execute(request)).await;
        let response = sent
            .map_err(|_| failure::too_slow(self.idle_timeout))?
            .map_err(failure::of_connection)?;
        let key = self.key.as_ref().map_or("", |key| key.expose());
        if !response.status().is_success() {
            return Err(failure::of_answer(response, key, self.idle_timeout).await);
        }
        let kind = response.headers().get(CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if kind.starts_with("application/json") || kind.starts_with("text/html") {
            return Err(ModelError::new(
                "the model's server did not answer with a stream of events; check its address, and that it supports `stream`",
            ));
        }
        Ok(body::limited(response, self.idle_timeout, self.exchange))
    }
}

impl Service<HttpRequestFactory> for Connection {
    type Response = reqwest::Response;
    type Error = OpenAIError;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, factory: HttpRequestFactory) -> Self::Future {
        let sent = self.clone().send(factory);
        sent.map(|sent| sent.map_err(|error| OpenAIError::Boxed(Box::new(error))))
            .boxed()
    }
}

/// The header with a key.
fn authorization(key: &Secret) -> Result<HeaderValue, ModelError> {
    let header = HeaderValue::try_from(format!("Bearer {}", key.expose().trim()));
    let mut header = header.map_err(|_| {
        ModelError::new("the key of the model's server contains characters that cannot be sent; check OPENAI_API_KEY")
    })?;
    header.set_sensitive(true);
    Ok(header)
}

/// The connections that all clients share. Those to this machine use no proxy.
fn shared_client(is_local: bool) -> Result<reqwest::Client, ModelError> {
    static LOCAL: OnceLock<reqwest::Client> = OnceLock::new();
    static REMOTE: OnceLock<reqwest::Client> = OnceLock::new();
    let shared = if is_local { &LOCAL } else { &REMOTE };
    if let Some(client) = shared.get() {
        return Ok(client.clone());
    }
    let tls = tls::of_the_web().map_err(|error| {
        ModelError::new("the encryption of connections cannot be set up").with_source(error)
    })?;
    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .user_agent(concat!("dooers/", env!("CARGO_PKG_VERSION")));
    if is_local {
        builder = builder.no_proxy();
    }
    let client = builder
        .build()
        .map_err(|error| ModelError::new("the HTTP client cannot be set up").with_source(error))?;
    Ok(shared.get_or_init(|| client).clone())
}
