//! Advice for connection errors.

use super::error::{code, is_distrust, is_of_pooler};
use super::limit::Silent;

/// Returns the text of an error, in the server's own words if the server reported it. The text of sqlx would add the
/// line of the server's source code.
fn server_message(error: &sqlx::Error) -> String {
    match (error.as_database_error(), Silent::of(error)) {
        (Some(error), _) => error.message().to_owned(),
        (None, Some(silent)) => silent.to_string(),
        (None, None) => error.to_string(),
    }
}

/// Returns the text of an error, with advice if the error is a common one.
pub(crate) fn explained(error: &sqlx::Error) -> String {
    match advice(error) {
        Some(advice) => format!("{}; {advice}", server_message(error)),
        None => server_message(error),
    }
}

/// Returns advice for a common error.
fn advice(error: &sqlx::Error) -> Option<&'static str> {
    match error {
        error if is_of_pooler(error) => Some(
            "this is a pooler: set WORKER_DATABASE_STATEMENT_CACHE=0 and, if the server can be reached directly, WORKER_DATABASE_DIRECT_URL",
        ),
        sqlx::Error::Database(_) => of_the_server(&code(error)?),
        sqlx::Error::Tls(_) => Some(
            "WORKER_DATABASE_SSL (or `sslmode` in DATABASE_URL) asks for more than the server offers",
        ),
        error if Silent::of(error).is_some() => Some(
            "check whether the server is overloaded or stopped, and whether the network drops packets; if it only needs more time, raise the limit",
        ),
        sqlx::Error::Io(error) if is_distrust(error) => Some(
            "set WORKER_DATABASE_SSL_ROOT_CERT to the certificate of its authority, and connect by the host name in its certificate",
        ),
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut => Some(
            "start it, or set its address (WORKER_DATABASE_HOST and WORKER_DATABASE_PORT, or DATABASE_URL)",
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
            "it took longer than WORKER_DATABASE_STATEMENT_TIMEOUT allows: check whether another process migrates the tables, or raise the limit"
        }
        "53300" => "allow more connections on the server, or use fewer (WORKER_DATABASE_POOL_SIZE)",
        _ => return None,
    })
}
