//! The option `timeout`.

use super::Role;
use super::duration::{DurationError, parse_millis, suggest_duration};
use crate::diagnostic::FunctionMistake;
use crate::options::Options;
use crate::syntax::as_string;
use quote::ToTokens;
use syn::LitStr;

/// The longest timeout, in milliseconds: a day.
const MAX_TIMEOUT_MS: u64 = 24 * 3_600_000;

/// Returns the timeout in milliseconds.
pub(crate) fn timeout(options: &mut Options<'_>, role: &'static Role) -> Option<u64> {
    let value = options.expr("timeout")?;
    let quoted = as_string(&value).map(LitStr::value);
    let is_quoted = quoted.is_some();
    // A value without quotes is read as if it had quotes, for the suggestion.
    let text = quoted.unwrap_or_else(|| value.to_token_stream().to_string().replace('_', ""));
    let suggestion = suggest_duration(&text, MAX_TIMEOUT_MS).unwrap_or_else(|| "90s".to_owned());
    let mistake = match parse_millis(&text) {
        Ok(0) => FunctionMistake::ZeroTimeout,
        Ok(long) if long > MAX_TIMEOUT_MS => FunctionMistake::TimeoutTooLong,
        Ok(timeout) if is_quoted => return Some(timeout),
        Err(DurationError::MissingUnit) if is_quoted => {
            FunctionMistake::TimeoutMissingUnit { suggestion }
        }
        Err(DurationError::UnknownUnit(unit)) if is_quoted => {
            FunctionMistake::TimeoutUnknownUnit { unit, suggestion }
        }
        Err(DurationError::Fraction) if is_quoted => {
            FunctionMistake::FractionalTimeout { suggestion }
        }
        Ok(_) | Err(_) => FunctionMistake::InvalidTimeout { suggestion },
    };
    options.report(value, role.error(mistake));
    None
}
