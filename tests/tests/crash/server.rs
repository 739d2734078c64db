//! The server under test as a process that may die.

use crate::database::Database;
use crate::within;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdout, Command, Stdio};
use tokio::sync::oneshot;

const SIGKILL: i32 = 9;

/// The secret key of all servers in these tests.
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A running server, killed on drop.
#[derive(Debug)]
pub(crate) struct CrashServer {
    /// The address of the listener, or `None` if the process ended before it listened.
    pub(crate) address: Option<SocketAddr>,
    process: Child,
    ended: oneshot::Receiver<()>,
}

impl CrashServer {
    /// Starts the server on this database. `crash_at` is the point at which it kills itself.
    pub(crate) async fn start(database: &Database, crash_at: Option<&str>) -> Self {
        Self::start_with(database, crash_at, &[]).await
    }

    /// Starts the server with further environment variables.
    pub(crate) async fn start_with(
        database: &Database,
        crash_at: Option<&str>,
        variables: &[(&'static str, String)],
    ) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_crash-server"));
        for (variable, _) in std::env::vars_os() {
            let name = variable.to_string_lossy();
            if name.starts_with("WORKER_") || name == "DATABASE_URL" || name.starts_with("DOOERS_")
            {
                command.env_remove(&variable);
            }
        }
        command
            .envs(database.variables())
            .envs(variables.iter().cloned())
            .env("WORKER_BIND", "127.0.0.1:0")
            .env("WORKER_SECRET_KEY", KEY)
            .envs(crash_at.map(|point| ("DOOERS_CRASH_AT", point)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (listens, address) = oneshot::channel();
        let (ends, ended) = oneshot::channel();
        // The thread ends with the process whose output it reads.
        std::thread::spawn(move || read(output, listens, ends));
        let address = within("the server to print its address", address).await;
        Self {
            address: address.ok(),
            process,
            ended,
        }
    }

    /// Waits until the process has killed itself.
    pub(crate) async fn wait_for_crash(mut self, point: &str) {
        let ended = &mut self.ended;
        let what = format!("the server to die at `{point}`, which it has not passed so often");
        let _ = within(&what, ended).await;
        let status = self.process.wait().unwrap();
        assert_eq!(
            status.signal(),
            Some(SIGKILL),
            "the server ended at `{point}`"
        );
    }
}

impl Drop for CrashServer {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Sends the address from the output, and a second message at the end of the output, which is the end of the
/// process.
fn read(
    output: BufReader<ChildStdout>,
    listens: oneshot::Sender<SocketAddr>,
    ends: oneshot::Sender<()>,
) {
    let mut listens = Some(listens);
    for line in output.lines().map_while(Result::ok) {
        if let Some((_, rest)) = line.split_once("ws://")
            && let Some(listens) = listens.take()
        {
            let address = rest.trim().trim_end_matches("/ws").parse().unwrap();
            let _ = listens.send(address);
        }
    }
    let _ = ends.send(());
}
