//! The authenticator, and its configuration.

use super::asker::{Asker, Question};
use super::cache::Key;
use super::invalid::{InvalidAuthWebhook, MIN_SECRET_BYTES};
use super::lookups::Lookups;
use crate::auth::token_hash::TokenHash;
use crate::auth::{Authenticator, ConnectRequest, Identity, Refusal};
use crate::http::HttpUrl;
use crate::protocol::AuthToken;
use crate::secret::Secret;
use async_trait::async_trait;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Maximum number of decisions that are kept.
const MAX_CACHED: usize = 10_000;

/// The authenticator that sends each token to a server of the operator, which decides about it.
///
/// The variables `WORKER_AUTH_WEBHOOK_URL` and `WORKER_AUTH_WEBHOOK_SECRET` select it, too.
///
/// ```
/// use dooers::Secret;
/// use dooers::auth::WebhookAuthenticator;
/// use dooers::prelude::*;
///
/// # #[dooers::agent]
/// # async fn echo(request: WorkerRequest) -> String { request.message }
/// let secret = Secret::new("8Jr1Qm0zq4S2vYx6");
/// let login = WebhookAuthenticator::builder("https://login.example.com/dooers", secret).build()?;
/// let server = WorkerServer::new(WorkerConfig::new()).authenticator(login);
/// # Ok::<(), dooers::auth::InvalidAuthWebhook>(())
/// ```
///
/// The request is a `POST` with this JSON:
///
/// ```json
/// {"token": "the token of the client", "agent": "front-desk", "worker_id": "support"}
/// ```
///
/// Its header `X-Dooers-Signature` is `t=TIME,v1=HMAC`: the HMAC-SHA256 of `TIME.BODY` with the secret, in hexadecimal
/// digits, as for the batches of analytics events. The receiver must check it, so that nobody else can try tokens.
///
/// The answer to a good token has the status 200 and the JSON of an [`Identity`]. Only `user.user_id` is required. An
/// unknown member is an error.
///
/// ```
/// # let json = r#"
/// {
///     "user": {"user_id": "ana", "user_name": "Ana", "organization_role": "owner"},
///     "organization_id": "acme",
///     "workspace_id": "north",
///     "workers": ["support"],
///     "rights": {"analytics": true},
///     "expires_at": "2030-01-31T12:00:00Z",
///     "claims": {"plan": "gold"}
/// }
/// # "#;
/// # let identity: dooers::auth::Identity = serde_json::from_str(json)?;
/// # assert!(identity.rights.analytics);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// The header `Cache-Control: max-age=SECONDS` of that answer allows the server to keep the identity for that time, up to an
/// hour, and never after `expires_at`. A token that is revoked meanwhile still works until then. Without the header, the
/// server asks at every `connect`.
///
/// The status 401 or 403 refuses the token. The client is answered with `UNAUTHORIZED` and the `message` of the JSON body
/// `{"message": "…"}`, if there is one. The server keeps a refusal for 5 s.
///
/// Anything else refuses the client with `OVERLOADED`, so that it tries again: another status, a redirect, an answer that is
/// not an identity or larger than 64 KiB, or none within the time limit. The reason is logged. Simultaneous lookups of one
/// token are one request, and at most 16 requests are made at a time.
pub struct WebhookAuthenticator {
    url: HttpUrl,
    lookups: Arc<Lookups>,
}

impl WebhookAuthenticator {
    /// Starts the configuration of an authenticator that asks this URL. Requests are signed with the secret.
    pub fn builder(url: impl Into<String>, secret: Secret) -> WebhookAuthenticatorBuilder {
        WebhookAuthenticatorBuilder {
            url: url.into(),
            secret,
            allow_private: false,
            timeout: Duration::from_secs(5),
            max_requests: 16,
        }
    }
}

#[async_trait]
impl Authenticator for WebhookAuthenticator {
    async fn authenticate(&self, request: ConnectRequest) -> Result<Identity, Refusal> {
        let token = request.token().ok_or_else(Refusal::no_token)?;
        let question = Question {
            token: AuthToken::from(token),
            agent: request.agent().to_owned(),
            worker_id: request.worker_id().to_owned(),
        };
        let key = Key {
            token: TokenHash::of(token),
            agent: question.agent.clone(),
            worker_id: question.worker_id.clone(),
        };
        self.lookups.decide(key, question).await
    }
}

/// Shows the origin of the URL.
impl fmt::Debug for WebhookAuthenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookAuthenticator")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// The builder of a [`WebhookAuthenticator`]. `Debug` does not show the URL, because it may contain a token.
#[derive(Clone)]
#[must_use]
pub struct WebhookAuthenticatorBuilder {
    url: String,
    secret: Secret,
    pub(crate) allow_private: bool,
    pub(crate) timeout: Duration,
    max_requests: usize,
}

impl fmt::Debug for WebhookAuthenticatorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookAuthenticatorBuilder")
            .field("allow_private", &self.allow_private)
            .field("timeout", &self.timeout)
            .field("max_requests", &self.max_requests)
            .finish_non_exhaustive()
    }
}

impl WebhookAuthenticatorBuilder {
    /// Permits receivers in private networks. They are refused by default, because a name could lead the server to a
    /// machine that its operator did not mean. A URL that names this machine (`localhost` or a loopback address) needs
    /// no permission, and leads to loopback addresses only.
    pub fn allow_private(mut self, allow: bool) -> Self {
        self.allow_private = allow;
        self
    }

    /// Sets the time within which the receiver must answer. 5 s by default. The server waits for an authenticator for the
    /// [`auth_timeout`](crate::Limits::auth_timeout) at most.
    pub fn timeout(mut self, at_most: Duration) -> Self {
        self.timeout = at_most;
        self
    }

    /// Sets the maximum number of requests at a time. 16 by default. Further lookups wait.
    pub fn max_requests(mut self, requests: usize) -> Self {
        self.max_requests = requests;
        self
    }

    /// Checks the values.
    ///
    /// # Errors
    ///
    /// [`InvalidAuthWebhook`] for a URL or a secret that cannot be used.
    pub fn build(self) -> Result<WebhookAuthenticator, InvalidAuthWebhook> {
        let url = HttpUrl::parse(&self.url, self.allow_private)?;
        if self.secret.expose().len() < MIN_SECRET_BYTES {
            return Err(InvalidAuthWebhook::Secret);
        }
        let asker = Asker::new(url.clone(), self.timeout, self.secret);
        let max_requests = self
            .max_requests
            .clamp(1, tokio::sync::Semaphore::MAX_PERMITS);
        let lookups = Lookups::new(asker, max_requests, MAX_CACHED);
        Ok(WebhookAuthenticator {
            url,
            lookups: Arc::new(lookups),
        })
    }
}
