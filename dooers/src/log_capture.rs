//! The log output of a test.

use std::io::{Result, Write};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use tracing::subscriber::{DefaultGuard, NoSubscriber, set_default};
use tracing::{Dispatch, Level};

/// A second subscriber beside that of a test. With a single one, `tracing` asks only the thread that first reaches a log
/// statement whether anyone wants it, so the test of another thread could turn the statement off.
static SECOND: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(NoSubscriber::default()));

/// The log output of a thread since the start of the capture.
#[derive(Debug, Clone, Default)]
pub(crate) struct CapturedLog(Arc<Mutex<Vec<u8>>>);

impl CapturedLog {
    /// Captures the log output of this thread until the guard is dropped.
    pub(crate) fn start() -> (Self, DefaultGuard) {
        Self::start_at(Level::INFO)
    }

    /// Captures the log output of this thread from this level on.
    pub(crate) fn start_at(level: Level) -> (Self, DefaultGuard) {
        LazyLock::force(&SECOND);
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(level)
            .with_writer(move || writer.clone())
            .finish();
        (log, set_default(subscriber))
    }

    /// The output so far.
    pub(crate) fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for CapturedLog {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}
