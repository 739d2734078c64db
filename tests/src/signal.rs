//! Signals to other processes.

use std::process::{Command, Stdio};

/// Sends a signal, such as `TERM`, to a process.
pub fn signal(name: &str, pid: u32) {
    assert!(try_signal(name, pid), "kill -{name} {pid}");
}

/// Sends a signal to a process that may have ended. Returns whether it was running.
pub(crate) fn try_signal(name: &str, pid: u32) -> bool {
    // The shell has a built-in `kill` on every system.
    let kill = format!("kill -{name} {pid}");
    let mut shell = Command::new("sh");
    let status = shell.args(["-c", &kill]).stderr(Stdio::null()).status();
    status.expect("`sh` exists").success()
}
