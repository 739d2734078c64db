//! Timeouts in real time, independent of tokio's clock.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use tokio::sync::oneshot;

/// Default time that a test waits for anything before it fails.
pub(super) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// A timeout in real time.
///
/// A plain thread measures the time. With a paused clock, tokio's own timer would fire as soon as the runtime is idle,
/// and one of its blocking tasks would keep the clock from advancing.
#[derive(Debug)]
pub(super) struct Wait {
    what: String,
    at_most: Duration,
    over: oneshot::Receiver<()>,
    /// Dropping this ends the thread.
    _done: mpsc::Sender<()>,
}

impl Wait {
    pub(super) fn new(what: impl Into<String>, at_most: Duration) -> Self {
        let (sender, over) = oneshot::channel();
        let (done, is_done) = mpsc::channel::<()>();
        thread::spawn(move || {
            if is_done.recv_timeout(at_most) == Err(mpsc::RecvTimeoutError::Timeout) {
                // The receiver may be dropped at any moment.
                let _ = sender.send(());
            }
        });
        Self {
            what: what.into(),
            at_most,
            over,
            _done: done,
        }
    }

    /// The event that the test waits for.
    pub(super) fn what(&self) -> &str {
        &self.what
    }

    /// Waits for a future. The error says which event did not happen in time.
    pub(super) async fn on<T>(&mut self, future: impl Future<Output = T>) -> Result<T, String> {
        tokio::select! {
            biased;
            value = future => Ok(value),
            _ = &mut self.over => Err(format!("waited {:?} in vain for {}", self.at_most, self.what)),
        }
    }
}
