//! A dedicated PostgreSQL server, started from the installed programs.

use super::daemon::Daemon;
use super::os_user::{chown, command, output};
use dooers::store::PostgresOptions;
use std::ffi::OsStr;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Attempts to find a port if another process takes the chosen one first.
const ATTEMPTS: usize = 5;

const READY: &str = "database system is ready to accept connections";

/// The signal for an immediate stop, as in a crash.
const AT_ONCE: &str = "QUIT";

/// Options of a cluster. Default: a cluster with `trust` authentication.
#[derive(Debug, Default, Clone)]
pub struct ClusterOptions {
    settings: Vec<(String, String)>,
    files: Vec<(String, String)>,
}

impl ClusterOptions {
    /// Adds a setting, such as `ssl`.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Replaces a file in the data directory, such as `pg_hba.conf`.
    #[must_use]
    pub fn file(mut self, name: &str, text: &str) -> Self {
        self.files.push((name.to_owned(), text.to_owned()));
        self
    }
}

/// A PostgreSQL server with an empty database, on a Unix socket and on a free port of 127.0.0.1. Commits are
/// flushed to disk, as in production. On drop the server stops immediately and its data is deleted.
#[derive(Debug)]
pub struct Cluster {
    // Declared before the directory, which it uses while it runs.
    running: Option<Daemon>,
    directory: TempDir,
    programs: PathBuf,
    setup: ClusterOptions,
    port: u16,
}

impl Cluster {
    /// The directory of the PostgreSQL programs, if they are installed.
    #[must_use]
    pub fn programs() -> Option<PathBuf> {
        let configured = Command::new("pg_config").arg("--bindir").output();
        let configured = configured.ok().map(|output| {
            let directory = String::from_utf8_lossy(&output.stdout);
            PathBuf::from(directory.trim().to_owned())
        });
        let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
        let mut installed: Vec<_> = installed
            .filter_map(|entry| {
                let version = entry.ok()?.path();
                let number: u32 = version.file_name()?.to_str()?.parse().ok()?;
                Some((number, version.join("bin")))
            })
            .collect();
        // Newest version first.
        installed.sort();
        let installed = installed.into_iter().rev().map(|(_, programs)| programs);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let is_whole = |directory: &PathBuf| {
            ["initdb", "postgres"]
                .iter()
                .all(|name| directory.join(name).is_file())
        };
        configured
            .into_iter()
            .chain(installed)
            .chain(std::env::split_paths(&path))
            .find(is_whole)
    }

    /// Starts a cluster with `trust` authentication.
    #[must_use]
    pub fn start() -> Self {
        Self::with(ClusterOptions::default())
    }

    /// Starts a cluster with these options.
    #[must_use]
    pub fn with(setup: ClusterOptions) -> Self {
        let programs = Self::programs().expect(
            "the PostgreSQL programs `initdb` and `postgres` are missing; on Debian: apt-get install postgresql",
        );
        // Not below TMPDIR: the path of a Unix socket must be short.
        let directory = tempfile::Builder::new()
            .prefix("dooers-pg-")
            .tempdir_in("/tmp")
            .expect("a directory");
        chown(directory.path());
        let data = directory.path().join("data");
        initialize(&programs, &data);
        for (name, text) in &setup.files {
            let file = data.join(name);
            fs::write(&file, text).expect("the data directory exists");
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600))
                .expect("the file is ours");
        }
        chown(directory.path());
        let mut cluster = Self {
            running: None,
            directory,
            programs,
            setup,
            port: 0,
        };
        let mut output_tail = String::new();
        for _ in 0..ATTEMPTS {
            cluster.port = free_port();
            match cluster.run() {
                Ok(()) => return cluster,
                Err(why) => output_tail = why,
            }
        }
        panic!("PostgreSQL does not start:\n{output_tail}");
    }

    fn run(&mut self) -> Result<(), String> {
        let mut server = command(self.programs.join("postgres"), AT_ONCE);
        server.arg("-D").arg(self.directory.path().join("data"));
        let sockets = self.directory.path().to_str().expect("a plain path");
        let port = self.port.to_string();
        let own = [
            ("listen_addresses", "127.0.0.1"),
            ("port", &port),
            ("unix_socket_directories", sockets),
            ("max_connections", "200"),
        ];
        let set_up = self.setup.settings.iter();
        let set_up = set_up.map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in own.into_iter().chain(set_up) {
            server.arg("-c").arg(format!("{name}={value}"));
        }
        self.running = Some(Daemon::start(&mut server, READY, AT_ONCE)?);
        Ok(())
    }

    /// The TCP port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The directory of the Unix socket.
    #[must_use]
    pub fn socket(&self) -> &Path {
        self.directory.path()
    }

    /// The URL of the database `postgres` over TCP as the superuser `postgres`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Options for a store in the database `postgres`.
    #[must_use]
    pub fn options(&self) -> PostgresOptions {
        PostgresOptions::from_url(&self.url()).expect("a URL")
    }

    /// The end of the server's log.
    #[must_use]
    pub fn log(&self) -> String {
        self.running
            .as_ref()
            .map(Daemon::output_tail)
            .unwrap_or_default()
    }

    /// Stops the server with a fast shutdown, which disconnects its clients.
    pub fn stop(&mut self) {
        self.end("INT");
    }

    /// Stops the server as in a crash. Uncommitted data is lost, and the next start runs recovery.
    pub fn crash(&mut self) {
        self.end(AT_ONCE);
    }

    /// Freezes the server: it keeps its connections, accepts new ones and answers nothing.
    pub fn freeze(&self) {
        self.running
            .as_ref()
            .expect("the server is running")
            .signal_all("STOP");
    }

    /// Resumes a frozen server.
    pub fn thaw(&self) {
        self.running
            .as_ref()
            .expect("the server is running")
            .signal_all("CONT");
    }

    /// Starts a stopped server again in the same directory and on the same port.
    pub fn restart(&mut self) {
        assert!(self.running.is_none(), "the server is running");
        if let Err(output_tail) = self.run() {
            panic!("PostgreSQL does not restart:\n{output_tail}");
        }
    }

    fn end(&mut self, signal_name: &str) {
        let running = self.running.take().expect("the server is running");
        running.stop(signal_name);
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // A frozen process would not receive the stop signal.
        if self.running.is_some() {
            self.thaw();
        }
    }
}

fn initialize(programs: &Path, data: &Path) {
    let mut initdb = command(programs.join("initdb"), "TERM");
    initdb.arg("-D").arg(data).args([
        "--username=postgres",
        "--auth=trust",
        "--encoding=UTF8",
        // The data is temporary.
        "--no-sync",
    ]);
    // A collation that does not sort by bytes, as in most databases.
    if version(programs.join("initdb")) >= 15 {
        initdb.args(["--locale=C", "--locale-provider=icu", "--icu-locale=en"]);
    } else {
        initdb.arg("--locale=C");
    }
    output(&mut initdb);
}

/// The major version, for example from `initdb (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn version(program: impl AsRef<OsStr>) -> u32 {
    let text = output(Command::new(program).arg("--version"));
    let number = text.split(' ').nth(2).unwrap_or_default();
    let main: String = number.chars().take_while(char::is_ascii_digit).collect();
    main.parse().unwrap_or_default()
}

/// A port of 127.0.0.1 that is currently free.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a bound listener").port()
}
