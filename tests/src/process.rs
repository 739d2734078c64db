//! A program of the workspace as a child process.

use crate::signal::signal;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tempfile::TempDir;

/// The beginnings of the variables that a program does not inherit.
const REMOVED: [&str; 4] = ["ANTHROPIC_", "DATABASE_URL", "OPENAI_", "WORKER_"];

/// A running program, killed on drop if it has not ended.
#[derive(Debug)]
pub struct Process {
    process: Child,
    /// Lines of its output. They are read continuously, as the program blocks when the pipe is full.
    output: mpsc::Receiver<String>,
    /// The lines that were read so far.
    printed: String,
    errors: Option<JoinHandle<String>>,
    /// Its working directory, which contains its database file.
    _directory: TempDir,
}

impl Process {
    /// Starts a built program with these variables. All other variables of dooers and of model providers are removed.
    pub fn start(name: &str, variables: &[(&str, &str)]) -> Self {
        Self::run(Command::new(path_of(name)), variables)
    }

    /// Starts a program with a limit on open files.
    pub fn start_with_files(files: u32, name: &str, variables: &[(&str, &str)]) -> Self {
        let mut shell = Command::new("sh");
        let limited = format!("ulimit -n {files} && exec \"$0\"");
        shell.args(["-c", &limited]).arg(path_of(name));
        Self::run(shell, variables)
    }

    /// Starts a program with a limit on the size of its files, in bytes. Writing beyond it fails, as on a full
    /// disk.
    pub fn start_with_file_size(bytes: u64, name: &str, variables: &[(&str, &str)]) -> Self {
        let mut shell = Command::new("sh");
        // The limit is in blocks of 512 bytes. SIGXFSZ is ignored, so that the write fails instead.
        let limited = format!("trap '' XFSZ; ulimit -S -f {} && exec \"$0\"", bytes / 512);
        shell.args(["-c", &limited]).arg(path_of(name));
        Self::run(shell, variables)
    }

    /// Starts a program with this umask, in octal.
    pub fn start_with_umask(umask: &str, name: &str, variables: &[(&str, &str)]) -> Self {
        let mut shell = Command::new("sh");
        let masked = format!("umask {umask} && exec \"$0\"");
        shell.args(["-c", &masked]).arg(path_of(name));
        Self::run(shell, variables)
    }

    /// Starts a script of the repository, such as `examples/cluster/run`. Its option `--programs` is the directory of the
    /// built programs.
    pub fn start_script(path: &str, arguments: &[&str]) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut script = Command::new(root.join(path));
        script.args(arguments).arg("--programs").arg(programs());
        Self::run(script, &[])
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    fn run(mut command: Command, variables: &[(&str, &str)]) -> Self {
        for (variable, _) in std::env::vars_os() {
            let name = variable.to_string_lossy();
            if REMOVED.iter().any(|prefix| name.starts_with(prefix)) {
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
            printed: String::new(),
            errors: Some(errors),
            _directory: directory,
        }
    }

    /// The output that was read so far. [`wait`](Self::wait) returns the rest.
    #[must_use]
    pub fn printed(&self) -> &str {
        &self.printed
    }

    /// The address at which it listens.
    pub fn address(&mut self) -> SocketAddr {
        address_in(&self.output_until(has_address).1)
    }

    /// The address at which it listens. `None` if it has ended.
    pub fn try_address(&mut self) -> Option<SocketAddr> {
        let (_, line) = self.try_output_until(has_address).ok()?;
        Some(address_in(&line))
    }

    /// The output before the first line with this beginning.
    pub fn output_before(&mut self, beginning: &str) -> String {
        self.output_until(|line| line.starts_with(beginning)).0
    }

    /// Reads until the first matching line. Returns the output before it, and the line.
    fn output_until(&mut self, is_last: impl Fn(&str) -> bool) -> (String, String) {
        match self.try_output_until(is_last) {
            Ok(read) => read,
            Err(output) => panic!("the program has ended with this output:\n{output}"),
        }
    }

    /// Reads until the first matching line. If the program ends before that, returns its output as an error.
    fn try_output_until(
        &mut self,
        is_last: impl Fn(&str) -> bool,
    ) -> Result<(String, String), String> {
        let mut output = String::new();
        loop {
            let Ok(line) = self.output.recv() else {
                return Err(output);
            };
            self.printed += &line;
            if is_last(&line) {
                return Ok((output, line));
            }
            output += &line;
        }
    }

    /// Waits for a line with this beginning, and returns the rest of it.
    pub fn rest_of_line(&mut self, beginning: &str) -> String {
        let (_, line) = self.output_until(|line| line.starts_with(beginning));
        line[beginning.len()..].trim_end().to_owned()
    }

    /// Waits for a line with this beginning.
    pub fn wait_for_line(&mut self, beginning: &str) {
        self.output_before(beginning);
    }

    /// Sends SIGTERM, as a service manager does.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// Sends a signal, such as `STOP`.
    pub fn signal(&self, name: &str) {
        signal(name, self.process.id());
    }

    /// Waits until it ends. Returns its exit code, the rest of its output, and its errors.
    pub fn wait(mut self) -> (Option<i32>, String, String) {
        let output = self.output.iter().collect();
        let errors = self.errors.take().unwrap().join().unwrap();
        (self.process.wait().unwrap().code(), output, errors)
    }

    /// Waits until it ends, at most for this time. Returns the same as [`wait`](Self::wait).
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
        // It has already ended, unless the test failed.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if thread::panicking() {
            let output: String = self.output.iter().collect();
            println!("the process {} printed:\n{output}", self.process.id());
        }
    }
}

/// Returns true for a line that contains the address of a WebSocket.
fn has_address(line: &str) -> bool {
    line.contains("ws://")
}

fn address_in(line: &str) -> SocketAddr {
    let (_, rest) = line.split_once("ws://").unwrap();
    rest.trim().trim_end_matches("/ws").parse().unwrap()
}

/// Reads lines, including their line ends, as they arrive.
fn lines(stream: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (send, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        loop {
            let mut line = String::new();
            let length = stream.read_line(&mut line).unwrap();
            // A failed test has dropped the receiver.
            if length == 0 || send.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

/// The directory of the built programs. The directory of the test executable is inside of it.
fn programs() -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path
}

/// The path of a program.
fn path_of(name: &str) -> PathBuf {
    let mut path = programs();
    path.push(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(
        path.exists(),
        "{} is not there; run `cargo build -p {name}` first",
        path.display()
    );
    path
}
