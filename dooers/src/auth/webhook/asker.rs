//! One request to the receiver.

use super::answer::{REFUSED, identity, max_age, refusal};
use super::error::AskError;
use crate::auth::{Identity, Refusal};
use crate::http::{Answer, HttpClient, HttpError, HttpUrl, SIGNATURE, signature};
use crate::protocol::AuthToken;
use crate::secret::Secret;
use chrono::Utc;
use hyper::header::CONTENT_TYPE;
use hyper::{Method, StatusCode};
use serde::Serialize;
use std::time::Duration;

/// Maximum size of an answer, in bytes.
const ANSWER_BYTES: usize = 64 * 1024;

/// A decision about a token, and the time for which it may be kept.
#[derive(Debug)]
pub(super) struct Decision {
    pub(super) outcome: Result<Identity, Refusal>,
    pub(super) keep: Duration,
}

/// A question to the receiver. Its JSON is the body of the request.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Question {
    #[serde(serialize_with = "plain")]
    pub(super) token: AuthToken,
    pub(super) agent: String,
    pub(super) worker_id: String,
}

fn plain<S: serde::Serializer>(token: &AuthToken, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(token.as_str())
}

/// Sends questions to the receiver.
#[derive(Debug)]
pub(super) struct Asker {
    url: HttpUrl,
    client: HttpClient,
    secret: Secret,
}

impl Asker {
    pub(super) fn new(url: HttpUrl, timeout: Duration, secret: Secret) -> Self {
        Self {
            client: HttpClient::new(url.clone(), timeout),
            url,
            secret,
        }
    }

    /// The URL of the receiver.
    pub(super) fn url(&self) -> &HttpUrl {
        &self.url
    }

    /// Asks about a token.
    pub(super) async fn ask(&self, question: &Question) -> Result<Decision, AskError> {
        let body = serde_json::to_vec(question).map_err(AskError::Body)?;
        let key = self.secret.expose().as_bytes();
        let request = self
            .client
            .request(Method::POST)
            .header(CONTENT_TYPE, "application/json")
            .header(SIGNATURE, signature(key, &body, Utc::now()))
            .body(body.into())
            .map_err(HttpError::Request)?;
        let answer = self.client.send(request, Some(ANSWER_BYTES)).await?;
        decide(&answer)
    }
}

fn decide(answer: &Answer) -> Result<Decision, AskError> {
    match answer.status {
        StatusCode::OK => {
            let identity = identity(&answer.body)?;
            let age = max_age(&answer.headers);
            let left = identity.expires_at.map(|at| at - Utc::now());
            let left = left.map(|left| left.to_std().unwrap_or_default());
            Ok(Decision {
                outcome: Ok(identity),
                keep: left.map_or(age, |left| left.min(age)),
            })
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Ok(Decision {
            outcome: Err(refusal(&answer.body)),
            keep: REFUSED,
        }),
        other => Err(AskError::Status(other)),
    }
}
