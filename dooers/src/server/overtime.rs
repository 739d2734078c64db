//! The end of a process that should have ended.

use super::stopping::OVERTIME;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// The exit code of a process that is ended.
const NOT_STOPPED: i32 = 1;

/// How long the last line of the log may take: its reader may have stopped reading.
const LOG_TIME: Duration = Duration::from_millis(200);

/// Ends the process when the time for stopping is over, unless it has stopped before.
///
/// It has a thread of its own. The runtime's threads may all be blocked by handlers, and the end of the runtime waits for
/// each of them.
#[derive(Debug)]
pub(super) struct Overtime {
    is_over: Arc<AtomicBool>,
}

impl Overtime {
    pub(super) fn begin(drain_timeout: Duration) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&is_over);
        let waiting = thread::Builder::new().name("dooers-stop".to_owned());
        let waiting = waiting.spawn(move || {
            thread::sleep(drain_timeout.saturating_add(OVERTIME));
            if !stopped.load(Ordering::SeqCst) {
                end();
            }
        });
        if let Err(error) = waiting {
            tracing::warn!(target: "dooers::server", %error, "a handler that blocks its thread can keep this process alive");
        }
        Self { is_over }
    }

    /// The server has stopped in time. The process goes on as its program wants.
    pub(super) fn end(self) {
        self.is_over.store(true, Ordering::SeqCst);
    }
}

fn end() {
    let logging = thread::spawn(|| {
        tracing::error!(target: "dooers::server", "the time for stopping is over, and a handler blocks its thread; the process ends");
    });
    let logged = std::time::Instant::now();
    while !logging.is_finished() && logged.elapsed() < LOG_TIME {
        thread::sleep(Duration::from_millis(5));
    }
    std::process::exit(NOT_STOPPED);
}
