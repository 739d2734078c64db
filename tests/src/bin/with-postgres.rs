//! Runs a command with a PostgreSQL server, a PgBouncer in front of it and a NATS server, which all tests share:
//!
//! ```sh
//! cargo run -p dooers-tests --bin with-postgres -- cargo nextest run -p dooers-tests -E 'test(on_postgres)'
//! ```
//!
//! The command reads their addresses from `DOOERS_TEST_POSTGRES_URL`, `DOOERS_TEST_POSTGRES_POOLER_URL` and
//! `DOOERS_TEST_NATS_URL`. If the first variable is already set, neither PostgreSQL nor PgBouncer is started, and if the last
//! one is set or NATS is not installed, no NATS server. The exit status is the status of the command, or 77 if PostgreSQL is
//! not installed.

use dooers_tests::nats::{self, NatsServer};
use dooers_tests::postgres::{Cluster, ClusterOptions, POOLER_URL, Pooler, URL};
use dooers_tests::signal;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitCode;
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal as on};

/// The members of one role need their passwords. All other roles need none.
const RULES: &str = "host all +with_password 127.0.0.1/32 scram-sha-256\n\
                     local all all trust\nhost all all 127.0.0.1/32 trust\n";

/// Reports a skip, as in Automake and Meson.
const SKIPPED: u8 = 77;

// Single-threaded: the servers are stopped when the thread that started them ends.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let Some(program) = arguments.next() else {
        eprintln!("with-postgres: give the command to run, and its arguments");
        return Ok(ExitCode::from(2));
    };
    // Registered before the servers start, so that a signal always stops them.
    let mut interrupt = on(SignalKind::interrupt())?;
    let mut terminate = on(SignalKind::terminate())?;
    let mut command = Command::new(program);
    command.args(arguments);
    let mut started = None;
    if std::env::var_os(URL).is_none_or(|url| url.is_empty()) {
        if Cluster::programs().is_none() {
            eprintln!(
                "with-postgres: PostgreSQL is not installed; on Debian: apt-get install postgresql pgbouncer"
            );
            return Ok(ExitCode::from(SKIPPED));
        }
        // This server never crashes: tests of crashes of the database start their own.
        let options = ClusterOptions::default()
            .file("pg_hba.conf", RULES)
            .setting("fsync", "off")
            .setting("full_page_writes", "off");
        let cluster = Cluster::with(options);
        command.env(URL, cluster.url());
        let pooler = Pooler::program().map(|_| Pooler::start(&cluster));
        if let Some(pooler) = &pooler {
            command.env(POOLER_URL, pooler.url());
        }
        // The pooler is dropped first.
        started = Some((pooler, cluster));
    }
    let has_nats = std::env::var_os(nats::URL).is_some_and(|url| !url.is_empty());
    let nats = (!has_nats && NatsServer::program().is_some()).then(|| NatsServer::start(""));
    if let Some(nats) = &nats {
        command.env(nats::URL, nats.url());
    }
    let mut running = command.spawn()?;
    let pid = running.id();
    let status = loop {
        tokio::select! {
            status = running.wait() => break status?,
            // The terminal sends SIGINT to the command as well.
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {
                if let Some(pid) = pid {
                    signal("TERM", pid);
                }
            }
        }
    };
    drop((nats, started));
    let status = status.code().or(status.signal().map(|signal| 128 + signal));
    Ok(ExitCode::from(
        status
            .and_then(|status| u8::try_from(status).ok())
            .unwrap_or(1),
    ))
}
