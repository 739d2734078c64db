//! The requirements of an agent's arguments.

use crate::settings::{SettingsSchema, WorkerSettings};
use std::any::{TypeId, type_name};

/// The requirements of an agent's arguments. A server that lacks one of them does not start.
#[derive(Debug, Default)]
pub struct Requirements {
    settings: Vec<SettingsType>,
    needs_values: bool,
    states: Vec<StateType>,
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

    /// Adds the requirements of an optional argument: settings are recorded, but states are not required.
    pub(crate) fn optionally(&mut self, ask: impl FnOnce(&mut Self)) {
        let needed = self.states.len();
        ask(self);
        self.states.truncate(needed);
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
