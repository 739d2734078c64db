//! A NATS server.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// The text before its address.
const READY: &str = "Listening for client connections on ";

/// A NATS server on a free port of 127.0.0.1, killed on drop.
pub(crate) struct NatsServer {
    process: Child,
    address: String,
}

impl NatsServer {
    /// Starts the server. `None` if it is not installed.
    pub(crate) fn start() -> Option<Self> {
        let mut process = Command::new("nats-server")
            .args(["--addr", "127.0.0.1", "--port", "-1"])
            .stderr(Stdio::piped())
            .spawn()
            .ok()?;
        let lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut lines = lines.map_while(Result::ok);
        let address = lines.find_map(|line| Some(line.split_once(READY)?.1.to_owned()));
        let address = address.expect("the server starts");
        // The pipe must not fill up. The thread ends with the server.
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self { process, address })
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://{}", self.address)
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
