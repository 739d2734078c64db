//! The program's description of a server.

use super::callback::Callback;
use super::config::WorkerConfig;
use super::error::ServerError;
use crate::handler::{AgentDefinition, annotated};
use crate::handler::{Middlewares, States};
use crate::settings::{AgentSchema, Schemas, SettingsSchema, SettingsUpdate};
use crate::store::FeedbackUpdate;
use std::any::TypeId;
use std::collections::HashMap;
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
    pub(super) schemas: HashMap<&'static str, Arc<SettingsSchema>>,
    pub(super) on_settings_updated: Option<Callback<SettingsUpdate>>,
    pub(super) on_feedback: Option<Callback<FeedbackUpdate>>,
    pub(super) states: States,
    pub(super) middlewares: Middlewares,
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
        }
    }

    /// The agents to serve. Each has the states that it requires.
    pub(super) fn agents(&self) -> Result<Vec<AgentDefinition>, ServerError> {
        let mut agents = self.chosen.clone();
        if agents.is_empty() || self.with_annotated {
            let others = annotated();
            check_names(&others)?;
            // A named one may have other options, and replaces the one of the registry.
            let is_named = |agent: &AgentDefinition| {
                let mut named = self.chosen.iter().filter(|named| named.made_at().is_none());
                named.any(|named| named.name() == agent.name())
            };
            agents.extend(others.into_iter().filter(|agent| !is_named(agent)));
        }
        check(&agents)?;
        self.config.agent_variables.apply(&mut agents)?;
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
                let schema = Arc::new((one.schema)().clone());
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
        let mut before = agents[..at].iter();
        if let Some(other) = before.find(|other| other.name() == agent.name()) {
            if let Some(taken) = name_taken(agent, other).or_else(|| name_taken(other, agent)) {
                return Err(taken);
            }
            return Err(ServerError::SameName(agent.name()));
        }
    }
    Ok(())
}

/// The error for an agent that was made at run time with the name of another agent.
fn name_taken(agent: &AgentDefinition, other: &AgentDefinition) -> Option<ServerError> {
    let other = match other.made_at() {
        Some(place) => format!("the agent that is made at {place}"),
        None => "an annotated agent".to_owned(),
    };
    Some(ServerError::NameTaken {
        name: agent.name(),
        made_at: agent.made_at()?.to_string(),
        other,
    })
}
