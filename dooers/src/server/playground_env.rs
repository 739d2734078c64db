//! The variable of the playground.

use super::config::WorkerConfig;
use super::config_error::ConfigError;
use super::env::Environment;

const PLAYGROUND: &str = "WORKER_PLAYGROUND";

impl Environment<'_> {
    /// Reads whether the playground is served. Without the feature `playground`, this program cannot serve it.
    pub(super) fn playground(&self, config: &mut WorkerConfig) -> Result<(), ConfigError> {
        let mut is_on = None;
        self.boolean(PLAYGROUND, &mut is_on)?;
        #[cfg(feature = "playground")]
        {
            config.playground = is_on;
        }
        #[cfg(not(feature = "playground"))]
        if is_on == Some(true) {
            let mut value = String::new();
            self.text(PLAYGROUND, &mut value)?;
            return Err(ConfigError {
                variable: PLAYGROUND,
                value,
                allowed: "this program was built without the feature `playground` of dooers; enable the feature, or unset the variable".to_owned(),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &'static str) -> Result<WorkerConfig, String> {
        let lookup = |name: &str| (name == PLAYGROUND).then(|| value.into());
        let mut config = WorkerConfig::new();
        let read = Environment::new(&lookup).playground(&mut config);
        read.map(|()| config).map_err(|error| error.to_string())
    }

    #[cfg(feature = "playground")]
    #[test]
    fn variable_overrides_the_kind_of_address() {
        for (value, expected) in [
            ("", [true, false]),
            ("on", [true, true]),
            (" TRUE ", [true, true]),
            ("off", [false, false]),
            ("0", [false, false]),
        ] {
            let config = read(value).unwrap();
            let served = [true, false].map(|is_loopback| config.has_playground(is_loopback));
            assert_eq!(served, expected, "{value:?}");
        }
    }

    #[cfg(not(feature = "playground"))]
    #[test]
    fn missing_feature_is_an_error_if_it_is_on() {
        for value in ["", "off"] {
            assert!(!read(value).unwrap().has_playground(true), "{value:?}");
        }
        assert_eq!(
            read("on").unwrap_err(),
            "WORKER_PLAYGROUND is `on`; this program was built without the feature `playground` of dooers; enable the feature, or unset the variable"
        );
    }

    #[test]
    fn other_value_is_an_error() {
        assert_eq!(
            read("maybe").unwrap_err(),
            "WORKER_PLAYGROUND is `maybe`; it must be one of true, false, 1, 0, yes, no, on, off"
        );
    }
}
