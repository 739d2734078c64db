//! The variables of the authenticators.

use super::config_error::ConfigError;
use super::env::Environment;
#[cfg(feature = "auth-webhook")]
use crate::auth::{InvalidAuthWebhook, WebhookAuthenticator};
use crate::auth::{SharedAuthenticator, StaticTokens};
#[cfg(feature = "auth-webhook")]
use crate::secret::Secret;
use std::error::Error;

const TOKENS_FILE: &str = "WORKER_TOKENS_FILE";

const WEBHOOK_URL: &str = "WORKER_AUTH_WEBHOOK_URL";

const WEBHOOK_SECRET: &str = "WORKER_AUTH_WEBHOOK_SECRET";
const WEBHOOK_ALLOW_PRIVATE: &str = "WORKER_AUTH_WEBHOOK_ALLOW_PRIVATE";
const WEBHOOK_TIMEOUT: &str = "WORKER_AUTH_WEBHOOK_TIMEOUT";

/// The variables that have no effect without a URL.
const WEBHOOK_OPTIONS: [&str; 3] = [WEBHOOK_SECRET, WEBHOOK_ALLOW_PRIVATE, WEBHOOK_TIMEOUT];

/// Reads an authenticator whose variable is set.
type Read = fn(&Environment<'_>) -> Result<SharedAuthenticator, ConfigError>;

/// The authenticators besides [`jwt`](Environment::jwt), each with the variable that selects it.
const AUTHENTICATORS: &[(&str, Read)] = &[(TOKENS_FILE, static_tokens), (WEBHOOK_URL, webhook)];

/// Reads the authenticator. `None` if no variable selects one.
pub(super) fn authenticator(
    env: &Environment<'_>,
) -> Result<Option<SharedAuthenticator>, ConfigError> {
    let jwt = env.jwt()?;
    let mut options = WEBHOOK_OPTIONS.into_iter();
    if !env.is_set(WEBHOOK_URL)
        && let Some(option) = options.find(|option| env.is_set(option))
    {
        // Without the URL, the server would believe clients.
        let allowed = format!("it has no effect without {WEBHOOK_URL}; set that, or unset it");
        return Err(Environment::hide(option, allowed));
    }
    let mut selected = AUTHENTICATORS
        .iter()
        .filter(|(variable, _)| env.is_set(variable));
    let Some((variable, read)) = selected.next() else {
        return Ok(jwt);
    };
    if jwt.is_some() {
        let allowed = "a key of WORKER_JWT_… is set, too, and a server has one authenticator; unset one of them";
        return Err(Environment::hide(variable, allowed.to_owned()));
    }
    if let Some((other, _)) = selected.next() {
        return Err(Environment::hide(
            other,
            format!(
                "{variable} is set, too, and a server has one authenticator; unset one of them"
            ),
        ));
    }
    read(env).map(Some)
}

fn static_tokens(env: &Environment<'_>) -> Result<SharedAuthenticator, ConfigError> {
    let mut path = String::new();
    env.text(TOKENS_FILE, &mut path)?;
    match StaticTokens::from_file(&path) {
        Ok(tokens) => Ok(SharedAuthenticator::new(tokens)),
        Err(error) => {
            let allowed = match error.source() {
                Some(source) => format!("{error}: {source}"),
                None => error.to_string(),
            };
            Err(env.refuse(TOKENS_FILE, allowed))
        }
    }
}

#[cfg(feature = "auth-webhook")]
fn webhook(env: &Environment<'_>) -> Result<SharedAuthenticator, ConfigError> {
    let url = env.hidden(WEBHOOK_URL)?.unwrap_or_default();
    let Some(secret) = env.hidden(WEBHOOK_SECRET)? else {
        let allowed = format!(
            "it is required, because the requests to {WEBHOOK_URL} are signed with it; create one with `openssl rand -base64 32`"
        );
        return Err(env.refuse(WEBHOOK_SECRET, allowed));
    };
    let mut builder = WebhookAuthenticator::builder(url, Secret::new(secret));
    env.boolean(WEBHOOK_ALLOW_PRIVATE, &mut builder.allow_private)?;
    env.seconds(WEBHOOK_TIMEOUT, 0.1, &mut builder.timeout)?;
    let built = builder.build().map_err(|error| {
        let variable = if error == InvalidAuthWebhook::Secret {
            WEBHOOK_SECRET
        } else {
            WEBHOOK_URL
        };
        Environment::hide(variable, error.to_string())
    })?;
    Ok(SharedAuthenticator::new(built))
}

/// Refuses the webhook, because this program cannot send to one.
#[cfg(not(feature = "auth-webhook"))]
fn webhook(_: &Environment<'_>) -> Result<SharedAuthenticator, ConfigError> {
    let allowed = "this program was built without the feature `auth-webhook` of dooers; enable the feature, or unset the variable";
    Err(Environment::hide(WEBHOOK_URL, allowed.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Open;
    use crate::{Database, ServerError, WorkerConfig, WorkerServer};
    use std::ffi::OsString;

    fn read(variables: &[(&str, &str)]) -> Result<Option<SharedAuthenticator>, String> {
        let lookup = |name: &str| {
            let mut variables = variables.iter();
            let found = variables.find(|(set, _)| *set == name);
            found.map(|(_, value)| OsString::from(value))
        };
        authenticator(&Environment::new(&lookup)).map_err(|error| error.to_string())
    }

    #[test]
    fn file_of_tokens_is_read() {
        assert!(read(&[]).unwrap().is_none());
        assert!(read(&[(TOKENS_FILE, "")]).unwrap().is_none());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.toml");
        let path = path.to_str().unwrap();
        std::fs::write(path, "").unwrap();
        assert!(read(&[(TOKENS_FILE, path)]).unwrap().is_some());
        std::fs::write(path, "[[token]]\nuser = 1").unwrap();
        let error = read(&[(TOKENS_FILE, path)]).unwrap_err();
        let expected = format!(
            "WORKER_TOKENS_FILE is `{path}`; {path}, line 2: unknown member `user`; did you mean `user_id`?"
        );
        assert_eq!(error, expected);
        let error = read(&[(TOKENS_FILE, "/no/such")]).unwrap_err();
        assert_eq!(
            error,
            "WORKER_TOKENS_FILE is `/no/such`; /no/such: the file of tokens cannot be read: No such file or directory (os error 2)"
        );
    }

    #[test]
    fn two_authenticators_are_refused() {
        let both = [
            (TOKENS_FILE, "tokens.toml"),
            (WEBHOOK_URL, "https://a.example/secret"),
        ];
        assert_eq!(
            read(&both).unwrap_err(),
            "WORKER_AUTH_WEBHOOK_URL is `…`; WORKER_TOKENS_FILE is set, too, and a server has one authenticator; unset one of them"
        );
    }

    #[test]
    fn option_without_its_authenticator_is_refused() {
        for option in WEBHOOK_OPTIONS {
            let expected = format!(
                "{option} is `…`; it has no effect without WORKER_AUTH_WEBHOOK_URL; set that, or unset it"
            );
            assert_eq!(read(&[(option, "x")]).unwrap_err(), expected);
            assert!(read(&[(option, "")]).unwrap().is_none());
        }
        assert_eq!(
            read(&[(TOKENS_FILE, " ")]).unwrap_err(),
            "WORKER_TOKENS_FILE is ` `; it has only white space; write a value, or unset the variable"
        );
    }

    #[cfg(feature = "auth-webhook")]
    #[test]
    fn webhook_needs_a_url_and_a_secret() {
        let url = (WEBHOOK_URL, "https://login.example.com/token");
        let secret = (WEBHOOK_SECRET, "0123456789abcdef");
        assert!(read(&[url, secret]).unwrap().is_some());
        assert_eq!(
            read(&[url]).unwrap_err(),
            "WORKER_AUTH_WEBHOOK_SECRET is not set; it is required, because the requests to WORKER_AUTH_WEBHOOK_URL are signed \
             with it; create one with `openssl rand -base64 32`"
        );
        assert_eq!(
            read(&[(WEBHOOK_URL, "login"), secret]).unwrap_err(),
            "WORKER_AUTH_WEBHOOK_URL is `…`; it must be a URL such as https://login.example.com/dooers"
        );
        let private = (WEBHOOK_URL, "https://10.0.0.1/token");
        assert!(read(&[private, secret]).is_err());
        let allow = ("WORKER_AUTH_WEBHOOK_ALLOW_PRIVATE", "true");
        assert!(read(&[private, secret, allow]).is_ok());
        let error = read(&[url, secret, ("WORKER_AUTH_WEBHOOK_TIMEOUT", "0")]).unwrap_err();
        assert!(
            error.starts_with("WORKER_AUTH_WEBHOOK_TIMEOUT is `0`"),
            "{error}"
        );
    }

    #[cfg(not(feature = "auth-webhook"))]
    #[test]
    fn webhook_without_its_feature_is_refused() {
        assert_eq!(
            read(&[(WEBHOOK_URL, "https://login.example.com")]).unwrap_err(),
            "WORKER_AUTH_WEBHOOK_URL is `…`; this program was built without the feature `auth-webhook` of dooers; enable \
             the feature, or unset the variable"
        );
    }

    #[tokio::test]
    async fn authenticator_of_the_program_beside_a_variable_is_refused() {
        let mut config = WorkerConfig::new().database(Database::Memory);
        config.authenticator_is_by_variable = true;
        let server = WorkerServer::new(config).authenticator(Open);
        let error = server.repository().await.unwrap_err();
        assert!(matches!(error, ServerError::TwoAuthenticators), "{error}");
    }
}
