//! Signals to other processes.

use std::process::Command;

/// Sends a signal, such as `TERM`, to a process.
pub fn signal(name: &str, pid: u32) {
    // The shell's own `kill`, which every system has.
    let kill = format!("kill -{name} {pid}");
    let status = Command::new("sh").args(["-c", &kill]).status();
    assert!(status.expect("there is a shell").success(), "{kill}");
}
