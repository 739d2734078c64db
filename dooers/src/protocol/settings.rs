//! The settings frames.

use super::user::null_as_default;
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

/// The audience of settings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Audience {
    /// A user who talks to the agent.
    #[default]
    User,
    /// A user who owns or manages the organization.
    Creator,
}

/// The payload of `settings.subscribe`.
#[derive(Debug, Deserialize)]
pub(crate) struct SettingsSubscribePayload {
    #[serde(default)]
    pub(crate) worker_id: Option<String>,
    #[serde(default)]
    pub(crate) agent_id: Option<String>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub(crate) audience: Audience,
}

impl SettingsSubscribePayload {
    /// The id of the worker, if the payload names one.
    pub(crate) fn worker(&self) -> Option<&str> {
        self.agent_id.as_deref().or(self.worker_id.as_deref())
    }
}

/// The payload of requests that only name a worker, such as `settings.unsubscribe` and `analytics.subscribe`.
#[derive(Debug, Deserialize)]
pub(crate) struct WorkerPayload {
    #[serde(default)]
    pub(crate) worker_id: Option<String>,
    #[serde(default)]
    pub(crate) agent_id: Option<String>,
}

impl WorkerPayload {
    /// The id of the worker, if the payload names one.
    pub(crate) fn worker(&self) -> Option<&str> {
        self.agent_id.as_deref().or(self.worker_id.as_deref())
    }
}

/// The payload of `settings.patch`.
#[derive(Debug, Deserialize)]
pub(crate) struct SettingsPatchPayload {
    #[serde(default)]
    worker_id: Option<String>,
    #[serde(default)]
    agent_id: Option<String>,
    pub(crate) field_id: String,
    /// A missing value is `null`, as everywhere on the wire.
    #[serde(default)]
    pub(crate) value: Value,
}

impl SettingsPatchPayload {
    /// The id of the worker, if the payload names one.
    pub(crate) fn worker(&self) -> Option<&str> {
        self.agent_id.as_deref().or(self.worker_id.as_deref())
    }
}

/// A field or a group, as an audience sees it. Clients recognize a group by its `fields`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum ItemView {
    /// A field.
    Field(Box<FieldView>),
    /// A group.
    Group(GroupView),
}

/// A field with its value, as an audience sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct FieldView {
    /// The id of the field. Patches name the field by this id.
    pub id: String,
    /// The kind of the field: `text`, `number`, `select`, `checkbox`, `textarea`, `password`, `email`, `date` or
    /// `image`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The name that users see.
    pub label: String,
    /// True if `null` is refused. Otherwise `null` restores the default, or removes the value if there is no default.
    pub required: bool,
    /// True if the field cannot be changed.
    pub readonly: bool,
    /// The value. The value of a password is always `null`.
    pub value: Value,
    /// The example that is shown while the field is empty.
    pub placeholder: Option<String>,
    /// The options of a `select`, or the values of a list.
    pub options: Option<Vec<OptionView>>,
    /// The minimum of a number.
    pub min: Option<Number>,
    /// The maximum of a number.
    pub max: Option<Number>,
    /// The height of a `textarea`, in lines.
    pub rows: Option<u32>,
    /// The URL of an image.
    pub src: Option<String>,
    /// The display width of an image, in pixels.
    pub width: Option<u32>,
    /// The display height of an image, in pixels.
    pub height: Option<u32>,
    /// The audience of the field: `user` or `creator`.
    pub visibility: &'static str,
    /// True if users who are not creators may change the field.
    pub user_editable: bool,
    /// The text that explains the field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The distance between two numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<Number>,
    /// The minimum number of characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_length: Option<u32>,
    /// The maximum number of characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u32>,
    /// The regular expression that must match some part of a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// The format of a text: `duration`, `time`, `url`, `color` or `list`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<&'static str>,
    /// For a password: true if it has a value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_value: Option<bool>,
}

/// An option of a `select`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct OptionView {
    /// The value.
    pub value: String,
    /// The text of the option.
    pub label: String,
}

/// A group of fields, as an audience sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct GroupView {
    /// The id of the group.
    pub id: String,
    /// The name that users see.
    pub label: String,
    /// The fields, at least one.
    pub fields: Vec<FieldView>,
    /// `open` or `closed` if the group can be collapsed.
    pub collapsible: Option<&'static str>,
    /// The audience of the group: `user` or `creator`.
    pub visibility: &'static str,
    /// The text that explains the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// The schema of an agent's settings, without the values of a worker.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct PublicSchema<'a> {
    /// The version, which the author of the agent chooses.
    pub version: &'a str,
    /// Fields and groups with their defaults.
    pub fields: &'a [ItemView],
}
