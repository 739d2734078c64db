//! The requirements of an agent's arguments.

use crate::settings::{SettingsSchema, WorkerSettings};
use std::any::{TypeId, type_name};

/// The requirements of an agent's arguments. A server that lacks one of them does not start.
#[derive(Debug, Default)]
pub struct Requirements {
    settings: Vec<SettingsType>,
    needs_values: bool,
    states: Vec<StateType>,
    /// The mistake of an agent without a part.
    no_part: Option<&'static str>,
}

/// The type of a state argument.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StateType {
    pub(crate) id: TypeId,
    pub(crate) name: &'static str,
}

/// A type of settings that an argument uses.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SettingsType {
    pub(crate) id: TypeId,
    pub(crate) name: &'static str,
    pub(crate) schema: fn() -> &'static SettingsSchema,
}

impl Requirements {
    /// Requires settings of this type. An agent has at most one type of settings.
    pub fn settings<T: WorkerSettings>(&mut self) {
        let wanted = SettingsType {
            id: TypeId::of::<T>(),
            name: type_name::<T>(),
            schema: T::schema,
        };
        if self.settings.iter().all(|known| known.id != wanted.id) {
            self.settings.push(wanted);
        }
    }

    /// Requires settings of any type.
    pub fn settings_values(&mut self) {
        self.needs_values = true;
    }

    /// Requires a state of this type.
    pub fn state<S: 'static>(&mut self) {
        self.states.push(StateType {
            id: TypeId::of::<S>(),
            name: type_name::<S>(),
        });
    }

    /// Requires the part of the agent. `mistake` is the text about an agent without it.
    #[cfg(feature = "tools")]
    pub(crate) fn part(&mut self, mistake: &'static str) {
        self.no_part = Some(mistake);
    }

    /// Adds the requirements of an optional argument: settings are recorded, but states and parts are not required.
    pub(crate) fn optionally(&mut self, ask: impl FnOnce(&mut Self)) {
        let needed = self.states.len();
        let no_part = self.no_part;
        ask(self);
        self.states.truncate(needed);
        self.no_part = no_part;
    }

    /// The mistake of an agent that has no part although its arguments require one.
    pub(crate) fn no_part(&self) -> Option<&'static str> {
        self.no_part
    }

    pub(crate) fn states(&self) -> &[StateType] {
        &self.states
    }

    pub(crate) fn settings_types(&self) -> &[SettingsType] {
        &self.settings
    }

    pub(crate) fn needs_values(&self) -> bool {
        self.needs_values
    }
}
