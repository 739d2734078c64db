//! The signals by which a program is told to stop.

use super::overtime::Overtime;
use std::io;
use std::time::Duration;

/// The exit code of a program that a second signal ends.
pub(super) const STOPPED_AT_ONCE: i32 = 130;

/// The signals by which a program is told to stop, from the moment on at which this is made.
///
/// From the first signal on, the process ends in time, see [`Overtime`], and a second signal ends it at once. Both hold
/// whatever the threads of the runtime do, and also when this is dropped. If there was no signal, nothing is left when this
/// is dropped.
#[cfg(unix)]
#[derive(Debug)]
pub(super) struct StopSignals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    /// Set by the first signal, in its handler.
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
            // In this order: the first signal finds the flag unset, and sets it. All of it is done in the handler of
            // the signal, so that it works while every thread of the runtime is blocked.
            let flag = || Arc::clone(&signals.has_come);
            let ends = flag::register_conditional_shutdown(number, STOPPED_AT_ONCE, flag())?;
            let sets = flag::register(number, flag())?;
            signals.handlers.extend([ends, sets]);
        }
        Ok(signals)
    }

    /// The server has stopped in time.
    pub(super) fn has_stopped(&self) {
        self.overtime.is_over();
    }

    /// Waits for the first one.
    pub(super) async fn first(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Ends the process at the second one, which is done by the handlers.
    pub(super) async fn second(&self) {
        std::future::pending::<()>().await;
    }
}

#[cfg(unix)]
impl Drop for StopSignals {
    fn drop(&mut self) {
        // What the program does after it has been told to stop can still be cut short.
        if !self.has_come.load(std::sync::atomic::Ordering::SeqCst) {
            for handler in self.handlers.drain(..) {
                signal_hook::low_level::unregister(handler);
            }
            self.waiting.close();
        }
    }
}

/// The same where there are no Unix signals.
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

    /// Waits for the first one.
    pub(super) async fn first(&mut self) {
        ctrl_c().await;
        self.overtime = Some(Overtime::after(|| true, self.drain_timeout));
    }

    /// Ends the process at the second one.
    pub(super) async fn second(&self) {
        ctrl_c().await;
        std::process::exit(STOPPED_AT_ONCE);
    }

    /// The server has stopped in time.
    pub(super) fn has_stopped(&self) {
        if let Some(overtime) = &self.overtime {
            overtime.is_over();
        }
    }
}

#[cfg(not(unix))]
async fn ctrl_c() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Without a handler for the signal, the system's own ends the program.
        std::future::pending::<()>().await;
    }
}
