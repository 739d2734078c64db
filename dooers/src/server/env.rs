//! Reading values from the environment.

use super::bind_address::BindAddress;
use super::config_error::ConfigError;
use super::variables::is_known_or_foreign;
use crate::settings::Keyring;
use std::ffi::OsString;
use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

/// The longest timeout: one day.
pub(super) const MAX_SECONDS: f64 = 86_400.0;

/// The longest retention: ten years.
const MAX_DAYS: f64 = 3_650.0;

const NOT_TEXT: &str = "it must be UTF-8 text";

/// The text in place of a value that no message shows.
const HIDDEN: &str = "…";

const BLANK: &str = "it has only white space; write a value, or unset the variable";

/// Reads values from variables. Each method leaves its target unchanged if the variable is not set. An empty variable counts
/// as not set. One with only white space is an error, because a value was intended.
pub(super) struct Environment<'a> {
    variables: &'a dyn Fn(&str) -> Option<OsString>,
}

impl<'a> Environment<'a> {
    pub(super) fn new(variables: &'a dyn Fn(&str) -> Option<OsString>) -> Self {
        Self { variables }
    }

    /// Returns true if the variable has a value.
    pub(super) fn is_set(&self, variable: &str) -> bool {
        (self.variables)(variable).is_some_and(|value| !value.is_empty())
    }

    /// Returns the value as text, as it is written. The error shows it unless it `is_hidden`.
    fn value(
        &self,
        variable: &'static str,
        is_hidden: bool,
    ) -> Result<Option<String>, ConfigError> {
        debug_assert!(
            is_known_or_foreign(variable),
            "{variable} is missing in `VARIABLES`"
        );
        let Some(value) = (self.variables)(variable).filter(|value| !value.is_empty()) else {
            return Ok(None);
        };
        let refuse = |value: String, allowed: &str| {
            let value = if is_hidden { HIDDEN.to_owned() } else { value };
            Err(ConfigError {
                variable,
                value,
                allowed: allowed.to_owned(),
            })
        };
        match value.into_string() {
            Ok(text) if text.trim().is_empty() => refuse(text, BLANK),
            Ok(text) => Ok(Some(text)),
            Err(value) => refuse(value.to_string_lossy().into_owned(), NOT_TEXT),
        }
    }

    /// Creates the error for the value that a variable has now, if any.
    pub(super) fn refuse(&self, variable: &'static str, allowed: String) -> ConfigError {
        let value = (self.variables)(variable).unwrap_or_default();
        ConfigError {
            variable,
            value: value.to_string_lossy().into_owned(),
            allowed,
        }
    }

    pub(super) fn text(
        &self,
        variable: &'static str,
        target: &mut String,
    ) -> Result<(), ConfigError> {
        self.set(variable, target, NOT_TEXT.to_owned(), |text| {
            Some(text.to_owned())
        })
    }

    pub(super) fn address(
        &self,
        variable: &'static str,
        target: &mut BindAddress,
    ) -> Result<(), ConfigError> {
        let allowed = BindAddress::ALLOWED.to_owned();
        self.set(variable, target, allowed, |text| {
            Some(BindAddress::from(text)).filter(BindAddress::is_valid)
        })
    }

    /// Reads a `bool`, or an `Option<bool>` that stays `None` if the variable is not set.
    pub(super) fn boolean(
        &self,
        variable: &'static str,
        target: &mut impl From<bool>,
    ) -> Result<(), ConfigError> {
        let allowed = "it must be one of true, false, 1, 0, yes, no, on, off";
        self.set(variable, target, allowed.to_owned(), |text| {
            match text.to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" | "on" => Some(true.into()),
                "false" | "0" | "no" | "off" => Some(false.into()),
                _ => None,
            }
        })
    }

    pub(super) fn size(
        &self,
        variable: &'static str,
        least: usize,
        target: &mut usize,
    ) -> Result<(), ConfigError> {
        let allowed = format!("it must be a whole number of at least {least}");
        self.set(variable, target, allowed, |text| {
            text.parse().ok().filter(|size| *size >= least)
        })
    }

    /// Reads a list. The type of the list checks its entries.
    pub(super) fn list<T>(&self, variable: &'static str, target: &mut T) -> Result<(), ConfigError>
    where
        T: FromStr<Err: Display>,
    {
        let mut text = String::new();
        self.text(variable, &mut text)?;
        if !text.is_empty() {
            *target = text.parse().map_err(|error: T::Err| ConfigError {
                variable,
                allowed: error.to_string(),
                value: text,
            })?;
        }
        Ok(())
    }

    /// Reads an optional limit, which is chosen by the server if the variable is not set.
    pub(super) fn limit(
        &self,
        variable: &'static str,
        target: &mut Option<usize>,
    ) -> Result<(), ConfigError> {
        let mut limit = target.unwrap_or_default();
        self.size(variable, 1, &mut limit)?;
        *target = (limit > 0).then_some(limit);
        Ok(())
    }

    pub(super) fn seconds(
        &self,
        variable: &'static str,
        least: f64,
        target: &mut Duration,
    ) -> Result<(), ConfigError> {
        let allowed = format!("it must be a number of seconds from {least} to {MAX_SECONDS}");
        self.set(variable, target, allowed, |text| {
            seconds_within(text, least)
        })
    }

    pub(super) fn days(
        &self,
        variable: &'static str,
        target: &mut Duration,
    ) -> Result<(), ConfigError> {
        let allowed = format!("it must be a number of days from 0 to {MAX_DAYS}");
        self.set(variable, target, allowed, |text| {
            let days: f64 = text.parse().ok()?;
            (0.0..=MAX_DAYS)
                .contains(&days)
                .then(|| Duration::from_secs_f64(days * MAX_SECONDS))
        })
    }

    /// Reads keys. A wrong value is not shown, because it may be a key with a typo.
    pub(super) fn secret(
        &self,
        variable: &'static str,
        target: &mut Option<Keyring>,
    ) -> Result<(), ConfigError> {
        if let Some(list) = self.hidden(variable)? {
            let keys = list.trim().parse::<Keyring>();
            *target = Some(keys.map_err(|error| Self::hide(variable, error.to_string()))?);
        }
        Ok(())
    }

    /// Reads a text unchanged. No message shows it. `None` if the variable is not set or empty.
    pub(super) fn hidden(&self, variable: &'static str) -> Result<Option<String>, ConfigError> {
        self.value(variable, true)
    }

    /// Creates the error for a value that no message shows.
    pub(super) fn hide(variable: &'static str, allowed: String) -> ConfigError {
        ConfigError {
            variable,
            value: HIDDEN.to_owned(),
            allowed,
        }
    }

    pub(super) fn set<T>(
        &self,
        variable: &'static str,
        target: &mut T,
        allowed: String,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<(), ConfigError> {
        let Some(value) = self.value(variable, false)? else {
            return Ok(());
        };
        match parse(value.trim()) {
            Some(parsed) => {
                *target = parsed;
                Ok(())
            }
            None => Err(ConfigError {
                variable,
                value,
                allowed,
            }),
        }
    }
}

/// Parses a number of seconds from `least` to [`MAX_SECONDS`].
pub(super) fn seconds_within(text: &str, least: f64) -> Option<Duration> {
    let seconds: f64 = text.parse().ok()?;
    (least..=MAX_SECONDS)
        .contains(&seconds)
        .then(|| Duration::from_secs_f64(seconds))
}
