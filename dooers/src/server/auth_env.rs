//! The variables of the authenticators.

use super::config_error::ConfigError;
use super::env::Environment;
use crate::auth::{SharedAuthenticator, StaticTokens};
use std::error::Error;

const TOKENS_FILE: &str = "WORKER_TOKENS_FILE";

/// Reads an authenticator whose variable is set.
type Read = fn(&Environment<'_>) -> Result<SharedAuthenticator, ConfigError>;

/// The authenticators, each with the variable that selects it.
const AUTHENTICATORS: &[(&str, Read)] = &[(TOKENS_FILE, static_tokens)];

/// Reads the authenticator. `None` if no variable selects one.
pub(super) fn authenticator(
    env: &Environment<'_>,
) -> Result<Option<SharedAuthenticator>, ConfigError> {
    let mut selected = AUTHENTICATORS
        .iter()
        .filter(|(variable, _)| env.is_set(variable));
    let Some((variable, read)) = selected.next() else {
        return Ok(None);
    };
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
        Err(error) => Err(ConfigError {
            variable: TOKENS_FILE,
            value: path,
            allowed: match error.source() {
                Some(source) => format!("{error}: {source}"),
                None => error.to_string(),
            },
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
}
