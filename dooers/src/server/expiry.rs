//! The time limits of a session: for its first `connect`, and for the identity that it has.

use super::session::Session;
use super::socket::CloseReason;
use crate::protocol::ServerFrame;
use chrono::{DateTime, Utc};
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// The time before the end of an identity at which its client is notified.
const WARNING: Duration = Duration::from_secs(60);

impl Session {
    /// Waits until the session has no right to continue: it did not send `connect` in time, or its identity has expired and
    /// was not renewed. The client is notified before its identity expires, and receives no live frames afterwards.
    pub(super) async fn deadline(&self, connect_deadline: Instant) -> CloseReason {
        loop {
            let Some(identity) = self.identity() else {
                sleep_until(connect_deadline).await;
                return if self.was_refused() {
                    CloseReason::Unauthorized
                } else {
                    CloseReason::NeverConnected
                };
            };
            let Some(expires_at) = identity.granted.expires_at else {
                return std::future::pending().await;
            };
            let left = until(expires_at);
            if left > WARNING {
                sleep(left - WARNING).await;
            } else if identity.warn() {
                self.push(&ServerFrame::AuthExpiring { expires_at });
            } else {
                if !left.is_zero() {
                    sleep(left).await;
                }
                // Missed frames are read from the store when another `connect` renews the identity.
                self.connection.outbound().pause();
                sleep(overdue(expires_at, self.server.config.limits.auth_grace)).await;
                return CloseReason::Expired;
            }
        }
    }
}

/// The time that is left until then.
fn until(at: DateTime<Utc>) -> Duration {
    (at - Utc::now()).to_std().unwrap_or_default()
}

/// The part of the grace that is left after an identity has expired.
fn overdue(expires_at: DateTime<Utc>, grace: Duration) -> Duration {
    let passed = (Utc::now() - expires_at).to_std().unwrap_or_default();
    grace.saturating_sub(passed)
}
