//! A program that serves a database, as a process.

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use crate::signal::{signal, try_signal};

/// How long it may take to start: a database that has crashed reads its log first.
const TIMEOUT: Duration = Duration::from_secs(60);

/// How much of what it prints is kept, in lines.
const KEPT: usize = 200;

/// A running program. It is stopped at once when it is dropped.
#[derive(Debug)]
pub(super) struct Daemon {
    process: Child,
    /// What makes it stop at once.
    at_once: &'static str,
    output_tail: Arc<Mutex<VecDeque<String>>>,
}

impl Daemon {
    /// Starts it and waits until it prints a line with this text. If it ends before, the result is what it printed.
    pub(super) fn start(
        command: &mut Command,
        ready: &'static str,
        at_once: &'static str,
    ) -> Result<Self, String> {
        let mut process = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} cannot be run: {error}"));
        let errors = process.stderr.take().expect("it is piped");
        let output_tail = Arc::new(Mutex::new(VecDeque::new()));
        let (tell, is_ready) = mpsc::channel();
        let kept = Arc::clone(&output_tail);
        // It ends with the process, whose output it reads.
        std::thread::spawn(move || read(errors, ready, &tell, &kept));
        let waited = is_ready.recv_timeout(TIMEOUT);
        let running = Self {
            process,
            at_once,
            output_tail,
        };
        match waited {
            Ok(()) => Ok(running),
            Err(_) => Err(running.output_tail()),
        }
    }

    /// The last of what it printed.
    pub(super) fn output_tail(&self) -> String {
        let output_tail = self
            .output_tail
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        output_tail.iter().map(|line| format!("{line}\n")).collect()
    }

    /// Sends this signal to the process, and then to all that it has started.
    pub(super) fn signal_all(&self, signal_name: &str) {
        let parent = self.process.id();
        signal(signal_name, parent);
        for entry in fs::read_dir("/proc").expect("this is Linux") {
            let entry = entry.expect("a process");
            // A process may end at any time.
            let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else {
                continue;
            };
            // Behind the name in parentheses: its state, and its parent.
            let parent_of = |stat: &str| stat.rsplit_once(')')?.1.split(' ').nth(2)?.parse().ok();
            if parent_of(&stat) == Some(parent) {
                let id = entry
                    .file_name()
                    .to_str()
                    .and_then(|name| name.parse().ok());
                try_signal(signal_name, id.expect("its directory is its number"));
            }
        }
    }

    /// Sends this signal and waits until it has ended.
    pub(super) fn stop(mut self, signal_name: &str) {
        self.end(signal_name);
    }

    fn end(&mut self, signal_name: &str) {
        if matches!(self.process.try_wait(), Ok(None)) {
            signal(signal_name, self.process.id());
        }
        self.process.wait().expect("it is our own process");
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.end(self.at_once);
    }
}

fn read(errors: ChildStderr, ready: &str, tell: &mpsc::Sender<()>, kept: &Mutex<VecDeque<String>>) {
    for line in BufReader::new(errors).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line).into_owned();
        let is_ready = line.contains(ready);
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(line);
        if is_ready {
            // Nobody waits for it a second time.
            let _ = tell.send(());
        }
    }
}
