//! The keys that an issuer publishes at a URL.
//!
//! The first token fetches them, so a server starts while the issuer is down. A fetch continues if the client that caused it
//! leaves: otherwise, clients that leave at once could keep a new key out.

use super::invalid::InvalidJwt;
use super::jwks_document;
use super::key_set::KeySet;
use crate::auth::Refusal;
use crate::http::{HttpClient, HttpError, HttpUrl, InvalidUrl};
use axum::body::Body;
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use hyper::header::{ACCEPT, CACHE_CONTROL, HeaderMap};
use hyper::{Method, StatusCode};
use jsonwebtoken::Header;
use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

/// The time within which the issuer must answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Maximum size of the document, in bytes.
const MAX_BYTES: usize = 256 * 1024;

/// The time for which the keys are used without another fetch, if the answer of the issuer does not state it, and its
/// limits.
const AGE: Duration = Duration::from_secs(900);
const MIN_AGE: Duration = Duration::from_secs(60);
const MAX_AGE: Duration = Duration::from_secs(24 * 3600);

/// The pause after a fetch: no unknown key and no failure causes another one earlier.
const PAUSE: Duration = Duration::from_secs(60);

/// The pause after a failed fetch, until a fetch has succeeded.
const FIRST_PAUSE: Duration = Duration::from_secs(5);

/// The answer to clients until the keys have been fetched once.
const UNAVAILABLE: &str = "the server cannot check tokens now, because the keys of their issuer cannot be fetched; try again later";

/// The keys that an issuer publishes at a URL.
#[derive(Debug)]
pub(super) struct Jwks {
    issuer: Arc<Issuer>,
    /// Fires when nobody needs the keys any more.
    dropped: CancellationToken,
    _stop: DropGuard,
}

#[derive(Debug)]
struct Issuer {
    client: HttpClient,
    /// The origin of the URL, for the log.
    origin: String,
    cache: Mutex<Cache>,
}

/// A fetch that any number of clients wait for.
type Fetch = Shared<BoxFuture<'static, ()>>;

#[derive(Debug, Default)]
struct Cache {
    keys: Option<Arc<KeySet>>,
    fresh_until: Option<Instant>,
    /// No fetch starts before.
    paused_until: Option<Instant>,
    running: Option<Fetch>,
}

#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("the issuer answered {0} instead of 200; redirects are not followed")]
    Status(StatusCode),
    #[error("the answer of the issuer is not a JSON Web Key Set")]
    Document(#[source] serde_json::Error),
}

impl Jwks {
    /// Creates the keys of this URL. The issuer may be in a private network, because the operator chose it and its
    /// certificate is checked.
    pub(super) fn new(url: &str) -> Result<Self, InvalidJwt> {
        let url = HttpUrl::parse(url, true).map_err(|invalid| match invalid {
            InvalidUrl::Password => InvalidJwt::UrlPassword,
            InvalidUrl::NotEncrypted => InvalidJwt::UrlNotEncrypted,
            InvalidUrl::NotHttp | InvalidUrl::Private => InvalidJwt::Url,
        })?;
        let issuer = Issuer {
            origin: url.to_string(),
            client: HttpClient::new(url, TIMEOUT),
            cache: Mutex::default(),
        };
        let dropped = CancellationToken::new();
        Ok(Self {
            issuer: Arc::new(issuer),
            _stop: dropped.clone().drop_guard(),
            dropped,
        })
    }

    /// Returns the keys for a token with this header. It waits for a fetch if one is due.
    pub(super) async fn keys(&self, header: &Header) -> Result<Arc<KeySet>, Refusal> {
        let fetch = self.fetch_if_due(header);
        if let Some(fetch) = fetch {
            fetch.await;
        }
        let keys = self.issuer.cache().keys.clone();
        keys.ok_or_else(|| Refusal::unavailable(UNAVAILABLE).retry_after(FIRST_PAUSE))
    }

    fn fetch_if_due(&self, header: &Header) -> Option<Fetch> {
        let mut cache = self.issuer.cache();
        let now = Instant::now();
        let is_due = match &cache.keys {
            None => true,
            Some(keys) => !keys.may_have(header) || cache.fresh_until.is_none_or(|at| at <= now),
        };
        if !is_due {
            return None;
        }
        if let Some(running) = cache
            .running
            .as_ref()
            .filter(|fetch| fetch.peek().is_none())
        {
            return Some(running.clone());
        }
        if cache.paused_until.is_some_and(|until| now < until) {
            return None;
        }
        let issuer = Arc::clone(&self.issuer);
        let dropped = self.dropped.clone();
        let task = tokio::spawn(async move {
            dropped.run_until_cancelled(issuer.refresh()).await;
        });
        let fetch = task.map(|_| ()).boxed().shared();
        cache.running = Some(fetch.clone());
        Some(fetch)
    }
}

impl Issuer {
    /// Nothing panics while the lock is held.
    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fetches the keys. If that fails, the present ones stay.
    async fn refresh(&self) {
        let fetched = self.fetch().await;
        let mut cache = self.cache();
        let now = Instant::now();
        match fetched {
            Ok((keys, age)) => {
                cache.keys = Some(Arc::new(keys));
                cache.fresh_until = Some(now + age);
                cache.paused_until = Some(now + PAUSE);
            }
            Err(error) => {
                let pause = if cache.keys.is_some() {
                    PAUSE
                } else {
                    FIRST_PAUSE
                };
                cache.paused_until = Some(now + pause);
                let has_keys = cache.keys.is_some();
                drop(cache);
                let error: &dyn Error = &error;
                tracing::warn!(target: "dooers::auth", error, issuer = %self.origin, has_keys, "the keys of the issuer cannot be fetched; keys that were fetched before stay in use");
            }
        }
    }

    async fn fetch(&self) -> Result<(KeySet, Duration), FetchError> {
        let request = self.client.request(Method::GET);
        let request = request.header(ACCEPT, "application/json");
        let request = request.body(Body::empty()).map_err(HttpError::Request)?;
        let answer = self.client.send(request, Some(MAX_BYTES)).await?;
        if answer.status != StatusCode::OK {
            return Err(FetchError::Status(answer.status));
        }
        let keys = jwks_document::read(&answer.body).map_err(FetchError::Document)?;
        Ok((keys, age(&answer.headers)))
    }
}

/// Returns the time for which an answer may be used.
fn age(headers: &HeaderMap) -> Duration {
    let values = headers.get_all(CACHE_CONTROL);
    let stated = values
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .find_map(|directive| {
            let directive = directive.trim().to_ascii_lowercase();
            match directive.strip_prefix("max-age=") {
                Some(seconds) => seconds.trim_matches('"').parse().ok(),
                None => matches!(&*directive, "no-store" | "no-cache").then_some(0),
            }
        });
    stated
        .map_or(AGE, Duration::from_secs)
        .clamp(MIN_AGE, MAX_AGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_of_keys_has_limits() {
        for (value, seconds) in [
            ("public, max-age=3600, must-revalidate", 3600),
            ("Max-Age=\"120\"", 120),
            ("max-age=1", 60),
            ("max-age=999999999", 86_400),
            ("no-store, max-age=3600", 60),
            ("private", 900),
            ("max-age=-1", 900),
            ("max-age=99999999999999999999999", 900),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CACHE_CONTROL, value.parse().unwrap());
            assert_eq!(age(&headers), Duration::from_secs(seconds), "{value}");
        }
        assert_eq!(age(&HeaderMap::new()), AGE);
    }
}
