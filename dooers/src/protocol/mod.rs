//! The wire types and their JSON, as `docs/protocol.md` describes them.
//!
//! Nothing here does I/O or knows another module of this crate.

mod command;
mod connect;
mod content;
mod error;
mod event;
mod form;
mod form_check;
mod form_secrets;
mod frame;
#[cfg(test)]
mod golden;
mod heard;
mod run;
mod scan;
mod settings;
mod thread;
mod user;

pub(crate) use command::{
    Command, DraftKind, EventDraft, EventListPayload, RunCancelPayload, ThreadListPayload,
};
pub(crate) use connect::ConnectPayload;
pub use content::ContentPart;
pub(crate) use content::joined_text;
pub use error::{ErrorBody, ErrorCode};
pub(crate) use event::said_text;
pub use event::{Actor, EventType, ThreadEvent};
pub use form::{ChoiceVariant, Form, FormChoice, FormElement, FormInput, FormSize, TextInputType};
pub use frame::{ServerFrame, ServerInfo};
pub use run::{Run, RunStatus};
pub use settings::{Audience, PublicSchema, ShownField, ShownGroup, ShownItem, ShownOption};
pub(crate) use settings::{SettingsPatchPayload, SettingsSubscribePayload, SettingsWorkerPayload};
pub use thread::Thread;
pub use user::User;

pub(crate) use command::{Envelope, clean_id};
pub(crate) use form::FormAnswer;
pub(crate) use form_secrets::{
    ShownData, hidden_fields, password_fields, with_values, without_values,
};
pub(crate) use frame::timestamp;
#[cfg(feature = "testing")]
pub(crate) use heard::Delta;
pub(crate) use heard::Heard;
pub(crate) use scan::strip_nul;

/// Ids longer than this many bytes are refused when a client makes them up.
pub const MAX_CLIENT_ID_BYTES: usize = 128;

/// A new id: a UUIDv7, so that ids made later sort later.
pub(crate) fn new_id() -> String {
    uuid::Uuid::now_v7().to_string()
}
