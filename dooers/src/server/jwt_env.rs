//! The variables of JSON Web Tokens.

use super::config_error::ConfigError;
use super::env::Environment;
use crate::auth::SharedAuthenticator;
#[cfg(feature = "jwt")]
use crate::auth::{InvalidJwt, Jwt, JwtBuilder, check_writers};
#[cfg(feature = "jwt")]
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    time::Duration,
};

const SECRET: &str = "WORKER_JWT_SECRET";
const PUBLIC_KEY: &str = "WORKER_JWT_PUBLIC_KEY";
const JWKS_URL: &str = "WORKER_JWT_JWKS_URL";

/// The variables with the source of keys. A server uses one of them.
const KEYS: [&str; 3] = [SECRET, PUBLIC_KEY, JWKS_URL];

const ISSUER: &str = "WORKER_JWT_ISSUER";
const AUDIENCE: &str = "WORKER_JWT_AUDIENCE";
const LEEWAY: &str = "WORKER_JWT_LEEWAY";

/// The variables that change how tokens are checked.
const OPTIONS: [&str; 11] = [
    ISSUER,
    AUDIENCE,
    LEEWAY,
    "WORKER_JWT_CLAIM_USER",
    "WORKER_JWT_CLAIM_NAME",
    "WORKER_JWT_CLAIM_EMAIL",
    "WORKER_JWT_CLAIM_ORGANIZATION",
    "WORKER_JWT_CLAIM_WORKSPACE",
    "WORKER_JWT_CLAIM_ROLE",
    "WORKER_JWT_CLAIM_WORKERS",
    "WORKER_JWT_CLAIM_RIGHTS",
];

impl Environment<'_> {
    /// Reads the check of tokens, if a key is set. No message shows a secret.
    #[cfg(feature = "jwt")]
    pub(super) fn jwt(&self) -> Result<Option<SharedAuthenticator>, ConfigError> {
        let mut set = KEYS.into_iter().filter(|variable| self.is_set(variable));
        let Some(variable) = set.next() else {
            return self.no_options();
        };
        if let Some(second) = set.next() {
            let allowed = format!(
                "{variable} is set, too, and tokens have one source of keys; unset one of them"
            );
            return Err(Self::hide(second, allowed));
        }
        let jwt = self.jwt_options(self.jwt_key(variable)?)?.build();
        let jwt = jwt.map_err(|error| match error {
            InvalidJwt::Issuer => self.refuse(ISSUER, error.to_string()),
            InvalidJwt::Audience => self.refuse(AUDIENCE, error.to_string()),
            InvalidJwt::Leeway => self.refuse(LEEWAY, error.to_string()),
            _ => Self::hide(variable, error.to_string()),
        })?;
        Ok(Some(SharedAuthenticator::new(jwt)))
    }

    /// Refuses variables without a key, because the server would believe clients.
    #[cfg(feature = "jwt")]
    fn no_options(&self) -> Result<Option<SharedAuthenticator>, ConfigError> {
        let option = OPTIONS.into_iter().find(|option| self.is_set(option));
        match option {
            None => Ok(None),
            Some(option) => {
                let keys = KEYS.join(" or ");
                let allowed = format!("it has no effect without a key; set {keys}, or unset it");
                Err(self.refuse(option, allowed))
            }
        }
    }

    #[cfg(feature = "jwt")]
    fn jwt_key(&self, variable: &'static str) -> Result<JwtBuilder, ConfigError> {
        let value = self.hidden(variable)?.unwrap_or_default();
        match variable {
            SECRET => return Ok(Jwt::hs256(value)),
            JWKS_URL => return Ok(Jwt::jwks(value)),
            _ => {}
        }
        if value.contains("-----BEGIN") {
            // Files with variables often write line breaks as `\n`, which PEM never contains.
            return Ok(Jwt::pem(value.replace("\\n", "\n")));
        }
        let path = Path::new(value.trim());
        let refuse = |reason: String| {
            let rule = "it must be a public key in PEM, or the path of a file with one";
            self.refuse(variable, format!("{rule}: {reason}"))
        };
        let read = || {
            let mut file = File::open(path)?;
            let mut pem = Vec::new();
            file.read_to_end(&mut pem)?;
            Ok((pem, file.metadata()?))
        };
        let (pem, metadata) = read()
            .map_err(|error: io::Error| refuse(format!("the file cannot be read: {error}")))?;
        check_writers(path, &metadata).map_err(|open| refuse(open.to_string()))?;
        Ok(Jwt::pem(pem))
    }

    #[cfg(feature = "jwt")]
    fn jwt_options(&self, mut builder: JwtBuilder) -> Result<JwtBuilder, ConfigError> {
        let text = |variable| {
            let mut text = String::new();
            self.text(variable, &mut text)
                .map(|()| (!text.is_empty()).then_some(text))
        };
        if let Some(issuer) = text(ISSUER)? {
            builder = builder.issuer(issuer);
        }
        for audience in text(AUDIENCE)?.unwrap_or_default().split(',') {
            let audience = audience.trim();
            if !audience.is_empty() {
                builder = builder.audience(audience);
            }
        }
        let mut leeway = Duration::MAX;
        self.seconds(LEEWAY, 0.0, &mut leeway)?;
        if leeway != Duration::MAX {
            builder = builder.leeway(leeway);
        }
        let setters: [fn(JwtBuilder, String) -> JwtBuilder; 8] = [
            JwtBuilder::user_claim,
            JwtBuilder::name_claim,
            JwtBuilder::email_claim,
            JwtBuilder::organization_claim,
            JwtBuilder::workspace_claim,
            JwtBuilder::role_claim,
            JwtBuilder::workers_claim,
            JwtBuilder::rights_claim,
        ];
        for (variable, set) in OPTIONS[3..].iter().zip(setters) {
            if let Some(name) = text(variable)? {
                builder = set(builder, name);
            }
        }
        Ok(builder)
    }

    /// Refuses the variables, because this program cannot check tokens.
    #[cfg(not(feature = "jwt"))]
    pub(super) fn jwt(&self) -> Result<Option<SharedAuthenticator>, ConfigError> {
        let mut variables = KEYS.into_iter().chain(OPTIONS);
        match variables.find(|variable| self.is_set(variable)) {
            None => Ok(None),
            Some(variable) => {
                let allowed = "this program was built without the feature `jwt` of dooers; enable the feature, or unset the variable";
                Err(Self::hide(variable, allowed.to_owned()))
            }
        }
    }
}

#[cfg(all(test, feature = "jwt"))]
mod tests {
    use super::*;
    use std::ffi::OsString;
    use std::io::Write;

    fn jwt(variables: &[(&str, &str)]) -> Result<bool, String> {
        let lookup = |name: &str| {
            let name = name.strip_prefix("WORKER_JWT_")?;
            let mut variables = variables.iter();
            variables
                .find(|(set, _)| *set == name)
                .map(|(_, value)| OsString::from(value))
        };
        let read = Environment::new(&lookup).jwt();
        read.map(|jwt| jwt.is_some_and(|jwt| !jwt.believes_clients()))
            .map_err(|error| error.to_string())
    }

    const SECRET: (&str, &str) = ("SECRET", "0123456789abcdef0123456789abcdef");
    const ISSUER: (&str, &str) = ("ISSUER", "https://login.example.com/");
    const AUDIENCE: (&str, &str) = ("AUDIENCE", "chat, admin");
    const PEM: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAX8O88ZlP64iOEjaTsuGyAPSvu8vH2v7AHvdrDGAfs4w=\n-----END PUBLIC KEY-----\n";

    #[test]
    fn tokens_are_checked_if_a_key_is_set() {
        assert_eq!(jwt(&[]), Ok(false));
        assert_eq!(jwt(&[("SECRET", ""), ("CLAIM_USER", "")]), Ok(false));
        let all = [
            SECRET,
            ISSUER,
            AUDIENCE,
            ("LEEWAY", "0"),
            ("CLAIM_USER", "uid"),
            ("CLAIM_NAME", "n"),
            ("CLAIM_EMAIL", "e"),
            ("CLAIM_ORGANIZATION", "https://example.com/org"),
            ("CLAIM_WORKSPACE", "app.workspace"),
            ("CLAIM_ROLE", "r"),
            ("CLAIM_WORKERS", "w"),
            ("CLAIM_RIGHTS", "s"),
        ];
        assert_eq!(jwt(&all), Ok(true));
        assert_eq!(jwt(&[("PUBLIC_KEY", PEM), ISSUER, AUDIENCE]), Ok(true));
        let escaped = PEM.replace('\n', "\\n");
        assert_eq!(jwt(&[("PUBLIC_KEY", &escaped), ISSUER, AUDIENCE]), Ok(true));
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(PEM.as_bytes()).unwrap();
        let path = file.path().to_str().unwrap();
        assert_eq!(jwt(&[("PUBLIC_KEY", path), ISSUER, AUDIENCE]), Ok(true));
        // The issuer is not asked when the server starts.
        let url = ("JWKS_URL", "https://login.example.com/jwks");
        assert_eq!(jwt(&[url, ISSUER, AUDIENCE]), Ok(true));
    }

    #[cfg(unix)]
    #[test]
    fn key_file_that_others_can_change_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(PEM.as_bytes()).unwrap();
        let path = file.path().to_str().unwrap();
        for (mode, is_refused) in [(0o644, false), (0o664, true), (0o646, true)] {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
            let read = jwt(&[("PUBLIC_KEY", path), ISSUER, AUDIENCE]);
            assert_eq!(read.is_err(), is_refused, "{mode:o}");
            if let Err(error) = read {
                let reason = ": users other than its owner can change this file, ";
                assert!(error.contains(reason), "{error}");
            }
        }
    }

    #[test]
    fn error_names_the_variable_and_the_way_out() {
        let private = PEM.replace("PUBLIC", "PRIVATE");
        for (variables, expected) in [
            (
                vec![SECRET, AUDIENCE],
                "WORKER_JWT_ISSUER is not set; the issuer is required, because ",
            ),
            (
                vec![SECRET, ISSUER],
                "WORKER_JWT_AUDIENCE is not set; the audience is required, because ",
            ),
            (
                vec![SECRET, ISSUER, ("AUDIENCE", " , ")],
                "WORKER_JWT_AUDIENCE is ` , `; the audience is required, because ",
            ),
            (
                vec![("SECRET", "short"), ISSUER, AUDIENCE],
                "WORKER_JWT_SECRET is `…`; the secret must have at least 32 bytes, because ",
            ),
            (
                vec![SECRET, ISSUER, AUDIENCE, ("LEEWAY", "3600")],
                "WORKER_JWT_LEEWAY is `3600`; the leeway must be at most 300s, because ",
            ),
            (
                vec![SECRET, ISSUER, AUDIENCE, ("LEEWAY", "-1")],
                "WORKER_JWT_LEEWAY is `-1`; it must be a number of seconds",
            ),
            (
                vec![
                    ("JWKS_URL", "http://login.example.com/?key=x"),
                    ISSUER,
                    AUDIENCE,
                ],
                "WORKER_JWT_JWKS_URL is `…`; the URL of the keys must start with https://, because ",
            ),
            (
                vec![SECRET, ("PUBLIC_KEY", PEM), ISSUER, AUDIENCE],
                "WORKER_JWT_PUBLIC_KEY is `…`; WORKER_JWT_SECRET is set, too, and ",
            ),
            (
                vec![("PUBLIC_KEY", "/no/such/key.pem"), ISSUER, AUDIENCE],
                "WORKER_JWT_PUBLIC_KEY is `/no/such/key.pem`; it must be a public key in PEM, or the path of a file with one: the file cannot be read: ",
            ),
            (
                vec![("PUBLIC_KEY", private.as_str()), ISSUER, AUDIENCE],
                "WORKER_JWT_PUBLIC_KEY is `…`; the key is a private key, but ",
            ),
            (
                vec![SECRET, ("ISSUER", " "), AUDIENCE],
                "WORKER_JWT_ISSUER is ` `; it has only white space; write a value, or unset the variable",
            ),
            (
                vec![("JWKS_URL", "\t"), ISSUER, AUDIENCE],
                "WORKER_JWT_JWKS_URL is `…`; it has only white space; write a value, or unset the variable",
            ),
            (
                vec![ISSUER],
                "WORKER_JWT_ISSUER is `https://login.example.com/`; it has no effect without a key; set WORKER_JWT_SECRET or WORKER_JWT_PUBLIC_KEY or ",
            ),
            (
                vec![("CLAIM_WORKERS", "w")],
                "WORKER_JWT_CLAIM_WORKERS is `w`; it has no effect without a key; ",
            ),
        ] {
            let error = jwt(&variables).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
