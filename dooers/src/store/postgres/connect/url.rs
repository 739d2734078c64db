//! Parsing of `postgres://` URLs.

use super::conn_params::Target;
use super::ssl::SslMode;
use percent_encoding::percent_decode_str;
use std::fmt;
use std::time::Duration;

/// The parameters that a URL may have after its `?`.
const PARAMETERS: &str = "host, hostaddr, port, user, password, dbname, sslmode, sslrootcert, sslcert, sslkey, application_name, connect_timeout";

const ENCODE: &str = "in user, password and database, write `@`, `:`, `/`, `?`, `#` and `%` as %40, %3A, %2F, %3F, %23 and %25";

/// The error for a text that is not a supported URL of a PostgreSQL database. The message contains the reason. Of the
/// text, it shows only the name of a parameter, because a password may be anywhere in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidPostgresUrl {
    reason: String,
}

impl InvalidPostgresUrl {
    fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
        }
    }
}

impl fmt::Display for InvalidPostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not the URL of a PostgreSQL database: {}", self.reason)
    }
}

impl std::error::Error for InvalidPostgresUrl {}

/// Parses a URL.
///
/// A URL parser would refuse `postgres://user:password@/database?host=/cloudsql/…`, because its host is empty.
pub(crate) fn parse(text: &str) -> Result<Target, InvalidPostgresUrl> {
    let rest = text
        .strip_prefix("postgres://")
        .or_else(|| text.strip_prefix("postgresql://"))
        .ok_or_else(|| {
            InvalidPostgresUrl::new("it must begin with postgres:// or postgresql://")
        })?;
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    // Each of these occurs if a character in a password is not encoded.
    let is_torn = text.contains(|c: char| c == '#' || c.is_whitespace())
        || path.contains(['@', '/'])
        || query.contains('@');
    if is_torn {
        return Err(InvalidPostgresUrl::new(format!(
            "it contains a character that must be encoded; {ENCODE}"
        )));
    }
    let (login, server) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) = match login.split_once(':') {
        Some((user, password)) => (user, Some(password)),
        None => (login, None),
    };
    let (host, port) = host_and_port(server)?;
    let mut target = Target {
        host: filled(decoded(host)?),
        port,
        user: filled(decoded(user)?),
        password: password.map(decoded).transpose()?,
        database: filled(decoded(path)?),
        ..Target::default()
    };
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        apply(&mut target, &decoded(name)?, decoded(value)?)?;
    }
    if target.host.as_ref().is_some_and(|host| host.contains(',')) {
        return Err(InvalidPostgresUrl::new("it names more than one host"));
    }
    Ok(target)
}

/// Splits the host and the port. An IPv6 address is in brackets, which are removed.
fn host_and_port(server: &str) -> Result<(&str, Option<u16>), InvalidPostgresUrl> {
    let (host, port) = match server
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        Some((address, rest)) => (address, rest.strip_prefix(':').unwrap_or(rest)),
        None => server.rsplit_once(':').unwrap_or((server, "")),
    };
    let port = match port {
        "" => None,
        port => Some(port.parse().map_err(|_| {
            InvalidPostgresUrl::new(format!(
                "after the host's `:` there must be a port, from 0 to 65535; {ENCODE}"
            ))
        })?),
    };
    Ok((host, port))
}

fn apply(target: &mut Target, name: &str, value: String) -> Result<(), InvalidPostgresUrl> {
    match name {
        "host" | "hostaddr" => target.host = filled(value),
        "port" => target.port = Some(number(name, &value)?),
        "user" => target.user = filled(value),
        "password" => target.password = Some(value),
        "dbname" => target.database = filled(value),
        "sslmode" | "ssl" => {
            let mode = value.parse::<SslMode>().map_err(|_| {
                InvalidPostgresUrl::new(format!("`{name}` must be {}", SslMode::ALLOWED))
            })?;
            target.ssl_mode = Some(mode);
        }
        "sslrootcert" => target.ssl_root_cert = filled(value),
        "sslcert" => target.ssl_client_cert = filled(value),
        "sslkey" => target.ssl_client_key = filled(value),
        "application_name" => target.application_name = filled(value),
        "connect_timeout" => {
            let seconds = number::<u32>(name, &value)?;
            // For PostgreSQL's own programs, 0 means no limit. This crate always has one.
            target.connect_timeout = (seconds > 0).then(|| Duration::from_secs(u64::from(seconds)));
        }
        "channel_binding" if value != "require" => {}
        "channel_binding" => {
            return Err(InvalidPostgresUrl::new(
                "`channel_binding=require` is not supported; remove it, and set `sslmode=verify-full` to verify the server",
            ));
        }
        _ => {
            return Err(InvalidPostgresUrl::new(format!(
                "the parameter `{}` is not supported; the supported ones are {PARAMETERS}",
                name.escape_debug()
            )));
        }
    }
    Ok(())
}

fn number<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, InvalidPostgresUrl> {
    value
        .parse()
        .map_err(|_| InvalidPostgresUrl::new(format!("`{name}` must be a whole number")))
}

fn decoded(text: &str) -> Result<String, InvalidPostgresUrl> {
    let text = percent_decode_str(text)
        .decode_utf8()
        .map_err(|_| InvalidPostgresUrl::new("its percent-encoded parts must be UTF-8"))?;
    if text.contains('\0') {
        return Err(InvalidPostgresUrl::new("it must not contain %00"));
    }
    Ok(text.into_owned())
}

fn filled(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns host, port, user, password and database, with `-` for missing values.
    fn parts(url: &str) -> String {
        let target = parse(url).unwrap();
        let port = target.port.map(|port| port.to_string());
        [
            target.host,
            port,
            target.user,
            target.password,
            target.database,
        ]
        .map(|part| part.unwrap_or_else(|| "-".to_owned()))
        .join(" ")
    }

    #[test]
    fn urls_of_database_hosts_are_parsed() {
        let table = [
            ("postgres://", "- - - - -"),
            ("postgres:///dooers", "- - - - dooers"),
            ("postgresql://ada@localhost", "localhost - ada - -"),
            (
                "postgres://ada:secret@db.example.com:6543/dooers",
                "db.example.com 6543 ada secret dooers",
            ),
            // RDS
            (
                "postgresql://ada:p%40ss%2Fw%3Frd%23%25@worker.abc123.eu-central-1.rds.amazonaws.com:5432/dooers?sslmode=verify-full&sslrootcert=/etc/ssl/global-bundle.pem",
                "worker.abc123.eu-central-1.rds.amazonaws.com 5432 ada p@ss/w?rd#% dooers",
            ),
            // Cloud SQL, with both ways to name its socket
            (
                "postgresql://ada:secret@/dooers?host=/cloudsql/project:region:instance",
                "/cloudsql/project:region:instance - ada secret dooers",
            ),
            (
                "postgres://ada:secret@%2Fcloudsql%2Fproject%3Aregion%3Ainstance/dooers?sslmode=disable",
                "/cloudsql/project:region:instance - ada secret dooers",
            ),
            // AlloyDB, whose users are e-mail addresses
            (
                "postgres://ada%40example.com@10.1.2.3/dooers?sslmode=require",
                "10.1.2.3 - ada@example.com - dooers",
            ),
            ("postgres://ada@[::1]:5433/dooers", "::1 5433 ada - dooers"),
            (
                "postgres:///?user=ada&password=a+b%26c&dbname=dooers&host=db&port=1",
                "db 1 ada a+b&c dooers",
            ),
            ("postgres://ada:@db/dooers", "db - ada  dooers"),
            ("postgres://ada:p@ss@db/dooers", "db - ada p@ss dooers"),
            ("postgres://ada:s%C3%BC%C3%9F@db/d%20b", "db - ada süß d b"),
            (
                "postgres://db/dooers?channel_binding=prefer",
                "db - - - dooers",
            ),
        ];
        for (url, expected) in table {
            assert_eq!(parts(url), expected, "{url}");
        }
    }

    #[test]
    fn parameters_say_how_the_connection_is_made() {
        let target = parse(
            "postgres://db/?sslmode=verify-ca&sslrootcert=ca.pem&sslcert=me.pem&sslkey=me.key&application_name=desk&connect_timeout=3",
        )
        .unwrap();
        assert_eq!(target.ssl_mode, Some(SslMode::VerifyCa));
        assert_eq!(target.ssl_root_cert.as_deref(), Some("ca.pem"));
        assert_eq!(target.ssl_client_cert.as_deref(), Some("me.pem"));
        assert_eq!(target.ssl_client_key.as_deref(), Some("me.key"));
        assert_eq!(target.application_name.as_deref(), Some("desk"));
        assert_eq!(target.connect_timeout, Some(Duration::from_secs(3)));
        let without_limit = parse("postgres://db/?connect_timeout=0").unwrap();
        assert_eq!(without_limit.connect_timeout, None);
        let ssl = parse("postgres://db/?ssl=true").unwrap().ssl_mode;
        assert_eq!(ssl, Some(SslMode::VerifyFull));
    }

    #[test]
    fn a_wrong_url_is_an_error_that_says_why() {
        let table = [
            ("", "begin with postgres://"),
            ("worker.db", "begin with postgres://"),
            ("mysql://ada@db/dooers", "begin with postgres://"),
            (
                "postgresql+asyncpg://ada@db/dooers",
                "begin with postgres://",
            ),
            ("postgres://ada@db:port/dooers", "must be a port"),
            ("postgres://ada@db:65536/dooers", "must be a port"),
            (
                "postgres://db/?sslmode=full",
                "`sslmode` must be one of disable, allow",
            ),
            ("postgres://db/?port=first", "`port` must be a whole number"),
            (
                "postgres://db/?connect_timeout=1s",
                "`connect_timeout` must be",
            ),
            (
                "postgres://db/?sslmodus=require",
                "the parameter `sslmodus` is not supported; the supported ones are host,",
            ),
            ("postgres://db/?pgbouncer=true", "the parameter `pgbouncer`"),
            ("postgres://one,two/dooers", "more than one host"),
            ("postgres://[::one/dooers", "must be a port"),
            ("postgres://db/?host=one,two", "more than one host"),
            ("postgres://db/d%FFb", "UTF-8"),
            ("postgres://db/d%00b", "%00"),
            (
                "postgres://db/?channel_binding=require",
                "sslmode=verify-full",
            ),
        ];
        for (url, expected) in table {
            let error = parse(url).unwrap_err().to_string();
            assert!(error.contains(expected), "{url}: {error}");
        }
    }

    #[test]
    fn password_that_breaks_the_url_is_not_in_the_error() {
        for torn in [
            "postgres://ada:hunter/2@db/dooers",
            "postgres://ada:12/hunter@db/dooers",
            "postgres://ada:12?hunter@db/dooers",
            "postgres://ada:12?hunter=@db/dooers",
            "postgres://ada:12#hunter@db/dooers",
            "postgres://ada:hunter?x@db/dooers",
            "postgres://ada:hunter#x@db/dooers",
            "postgres://ada:[hunter@db:x/dooers",
            "postgres://ada:hun ter]@d b/dooers",
            "mysql://ada:hunter@db/dooers",
            "postgres://ada:hunter@db:x/dooers",
            "postgres://ada:hunter@db/dooers?sslmode=hunter",
            "postgres://ada:hunter%FF@db/dooers",
            "ada:hunter@db",
        ] {
            let error = parse(torn).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("hunter"), "{torn}: {shown}");
        }
    }
}
