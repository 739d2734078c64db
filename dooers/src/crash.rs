//! Points at which a test kills the process, to see what a restart finds.

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

    /// Which point kills, as `NAME:N`: the N-th time that it is passed. Not set, no point does anything.
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

    /// Kills the process if this is the point and the passing that the environment names.
    pub(crate) fn point(name: &str) {
        if let Some(crash) = &*CRASH
            && crash.name == name
            && crash.passed.fetch_add(1, Ordering::Relaxed) + 1 == crash.at
        {
            die();
        }
    }

    /// Ends by SIGKILL, which nothing in the process can catch or delay. What came to this point goes no further;
    /// the rest of the process does until the signal is there, as with any kill from outside.
    fn die() -> ! {
        // The shell's own `kill`, which every system has.
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
