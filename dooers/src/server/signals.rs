//! The signals that stop a program.

use super::exit_watchdog::Overtime;
use std::io;
use std::time::Duration;

/// The exit code of a program that is ended by a second signal.
pub(super) const STOPPED_AT_ONCE: i32 = 130;

/// The signals that stop a program. They are handled from the creation of this value on.
///
/// After the first signal, the process ends at the latest when its time is over, see [`Overtime`], and a second signal
/// ends it at once. This holds even if all threads of the runtime are blocked, and after this value was dropped. If
/// there was no signal, dropping the value removes the handlers.
#[cfg(unix)]
#[derive(Debug)]
pub(super) struct StopSignals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    /// Set by the handler of the first signal.
    has_come: std::sync::Arc<std::sync::atomic::AtomicBool>,
    handlers: Vec<signal_hook::SigId>,
    /// Ends the thread that waits for the first signal.
    waiting: signal_hook::iterator::Handle,
    overtime: Overtime,
}

#[cfg(unix)]
impl StopSignals {
    pub(super) fn new(drain_timeout: Duration) -> io::Result<Self> {
        use signal_hook::consts::{SIGINT, SIGTERM};
        use signal_hook::flag;
        use signal_hook::iterator::Signals;
        use std::sync::Arc;
        use tokio::signal::unix::{SignalKind, signal};
        let mut waiting = Signals::new([SIGTERM, SIGINT])?;
        let mut signals = Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            has_come: Arc::default(),
            handlers: Vec::new(),
            waiting: waiting.handle(),
            overtime: Overtime::after(move || waiting.forever().next().is_some(), drain_timeout),
        };
        for number in [SIGTERM, SIGINT] {
            // The order matters: the first signal finds the flag unset, and sets it. All of this happens in the signal
            // handler, so that it works while all threads of the runtime are blocked.
            let flag = || Arc::clone(&signals.has_come);
            let ends = flag::register_conditional_shutdown(number, STOPPED_AT_ONCE, flag())?;
            let sets = flag::register(number, flag())?;
            signals.handlers.extend([ends, sets]);
        }
        Ok(signals)
    }

    /// Records that the server has stopped in time.
    pub(super) fn has_stopped(&self) {
        self.overtime.is_over();
    }

    /// Waits for the first signal.
    pub(super) async fn first(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Never returns: the signal handlers end the process at the second signal.
    pub(super) async fn second(&self) {
        std::future::pending::<()>().await;
    }
}

#[cfg(unix)]
impl Drop for StopSignals {
    fn drop(&mut self) {
        // A second signal can still end the process while the program does other work after the first.
        if !self.has_come.load(std::sync::atomic::Ordering::SeqCst) {
            for handler in self.handlers.drain(..) {
                signal_hook::low_level::unregister(handler);
            }
            self.waiting.close();
        }
    }
}

/// The signals that stop a program, on a system without Unix signals.
#[cfg(not(unix))]
#[derive(Debug)]
pub(super) struct StopSignals {
    drain_timeout: Duration,
    overtime: Option<Overtime>,
}

#[cfg(not(unix))]
impl StopSignals {
    pub(super) fn new(drain_timeout: Duration) -> io::Result<Self> {
        Ok(Self {
            drain_timeout,
            overtime: None,
        })
    }

    /// Waits for the first signal.
    pub(super) async fn first(&mut self) {
        ctrl_c().await;
        self.overtime = Some(Overtime::after(|| true, self.drain_timeout));
    }

    /// Waits for the second signal and ends the process.
    pub(super) async fn second(&self) {
        ctrl_c().await;
        std::process::exit(STOPPED_AT_ONCE);
    }

    /// Records that the server has stopped in time.
    pub(super) fn has_stopped(&self) {
        if let Some(overtime) = &self.overtime {
            overtime.is_over();
        }
    }
}

#[cfg(not(unix))]
async fn ctrl_c() {
    if tokio::signal::ctrl_c().await.is_err() {
        // If no handler could be installed, the system's own handler ends the program.
        std::future::pending::<()>().await;
    }
}
