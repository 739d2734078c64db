//! NATS servers for tests.
//!
//! `tests/run pg` starts one server for all tests next to PostgreSQL, and [`url`] returns its address. A test that stops or
//! configures the server starts a [`NatsServer`] of its own. These tests need PostgreSQL, too, so they have `on_postgres` in
//! their path, by which `tests/run` selects them.

use crate::postgres::daemon::Daemon;
use crate::postgres::free_port;
use crate::postgres::os_user::{chown, command};
use crate::{exchange, within};
use serde_json::Value;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// The variable with the URL of the shared server.
pub const URL: &str = "DOOERS_TEST_NATS_URL";

const READY: &str = "Server is ready";

/// The signal for an immediate stop.
const AT_ONCE: &str = "TERM";

/// Attempts to find ports if another process takes a chosen one first.
const ATTEMPTS: usize = 5;

/// The URL of the shared server. Returns `None`, and prints a line, if none is configured. The test then returns early.
///
/// # Panics
///
/// Under `CI`, if none is configured.
#[must_use]
pub fn url() -> Option<String> {
    let url = std::env::var(URL).ok().filter(|url| !url.is_empty());
    if url.is_none() {
        report_skip(&format!(
            "{URL} is not set; `tests/run pg` starts a NATS server and sets it"
        ));
    }
    url
}

/// A server with these lines in its configuration. Returns `None`, and prints a line, if NATS is not installed. The test then
/// returns early.
///
/// # Panics
///
/// Under `CI`, if NATS is not installed.
#[must_use]
pub fn dedicated(configuration: &str) -> Option<NatsServer> {
    if NatsServer::program().is_none() {
        report_skip("the program `nats-server` is not installed");
        return None;
    }
    Some(NatsServer::start(configuration))
}

fn report_skip(why: &str) {
    assert!(std::env::var_os("CI").is_none(), "under CI: {why}");
    eprintln!("skipped: {why}");
}

/// A NATS server on a free port of 127.0.0.1. It stops on drop.
#[derive(Debug)]
pub struct NatsServer {
    // Declared before the directory, which it uses while it runs.
    running: Option<Daemon>,
    directory: TempDir,
    configuration: String,
    port: u16,
    monitor: u16,
}

impl NatsServer {
    /// The path of the program, if it is installed.
    #[must_use]
    pub fn program() -> Option<PathBuf> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut directories: Vec<_> = std::env::split_paths(&path).collect();
        // Often missing from PATH.
        directories.push("/usr/sbin".into());
        let programs = directories
            .into_iter()
            .map(|directory| directory.join("nats-server"));
        programs.into_iter().find(|program| program.is_file())
    }

    /// Starts a server with these lines in its configuration, in which `{directory}` stands for the directory of its
    /// [files](Self::path).
    #[must_use]
    pub fn start(configuration: &str) -> Self {
        let directory = tempfile::Builder::new()
            .prefix("dooers-nats-")
            .tempdir_in("/tmp")
            .expect("a directory");
        Self::start_in(directory, configuration)
    }

    /// Starts a server whose files are in this directory.
    #[must_use]
    pub fn start_in(directory: TempDir, configuration: &str) -> Self {
        let mut server = Self {
            running: None,
            configuration: configuration.to_owned(),
            directory,
            port: 0,
            monitor: 0,
        };
        let mut output_tail = String::new();
        for _ in 0..ATTEMPTS {
            (server.port, server.monitor) = (free_port(), free_port());
            match server.run() {
                Ok(()) => return server,
                Err(why) => output_tail = why,
            }
        }
        panic!("nats-server does not start:\n{output_tail}");
    }

    fn run(&mut self) -> Result<(), String> {
        let program = Self::program()
            .expect("the program `nats-server` is missing; on Debian: apt-get install nats-server");
        let directory = self.directory.path();
        let shown = directory.to_str().expect("a plain path");
        let text = format!(
            "listen: \"127.0.0.1:{}\"\nhttp: \"127.0.0.1:{}\"\n{}\n",
            self.port,
            self.monitor,
            self.configuration.replace("{directory}", shown),
        );
        let file = directory.join("nats.conf");
        fs::write(&file, text).expect("the directory exists");
        chown(directory);
        let mut starting = command(program, AT_ONCE);
        self.running = Some(Daemon::start(starting.arg("-c").arg(file), READY, AT_ONCE)?);
        Ok(())
    }

    /// The path of a file in the directory of the server.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        Path::new(self.directory.path()).join(name)
    }

    /// The address of the server, such as `127.0.0.1:4222`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The port of the server.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of the server.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://{}", self.address())
    }

    /// Stops the server.
    pub fn stop(&mut self) {
        let running = self.running.take().expect("the server is running");
        running.stop(AT_ONCE);
    }

    /// Starts a stopped server again on the same port.
    pub fn restart(&mut self) {
        assert!(self.running.is_none(), "the server is running");
        if let Err(output_tail) = self.run() {
            panic!("nats-server does not restart:\n{output_tail}");
        }
    }

    /// Freezes the server: it keeps its connections and answers nothing.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// Resumes a frozen server.
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let running = self.running.as_ref().expect("the server is running");
        running.signal_all(name);
    }

    /// The connections in the order in which they were made. Each has a list of its subscriptions, with the numbers of
    /// messages that were sent to it.
    pub async fn connections(&self) -> Vec<Value> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.monitor));
        let request = "GET /connz?subs=detail HTTP/1.0\r\n\r\n";
        let answer = exchange(address, request).await;
        let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
        let mut body: Value = serde_json::from_str(body).expect("JSON");
        let list = body["connections"].take();
        let mut connections: Vec<Value> = serde_json::from_value(list).expect("connections");
        connections.sort_by_key(|connection| connection["cid"].as_u64());
        connections
    }

    /// Opens a connection for the test itself, which receives all messages.
    pub async fn listen(&self) -> NatsListener {
        let stream = TcpStream::connect(self.address()).await.expect("a server");
        let mut listener = NatsListener {
            stream: BufReader::new(stream),
        };
        listener
            .write("CONNECT {\"verbose\":false}\r\nSUB > 1\r\n")
            .await;
        listener.synchronize().await;
        listener
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        // A frozen process would not receive the stop signal.
        if self.running.is_some() {
            self.thaw();
        }
    }
}

/// A connection that receives all messages of a server, and speaks the protocol of NATS itself.
#[derive(Debug)]
pub struct NatsListener {
    stream: BufReader<TcpStream>,
}

impl NatsListener {
    async fn write(&mut self, text: &str) {
        let sent = self.stream.write_all(text.as_bytes()).await;
        sent.expect("the server takes commands");
    }

    /// Sends a message.
    pub async fn publish(&mut self, subject: &str, text: &str) {
        self.write(&format!("PUB {subject} {}\r\n{text}\r\n", text.len()))
            .await;
    }

    /// Waits until the server has taken everything. Messages that arrive in the meantime are skipped.
    pub async fn synchronize(&mut self) {
        self.write("PING\r\n").await;
        while self.line().await != "PONG" {}
    }

    /// The next message: its subject and its text. It may be one of this connection.
    pub async fn next(&mut self) -> (String, String) {
        loop {
            let line = self.line().await;
            let Some(header) = line.strip_prefix("MSG ") else {
                continue;
            };
            let parts: Vec<_> = header.split(' ').collect();
            let length: usize = parts[parts.len() - 1].parse().expect("a length");
            let mut text = vec![0; length + 2];
            let read = self.stream.read_exact(&mut text);
            within("the text of a message", read).await.expect("a text");
            text.truncate(length);
            let text = String::from_utf8(text).expect("a text in UTF-8");
            return (parts[0].to_owned(), text);
        }
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        let read = self.stream.read_line(&mut line);
        let length = within("a line of the NATS server", read).await;
        assert_ne!(
            length.expect("a line"),
            0,
            "the server closed the connection"
        );
        line.trim_end().to_owned()
    }
}
