//! A program of the workspace, as a process.

use crate::signal::signal;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tempfile::TempDir;

/// A running program. It is killed if its test fails before it ends.
#[derive(Debug)]
pub struct Process {
    process: Child,
    /// Lines of its output. It is read all the time, as a program may block that nobody reads.
    output: mpsc::Receiver<String>,
    errors: Option<JoinHandle<String>>,
    /// Where it runs and leaves its file.
    _directory: TempDir,
}

impl Process {
    /// Starts a program that is built already, with no variables of dooers but these.
    pub fn start(name: &str, variables: &[(&str, &str)]) -> Self {
        Self::run(Command::new(path_of(name)), variables)
    }

    /// The same for a program that may have this many open files.
    pub fn start_with_files(files: u32, name: &str, variables: &[(&str, &str)]) -> Self {
        let mut shell = Command::new("sh");
        let limited = format!("ulimit -n {files} && exec \"$0\"");
        shell.args(["-c", &limited]).arg(path_of(name));
        Self::run(shell, variables)
    }

    /// The same for a program whose files may have this many bytes. To write beyond that is an error, as on a full disk.
    pub fn start_with_file_size(bytes: u64, name: &str, variables: &[(&str, &str)]) -> Self {
        let mut shell = Command::new("sh");
        // In blocks of 512 bytes. The signal that a write sends is ignored, so that the write fails.
        let limited = format!("trap '' XFSZ; ulimit -S -f {} && exec \"$0\"", bytes / 512);
        shell.args(["-c", &limited]).arg(path_of(name));
        Self::run(shell, variables)
    }

    /// The same for a program with this umask, in octal.
    pub fn start_with_umask(umask: &str, name: &str, variables: &[(&str, &str)]) -> Self {
        let mut shell = Command::new("sh");
        let masked = format!("umask {umask} && exec \"$0\"");
        shell.args(["-c", &masked]).arg(path_of(name));
        Self::run(shell, variables)
    }

    /// The id of its process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    fn run(mut command: Command, variables: &[(&str, &str)]) -> Self {
        for (variable, _) in std::env::vars_os() {
            if variable.to_string_lossy().starts_with("WORKER_") || variable == "DATABASE_URL" {
                command.env_remove(variable);
            }
        }
        let directory = tempfile::tempdir().unwrap();
        let mut process = command
            .current_dir(directory.path())
            .env_remove("RUST_LOG")
            .env_remove("RUST_BACKTRACE")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = lines(process.stdout.take().unwrap());
        let mut stderr = process.stderr.take().unwrap();
        let errors = thread::spawn(move || {
            let mut errors = String::new();
            stderr.read_to_string(&mut errors).unwrap();
            errors
        });
        Self {
            process,
            output,
            errors: Some(errors),
            _directory: directory,
        }
    }

    /// Where it says that it listens.
    pub fn address(&mut self) -> SocketAddr {
        let (_, line) = self.output_until(|line| line.contains("ws://"));
        let (_, rest) = line.split_once("ws://").unwrap();
        rest.trim().trim_end_matches("/ws").parse().unwrap()
    }

    /// What it prints before the first line that begins like this.
    pub fn output_before(&mut self, beginning: &str) -> String {
        self.output_until(|line| line.starts_with(beginning)).0
    }

    /// The next line of this kind, behind the output before it.
    fn output_until(&mut self, is_last: impl Fn(&str) -> bool) -> (String, String) {
        let mut output = String::new();
        loop {
            let Ok(line) = self.output.recv() else {
                panic!("the program has ended; it said:\n{output}");
            };
            if is_last(&line) {
                return (output, line);
            }
            output += &line;
        }
    }

    /// Waits until it prints a line that begins like this.
    pub fn wait_for_line(&mut self, beginning: &str) {
        self.output_before(beginning);
    }

    /// Asks it to end, as a service manager does.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// Sends it a signal, such as `STOP`.
    pub fn signal(&self, name: &str) {
        signal(name, self.process.id());
    }

    /// Waits for its end; the result is its status and the rest of its output and of its errors.
    pub fn wait(mut self) -> (Option<i32>, String, String) {
        let output = self.output.iter().collect();
        let errors = self.errors.take().unwrap().join().unwrap();
        (self.process.wait().unwrap().code(), output, errors)
    }

    /// The same of a program that must end within this time.
    pub fn wait_timeout(self, limit: Duration) -> (Option<i32>, String, String) {
        let id = self.process.id();
        let (tell, ended) = mpsc::channel();
        thread::spawn(move || tell.send(self.wait()));
        match ended.recv_timeout(limit) {
            Ok(ended) => ended,
            Err(_) => {
                signal("KILL", id);
                panic!("the program has not ended after {} s", limit.as_secs());
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended already, unless the test failed.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Reads lines as they come, with their ends.
fn lines(stream: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (send, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        loop {
            let mut line = String::new();
            let length = stream.read_line(&mut line).unwrap();
            // A test that has failed reads no more.
            if length == 0 || send.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

/// Beside the directory of the test's own executable.
fn path_of(name: &str) -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.push(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(
        path.exists(),
        "{} is not there; run `cargo build -p {name}` first",
        path.display()
    );
    path
}
