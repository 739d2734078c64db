//! The time limits of an attempt.

use std::future::pending;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// Waits until an attempt has taken as long as its agent allows. The time in which it waits for the answer to a form does not
/// count. `waiting` is the number of these forms.
pub(super) async fn time_limit(limit: Option<Duration>, mut waiting: watch::Receiver<usize>) {
    let Some(mut left) = limit else {
        return pending().await;
    };
    loop {
        until(&mut waiting, |forms| forms == 0).await;
        let since = Instant::now();
        tokio::select! {
            biased;
            () = sleep(left) => return,
            () = until(&mut waiting, |forms| forms > 0) => {}
        }
        left = left.saturating_sub(since.elapsed());
    }
}

/// Waits until the process is stopping and the attempt waits for the answer to a form, which may take longer than the process
/// can wait.
pub(super) async fn stopped_while_waiting(
    draining: &CancellationToken,
    mut waiting: watch::Receiver<usize>,
) {
    draining.cancelled().await;
    until(&mut waiting, |forms| forms > 0).await;
}

/// Waits until the number of forms fulfils a condition.
async fn until(waiting: &mut watch::Receiver<usize>, is_met: fn(usize) -> bool) {
    let is_over = waiting.wait_for(|forms| is_met(*forms)).await.is_err();
    if is_over {
        // The outbox was dropped, so the number does not change any more.
        pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use std::pin::pin;
    use tokio::time::advance;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn limit_stands_still_while_forms_wait() {
        let forms = watch::Sender::new(0);
        let mut limit = pin!(time_limit(Some(10 * SECOND), forms.subscribe()));
        assert!(limit.as_mut().now_or_never().is_none());
        advance(4 * SECOND).await;
        forms.send_replace(1);
        assert!(limit.as_mut().now_or_never().is_none());
        advance(1_000 * SECOND).await;
        forms.send_replace(2);
        assert!(limit.as_mut().now_or_never().is_none());
        forms.send_replace(0);
        assert!(limit.as_mut().now_or_never().is_none());
        advance(5 * SECOND).await;
        assert!(limit.as_mut().now_or_never().is_none());
        advance(SECOND).await;
        assert!(limit.as_mut().now_or_never().is_some());
    }

    #[tokio::test]
    async fn no_limit_never_ends() {
        let forms = watch::Sender::new(0);
        assert!(time_limit(None, forms.subscribe()).now_or_never().is_none());
    }

    #[tokio::test]
    async fn stop_ends_only_an_attempt_that_waits() {
        let (forms, draining) = (watch::Sender::new(0), CancellationToken::new());
        let mut stopped = pin!(stopped_while_waiting(&draining, forms.subscribe()));
        forms.send_replace(1);
        assert!(stopped.as_mut().now_or_never().is_none());
        forms.send_replace(0);
        draining.cancel();
        assert!(stopped.as_mut().now_or_never().is_none());
        forms.send_replace(1);
        assert!(stopped.as_mut().now_or_never().is_some());
    }
}
