//! Misspelled environment variables, which would have no effect.

use super::config_error::ConfigError;
use super::env::Environment;
use super::variables::{AGENT_PREFIX, PREFIX, VARIABLES};
use crate::handler::interned;
use crate::similar::similar;
use std::ffi::OsString;
use strsim::osa_distance;

/// The beginnings of names that are an error if no variable has the name. These variables decide about access and limits: if
/// one has no effect, the server is open, or has other limits than its operator believes.
const RESERVED: [&str; 10] = [
    "WORKER_ALLOWED_",
    "WORKER_ALLOW_",
    "WORKER_AUTH_",
    "WORKER_DATABASE_SSL_",
    "WORKER_JWT_",
    "WORKER_MAX_",
    "WORKER_QUOTA_",
    "WORKER_TOKENS_",
    "WORKER_TRUSTED_",
    "WORKER_USAGE_LIMIT_",
];

/// Further variables that protect data, and whose names have other beginnings.
const PROTECTING: [&str; 4] = [
    "WORKER_DATABASE_SSL",
    "WORKER_PRIVATE_THREADS",
    "WORKER_QUOTAS",
    "WORKER_SECRET_KEY",
];

/// The number of characters by which a long name may differ from the name that was meant.
const TYPOS: usize = 2;

/// The length of a name behind the prefix from which two typos are likely. Shorter names resemble each other anyway.
const LONG: usize = 8;

/// The variables that were probably misspelled and decide nothing about access or limits, each with the name that was meant.
#[derive(Debug, Clone, Default)]
pub(super) struct MisspelledVariables(Vec<(String, &'static str)>);

impl MisspelledVariables {
    /// Finds variables that resemble those of a server. Empty ones count as not set.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for a variable that would decide about access or limits.
    pub(super) fn check(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        let mut found = Vec::new();
        for (name, value) in variables {
            let Ok(name) = name.into_string() else {
                continue;
            };
            if value.is_empty() || is_of_the_server(&name) {
                continue;
            }
            match meaning(&name) {
                Meaning::Foreign => {}
                Meaning::Similar(meant) => found.push((name, meant)),
                Meaning::Mistake(meant) => return Err(mistake(name, meant)),
            }
        }
        found.sort_unstable();
        Ok(Self(found))
    }

    /// Logs the variables.
    pub(super) fn log(&self) {
        for (variable, meant) in &self.0 {
            tracing::warn!(target: "dooers::server", variable, meant, "a variable resembles one of the server, and has no effect on it");
        }
    }
}

/// The probable meaning of a name that no variable of the server has.
enum Meaning {
    /// The name belongs to the program or to another one.
    Foreign,
    /// The name resembles that of this variable.
    Similar(&'static str),
    /// The variable was meant to decide about access or limits, probably as the one with this name.
    Mistake(Option<&'static str>),
}

/// Returns true for the names of variables. On Windows, case is ignored.
fn is_of_the_server(name: &str) -> bool {
    let is_same = |known: &&str| {
        if cfg!(windows) {
            known.eq_ignore_ascii_case(name)
        } else {
            *known == name
        }
    };
    name.starts_with(AGENT_PREFIX) || VARIABLES.iter().any(is_same)
}

fn meaning(name: &str) -> Meaning {
    let name = name.to_ascii_uppercase();
    let distances = VARIABLES
        .iter()
        .map(|known| (osa_distance(&name, known), *known));
    let nearest = distances.min_by_key(|(distance, _)| *distance);
    let typo = nearest.filter(|(distance, known)| *distance <= typos(known));
    if let Some((_, meant)) = typo {
        return if is_reserved(meant) || PROTECTING.contains(&meant) {
            Meaning::Mistake(Some(meant))
        } else {
            Meaning::Similar(meant)
        };
    }
    let Some(end) = name.strip_prefix(PREFIX) else {
        return Meaning::Foreign;
    };
    if is_of_a_service(&name) {
        return Meaning::Foreign;
    }
    // The prefix is left out, because it makes all names similar.
    let ends = VARIABLES.iter().map(|known| &known[PREFIX.len()..]);
    let meant = similar(end, ends).and_then(|end| {
        let mut variables = VARIABLES.iter().copied();
        variables.find(|known| known.ends_with(end) && known.len() == PREFIX.len() + end.len())
    });
    match meant {
        meant if is_reserved(&name) => Meaning::Mistake(meant),
        Some(meant) => Meaning::Similar(meant),
        None => Meaning::Foreign,
    }
}

/// The number of typos that a name may have.
fn typos(known: &str) -> usize {
    if known.len() - PREFIX.len() < LONG {
        1
    } else {
        TYPOS
    }
}

fn is_reserved(name: &str) -> bool {
    RESERVED.iter().any(|beginning| name.starts_with(beginning))
}

/// Returns true for a variable that Kubernetes sets in each container for a service, such as one named `worker-auth`:
/// `WORKER_AUTH_SERVICE_HOST`, `WORKER_AUTH_SERVICE_PORT_HTTP`, `WORKER_AUTH_PORT`, `WORKER_AUTH_PORT_80_TCP_ADDR`.
fn is_of_a_service(name: &str) -> bool {
    let is_of_a_port = |behind: &str| {
        let (port, protocol) = behind.split_once('_').unwrap_or_default();
        let protocol = protocol.split('_').next().unwrap_or_default();
        port.parse::<u16>().is_ok() && matches!(protocol, "TCP" | "UDP" | "SCTP")
    };
    name.ends_with("_SERVICE_HOST")
        || name.ends_with("_PORT")
        || name.contains("_SERVICE_PORT_")
        || name
            .match_indices("_PORT_")
            .any(|(at, port)| is_of_a_port(&name[at + port.len()..]))
}

fn mistake(name: String, meant: Option<&'static str>) -> ConfigError {
    let meant = match meant {
        Some(meant) => format!("did you mean {meant}?"),
        None => "`WorkerConfig::from_env` lists the names.".to_owned(),
    };
    let allowed = format!(
        "no variable has this name, so it would have no effect; {meant} If the variable is not for this server, give it a name that does not resemble those of the server"
    );
    Environment::hide(interned(name), allowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log_capture::CapturedLog;

    fn check(name: &str) -> Result<Vec<(String, &'static str)>, String> {
        let variables = [(name.into(), "x".into())];
        let checked = MisspelledVariables::check(variables);
        checked
            .map(|found| found.0)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn misspelled_variable_of_access_is_refused() {
        for (name, meant) in [
            ("WORKER_JWT_AUDIENC", "WORKER_JWT_AUDIENCE"),
            ("WORKER_JWT_JWK_URL", "WORKER_JWT_JWKS_URL"),
            (
                "WORKER_JWT_CLAIM_ORGANISATION",
                "WORKER_JWT_CLAIM_ORGANIZATION",
            ),
            ("WORKER_AUTH_WEBHOOK_UR", "WORKER_AUTH_WEBHOOK_URL"),
            (
                "WORKER_QUOTA_MESSAGE_PER_MINUTE",
                "WORKER_QUOTA_MESSAGES_PER_MINUTE",
            ),
            ("WORKER_TRUSTED_PROXY", "WORKER_TRUSTED_PROXIES"),
            ("WORKER_ALLOWED_ORIGIN", "WORKER_ALLOWED_ORIGINS"),
            ("WORKER_ALLOWED_HOST", "WORKER_ALLOWED_HOSTS"),
            ("WORKER_MAX_CONECTIONS", "WORKER_MAX_CONNECTIONS"),
            (
                "WORKER_USAGE_LIMIT_USER_DAILY",
                "WORKER_USAGE_LIMIT_USER_DAY",
            ),
            ("WORKER_TOKENS_PATH", "WORKER_TOKENS_FILE"),
            (
                "WORKER_DATABASE_SSL_ROOT_CA",
                "WORKER_DATABASE_SSL_ROOT_CERT",
            ),
            // The beginning is misspelled, too.
            ("WORKER_TOKEN_FILE", "WORKER_TOKENS_FILE"),
            ("WORKER_ALOWED_ORIGINS", "WORKER_ALLOWED_ORIGINS"),
            ("WORKERS_JWT_SECRET", "WORKER_JWT_SECRET"),
            ("WORKER_QUOTA", "WORKER_QUOTAS"),
            ("WORKER_SECRET_KEYS", "WORKER_SECRET_KEY"),
            ("WORKER_PRIVATE_THREAD", "WORKER_PRIVATE_THREADS"),
            ("worker_jwt_secret", "WORKER_JWT_SECRET"),
        ] {
            let expected = format!(
                "{name} is `…`; no variable has this name, so it would have no effect; did you mean {meant}? If the variable is not for this server, give it a name that does not resemble those of the server"
            );
            assert_eq!(check(name).unwrap_err(), expected);
        }
        let error = check("WORKER_TRUSTED_QQQQQQQQQQQQQQQQQQQQ").unwrap_err();
        assert!(
            error.contains("; `WorkerConfig::from_env` lists the names. If"),
            "{error}"
        );
    }

    #[test]
    fn similar_variable_is_logged() {
        for (name, meant) in [
            ("WORKER_BINDS", "WORKER_BIND"),
            ("WORKER_DATABASE_TYP", "WORKER_DATABASE_TYPE"),
            (
                "WORKER_ANALYTIC_WEBHOOK_URL",
                "WORKER_ANALYTICS_WEBHOOK_URL",
            ),
            ("WORKER_JWKS_URL", "WORKER_JWT_JWKS_URL"),
        ] {
            assert_eq!(check(name).unwrap(), [(name.to_owned(), meant)]);
        }
        let variables = [("WORKER_BINDS".into(), "x".into())];
        let (log, _guard) = CapturedLog::start();
        MisspelledVariables::check(variables).unwrap().log();
        let log = log.text();
        assert!(
            log.contains("WORKER_BINDS") && log.contains("WORKER_BIND\""),
            "{log}"
        );
    }

    #[test]
    fn other_variables_are_left_to_the_program() {
        let variables = VARIABLES.iter().copied();
        let foreign = [
            "WORKER_ID",
            "WORKER_NAME",
            "WORKER_THREADS",
            "WORKER_OPENAI_API_KEY",
            "WORKER_AGENT_SUPPORT_API_KEY",
            "WORKERS",
            "MY_JWT_SECRET",
            "JWT_SECRET",
            // Kubernetes sets these for the services `worker`, `worker-auth` and `worker-jwt-1`.
            "WORKER_SERVICE_HOST",
            "WORKER_PORT",
            "WORKER_PORT_8000_TCP",
            "WORKER_AUTH_SERVICE_HOST",
            "WORKER_AUTH_SERVICE_PORT",
            "WORKER_AUTH_SERVICE_PORT_HTTP",
            "WORKER_AUTH_PORT",
            "WORKER_AUTH_PORT_443_TCP_ADDR",
            "WORKER_JWT_1_PORT_53_UDP_PROTO",
        ];
        for name in variables.chain(foreign) {
            assert_eq!(check(name), Ok(Vec::new()), "{name}");
        }
        let empty = [("WORKER_JWT_AUDIENC".into(), OsString::new())];
        assert!(MisspelledVariables::check(empty).is_ok());
    }
}
