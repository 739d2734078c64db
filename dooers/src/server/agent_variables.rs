//! The variables that override the options of agents.

use super::config_error::ConfigError;
use super::env::{Environment, MAX_SECONDS, seconds_within};
use super::variables::AGENT_PREFIX;
use crate::handler::{AgentDefinition, MAX_QUEUE, MAX_RETRIES, TurnPolicy, interned};
use crate::store::{DEFAULT_QUEUE, OnBusy};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt;

/// The shortest timeout, in seconds.
const MIN_SECONDS: f64 = 0.001;

/// The variables that override the options of agents, by their names.
#[derive(Clone, Default)]
pub(crate) struct AgentVariables(BTreeMap<String, OsString>);

/// Shows the names only. A program may keep a secret of its own in a variable such as `WORKER_AGENT_SUPPORT_API_KEY`.
impl fmt::Debug for AgentVariables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl AgentVariables {
    /// Selects the variables of agents. An empty variable counts as not set.
    pub(super) fn of(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let of_agent = |(name, value): (OsString, OsString)| {
            let name = name.into_string().ok()?;
            (name.starts_with(AGENT_PREFIX) && !value.is_empty()).then_some((name, value))
        };
        Self(variables.into_iter().filter_map(of_agent).collect())
    }

    /// Overrides the options of the agents. A variable that belongs to none of them is logged.
    pub(super) fn apply(&self, agents: &mut [AgentDefinition]) -> Result<(), ConfigError> {
        let mut unused: BTreeSet<&str> = self.0.keys().map(String::as_str).collect();
        for agent in agents {
            let names = VariableNames::of(agent.name());
            agent.set_policy(self.policy(&names, agent.policy())?);
            agent.set_private_threads(self.private_threads(&names, agent.private_threads())?);
            for name in names.all() {
                unused.remove(name);
            }
        }
        if !unused.is_empty() {
            let variables = Vec::from_iter(unused).join(", ");
            tracing::warn!(target: "dooers::server", variables, "no served agent has these variables; they have no effect");
        }
        Ok(())
    }

    /// Overrides the option for private threads of one agent.
    fn private_threads(
        &self,
        names: &VariableNames,
        mut private: Option<bool>,
    ) -> Result<Option<bool>, ConfigError> {
        let lookup = |name: &str| self.0.get(name).cloned();
        Environment::new(&lookup).boolean(names.private_threads, &mut private)?;
        Ok(private)
    }

    /// Overrides the policy of one agent.
    fn policy(
        &self,
        names: &VariableNames,
        mut policy: TurnPolicy,
    ) -> Result<TurnPolicy, ConfigError> {
        let lookup = |name: &str| self.0.get(name).cloned();
        let env = Environment::new(&lookup);
        let allowed =
            format!("it must be a number of seconds from {MIN_SECONDS} to {MAX_SECONDS}, or none");
        env.set(names.timeout, &mut policy.timeout, allowed, |text| {
            if text.eq_ignore_ascii_case("none") {
                return Some(None);
            }
            seconds_within(text, MIN_SECONDS).map(Some)
        })?;
        let allowed = format!("it must be a whole number from 0 to {MAX_RETRIES}");
        env.set(names.retry, &mut policy.retries, allowed, |text| {
            text.parse().ok().filter(|retries| *retries <= MAX_RETRIES)
        })?;
        let limit = match policy.on_busy {
            OnBusy::Queue { limit } => limit,
            OnBusy::Reject | OnBusy::Interrupt | OnBusy::Concurrent => DEFAULT_QUEUE,
        };
        let allowed = "it must be one of queue, reject, interrupt, concurrent".to_owned();
        env.set(
            names.on_busy,
            &mut policy.on_busy,
            allowed,
            |text| match text.to_ascii_lowercase().as_str() {
                "queue" => Some(OnBusy::Queue { limit }),
                "reject" => Some(OnBusy::Reject),
                "interrupt" => Some(OnBusy::Interrupt),
                "concurrent" => Some(OnBusy::Concurrent),
                _ => None,
            },
        )?;
        let queues = matches!(policy.on_busy, OnBusy::Queue { .. });
        let allowed = if queues {
            format!("it must be a whole number from 1 to {MAX_QUEUE}")
        } else {
            let on_busy = names.on_busy;
            format!(
                "the agent does not queue messages; remove the variable, or set {on_busy} to queue"
            )
        };
        env.set(names.queue, &mut policy.on_busy, allowed, |text| {
            let limit = text.parse().ok()?;
            (queues && (1..=MAX_QUEUE).contains(&limit)).then_some(OnBusy::Queue { limit })
        })?;
        Ok(policy)
    }
}

/// The names of the variables of one agent.
struct VariableNames {
    timeout: &'static str,
    retry: &'static str,
    queue: &'static str,
    on_busy: &'static str,
    private_threads: &'static str,
}

impl VariableNames {
    fn of(agent: &str) -> Self {
        let upper = |character: char| match character {
            character if character.is_ascii_alphanumeric() => character.to_ascii_uppercase(),
            _ => '_',
        };
        let agent: String = agent.chars().map(upper).collect();
        let name = |option| interned(format!("{AGENT_PREFIX}{agent}_{option}"));
        Self {
            timeout: name("TIMEOUT"),
            retry: name("RETRY"),
            queue: name("QUEUE"),
            on_busy: name("ON_BUSY"),
            private_threads: name("PRIVATE_THREADS"),
        }
    }

    fn all(&self) -> [&'static str; 5] {
        [
            self.timeout,
            self.retry,
            self.queue,
            self.on_busy,
            self.private_threads,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// The policy of the agent `front-desk` under these variables.
    fn policy(variables: &[(&str, &str)]) -> Result<TurnPolicy, String> {
        overridden(None, variables).map(|agent| agent.policy())
    }

    /// The agent `front-desk` with this option for private threads, under these variables.
    fn overridden(
        private: Option<bool>,
        variables: &[(&str, &str)],
    ) -> Result<AgentDefinition, String> {
        let name = |option: &str| format!("WORKER_AGENT_FRONT_DESK_{option}");
        let variables = variables
            .iter()
            .map(|(option, value)| (name(option).into(), value.into()));
        let other = ("WORKER_AGENT_OTHER_RETRY".into(), "many".into());
        let variables = AgentVariables::of(variables.chain([other]));
        let mut agent = AgentDefinition::from_fn("front-desk", async || {})
            .with_timeout(Duration::from_secs(30))
            .with_retries(1)
            .when_busy(OnBusy::Queue { limit: 8 });
        agent.set_private_threads(private);
        let mut agents = [agent];
        variables
            .apply(&mut agents)
            .map_err(|error| error.to_string())?;
        let [agent] = agents;
        Ok(agent)
    }

    #[test]
    fn variable_overrides_private_threads() {
        for given in [None, Some(false), Some(true)] {
            let private = |text| {
                let agent = overridden(given, &[("PRIVATE_THREADS", text)]);
                agent.map(|agent| agent.private_threads())
            };
            assert_eq!(private("true"), Ok(Some(true)));
            assert_eq!(private(" OFF "), Ok(Some(false)));
            assert_eq!(private(""), Ok(given));
            assert_eq!(
                private("maybe").unwrap_err(),
                "WORKER_AGENT_FRONT_DESK_PRIVATE_THREADS is `maybe`; it must be one of true, false, 1, 0, yes, no, on, off"
            );
        }
    }

    #[test]
    fn variables_override_each_option() {
        let given = policy(&[]).unwrap();
        assert_eq!(given.timeout(), Some(Duration::from_secs(30)));
        let timeout = |text| policy(&[("TIMEOUT", text)]).unwrap().timeout();
        assert_eq!(timeout(" 1.5 "), Some(Duration::from_millis(1500)));
        assert_eq!(timeout("none"), None);
        assert_eq!(timeout(""), given.timeout());
        assert_eq!(policy(&[("RETRY", "0")]).unwrap().retries(), 0);
        let on_busy = |variables: &[_]| policy(variables).unwrap().on_busy();
        assert_eq!(
            on_busy(&[("QUEUE", "10000")]),
            OnBusy::Queue { limit: 10_000 }
        );
        assert_eq!(on_busy(&[("ON_BUSY", "Reject")]), OnBusy::Reject);
        assert_eq!(on_busy(&[("ON_BUSY", "queue")]), OnBusy::Queue { limit: 8 });
    }

    #[test]
    fn debug_shows_no_values() {
        let variables = [("WORKER_AGENT_SUPPORT_API_KEY".into(), "hush".into())];
        let shown = format!("{:?}", AgentVariables::of(variables));
        assert_eq!(shown, r#"{"WORKER_AGENT_SUPPORT_API_KEY"}"#);
    }

    #[test]
    fn bad_variable_is_named_with_the_allowed_values() {
        let name = "WORKER_AGENT_FRONT_DESK";
        let range = "it must be a number of seconds from 0.001 to 86400, or none";
        for (variables, expected) in [
            (
                &[("TIMEOUT", "0")][..],
                format!("{name}_TIMEOUT is `0`; {range}"),
            ),
            (
                &[("TIMEOUT", "90s")],
                format!("{name}_TIMEOUT is `90s`; {range}"),
            ),
            (
                &[("TIMEOUT", "NaN")],
                format!("{name}_TIMEOUT is `NaN`; {range}"),
            ),
            (
                &[("RETRY", "101")],
                format!("{name}_RETRY is `101`; it must be a whole number from 0 to 100"),
            ),
            (
                &[("QUEUE", "0")],
                format!("{name}_QUEUE is `0`; it must be a whole number from 1 to 10000"),
            ),
            (
                &[("ON_BUSY", "wait")],
                format!(
                    "{name}_ON_BUSY is `wait`; it must be one of queue, reject, interrupt, concurrent"
                ),
            ),
            (
                &[("ON_BUSY", "reject"), ("QUEUE", "4")],
                format!(
                    "{name}_QUEUE is `4`; the agent does not queue messages; remove the variable, or set \
                     {name}_ON_BUSY to queue"
                ),
            ),
        ] {
            assert_eq!(policy(variables).unwrap_err(), expected);
        }
    }
}
