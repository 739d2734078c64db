//! Waiting that ends in real time, whatever a test does to tokio's clock.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long a test waits for anything before it fails, unless told.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// A wait for something that ends after a time of the real clock.
///
/// A plain thread watches the time: with a paused clock tokio's own timer fires as soon as nothing else is to be done,
/// and one of its blocking tasks would keep the clock from going on.
#[derive(Debug)]
pub(super) struct Wait {
    what: String,
    at_most: Duration,
    over: oneshot::Receiver<()>,
    /// The thread ends when this is dropped.
    _done: mpsc::Sender<()>,
}

impl Wait {
    pub(super) fn new(what: impl Into<String>, at_most: Duration) -> Self {
        let (tell, over) = oneshot::channel();
        let (done, is_done) = mpsc::channel::<()>();
        thread::spawn(move || {
            if is_done.recv_timeout(at_most) == Err(mpsc::RecvTimeoutError::Timeout) {
                // The wait may end at this very moment.
                let _ = tell.send(());
            }
        });
        Self {
            what: what.into(),
            at_most,
            over,
            _done: done,
        }
    }

    /// What is waited for.
    pub(super) fn what(&self) -> &str {
        &self.what
    }

    /// Waits for this. The error says what was waited for in vain.
    pub(super) async fn on<T>(&mut self, future: impl Future<Output = T>) -> Result<T, String> {
        tokio::select! {
            biased;
            value = future => Ok(value),
            _ = &mut self.over => Err(format!("waited {:?} in vain for {}", self.at_most, self.what)),
        }
    }
}
