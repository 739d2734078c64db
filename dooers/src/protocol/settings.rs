//! Settings, as clients ask for them and see them.

use super::user::null_as_default;
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

/// As whom somebody sees the settings of an agent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// One of those who talk to the agent.
    #[default]
    User,
    /// One of those who own or manage the organization that it works for.
    Creator,
}

/// What `settings.subscribe` asks for.
#[derive(Debug, Deserialize)]
pub(crate) struct SettingsSubscribePayload {
    #[serde(default)]
    pub(crate) worker_id: Option<String>,
    #[serde(default)]
    pub(crate) agent_id: Option<String>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub(crate) audience: Audience,
}

/// What `settings.unsubscribe` names.
#[derive(Debug, Deserialize)]
pub(crate) struct SettingsWorkerPayload {
    #[serde(default)]
    pub(crate) worker_id: Option<String>,
    #[serde(default)]
    pub(crate) agent_id: Option<String>,
}

/// What `settings.patch` changes.
#[derive(Debug, Deserialize)]
pub(crate) struct SettingsPatchPayload {
    pub(crate) field_id: String,
    /// An absent one is `null`, as everywhere on the wire.
    #[serde(default)]
    pub(crate) value: Value,
}

/// A field or a group, as an audience sees it. A client tells a group by its `fields`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ShownItem {
    /// A field.
    Field(Box<ShownField>),
    /// A group.
    Group(ShownGroup),
}

/// A field with its value, as an audience sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ShownField {
    /// By which it is patched.
    pub id: String,
    /// `text`, `number`, `select`, `checkbox`, `textarea`, `password`, `email`, `date` or `image`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// What people read as its name.
    pub label: String,
    /// Whether `null` is refused. Otherwise `null` restores the default, or clears a field without one.
    pub required: bool,
    /// Whether it cannot be changed.
    pub readonly: bool,
    /// The value; of a password always `null`.
    pub value: Value,
    /// What an empty field shows.
    pub placeholder: Option<String>,
    /// What a `select` chooses from.
    pub options: Option<Vec<ShownOption>>,
    /// The smallest number.
    pub min: Option<Number>,
    /// The largest number.
    pub max: Option<Number>,
    /// Lines of a `textarea`.
    pub rows: Option<u32>,
    /// Where an image is.
    pub src: Option<String>,
    /// How wide an image is, in pixels.
    pub width: Option<u32>,
    /// How high an image is, in pixels.
    pub height: Option<u32>,
    /// Who sees it: `user` or `creator`.
    pub visibility: &'static str,
    /// Whether users who are no creators may change it.
    pub user_editable: bool,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The distance between two numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<Number>,
    /// Characters at the least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_length: Option<u32>,
    /// Characters at the most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u32>,
    /// What a text matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// Whether a password is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_value: Option<bool>,
}

/// A value that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownOption {
    /// The value.
    pub value: String,
    /// What people read.
    pub label: String,
}

/// A group of fields, as an audience sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ShownGroup {
    /// Its id.
    pub id: String,
    /// What people read as its name.
    pub label: String,
    /// Its fields, one at the least.
    pub fields: Vec<ShownField>,
    /// `open` or `closed`, if it can be folded up.
    pub collapsible: Option<&'static str>,
    /// Who sees it: `user` or `creator`.
    pub visibility: &'static str,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// The settings of an agent without anybody's values.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PublicSchema<'a> {
    /// As the agent's author counts.
    pub version: &'a str,
    /// Fields and groups with their defaults.
    pub fields: &'a [ShownItem],
}
