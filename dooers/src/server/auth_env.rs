//! The choice of the authenticator by variables.

use super::config_error::ConfigError;
use super::env::Environment;
use crate::auth::SharedAuthenticator;

/// Returns the authenticator that the variables describe. `None` if they describe none.
pub(super) fn authenticator(
    env: &Environment<'_>,
) -> Result<Option<SharedAuthenticator>, ConfigError> {
    env.jwt()
}
