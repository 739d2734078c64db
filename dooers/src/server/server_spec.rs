//! The program's description of a server.

use super::callback::Callback;
use super::config::WorkerConfig;
use super::error::ServerError;
use crate::handler::{AgentDefinition, annotated};
use crate::handler::{Middlewares, States};
use crate::settings::{AgentSchema, Schemas, SettingsSchema, SettingsUpdate};
use crate::store::FeedbackUpdate;
use std::any::{TypeId, type_name};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The program's description of a server: configuration, agents, settings and states.
#[derive(Debug, Clone)]
pub(super) struct ServerSpec {
    pub(super) config: WorkerConfig,
    /// The agents that the program named. An empty list stands for all annotated agents.
    pub(super) chosen: Vec<AgentDefinition>,
    /// True if all annotated agents are served beside the named ones.
    pub(super) with_annotated: bool,
    /// The schemas that were built by hand, by the names of their agents.
    schemas: HashMap<&'static str, Arc<SettingsSchema>>,
    pub(super) on_settings_updated: Option<Callback<SettingsUpdate>>,
    pub(super) on_feedback: Option<Callback<FeedbackUpdate>>,
    pub(super) states: States,
    pub(super) middlewares: Middlewares,
    /// True if the program set an authenticator, and a variable had set another one.
    pub(super) two_authenticators: bool,
    /// The states and schemas that the program has given since the server was created.
    given: HashSet<Given>,
    /// A state or schema that the program gave twice.
    given_twice: Option<Given>,
}

/// A value of which a server has at most one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Given {
    /// The state of a type.
    State(TypeId, &'static str),
    /// The schema of an agent that was built by hand.
    Schema(&'static str),
}

impl ServerSpec {
    pub(super) fn new(config: WorkerConfig) -> Self {
        Self {
            config,
            chosen: Vec::new(),
            with_annotated: false,
            schemas: HashMap::new(),
            on_settings_updated: None,
            on_feedback: None,
            states: States::default(),
            middlewares: Middlewares::default(),
            two_authenticators: false,
            given: HashSet::new(),
            given_twice: None,
        }
    }

    /// Adds a state for the handlers.
    pub(super) fn add_state<S: Send + Sync + 'static>(&mut self, state: S) {
        self.give(Given::State(TypeId::of::<S>(), type_name::<S>()));
        self.states.insert(state);
    }

    /// Adds the schema of an agent.
    pub(super) fn add_schema(&mut self, agent: &'static str, schema: SettingsSchema) {
        self.give(Given::Schema(agent));
        self.schemas.insert(agent, Arc::new(schema));
    }

    fn give(&mut self, given: Given) {
        if !self.given.insert(given) {
            self.given_twice.get_or_insert(given);
        }
    }

    /// Lets the caller replace each state and schema once. A test replaces those of the program.
    #[cfg(feature = "testing")]
    pub(super) fn replaceable(mut self) -> Self {
        self.given.clear();
        self
    }

    /// The agents to serve. Each has the states that it requires.
    pub(super) fn agents(&self) -> Result<Vec<AgentDefinition>, ServerError> {
        let mut agents = self.chosen.clone();
        if agents.is_empty() || self.with_annotated {
            let others = annotated();
            check_names(&others)?;
            // A named one may have other options, and replaces the one of the registry.
            let is_named = |agent: &AgentDefinition| {
                let mut named = self.chosen.iter().filter(|named| !named.place().is_made());
                named.any(|named| named.name() == agent.name())
            };
            agents.extend(others.into_iter().filter(|agent| !is_named(agent)));
        }
        check(&agents)?;
        match self.given_twice {
            Some(Given::State(_, of)) => return Err(ServerError::StateTwice(of)),
            Some(Given::Schema(agent)) => return Err(ServerError::SchemaTwice(agent)),
            None => {}
        }
        self.config.agent_variables.apply(&mut agents)?;
        agents.iter_mut().for_each(AgentDefinition::make_part);
        for agent in &agents {
            if let Some(problem) = agent.mistake() {
                let agent = agent.name().escape_debug().to_string();
                return Err(ServerError::InvalidAgent { agent, problem });
            }
        }
        for agent in &agents {
            let is_missing = |state: &&crate::handler::StateType| !self.states.has(state.id);
            if let Some(state) = agent.requirements().states().iter().find(is_missing) {
                return Err(ServerError::NoState {
                    agent: agent.name(),
                    of: state.name,
                    given: self.states.types(),
                });
            }
        }
        Ok(agents)
    }

    /// The settings schema of each agent that has settings.
    pub(super) fn schemas_of(&self, agents: &[AgentDefinition]) -> Result<Schemas, ServerError> {
        let mut schemas = Schemas::new();
        for agent in agents {
            if let Some(schema) = self.schema_of(agent)? {
                schemas.insert(agent.name(), schema);
            }
        }
        Ok(schemas)
    }

    fn schema_of(&self, agent: &AgentDefinition) -> Result<Option<AgentSchema>, ServerError> {
        let requirements = agent.requirements();
        let by_hand = self.schemas.get(agent.name());
        let by_hand = by_hand.or(agent.settings_schema());
        let agent = agent.name();
        match (requirements.settings_types(), by_hand) {
            ([one, other, ..], _) => Err(ServerError::TwoSettings {
                agent,
                one: one.name,
                other: other.name,
            }),
            ([one], Some(_)) => Err(ServerError::SettingsByHand {
                agent,
                of: one.name,
            }),
            ([one], None) => {
                let schema = (one.schema)();
                schema
                    .check_fields()
                    .map_err(|error| ServerError::InvalidSettings {
                        of: one.name,
                        problem: in_one_line(error.mistakes()),
                    })?;
                let schema = Arc::new(schema.clone());
                Ok(Some(self.with_variables(schema, one.name, Some(one.id))?))
            }
            ([], Some(schema)) => {
                let schema = Arc::clone(schema);
                Ok(Some(self.with_variables(schema, agent, None)?))
            }
            ([], None) if requirements.needs_values() => Err(ServerError::NoSettings(agent)),
            ([], None) => Ok(None),
        }
    }

    /// Reads the variables that secret settings name.
    fn with_variables(
        &self,
        schema: Arc<SettingsSchema>,
        of: &'static str,
        type_id: Option<TypeId>,
    ) -> Result<AgentSchema, ServerError> {
        let from_env = schema.read(&self.config.secret_variables);
        let from_env = from_env.map_err(|bad| ServerError::SecretVariable {
            of,
            field_id: bad.field_id,
            variable: bad.variable,
            problem: bad.problem,
        })?;
        Ok(AgentSchema {
            schema,
            type_id,
            from_env,
        })
    }
}

/// Joins mistakes, whose texts may come from the checks of the program, in one line for a log.
fn in_one_line(mistakes: &[String]) -> String {
    let joined = mistakes.join("; ");
    let parts = joined.split(char::is_control);
    let parts: Vec<_> = parts.filter(|part| !part.is_empty()).collect();
    parts.join(" ")
}

fn check(agents: &[AgentDefinition]) -> Result<(), ServerError> {
    if agents.is_empty() {
        return Err(ServerError::NoAgent);
    }
    check_names(agents)?;
    let mut defaults = agents.iter().filter(|agent| agent.is_default());
    match (defaults.next(), defaults.next()) {
        (Some(one), Some(other)) => Err(ServerError::TwoDefaults(one.name(), other.name())),
        _ => Ok(()),
    }
}

fn check_names(agents: &[AgentDefinition]) -> Result<(), ServerError> {
    for (at, agent) in agents.iter().enumerate() {
        let before = agents[..at].iter();
        let Some(other) = before.rev().find(|other| other.name() == agent.name()) else {
            continue;
        };
        let (one, other) = (other.place(), agent.place());
        return Err(if one.is_same_function(other) {
            ServerError::AgentTwice(agent.name())
        } else {
            ServerError::SameName {
                name: agent.name(),
                one: one.to_string(),
                other: other.to_string(),
            }
        });
    }
    Ok(())
}
