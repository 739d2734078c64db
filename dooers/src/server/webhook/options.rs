//! The configuration of the webhook.

use super::invalid::{InvalidWebhook, MIN_SECRET_BYTES};
use crate::back_off::BackOff;
use crate::http::HttpUrl;
use crate::settings::Secret;
use crate::store::LONGEST_BATCH_WAIT;
use std::time::Duration;

/// The webhook that receives the analytics events of a server.
///
/// The server stores each event together with the change that it describes, and sends the events in batches, as
/// `docs/protocol.md` describes. A batch is sent until the receiver confirms it with a status of 2xx. It may arrive more
/// than once, with the same `batch_id`. `Debug` shows neither the secret nor the path of the URL.
///
/// ```
/// use dooers::{AnalyticsWebhook, Secret, WorkerConfig};
///
/// let secret = Secret::new("8Jr1Qm0zq4S2vYx6");
/// let webhook = AnalyticsWebhook::builder("https://hooks.example.com/dooers", secret).build()?;
/// let config = WorkerConfig::new().analytics_webhook(webhook);
/// # Ok::<(), dooers::InvalidWebhook>(())
/// ```
#[derive(Debug, Clone)]
pub struct AnalyticsWebhook {
    pub(super) url: HttpUrl,
    pub(super) secret: Secret,
    pub(super) max_age: Duration,
    pub(super) max_events: usize,
    /// The time limit of a request.
    pub(super) timeout: Duration,
    pub(super) pace: Pace,
}

/// The times of the sender.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// The longest pause between two searches for a batch that is due.
    pub(super) poll: Duration,
    /// The pause between two searches for events above the limit.
    pub(super) trim: Duration,
    /// The time that the sender takes at most when the server stops.
    pub(super) last_moments: Duration,
    pub(super) back_off: BackOff,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(1),
            trim: Duration::from_secs(10),
            last_moments: Duration::from_secs(2),
            back_off: BackOff {
                first: Duration::from_secs(1),
                longest: Duration::from_secs(300),
                longest_asked: LONGEST_BATCH_WAIT,
            },
        }
    }
}

impl AnalyticsWebhook {
    /// Starts the configuration of a webhook with this URL. Batches are signed with the secret.
    pub fn builder(url: impl Into<String>, secret: Secret) -> AnalyticsWebhookBuilder {
        AnalyticsWebhookBuilder {
            url: url.into(),
            secret,
            allow_private: false,
            max_age: Duration::from_secs(5),
            max_events: 100_000,
            timeout: Duration::from_secs(10),
        }
    }
}

/// The builder of an [`AnalyticsWebhook`]. `Debug` does not show the URL, because it may contain a token.
#[derive(Clone)]
#[must_use]
pub struct AnalyticsWebhookBuilder {
    pub(in crate::server) url: String,
    pub(in crate::server) secret: Secret,
    pub(in crate::server) allow_private: bool,
    pub(in crate::server) max_age: Duration,
    pub(in crate::server) max_events: usize,
    pub(in crate::server) timeout: Duration,
}

impl std::fmt::Debug for AnalyticsWebhookBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnalyticsWebhookBuilder")
            .field("allow_private", &self.allow_private)
            .field("max_age", &self.max_age)
            .field("max_events", &self.max_events)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

impl AnalyticsWebhookBuilder {
    /// Permits receivers in private networks. They are refused by default, because a name could lead the server to a
    /// machine that its operator did not mean. A URL that names this machine (`localhost` or a loopback address) needs
    /// no permission, and leads to loopback addresses only.
    pub fn allow_private(mut self, allow: bool) -> Self {
        self.allow_private = allow;
        self
    }

    /// Sets how long an event waits for others before it is sent. 5 s by default. 100 waiting events are sent at once.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// Sets the maximum number of stored events. 100,000 by default. The server looks for events above the limit every
    /// 10 s, drops the oldest ones and logs their number.
    pub fn max_events(mut self, events: usize) -> Self {
        self.max_events = events;
        self
    }

    /// Sets the time within which the receiver must answer a request. 10 s by default.
    pub fn timeout(mut self, at_most: Duration) -> Self {
        self.timeout = at_most;
        self
    }

    /// Checks the values.
    ///
    /// # Errors
    ///
    /// [`InvalidWebhook`] for a URL or a secret that cannot be used.
    pub fn build(self) -> Result<AnalyticsWebhook, InvalidWebhook> {
        let url = HttpUrl::parse(&self.url, self.allow_private)?;
        if self.secret.expose().len() < MIN_SECRET_BYTES {
            return Err(InvalidWebhook::Secret);
        }
        Ok(AnalyticsWebhook {
            url,
            secret: self.secret,
            max_age: self.max_age,
            max_events: self.max_events.max(1),
            timeout: self.timeout,
            pace: Pace::default(),
        })
    }
}
