//! The variables of the broker.

use super::broker_kind::{BrokerChoice, BrokerKind};
use super::config_error::ConfigError;
use super::env::Environment;
#[cfg(feature = "nats")]
use crate::broker::{InvalidNatsOptions, NatsOptions, NatsPart};

const BROKER: &str = "WORKER_BROKER";
const CREDENTIALS: &str = "WORKER_BROKER_CREDENTIALS_FILE";
const NKEY: &str = "WORKER_BROKER_NKEY";
const TOKEN: &str = "WORKER_BROKER_TOKEN";
const ROOT_CERT: &str = "WORKER_BROKER_SSL_ROOT_CERT";
const CLIENT_CERT: &str = "WORKER_BROKER_SSL_CLIENT_CERT";
const CLIENT_KEY: &str = "WORKER_BROKER_SSL_CLIENT_KEY";

/// The variables that only NATS has.
const OF_NATS: [&str; 6] = [CREDENTIALS, NKEY, TOKEN, ROOT_CERT, CLIENT_CERT, CLIENT_KEY];

impl Environment<'_> {
    /// Reads the kind of the broker. No message shows a secret.
    pub(super) fn broker(&self, target: &mut BrokerChoice) -> Result<(), ConfigError> {
        // Hidden, because the URL of a broker may contain a password.
        let value = self.hidden(BROKER)?;
        let value = value.as_deref().map(str::trim);
        if let Some(urls) = value.filter(|value| value.contains("://")) {
            *target = BrokerChoice::Kind(self.nats(urls)?);
            return Ok(());
        }
        let option = OF_NATS.into_iter().find(|option| self.is_set(option));
        if let Some(option) = option {
            let allowed = format!(
                "it has no effect without NATS; unset it, or set {BROKER} to nats://… or tls://…"
            );
            return Err(Self::hide(option, allowed));
        }
        let Some(value) = value else {
            return Ok(());
        };
        let kind = match value.to_ascii_lowercase().as_str() {
            "none" => BrokerKind::None,
            #[cfg(feature = "postgres")]
            "postgres" => BrokerKind::Postgres,
            _ => return Err(self.refuse(BROKER, allowed())),
        };
        *target = BrokerChoice::Kind(kind);
        Ok(())
    }

    #[cfg(not(feature = "nats"))]
    fn nats(&self, urls: &str) -> Result<BrokerKind, ConfigError> {
        let is_nats = urls.starts_with("nats://") || urls.starts_with("tls://");
        let allowed = if is_nats {
            "NATS needs dooers' feature `nats`; build the program with it".to_owned()
        } else {
            allowed()
        };
        Err(Self::hide(BROKER, allowed))
    }

    #[cfg(feature = "nats")]
    fn nats(&self, urls: &str) -> Result<BrokerKind, ConfigError> {
        if !urls.starts_with("nats://") && !urls.starts_with("tls://") {
            return Err(Self::hide(BROKER, allowed()));
        }
        let mut options = NatsOptions::from_urls(urls).map_err(|error| invalid(&error))?;
        for (variable, set) in [
            (
                TOKEN,
                NatsOptions::token as fn(NatsOptions, String) -> NatsOptions,
            ),
            (NKEY, NatsOptions::nkey),
            (CREDENTIALS, NatsOptions::credentials_file),
        ] {
            let Some(value) = self.hidden(variable)? else {
                continue;
            };
            if options.has_login() {
                let allowed = format!(
                    "the client has one login: a password in {BROKER}, {TOKEN}, {NKEY} or {CREDENTIALS}; unset the others"
                );
                return Err(Self::hide(variable, allowed));
            }
            options = set(options, value.trim().to_owned());
        }
        for (variable, set) in [
            (
                ROOT_CERT,
                NatsOptions::ssl_root_cert as fn(NatsOptions, String) -> NatsOptions,
            ),
            (CLIENT_CERT, NatsOptions::ssl_client_cert),
            (CLIENT_KEY, NatsOptions::ssl_client_key),
        ] {
            if let Some(value) = self.hidden(variable)? {
                options = set(options, value);
            }
        }
        options.prepare().map_err(|error| invalid(&error))?;
        Ok(BrokerKind::Nats(options))
    }
}

/// The error for the variable with the part that is wrong. It does not show the value.
#[cfg(feature = "nats")]
fn invalid(error: &InvalidNatsOptions) -> ConfigError {
    let variable = match error.part {
        NatsPart::Urls => BROKER,
        NatsPart::Nkey => NKEY,
        NatsPart::Credentials => CREDENTIALS,
        NatsPart::RootCert => ROOT_CERT,
        NatsPart::ClientCert => CLIENT_CERT,
        NatsPart::ClientKey => CLIENT_KEY,
    };
    Environment::hide(variable, error.to_string())
}

fn allowed() -> String {
    if cfg!(feature = "nats") {
        "it must be none, postgres, or the URLs of NATS servers, such as nats://host:4222"
            .to_owned()
    } else if cfg!(feature = "postgres") {
        "it must be none or postgres".to_owned()
    } else {
        "it must be none; for postgres, build the program with dooers' feature `postgres`"
            .to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<BrokerChoice, String> {
        let mut choice = BrokerChoice::default();
        let get = |variable: &str| {
            let mut all = variables.iter();
            let found = all.find(|(name, _)| *name == variable);
            found.map(|(_, value)| value.into())
        };
        let read = Environment::new(&get).broker(&mut choice);
        read.map(|()| choice).map_err(|error| error.to_string())
    }

    #[test]
    fn variable_chooses_the_broker() {
        assert!(matches!(read(&[(BROKER, "")]), Ok(BrokerChoice::OfStore)));
        let none = read(&[(BROKER, " None ")]);
        assert!(matches!(none, Ok(BrokerChoice::Kind(BrokerKind::None))));
        #[cfg(feature = "postgres")]
        assert!(matches!(
            read(&[(BROKER, "Postgres")]),
            Ok(BrokerChoice::Kind(BrokerKind::Postgres))
        ));
        assert_eq!(
            read(&[(BROKER, "postgers")]).unwrap_err(),
            format!("WORKER_BROKER is `postgers`; {}", allowed())
        );
    }

    #[test]
    fn url_of_another_broker_is_refused_unseen() {
        let text = read(&[(BROKER, "redis://ada:hunter2@bus")]).unwrap_err();
        assert!(text.contains(&allowed()), "{text}");
        assert!(!text.contains("hunter"), "{text}");
    }

    #[cfg(not(feature = "nats"))]
    #[test]
    fn nats_without_its_feature_names_the_feature() {
        let text = read(&[(BROKER, "nats://ada:hunter2@bus:4222")]).unwrap_err();
        assert!(text.contains("dooers' feature `nats`"), "{text}");
        assert!(!text.contains("hunter"), "{text}");
    }

    #[test]
    fn variable_of_nats_without_nats_is_refused() {
        for variable in OF_NATS {
            let text = read(&[(BROKER, "none"), (variable, "hunter2")]).unwrap_err();
            assert!(text.contains("no effect without NATS; unset it"), "{text}");
            assert!(!text.contains("hunter"), "{text}");
        }
    }

    #[cfg(feature = "nats")]
    #[test]
    fn wrong_variable_of_nats_is_named() {
        const URL: (&str, &str) = (BROKER, "nats://bus");
        let seed = format!("SU{}", "A".repeat(56));
        for (variables, variable, reason) in [
            (
                vec![(BROKER, "nats://")],
                BROKER,
                "such as nats://host:4222",
            ),
            (
                vec![(BROKER, "nats://ada:hunter2@bus/hunter3")],
                BROKER,
                "after the port",
            ),
            (vec![URL, (NKEY, "hunter2")], NKEY, "begins with SU"),
            (
                vec![URL, (CREDENTIALS, "/missing")],
                CREDENTIALS,
                "/missing` cannot be read",
            ),
            (
                vec![URL, (ROOT_CERT, "/missing")],
                ROOT_CERT,
                "/missing` cannot be read",
            ),
            (
                vec![URL, (CLIENT_CERT, "/missing")],
                CLIENT_CERT,
                "needs its key (`ssl_client_key`)",
            ),
            (
                vec![URL, (CLIENT_KEY, "-----BEGIN hunter2")],
                CLIENT_KEY,
                "needs its certificate (`ssl_client_cert`)",
            ),
            (
                vec![URL, (TOKEN, "hunter2"), (NKEY, &seed)],
                NKEY,
                "one login",
            ),
            (
                vec![(BROKER, "nats://ada:hunter2@bus"), (TOKEN, "hunter3")],
                TOKEN,
                "one login",
            ),
        ] {
            let text = read(&variables).unwrap_err();
            assert!(text.starts_with(variable), "{text}");
            assert!(text.contains(reason), "{text}");
            assert!(!text.contains("hunter"), "{text}");
        }
        let chosen = read(&[URL, (TOKEN, "hunter2")]).unwrap();
        assert!(!format!("{chosen:?}").contains("hunter"));
    }
}
