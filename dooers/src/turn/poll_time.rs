//! The time for which a handler occupies its thread.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// Maximum duration of one poll of a handler before it is logged. All turns and connections on the same thread wait
/// during the poll.
const LONGEST_POLL: Duration = Duration::from_millis(100);

/// A handler whose polls are measured. The first poll that takes too long is logged, so that the author can find the
/// blocking code.
#[derive(Debug)]
pub(super) struct Measured<'a, F> {
    handler: Pin<Box<F>>,
    agent: &'a str,
    event_id: &'a str,
    longest: Duration,
    is_reported: bool,
}

impl<'a, F> Measured<'a, F> {
    /// Measures the handler of this agent that answers this message.
    pub(super) fn new(handler: F, agent: &'a str, event_id: &'a str) -> Self {
        Self::with_longest(handler, agent, event_id, LONGEST_POLL)
    }

    fn with_longest(handler: F, agent: &'a str, event_id: &'a str, longest: Duration) -> Self {
        Self {
            // The handler is boxed so that it can be dropped before the turn ends.
            handler: Box::pin(handler),
            agent,
            event_id,
            longest,
            is_reported: false,
        }
    }
}

impl<F: Future> Future for Measured<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let begin = Instant::now();
        let polled = self.handler.as_mut().poll(context);
        let took = begin.elapsed();
        if took > self.longest && !self.is_reported {
            self.is_reported = true;
            tracing::warn!(
                target: "dooers::turn",
                agent = self.agent, event_id = self.event_id,
                "a handler kept its thread for {} ms without an await, while other turns and connections waited; \
                 move blocking work to `tokio::task::spawn_blocking`",
                took.as_millis()
            );
        }
        polled
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log_capture::CapturedLog;
    use tokio::task::yield_now;

    /// The log output of a handler with three polls.
    async fn log_of(longest: Duration) -> String {
        let (log, _capture) = CapturedLog::start();
        let handler = async {
            yield_now().await;
            yield_now().await;
            7
        };
        let measured = Measured::with_longest(handler, "support", "e1", longest);
        assert_eq!(measured.await, 7);
        log.text()
    }

    #[tokio::test]
    async fn slow_poll_is_logged_once_with_its_agent() {
        let log = log_of(Duration::ZERO).await;
        assert_eq!(log.matches("spawn_blocking").count(), 1, "{log}");
        assert!(log.contains("support") && log.contains("e1"), "{log}");
    }

    #[tokio::test]
    async fn quick_polls_are_not_logged() {
        assert_eq!(log_of(Duration::MAX).await, "");
    }
}
