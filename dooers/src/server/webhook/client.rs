//! One HTTP request per batch.

use super::options::AnalyticsWebhook;
use crate::back_off::retry_after;
use crate::http::{HttpClient, HttpError, SIGNATURE};
use crate::protocol::timestamp;
use hyper::header::{CONTENT_TYPE, RETRY_AFTER};
use hyper::{Method, StatusCode};
use std::time::Duration;

/// The reason why a batch was not accepted.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    #[error(
        "the name of the receiver resolves only to private addresses, which a webhook must not reach; set WORKER_ANALYTICS_WEBHOOK_ALLOW_PRIVATE=true if that is intended"
    )]
    Private,
    #[error(transparent)]
    Http(HttpError),
    #[error("a stored event is not JSON")]
    Body(#[source] serde_json::Error),
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

impl From<HttpError> for SendError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Private => Self::Private,
            other => Self::Http(other),
        }
    }
}

/// Sends requests to the webhook.
#[derive(Debug)]
pub(super) struct Client(HttpClient);

impl Client {
    pub(super) fn new(webhook: &AnalyticsWebhook) -> Self {
        Self(HttpClient::new(webhook.url.clone(), webhook.timeout))
    }

    /// Sends a body. Returns `Ok` if the receiver confirms it.
    pub(super) async fn post(&self, body: Vec<u8>, signature: &str) -> Result<(), SendError> {
        let request = self.0.request(Method::POST);
        let request = request
            .header(CONTENT_TYPE, "application/json")
            .header(SIGNATURE, signature)
            .body(body.into())
            .map_err(HttpError::Request)?;
        let answer = self.0.send(request, None).await?;
        let status = answer.status;
        if status.is_success() {
            return Ok(());
        }
        let wait = answer.headers.get(RETRY_AFTER);
        let wait = wait.and_then(|wait| retry_after(wait.to_str().ok()?, timestamp::now()));
        Err(SendError::Refused { status, wait })
    }
}
