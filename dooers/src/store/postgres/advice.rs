//! What to do about a database that cannot be reached.

use super::connect::code;
use super::limit::Silent;
use std::io;

/// What is wrong, in the server's words if they are its. sqlx adds the line of the server's own source.
fn said(error: &sqlx::Error) -> String {
    match (error.as_database_error(), Silent::of(error)) {
        (Some(error), _) => error.message().to_owned(),
        (None, Some(silent)) => silent.to_string(),
        (None, None) => error.to_string(),
    }
}

/// What is wrong and, if the error is a usual one, what to do.
pub(super) fn explained(error: &sqlx::Error) -> String {
    match advice(error) {
        Some(advice) => format!("{}; {advice}", said(error)),
        None => said(error),
    }
}

/// What to do about this error, if it is a usual one.
fn advice(error: &sqlx::Error) -> Option<&'static str> {
    match error {
        error if is_of_pooler(error) => Some(
            "this is a pooler: set WORKER_DATABASE_STATEMENT_CACHE=0, and if there is a way past it WORKER_DATABASE_DIRECT_URL",
        ),
        sqlx::Error::Database(_) => of_the_server(&code(error)?),
        sqlx::Error::Tls(_) => Some(
            "WORKER_DATABASE_SSL (or `sslmode` in DATABASE_URL) asks for more than the server offers",
        ),
        error if Silent::of(error).is_some() => Some(
            "look whether it is overloaded or stopped, and whether the network drops packets; if it only needs more time, raise the limit",
        ),
        sqlx::Error::Io(error) if is_distrust(error) => Some(
            "name the certificates of its authority (WORKER_DATABASE_SSL_ROOT_CERT), and connect to it by the name in its certificate",
        ),
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut => Some(
            "start it, or say where it is (WORKER_DATABASE_HOST and WORKER_DATABASE_PORT, or DATABASE_URL)",
        ),
        _ => None,
    }
}

fn of_the_server(code: &str) -> Option<&'static str> {
    Some(match code {
        "28P01" | "28000" => {
            "check WORKER_DATABASE_USER, WORKER_DATABASE_PASSWORD and WORKER_DATABASE_SSL (or DATABASE_URL), and what the server's pg_hba.conf allows"
        }
        "3D000" => "create it, or name another one (WORKER_DATABASE_NAME, or DATABASE_URL)",
        "57014" => {
            "it took longer than WORKER_DATABASE_STATEMENT_TIMEOUT allows: look whether another process migrates the tables, or raise the limit"
        }
        "53300" => "let it take more connections, or use fewer of them (WORKER_DATABASE_POOL_SIZE)",
        _ => return None,
    })
}

/// Whether the other side has not proven who it is. To try again is of no use then.
pub(super) fn is_distrust(error: &io::Error) -> bool {
    // In this way rustls tells of its own errors.
    error.kind() == io::ErrorKind::InvalidData
}

/// Whether a pooler refuses the settings that our connections begin with, as it could not keep them.
pub(super) fn is_of_pooler(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(|error| error.message().contains("startup parameter"))
}
