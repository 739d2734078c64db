//! Typed settings, which operators can change while a worker runs.
//!
//! A struct with `#[derive(WorkerSettings)]` describes the settings. If the fields are known only at run time, the
//! program builds a [`SettingsSchema`]. Either one defines the form that front ends show, a JSON Schema, the typed
//! values, and the check of every change before it is stored.

mod check;
mod const_checks;
mod error;
mod field;
mod formats;
mod generated;
mod group;
pub(crate) mod handle;
mod invalid_value;
mod item;
mod json_schema;
mod known;
mod list;
mod live;
mod nodes;
mod pattern;
mod schema;
mod schema_check;
mod schema_error;
mod seal;
mod step;
#[cfg(test)]
mod step_tests;
mod stored;
#[cfg(test)]
mod tests;
pub(crate) mod types;
pub(crate) mod value;
mod values;
mod variables;
mod watch;
mod wire;
pub(crate) mod worker_settings;

pub use chrono::{NaiveDate, NaiveTime};
pub use error::SettingsError;
pub use field::{Field, FieldKind, Visibility};
pub use group::{Collapsible, Group};
pub use handle::AllSettings;
pub(crate) use handle::Settings;
pub use invalid_value::{InvalidValue, PatchError};
pub use item::SettingsItem;
pub use schema::{SettingsSchema, SettingsSchemaBuilder};
pub use schema_error::SchemaError;
pub(crate) use seal::Sealed;
pub use seal::{InvalidKey, Keyring, UnsealError};
pub use types::{Color, HttpUrl, InvalidColor, InvalidEmail, InvalidHttpUrl};
pub(crate) use types::{Email, ImageUrl, Secret};
pub(crate) use value::SettingChoice;
pub use value::SettingValue;
pub use values::SettingsValues;
pub use watch::{SettingsUpdate, SettingsWatch};
pub(crate) use worker_settings::WorkerSettings;
pub use worker_settings::{Reader, SettingsGroup};

#[doc(hidden)]
pub mod __generated {
    pub use super::const_checks::{
        assert_choice, assert_color, assert_decimal, assert_distinct, assert_duration,
        assert_http_url, assert_integer, assert_length, assert_listed, assert_time, refuse_default,
        require_default,
    };
    pub use super::generated::*;
}
pub(crate) use live::{AgentSchema, ChangedSetting, LiveSettings, Schemas};
pub(crate) use stored::CurrentSettings;
pub(crate) use variables::Variables;
