//! Reading the choice of the database from the environment.

use super::config_error::ConfigError;
use super::database::Database;
use super::env::Environment;
#[cfg(feature = "sqlite")]
use crate::store::SqliteOptions;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
use crate::store::TablePrefix;
#[cfg(feature = "postgres")]
use crate::store::{InvalidPostgresUrl, PostgresOptions, SslMode};
#[cfg(feature = "postgres")]
use std::time::Duration;

/// A kind of database.
#[derive(Debug, Clone, Copy)]
enum Kind {
    #[cfg(feature = "sqlite")]
    Sqlite,
    #[cfg(feature = "postgres")]
    Postgres,
    Memory,
}

/// The kinds that this program can use, by their names. The first is the default.
const KINDS: &[(&str, Kind)] = &[
    #[cfg(feature = "sqlite")]
    ("sqlite", Kind::Sqlite),
    #[cfg(feature = "postgres")]
    ("postgres", Kind::Postgres),
    ("memory", Kind::Memory),
];

/// The kinds of databases that this program was built without. Each kind has the name of its feature.
const MISSING: &[&str] = &[
    #[cfg(not(feature = "sqlite"))]
    "sqlite",
    #[cfg(not(feature = "postgres"))]
    "postgres",
];

/// Sets one of the text options of a connection.
#[cfg(feature = "postgres")]
type SetText = fn(PostgresOptions, String) -> PostgresOptions;

/// Sets one of the time limits of a database.
#[cfg(feature = "postgres")]
type SetTime = fn(PostgresOptions, Duration) -> PostgresOptions;

impl Environment<'_> {
    /// The database that the variables name, or the default one.
    pub(super) fn database(&self) -> Result<Database, ConfigError> {
        let mut kind = KINDS[0].1;
        self.set("WORKER_DATABASE_TYPE", &mut kind, kinds_allowed(), |text| {
            let is_named = |(name, _): &&(&str, Kind)| text.eq_ignore_ascii_case(name);
            KINDS.iter().find(is_named).map(|(_, kind)| *kind)
        })?;
        let url = self.hidden("DATABASE_URL")?;
        #[cfg(feature = "postgres")]
        if let Some(url) = url {
            let options = self.postgres()?.url(url.trim());
            return Ok(Database::Postgres(
                options.map_err(|error| not_a_url("DATABASE_URL", &error))?,
            ));
        }
        #[cfg(not(feature = "postgres"))]
        if url.is_some() {
            let allowed =
                "it must not be set unless the program is built with dooers' feature `postgres`";
            return Err(Self::hide("DATABASE_URL", allowed.to_owned()));
        }
        Ok(match kind {
            #[cfg(feature = "sqlite")]
            Kind::Sqlite => Database::Sqlite(self.sqlite()?),
            #[cfg(feature = "postgres")]
            Kind::Postgres => Database::Postgres(self.postgres()?),
            Kind::Memory => Database::Memory,
        })
    }

    #[cfg(feature = "sqlite")]
    fn sqlite(&self) -> Result<SqliteOptions, ConfigError> {
        let mut path = "worker.db".to_owned();
        self.text("WORKER_DATABASE_NAME", &mut path)?;
        Ok(SqliteOptions::new(path)
            .table_prefix(self.table_prefix()?)
            .auto_migrate(self.auto_migrate()?))
    }

    #[cfg(feature = "postgres")]
    fn postgres(&self) -> Result<PostgresOptions, ConfigError> {
        let mut options = PostgresOptions::new()
            .table_prefix(self.table_prefix()?)
            .auto_migrate(self.auto_migrate()?);
        let texts: [(_, SetText); 6] = [
            ("WORKER_DATABASE_HOST", PostgresOptions::host),
            ("WORKER_DATABASE_USER", PostgresOptions::user),
            ("WORKER_DATABASE_NAME", PostgresOptions::database),
            (
                "WORKER_DATABASE_SSL_ROOT_CERT",
                PostgresOptions::ssl_root_cert,
            ),
            (
                "WORKER_DATABASE_SSL_CLIENT_CERT",
                PostgresOptions::ssl_client_cert,
            ),
            (
                "WORKER_DATABASE_SSL_CLIENT_KEY",
                PostgresOptions::ssl_client_key,
            ),
        ];
        for (variable, set) in texts {
            // Hidden, because one of them may be a key.
            if let Some(text) = self.hidden(variable)? {
                options = set(options, text.trim().to_owned());
            }
        }
        if let Some(password) = self.hidden("WORKER_DATABASE_PASSWORD")? {
            options = options.password(password);
        }
        let mut port = None;
        let allowed = "it must be a port, from 1 to 65535".to_owned();
        self.set("WORKER_DATABASE_PORT", &mut port, allowed, |text| {
            text.parse().ok().filter(|port| *port > 0).map(Some)
        })?;
        if let Some(port) = port {
            options = options.port(port);
        }
        let mut ssl_mode = None;
        let allowed = format!("it must be {}", SslMode::ALLOWED);
        self.set("WORKER_DATABASE_SSL", &mut ssl_mode, allowed, |text| {
            text.parse().ok().map(Some)
        })?;
        if let Some(mode) = ssl_mode {
            options = options.ssl_mode(mode);
        }
        if let Some(url) = self.hidden("WORKER_DATABASE_DIRECT_URL")? {
            let direct = options.direct_url(url.trim());
            options = direct.map_err(|error| not_a_url("WORKER_DATABASE_DIRECT_URL", &error))?;
        }
        self.postgres_connections(options)
    }

    /// Adds the options for the number of connections and for their use.
    #[cfg(feature = "postgres")]
    fn postgres_connections(
        &self,
        mut options: PostgresOptions,
    ) -> Result<PostgresOptions, ConfigError> {
        let (mut pool_size, mut statements) = (None, None);
        let allowed = "it must be a whole number of at least 1".to_owned();
        self.set(
            "WORKER_DATABASE_POOL_SIZE",
            &mut pool_size,
            allowed,
            |text| text.parse().ok().filter(|size| *size >= 1).map(Some),
        )?;
        if let Some(pool_size) = pool_size {
            options = options.pool_size(pool_size);
        }
        let limits: [(_, SetTime); 3] = [
            (
                "WORKER_DATABASE_CONNECT_TIMEOUT",
                PostgresOptions::connect_timeout,
            ),
            (
                "WORKER_DATABASE_STATEMENT_TIMEOUT",
                PostgresOptions::statement_timeout,
            ),
            (
                "WORKER_DATABASE_MIGRATION_TIMEOUT",
                PostgresOptions::migration_timeout,
            ),
        ];
        for (variable, set) in limits {
            let mut limit = Duration::ZERO;
            self.seconds(variable, 0.1, &mut limit)?;
            if !limit.is_zero() {
                options = set(options, limit);
            }
        }
        let allowed =
            "it must be a whole number of at least 0; use 0 with a pooler in transaction mode"
                .to_owned();
        self.set(
            "WORKER_DATABASE_STATEMENT_CACHE",
            &mut statements,
            allowed,
            |text| text.parse().ok().map(Some),
        )?;
        if let Some(statements) = statements {
            options = options.statement_cache(statements);
        }
        Ok(options)
    }

    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    fn table_prefix(&self) -> Result<TablePrefix, ConfigError> {
        let mut prefix = TablePrefix::default();
        let allowed = format!(
            "it must be 1 to {} of the characters a to z, 0 to 9 and _, and must not begin with a digit",
            TablePrefix::MAX_BYTES
        );
        self.set(
            "WORKER_DATABASE_TABLE_PREFIX",
            &mut prefix,
            allowed,
            |text| text.parse().ok(),
        )?;
        Ok(prefix)
    }

    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    fn auto_migrate(&self) -> Result<bool, ConfigError> {
        let mut auto_migrate = true;
        self.boolean("WORKER_DATABASE_AUTO_MIGRATE", &mut auto_migrate)?;
        Ok(auto_migrate)
    }
}

fn kinds_allowed() -> String {
    let names: Vec<_> = KINDS.iter().map(|(name, _)| *name).collect();
    let mut allowed = match &names[..] {
        [only] => format!("this program knows only {only}"),
        names => format!("it must be one of {}", names.join(", ")),
    };
    for kind in MISSING {
        allowed += &format!("; for {kind}, build the program with dooers' feature `{kind}`");
    }
    allowed
}

#[cfg(feature = "postgres")]
fn not_a_url(variable: &'static str, error: &InvalidPostgresUrl) -> ConfigError {
    Environment::hide(variable, format!("it is {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(variables: &[(&str, &str)]) -> Result<Database, ConfigError> {
        Environment::new(&|variable| {
            let found = variables.iter().find(|(name, _)| *name == variable)?;
            Some(found.1.into())
        })
        .database()
    }

    fn shown(variables: &[(&str, &str)]) -> String {
        format!("{:?}", database(variables).unwrap())
    }

    fn message(variables: &[(&str, &str)]) -> String {
        database(variables).unwrap_err().to_string()
    }

    #[test]
    fn database_type_unknown_error_lists_known_types() {
        let text = message(&[("WORKER_DATABASE_TYPE", "oracle")]);
        let rule = if KINDS.len() == 1 {
            "this program knows only memory"
        } else {
            "it must be one of "
        };
        let expected = format!("WORKER_DATABASE_TYPE is `oracle`; {rule}");
        assert!(text.starts_with(&expected), "{text}");
        assert!(text.contains("memory"), "{text}");
        assert_eq!(
            text.contains("sqlite, "),
            cfg!(feature = "sqlite"),
            "{text}"
        );
        assert_eq!(
            text.contains("for postgres, build the program with dooers' feature `postgres`"),
            cfg!(not(feature = "postgres")),
            "{text}"
        );
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn sqlite_is_a_file_with_a_prefix() {
        let variables = [
            ("WORKER_DATABASE_TYPE", "SQLite"),
            ("WORKER_DATABASE_NAME", "other.db"),
            ("WORKER_DATABASE_TABLE_PREFIX", "support_"),
            ("WORKER_DATABASE_AUTO_MIGRATE", "no"),
        ];
        let expected = SqliteOptions::new("other.db")
            .table_prefix("support_".parse().unwrap())
            .auto_migrate(false);
        assert_eq!(shown(&variables), format!("Sqlite({expected:?})"));
    }

    #[test]
    fn memory_is_memory() {
        assert_eq!(shown(&[("WORKER_DATABASE_TYPE", "memory")]), "Memory");
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn each_variable_of_postgresql_sets_its_value() {
        let type_is_postgres = ("WORKER_DATABASE_TYPE", "postgres");
        let new = PostgresOptions::new;
        let table = [
            (
                "WORKER_DATABASE_HOST",
                "/cloudsql/p:r:i",
                new().host("/cloudsql/p:r:i"),
            ),
            ("WORKER_DATABASE_PORT", "6543", new().port(6543)),
            ("WORKER_DATABASE_USER", "ada", new().user("ada")),
            ("WORKER_DATABASE_NAME", "dooers", new().database("dooers")),
            (
                "WORKER_DATABASE_SSL",
                "on",
                new().ssl_mode(SslMode::VerifyFull),
            ),
            (
                "WORKER_DATABASE_SSL",
                "verify-ca",
                new().ssl_mode(SslMode::VerifyCa),
            ),
            (
                "WORKER_DATABASE_SSL_ROOT_CERT",
                "ca.pem",
                new().ssl_root_cert("ca.pem"),
            ),
            (
                "WORKER_DATABASE_SSL_CLIENT_CERT",
                "me.pem",
                new().ssl_client_cert("me.pem"),
            ),
            (
                "WORKER_DATABASE_SSL_CLIENT_KEY",
                "me.key",
                new().ssl_client_key("me.key"),
            ),
            ("WORKER_DATABASE_POOL_SIZE", "3", new().pool_size(3)),
            (
                "WORKER_DATABASE_CONNECT_TIMEOUT",
                "1.5",
                new().connect_timeout(Duration::from_millis(1500)),
            ),
            (
                "WORKER_DATABASE_STATEMENT_TIMEOUT",
                "2.5",
                new().statement_timeout(Duration::from_millis(2500)),
            ),
            (
                "WORKER_DATABASE_MIGRATION_TIMEOUT",
                "7200",
                new().migration_timeout(Duration::from_secs(7200)),
            ),
            (
                "WORKER_DATABASE_STATEMENT_CACHE",
                "0",
                new().statement_cache(0),
            ),
            (
                "WORKER_DATABASE_DIRECT_URL",
                "postgres://db",
                new().direct_url("postgres://db").unwrap(),
            ),
            (
                "WORKER_DATABASE_TABLE_PREFIX",
                "support_",
                new().table_prefix("support_".parse().unwrap()),
            ),
            (
                "WORKER_DATABASE_AUTO_MIGRATE",
                "no",
                new().auto_migrate(false),
            ),
        ];
        for (variable, value, expected) in table {
            assert_eq!(
                shown(&[type_is_postgres, (variable, value)]),
                format!("Postgres({expected:?})"),
                "{variable}"
            );
        }
        // A password is used unchanged, and never shown.
        let with_password = shown(&[type_is_postgres, ("WORKER_DATABASE_PASSWORD", " hunter2 ")]);
        assert_eq!(
            with_password,
            format!("Postgres({:?})", new().password("x"))
        );
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn postgres_value_invalid_error_names_its_variable() {
        let type_is_postgres = ("WORKER_DATABASE_TYPE", "postgres");
        let table = [
            (
                "WORKER_DATABASE_PORT",
                "0",
                "WORKER_DATABASE_PORT is `0`; it must be a port, from 1 to 65535",
            ),
            (
                "WORKER_DATABASE_PORT",
                "70000",
                "WORKER_DATABASE_PORT is `70000`; it must be a port",
            ),
            (
                "WORKER_DATABASE_SSL",
                "full",
                "WORKER_DATABASE_SSL is `full`; it must be one of disable, allow, prefer, require, verify-ca, verify-full, or true, false, 1, 0, yes, no, on, off, of which true means verify-full",
            ),
            (
                "WORKER_DATABASE_POOL_SIZE",
                "0",
                "WORKER_DATABASE_POOL_SIZE is `0`; it must be a whole number of at least 1",
            ),
            (
                "WORKER_DATABASE_CONNECT_TIMEOUT",
                "0",
                "WORKER_DATABASE_CONNECT_TIMEOUT is `0`; it must be a number of seconds from 0.1 to 86400",
            ),
            (
                "WORKER_DATABASE_STATEMENT_TIMEOUT",
                "0",
                "WORKER_DATABASE_STATEMENT_TIMEOUT is `0`; it must be a number of seconds from 0.1 to 86400",
            ),
            (
                "WORKER_DATABASE_STATEMENT_CACHE",
                "-1",
                "WORKER_DATABASE_STATEMENT_CACHE is `-1`; it must be a whole number of at least 0",
            ),
            (
                "WORKER_DATABASE_DIRECT_URL",
                "mysql://ada:hunter2@db",
                "WORKER_DATABASE_DIRECT_URL is `…`; it is not the URL of a PostgreSQL database: it must begin with postgres://",
            ),
            (
                "WORKER_DATABASE_TABLE_PREFIX",
                "a; drop",
                "WORKER_DATABASE_TABLE_PREFIX is `a; drop`; it must be 1 to 31",
            ),
            (
                "WORKER_DATABASE_AUTO_MIGRATE",
                "perhaps",
                "WORKER_DATABASE_AUTO_MIGRATE is `perhaps`; it must be one of true",
            ),
        ];
        for (variable, value, expected) in table {
            let text = message(&[type_is_postgres, (variable, value)]);
            assert!(text.starts_with(expected), "{text}");
        }
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn database_url_overrides_only_the_parts_it_has() {
        let url = (
            "DATABASE_URL",
            "postgres://ada:hunter2@db/dooers?sslmode=require\n",
        );
        let variables = [
            url,
            ("WORKER_DATABASE_TYPE", "memory"),
            ("WORKER_DATABASE_HOST", "elsewhere"),
            ("WORKER_DATABASE_NAME", "other"),
            ("WORKER_DATABASE_SSL", "off"),
            ("WORKER_DATABASE_PORT", "6543"),
            ("WORKER_DATABASE_POOL_SIZE", "3"),
        ];
        let expected = PostgresOptions::from_url(url.1.trim())
            .unwrap()
            .port(6543)
            .pool_size(3);
        assert_eq!(shown(&variables), format!("Postgres({expected:?})"));
        assert!(!shown(&variables).contains("hunter2"));
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn database_url_of_other_kind_error_hides_the_url() {
        for url in [
            "mysql://ada:hunter2@db/dooers",
            "hunter2",
            "postgres://ada:hunter2@db/dooers?ssl=maybe",
        ] {
            let text = message(&[("DATABASE_URL", url)]);
            assert!(
                text.starts_with(
                    "DATABASE_URL is `…`; it is not the URL of a PostgreSQL database: "
                ),
                "{text}"
            );
            assert!(!text.contains("hunter2"), "{text}");
        }
    }

    #[cfg(not(feature = "postgres"))]
    #[test]
    fn database_url_without_postgres_is_an_error() {
        let text = message(&[("DATABASE_URL", "postgres://ada:hunter2@db")]);
        assert_eq!(
            text,
            "DATABASE_URL is `…`; it must not be set unless the program is built with dooers' feature `postgres`"
        );
    }
}
