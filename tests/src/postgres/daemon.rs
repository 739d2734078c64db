//! A database program that runs as a child process.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use crate::process_tree::children;
use crate::signal::{signal, try_signal};

/// Timeout of a start. A crashed database replays its log first.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Number of output lines kept.
const KEPT: usize = 200;

/// A running program, stopped immediately on drop.
#[derive(Debug)]
pub(crate) struct Daemon {
    process: Child,
    /// The signal for an immediate stop.
    at_once: &'static str,
    output_tail: Arc<Mutex<VecDeque<String>>>,
}

impl Daemon {
    /// Starts the program and waits until it prints a line with the text `ready`. Returns its output if it ends
    /// before that.
    pub(crate) fn start(
        command: &mut Command,
        ready: &'static str,
        at_once: &'static str,
    ) -> Result<Self, String> {
        let mut process = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} cannot be run: {error}"));
        let errors = process.stderr.take().expect("stderr is piped");
        let output_tail = Arc::new(Mutex::new(VecDeque::new()));
        let (tell, is_ready) = mpsc::channel();
        let kept = Arc::clone(&output_tail);
        // The thread ends with the process whose output it reads.
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

    /// The end of its output.
    pub(crate) fn output_tail(&self) -> String {
        let output_tail = self
            .output_tail
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        output_tail.iter().map(|line| format!("{line}\n")).collect()
    }

    /// Sends a signal to the process and then to all its children.
    pub(crate) fn signal_all(&self, signal_name: &str) {
        let parent = self.process.id();
        signal(signal_name, parent);
        for child in children(parent) {
            // It may end at any time.
            try_signal(signal_name, child);
        }
    }

    /// Sends a signal and waits until the process has ended.
    pub(crate) fn stop(mut self, signal_name: &str) {
        self.end(signal_name);
    }

    fn end(&mut self, signal_name: &str) {
        if matches!(self.process.try_wait(), Ok(None)) {
            signal(signal_name, self.process.id());
        }
        self.process.wait().expect("the process is our child");
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
            // Only the first start is awaited.
            let _ = tell.send(());
        }
    }
}
