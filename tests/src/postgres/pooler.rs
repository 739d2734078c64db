//! PgBouncer in front of a cluster.

use super::cluster::{Cluster, free_port};
use super::daemon::Daemon;
use super::os_user::{chown, command};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

const READY: &str = "process up";

/// The signal for an immediate stop.
const AT_ONCE: &str = "TERM";

/// PgBouncer in front of a cluster, in transaction mode: prepared statements and session settings do not outlive a
/// transaction. It stops on drop.
#[derive(Debug)]
pub struct Pooler {
    // Declared before the directory, which it uses while it runs.
    running: Daemon,
    _directory: TempDir,
    port: u16,
}

impl Pooler {
    /// The path of the program, if it is installed.
    #[must_use]
    pub fn program() -> Option<PathBuf> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut directories: Vec<_> = std::env::split_paths(&path).collect();
        // Often missing from PATH.
        directories.push("/usr/sbin".into());
        directories
            .into_iter()
            .map(|directory| directory.join("pgbouncer"))
            .find(|program| program.is_file())
    }

    /// Starts PgBouncer in front of this cluster.
    #[must_use]
    pub fn start(cluster: &Cluster) -> Self {
        let program = Self::program()
            .expect("the program `pgbouncer` is missing; on Debian: apt-get install pgbouncer");
        let directory = tempfile::Builder::new()
            .prefix("dooers-pgbouncer-")
            .tempdir_in("/tmp")
            .expect("a directory");
        let port = free_port();
        let settings = format!(
            "[databases]\n\
             * = host={socket} port={database_port} user=postgres\n\
             [pgbouncer]\n\
             listen_addr = 127.0.0.1\n\
             listen_port = {port}\n\
             unix_socket_dir =\n\
             auth_type = any\n\
             pool_mode = transaction\n\
             max_client_conn = 1000\n\
             default_pool_size = 20\n",
            socket = cluster.socket().display(),
            database_port = cluster.port(),
        );
        let file = directory.path().join("pgbouncer.ini");
        fs::write(&file, settings).expect("the directory exists");
        chown(directory.path());
        match Daemon::start(command(program, AT_ONCE).arg(file), READY, AT_ONCE) {
            Ok(running) => Self {
                running,
                _directory: directory,
                port,
            },
            Err(output_tail) => panic!("PgBouncer does not start:\n{output_tail}"),
        }
    }

    /// Freezes the pooler: it keeps its connections, accepts new ones and answers nothing.
    pub fn freeze(&self) {
        self.running.signal_all("STOP");
    }

    /// Resumes a frozen pooler.
    pub fn thaw(&self) {
        self.running.signal_all("CONT");
    }

    /// The URL of the database `postgres` through the pooler.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        // A frozen process would not receive the stop signal.
        self.thaw();
    }
}
