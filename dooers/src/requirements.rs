//! What the arguments of an agent need of the program.

use crate::settings::{SettingsSchema, WorkerSettings};
use std::any::{TypeId, type_name};

/// What the arguments of an agent need of the program. A server that has not got it does not start.
#[derive(Debug, Default)]
pub struct Requirements {
    settings: Vec<SettingsType>,
    needs_values: bool,
    states: Vec<StateType>,
}

/// A type of state that an argument is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StateType {
    pub(crate) id: TypeId,
    pub(crate) name: &'static str,
}

/// A type of settings that an argument is, or gives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SettingsType {
    pub(crate) id: TypeId,
    pub(crate) name: &'static str,
    pub(crate) schema: fn() -> &'static SettingsSchema,
}

impl Requirements {
    /// The agent has these settings. An agent has one type of settings at the most.
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

    /// The agent has settings of any kind.
    pub fn settings_values(&mut self) {
        self.needs_values = true;
    }

    /// The program must give the server a state of this type.
    pub fn state<S: 'static>(&mut self) {
        self.states.push(StateType {
            id: TypeId::of::<S>(),
            name: type_name::<S>(),
        });
    }

    /// Asks an argument that may be missing: what it is made of is known, but what the program must give is not needed.
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
