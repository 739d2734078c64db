//! Ending a process that does not stop in time.

use super::stopping::OVERTIME;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The exit code of a process that did not stop in time.
const NOT_STOPPED: i32 = 1;

/// Maximum time for writing the last log line. The reader of the log may have stopped reading.
const LOG_TIME: Duration = Duration::from_millis(200);

/// The stack size of the waiting thread, which does little.
const STACK_BYTES: usize = 64 * 1024;

/// Ends the process when the time for stopping is over, unless the server has stopped by then.
///
/// It uses a dedicated thread. Handlers may block all threads of the runtime, which then notices neither signals nor
/// the end of the time. The shutdown of a runtime also waits for each of its threads.
#[derive(Debug)]
pub(super) struct Overtime {
    has_stopped: Arc<AtomicBool>,
}

impl Overtime {
    /// Starts the thread, which waits for the stop to begin. `stops` blocks until then, and returns `false` if there
    /// will be no stop.
    pub(super) fn after(
        stops: impl FnOnce() -> bool + Send + 'static,
        drain_timeout: Duration,
    ) -> Self {
        let has_stopped = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&has_stopped);
        let waiting = thread::Builder::new()
            .name("dooers-stop".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || {
                if stops() {
                    thread::sleep(drain_timeout.saturating_add(OVERTIME));
                    if !stopped.load(Ordering::SeqCst) {
                        end();
                    }
                }
            });
        if let Err(error) = waiting {
            tracing::warn!(target: "dooers::server", %error, "a handler that blocks its thread can keep this process alive");
        }
        Self { has_stopped }
    }

    /// Records that the server has stopped in time. The process then continues.
    pub(super) fn is_over(&self) {
        self.has_stopped.store(true, Ordering::SeqCst);
    }
}

fn end() {
    let logging = thread::spawn(|| {
        tracing::error!(target: "dooers::server", "the time for stopping is over, and a handler blocks its thread; the process ends");
    });
    let begun = Instant::now();
    // The log may block. Async timers cannot be used, because the runtime may be blocked too.
    while !logging.is_finished() && begun.elapsed() < LOG_TIME {
        thread::sleep(Duration::from_millis(5));
    }
    std::process::exit(NOT_STOPPED);
}
