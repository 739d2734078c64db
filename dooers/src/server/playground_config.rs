//! The choice of serving the playground.

use super::config::WorkerConfig;
#[cfg(not(feature = "playground"))]
use super::config_error::ConfigError;
#[cfg(not(feature = "playground"))]
use super::env::Environment;

/// The variable that decides if the playground is served.
pub(super) const PLAYGROUND: &str = "WORKER_PLAYGROUND";

impl WorkerConfig {
    /// Sets whether the server serves the playground at `/`: a page for conversations with the agents.
    ///
    /// By default, a server that listens on a loopback address serves it, and any other server does not. The page consists of
    /// static files. It can do no more than any other client, and the rules of
    /// [`allowed_hosts`](Self::allowed_hosts) and [`allowed_origins`](Self::allowed_origins) apply to it. Turn it off for a
    /// server on a loopback address that a proxy publishes, unless the users of the proxy may see the page.
    ///
    /// ```
    /// use dooers::WorkerConfig;
    ///
    /// let config = WorkerConfig::new().playground(false);
    /// ```
    #[cfg(feature = "playground")]
    #[must_use]
    pub fn playground(mut self, on: bool) -> Self {
        self.playground = Some(on);
        self
    }

    /// Returns true if a server serves the playground. This is the only place that decides it.
    #[cfg(feature = "playground")]
    pub(super) fn has_playground(&self, is_on_loopback: bool) -> bool {
        self.playground.unwrap_or(is_on_loopback)
    }

    /// Returns false: this program does not contain the playground.
    #[cfg(not(feature = "playground"))]
    pub(super) fn has_playground(&self, _: bool) -> bool {
        false
    }
}

#[cfg(not(feature = "playground"))]
impl Environment<'_> {
    /// Refuses to turn the playground on, because this program does not contain it.
    pub(super) fn no_playground(&self) -> Result<(), ConfigError> {
        let (mut is_on, mut value) = (false, String::new());
        self.boolean(PLAYGROUND, &mut is_on)?;
        self.text(PLAYGROUND, &mut value)?;
        if !is_on {
            return Ok(());
        }
        Err(ConfigError {
            variable: PLAYGROUND,
            value,
            allowed: "this program was built without the feature `playground` of dooers; enable the feature, or unset the variable".to_owned(),
        })
    }
}

#[cfg(all(test, not(feature = "playground")))]
mod tests {
    use super::*;

    fn read(value: &'static str) -> Result<(), String> {
        let lookup = |name: &str| (name == PLAYGROUND).then(|| value.into());
        let read = Environment::new(&lookup).no_playground();
        read.map_err(|error| error.to_string())
    }

    #[test]
    fn missing_feature_is_an_error_if_it_is_on() {
        assert_eq!([read(""), read("off")], [Ok(()), Ok(())]);
        assert_eq!(
            read("on").unwrap_err(),
            "WORKER_PLAYGROUND is `on`; this program was built without the feature `playground` of dooers; enable the feature, or unset the variable"
        );
        assert_eq!(
            read("maybe").unwrap_err(),
            "WORKER_PLAYGROUND is `maybe`; it must be one of true, false, 1, 0, yes, no, on, off"
        );
    }
}
