//! The types of the wire protocol and their JSON, as `docs/protocol.md` describes them.
//!
//! This module does no I/O and does not use other modules of this crate.

mod admission;
mod analytics;
mod asked_form;
mod auth_token;
mod blank;
mod clean;
mod command;
mod connect;
mod content;
mod date;
#[cfg(any(test, feature = "postgres", feature = "sqlite", feature = "testing"))]
mod decode;
mod error;
mod error_id;
mod event;
mod feedback;
mod form;
mod form_builder;
mod form_check;
mod form_error;
mod form_secrets;
mod frame;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod golden_requests;
mod id;
mod integers;
mod media_part;
mod model_usage;
mod not_admitted;
mod optional_timestamp;
#[cfg(test)]
mod random;
mod run;
mod scan;
mod settings;
mod size;
mod thread;
mod thread_view;
pub(crate) mod timestamp;
mod upload;
mod usage;
mod user;
mod whole_number;

pub use analytics::{
    AnalyticsEvent, BuiltInEvent, InvalidAnalyticsEvent, MAX_ANALYTICS_DATA_BYTES,
    MAX_ANALYTICS_NAME_BYTES, MAX_TRACKED_BYTES, MAX_TRACKED_EVENTS,
};
pub use asked_form::AskedForm;
pub(crate) use auth_token::AuthToken;
pub(crate) use command::{
    Command, EventDraft, EventListPayload, RunCancelPayload, ThreadListPayload, ThreadUpdatePayload,
};
pub(crate) use connect::ConnectPayload;
pub use content::ContentPart;
pub(crate) use content::joined_text;
pub(crate) use date::date;
pub use error::{ErrorBody, ErrorCode};
pub(crate) use error_id::with_error_id;
pub(crate) use event::said_text;
pub use event::{Actor, EventType, ThreadEvent};
pub(crate) use feedback::{FeedbackPayload, FeedbackView, admit_explanation};
pub use feedback::{
    FeedbackTarget, FeedbackTargetType, FeedbackValue, MAX_CLASSIFICATION_BYTES, MAX_REASON_BYTES,
};
pub use form::{ChoiceVariant, Form, FormChoice, FormElement, FormInput, FormSize, TextInputType};
pub use form_builder::{
    CheckboxKind, ElementBuilder, FileKind, LineKind, PasswordKind, RadioKind, SelectKind,
    TextareaKind,
};
pub use form_error::FormError;
pub(crate) use frame::{ServerFrame, ServerInfo};
pub use id::MAX_CLIENT_ID_BYTES;
pub(crate) use id::new_id;
pub use media_part::{AudioPart, DocumentPart, ImagePart};
pub(crate) use model_usage::Costs;
pub use model_usage::{MAX_RUN_MODELS, ModelUsage, OTHER_MODELS};
pub use run::{Run, RunStatus};
pub use settings::Audience;
pub(crate) use settings::{
    FieldView, GroupView, ItemView, OptionView, PublicSchema, SettingsPatchPayload,
    SettingsSubscribePayload, WorkerPayload,
};
pub use size::{
    MAX_IDENTITY_IDS, MAX_METADATA_BYTES, MAX_NAME_BYTES, MAX_ROLE_BYTES, MAX_SHOWN_USERS,
    MAX_TITLE_BYTES,
};
pub(crate) use size::{check_metadata, json_bytes};
pub use thread::Thread;
pub(crate) use thread_view::ThreadView;
pub use upload::UploadNotFound;
pub use usage::{Cost, MAX_COST_PLACES, MAX_MODEL_LEN, MAX_USAGE, Usage, UsageError};
pub use user::User;
pub(crate) use user::has_mail_address;

pub use admission::MAX_JSON_DEPTH;
#[cfg(feature = "tools")]
pub(crate) use admission::{JsonMisfit, admit_json_within};
pub(crate) use admission::{
    admit_json, admit_metadata, admit_optional_json, admit_title, check_id, clean_id,
};
pub(crate) use blank::{is_blank, is_visible};
pub(crate) use clean::{clean_text, cleaned};
pub(crate) use command::Envelope;
#[cfg(any(test, feature = "postgres", feature = "sqlite", feature = "testing"))]
pub(crate) use decode::from_own_json;
pub(crate) use form::FormAnswer;
pub(crate) use form_check::is_unanswered;
pub(crate) use form_secrets::{
    ShownData, hidden_fields, password_fields, with_values, without_values,
};
pub(crate) use not_admitted::NotAdmitted;
pub(crate) use whole_number::whole;
