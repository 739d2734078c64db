//! The log output of a test.

use std::io::{Result, Write};
use std::sync::{Arc, Mutex, PoisonError};
use tracing::Level;
use tracing::subscriber::{DefaultGuard, set_default};

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
