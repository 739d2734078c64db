//! What the arguments of an agent need of the program.

use crate::settings::{SettingsSchema, WorkerSettings};
use std::any::{TypeId, type_name};

/// What the arguments of an agent need of the program. A server that has not got it does not start.
#[derive(Debug, Default)]
pub struct Requirements {
    settings: Vec<SettingsType>,
    needs_values: bool,
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

    pub(crate) fn settings_types(&self) -> &[SettingsType] {
        &self.settings
    }

    pub(crate) fn needs_values(&self) -> bool {
        self.needs_values
    }
}
