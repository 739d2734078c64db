//! The time limits of an attempt.

use std::future::pending;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

/// Waits until an attempt has taken as long as its agent allows. The time in which it waits for the answer to a form does not
/// count, up to the time at which the form expires: a handler that does not poll a form it asked has a time limit, too.
/// `waiting` is the time until which forms wait.
pub(super) async fn time_limit(
    limit: Option<Duration>,
    mut waiting: watch::Receiver<Option<Instant>>,
) {
    let Some(mut left) = limit else {
        return pending().await;
    };
    loop {
        loop {
            let until = *waiting.borrow_and_update();
            let Some(deadline) = waits(until) else {
                break;
            };
            tokio::select! {
                () = sleep_until(deadline) => {}
                () = changed(&mut waiting) => {}
            }
        }
        let since = Instant::now();
        tokio::select! {
            biased;
            () = sleep(left) => return,
            () = until(&mut waiting, |forms| waits(*forms).is_some()) => {}
        }
        left = left.saturating_sub(since.elapsed());
    }
}

/// The time until which forms wait, if it is not over.
fn waits(until: Option<Instant>) -> Option<Instant> {
    until.filter(|deadline| *deadline > Instant::now())
}

/// Waits until the process is stopping and the attempt waits for the answer to a form, which may take longer than the process
/// can wait.
pub(super) async fn stopped_while_waiting(
    draining: &CancellationToken,
    mut waiting: watch::Receiver<Option<Instant>>,
) {
    draining.cancelled().await;
    until(&mut waiting, Option::is_some).await;
}

/// Waits until the forms fulfil a condition.
async fn until(
    waiting: &mut watch::Receiver<Option<Instant>>,
    is_met: fn(&Option<Instant>) -> bool,
) {
    let is_over = waiting.wait_for(is_met).await.is_err();
    if is_over {
        // The outbox was dropped, so the forms do not change any more.
        pending::<()>().await;
    }
}

async fn changed(waiting: &mut watch::Receiver<Option<Instant>>) {
    if waiting.changed().await.is_err() {
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
        let forms = watch::Sender::new(None);
        let wait = |seconds: u32| Some(Instant::now() + seconds * SECOND);
        let mut limit = pin!(time_limit(Some(10 * SECOND), forms.subscribe()));
        assert!(limit.as_mut().now_or_never().is_none());
        advance(4 * SECOND).await;
        forms.send_replace(wait(2_000));
        assert!(limit.as_mut().now_or_never().is_none());
        advance(1_000 * SECOND).await;
        forms.send_replace(wait(2_000));
        assert!(limit.as_mut().now_or_never().is_none());
        forms.send_replace(None);
        assert!(limit.as_mut().now_or_never().is_none());
        advance(5 * SECOND).await;
        assert!(limit.as_mut().now_or_never().is_none());
        advance(SECOND).await;
        assert!(limit.as_mut().now_or_never().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn limit_continues_when_an_unpolled_form_expires() {
        let forms = watch::Sender::new(Some(Instant::now() + 100 * SECOND));
        let mut limit = pin!(time_limit(Some(10 * SECOND), forms.subscribe()));
        assert!(limit.as_mut().now_or_never().is_none());
        advance(100 * SECOND).await;
        assert!(limit.as_mut().now_or_never().is_none());
        advance(9 * SECOND).await;
        assert!(limit.as_mut().now_or_never().is_none());
        advance(SECOND).await;
        assert!(limit.as_mut().now_or_never().is_some());
    }

    #[tokio::test]
    async fn no_limit_never_ends() {
        let forms = watch::Sender::new(None);
        assert!(time_limit(None, forms.subscribe()).now_or_never().is_none());
    }

    #[tokio::test]
    async fn stop_ends_only_an_attempt_that_waits() {
        let (forms, draining) = (watch::Sender::new(None), CancellationToken::new());
        let mut stopped = pin!(stopped_while_waiting(&draining, forms.subscribe()));
        forms.send_replace(Some(Instant::now()));
        assert!(stopped.as_mut().now_or_never().is_none());
        forms.send_replace(None);
        draining.cancel();
        assert!(stopped.as_mut().now_or_never().is_none());
        forms.send_replace(Some(Instant::now()));
        assert!(stopped.as_mut().now_or_never().is_some());
    }
}
