//! Limits for the time that the database may take.
//!
//! A connection whose limit has passed is dropped. A late answer would be read as the answer to the next statement.

use super::error::code;
use std::fmt;
use std::future::Future;
use std::io;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Minimum time for another attempt after a long wait.
pub(crate) const LAST_TRY: Duration = Duration::from_millis(250);

/// The additional time to wait for an answer after the server's own limit for a statement. A server that is not silent
/// cancels the statement itself, so that its outcome is known and the connection is closed properly.
const GRACE: Duration = Duration::from_millis(500);

/// The limit for a step that waits for the database.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    time: Duration,
    /// The configured time. Less may be left.
    configured: Duration,
    /// The environment variable that configures it.
    variable: Option<&'static str>,
}

impl Limit {
    /// Creates a limit that cannot be configured.
    pub(crate) fn fixed(time: Duration) -> Self {
        Self {
            time,
            configured: time,
            variable: None,
        }
    }

    /// Creates the limit for connecting and logging in.
    pub(crate) fn of_connecting(time: Duration) -> Self {
        Self {
            variable: Some("WORKER_DATABASE_CONNECT_TIMEOUT"),
            ..Self::fixed(time)
        }
    }

    /// Creates the limit for a statement that the server itself cancels after this time.
    pub(crate) fn of_statement(time: Duration) -> Self {
        Self {
            time: time.saturating_add(GRACE),
            configured: time,
            variable: Some("WORKER_DATABASE_STATEMENT_TIMEOUT"),
        }
    }

    /// Shortens the limit so that it ends at `end`, but leaves time for one attempt.
    pub(crate) fn until(self, end: Instant) -> Self {
        let left = end.saturating_duration_since(Instant::now()).max(LAST_TRY);
        Self {
            time: self.time.min(left),
            ..self
        }
    }

    /// Returns the end of a step that begins now.
    pub(crate) fn end(self) -> Instant {
        self.end_since(Instant::now())
    }

    /// Returns the end of a step that began at `began`.
    pub(crate) fn end_since(self, began: Instant) -> Instant {
        began + self.time
    }

    /// Waits for a step. If the limit passes, the step is dropped, and the caller must drop the connection.
    pub(crate) async fn on<T, E: From<sqlx::Error>>(
        self,
        step: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        match timeout(self.time, step).await {
            Ok(done) => done,
            Err(_) => Err(self.passed().into()),
        }
    }

    /// Returns the error of a step that exceeded the limit.
    pub(crate) fn passed(self) -> sqlx::Error {
        sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, Silent(self)))
    }
}

/// The error of a database that did not answer in time.
#[derive(Debug)]
pub(crate) struct Silent(Limit);

impl Silent {
    /// Returns the error if it reports a passed limit.
    pub(crate) fn of(error: &sqlx::Error) -> Option<&Self> {
        match error {
            sqlx::Error::Io(error) => error.get_ref()?.downcast_ref(),
            _ => None,
        }
    }
}

impl fmt::Display for Silent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Limit {
            configured,
            variable,
            ..
        } = self.0;
        write!(f, "the database did not answer within {configured:?}")?;
        match variable {
            Some(variable) => write!(f, " ({variable})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Silent {}

/// Returns `true` if a limit passed, in this process or in the server.
pub(crate) fn is_too_slow(error: &sqlx::Error) -> bool {
    Silent::of(error).is_some() || code(error).is_some_and(|code| code == "57014")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;

    #[tokio::test(start_paused = true)]
    async fn limit_that_passes_is_an_error_that_names_it() {
        let limit = Limit::of_statement(Duration::from_secs(30));
        let started = Instant::now();
        let error = limit.on(pending::<Result<(), _>>()).await.unwrap_err();
        assert_eq!(started.elapsed(), Duration::from_millis(30_500));
        assert_eq!(
            Silent::of(&error).unwrap().to_string(),
            "the database did not answer within 30s (WORKER_DATABASE_STATEMENT_TIMEOUT)"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn limit_is_shortened_but_leaves_one_attempt() {
        let limit = Limit::of_connecting(Duration::from_secs(10));
        let now = Instant::now();
        let left = |end| limit.until(end).time;
        assert_eq!(left(now + Duration::from_secs(60)), Duration::from_secs(10));
        assert_eq!(left(now + Duration::from_secs(3)), Duration::from_secs(3));
        assert_eq!(left(now), LAST_TRY);
    }
}
