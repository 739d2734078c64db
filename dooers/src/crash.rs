//! Points at which a test kills the process, to check how a restart continues.

#[cfg(feature = "__crash-points")]
pub(crate) use armed::point;

/// Does nothing: the program was built without crash points.
#[cfg(not(feature = "__crash-points"))]
#[inline(always)]
pub(crate) fn point(_name: &str) {}

#[cfg(feature = "__crash-points")]
mod armed {
    use std::process::{Command, Stdio};
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// The environment variable with the point that kills, as `NAME:N`: at the N-th time that it is reached. Without
    /// the variable, no point has an effect.
    const VARIABLE: &str = "DOOERS_CRASH_AT";

    struct Crash {
        name: String,
        at: u64,
        passed: AtomicU64,
    }

    static CRASH: LazyLock<Option<Crash>> = LazyLock::new(|| {
        let value = std::env::var(VARIABLE).ok()?;
        let (name, at) = value.split_once(':')?;
        Some(Crash {
            name: name.to_owned(),
            at: at.parse().ok()?,
            passed: AtomicU64::new(0),
        })
    });

    /// Kills the process if the variable names this point and it is reached for the N-th time.
    pub(crate) fn point(name: &str) {
        if let Some(crash) = &*CRASH
            && crash.name == name
            && crash.passed.fetch_add(1, Ordering::Relaxed) + 1 == crash.at
        {
            die();
        }
    }

    /// Ends the process by SIGKILL, which nothing in the process can catch or delay. The calling thread does not
    /// continue. Other threads continue until the signal arrives, as with any kill from outside.
    fn die() -> ! {
        // Uses the shell's own `kill`, which every system has.
        let killed = Command::new("sh")
            .args(["-c", &format!("kill -KILL {}", std::process::id())])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn();
        if killed.is_err() {
            std::process::abort();
        }
        loop {
            std::thread::park();
        }
    }
}
