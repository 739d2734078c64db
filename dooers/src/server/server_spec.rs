//! The program's description of a server.

use super::callback::Callback;
use super::config::WorkerConfig;
use super::error::ServerError;
use crate::handler::States;
use crate::handler::{AgentDefinition, annotated};
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
    /// The schemas that were built by hand, by the names of their agents.
    pub(super) schemas: HashMap<&'static str, Arc<SettingsSchema>>,
    pub(super) on_settings_updated: Option<Callback<SettingsUpdate>>,
    pub(super) on_feedback: Option<Callback<FeedbackUpdate>>,
    pub(super) states: States,
}

impl ServerSpec {
    pub(super) fn new(config: WorkerConfig) -> Self {
        Self {
            config,
            chosen: Vec::new(),
            schemas: HashMap::new(),
            on_settings_updated: None,
            on_feedback: None,
            states: States::default(),
        }
    }

    /// The agents to serve. Each has the states that it requires.
    pub(super) fn agents(&self) -> Result<Vec<AgentDefinition>, ServerError> {
        let agents = if self.chosen.is_empty() {
            annotated()
        } else {
            self.chosen.clone()
        };
        check(&agents)?;
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
        let (agent, by_hand) = (agent.name(), self.schemas.get(agent.name()));
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
    for (at, agent) in agents.iter().enumerate() {
        if agents[..at]
            .iter()
            .any(|other| other.name() == agent.name())
        {
            return Err(ServerError::SameName(agent.name()));
        }
    }
    let mut defaults = agents.iter().filter(|agent| agent.is_default());
    match (defaults.next(), defaults.next()) {
        (Some(one), Some(other)) => Err(ServerError::TwoDefaults(one.name(), other.name())),
        _ => Ok(()),
    }
}
