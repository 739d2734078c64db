//! The variables of the webhook.

use super::config_error::ConfigError;
use super::env::Environment;
#[cfg(feature = "webhook")]
use super::webhook::{AnalyticsWebhook, InvalidWebhook};
#[cfg(feature = "webhook")]
use crate::settings::Secret;

const URL: &str = "WORKER_ANALYTICS_WEBHOOK_URL";

#[cfg(feature = "webhook")]
const SECRET: &str = "WORKER_ANALYTICS_WEBHOOK_SECRET";

impl Environment<'_> {
    /// Reads the webhook, if its URL is set. Messages do not show the URL, because it may contain a token.
    #[cfg(feature = "webhook")]
    pub(super) fn webhook(&self, target: &mut Option<AnalyticsWebhook>) -> Result<(), ConfigError> {
        let Some(url) = self.hidden(URL)? else {
            return Ok(());
        };
        let Some(secret) = self.hidden(SECRET)? else {
            let allowed = format!(
                "it is required, because the batches for {URL} are signed with it; create one with `openssl rand -base64 32`"
            );
            return Err(self.refuse(SECRET, allowed));
        };
        let mut builder = AnalyticsWebhook::builder(url, Secret::new(secret));
        self.boolean(
            "WORKER_ANALYTICS_WEBHOOK_ALLOW_PRIVATE",
            &mut builder.allow_private,
        )?;
        self.seconds(
            "WORKER_ANALYTICS_WEBHOOK_MAX_AGE",
            0.0,
            &mut builder.max_age,
        )?;
        self.size(
            "WORKER_ANALYTICS_WEBHOOK_MAX_EVENTS",
            1,
            &mut builder.max_events,
        )?;
        self.seconds(
            "WORKER_ANALYTICS_WEBHOOK_TIMEOUT",
            0.1,
            &mut builder.timeout,
        )?;
        let webhook = builder.build().map_err(|error| {
            let variable = if error == InvalidWebhook::Secret {
                SECRET
            } else {
                URL
            };
            Self::hide(variable, error.to_string())
        })?;
        *target = Some(webhook);
        Ok(())
    }

    /// Refuses a webhook, because this program cannot send to one.
    #[cfg(not(feature = "webhook"))]
    pub(super) fn no_webhook(&self) -> Result<(), ConfigError> {
        if self.hidden(URL)?.is_none() {
            return Ok(());
        }
        let allowed = "this program was built without the feature `webhook` of dooers; enable the feature, or unset the variable";
        Err(Self::hide(URL, allowed.to_owned()))
    }
}

#[cfg(all(test, feature = "webhook"))]
mod tests {
    use super::*;
    use std::ffi::OsString;

    fn webhook(variables: &[(&str, &str)]) -> Result<Option<AnalyticsWebhook>, String> {
        let lookup = |name: &str| {
            let name = name.strip_prefix("WORKER_ANALYTICS_WEBHOOK_")?;
            let mut variables = variables.iter();
            variables
                .find(|(set, _)| *set == name)
                .map(|(_, value)| OsString::from(value))
        };
        let mut webhook = None;
        let read = Environment::new(&lookup).webhook(&mut webhook);
        read.map(|()| webhook).map_err(|error| error.to_string())
    }

    const URL: (&str, &str) = ("URL", "https://hooks.example.com/token");
    const SECRET: (&str, &str) = ("SECRET", "0123456789abcdef");

    #[test]
    fn webhook_is_off_without_a_url() {
        assert!(webhook(&[]).unwrap().is_none());
        assert!(webhook(&[("URL", ""), SECRET]).unwrap().is_none());
    }

    #[test]
    fn values_are_read_and_not_shown() {
        let webhook = webhook(&[URL, SECRET, ("MAX_AGE", "0.5"), ("MAX_EVENTS", "7")]).unwrap();
        let shown = format!("{webhook:?}");
        assert!(
            shown.contains("500ms") && shown.contains("max_events: 7"),
            "{shown}"
        );
        assert!(
            !shown.contains("token") && !shown.contains("0123"),
            "{shown}"
        );
    }

    #[test]
    fn private_address_needs_a_variable() {
        let private = ("URL", "https://10.0.0.1/x");
        assert!(webhook(&[private, SECRET, ("ALLOW_PRIVATE", "true")]).is_ok());
        let error = webhook(&[private, SECRET]).unwrap_err();
        assert!(
            error.contains("ALLOW_PRIVATE=true") && !error.contains("10.0.0.1"),
            "{error}"
        );
    }

    #[test]
    fn error_names_the_variable_and_the_way_out() {
        assert_eq!(
            webhook(&[URL]).unwrap_err(),
            "WORKER_ANALYTICS_WEBHOOK_SECRET is not set; it is required, because the batches for \
             WORKER_ANALYTICS_WEBHOOK_URL are signed with it; create one with `openssl rand -base64 32`"
        );
        assert_eq!(
            webhook(&[URL, ("SECRET", "short")]).unwrap_err(),
            "WORKER_ANALYTICS_WEBHOOK_SECRET is `…`; the secret must have at least 16 bytes, because the receiver \
             recognizes the server by it; create one with `openssl rand -base64 32`"
        );
        assert_eq!(
            webhook(&[("URL", "hooks"), SECRET]).unwrap_err(),
            "WORKER_ANALYTICS_WEBHOOK_URL is `…`; it must be a URL such as https://hooks.example.com/dooers"
        );
    }
}
