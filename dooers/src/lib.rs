//! Write an AI agent as one annotated async function and run it as a production server.
//!
//! ```no_run
//! use dooers::prelude::*;
//!
//! /// Says what you said.
//! #[dooers::agent]
//! async fn echo(request: WorkerRequest) -> String {
//!     format!("You said: {}", request.message)
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<()> {
//!     WorkerServer::new(WorkerConfig::from_env()?).serve().await?;
//!     Ok(())
//! }
//! ```
//!
//! [`agent`](macro@agent) is the macro, [`FromTurn`] what a handler may take, [`IntoReply`] what it may return.
//! [`WorkerServer`] serves what is annotated, and [`store`] keeps the conversations. [`guide`] explains how to use each part.
//!
//! | feature | default? | what it adds |
//! |---|---|---|
//! | `postgres` | yes | conversations in a PostgreSQL database |
//! | `sqlite` | yes | conversations in a SQLite file |
//! | `testing` | no | `dooers::testing`: a client in the same process, and a fake model, for the tests of agents |

// Generated code names this crate `dooers`, also in this crate's own tests and examples.
#[allow(
    unused_extern_crates,
    reason = "only the tests of this crate annotate anything"
)]
extern crate self as dooers;

mod agent;
mod crash;
mod error;
mod extract;
pub mod guide;
mod history;
mod hub;
mod logs;
mod policy;
pub mod protocol;
mod reply;
mod requirements;
mod server;
pub mod settings;
mod shrink;
mod state;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod text;
mod turn;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use agent::{Agent, AgentDefinition};
pub use error::{AgentError, Result};
pub use extract::FromTurn;
pub use history::{
    ChatMessage, ChatRole, DEFAULT_HISTORY_LIMIT, HistoryFormat, MemoryError, MemoryQuery, ToolUse,
    WorkerMemory,
};
pub use logs::log_directives;
pub use policy::{DEFAULT_QUEUE, OnBusy, TurnPolicy};
pub use reply::{
    Answer, IntoReply, Reply, ReplyStream, StreamedReply, StreamedText, TextReply, ToolCall,
};
pub use requirements::Requirements;

pub use server::repository;
pub use server::{
    AllowedHosts, AllowedOrigins, ConfigError, Database, Dispatch, DispatchError, DispatchEvent,
    DispatchStream, HandlerError, HandlerErrorKind, Limits, NotAHost, NotAnOrigin, ServerError,
    WorkerConfig, WorkerServer,
};
pub use state::State;
/// Fires when work must stop early.
pub use tokio_util::sync::CancellationToken;

pub use settings::handle::Settings;
pub use settings::types::{Email, ImageUrl, Secret};
pub use turn::{
    FormResponse, Recorder, Sent, TextStream, Turn, WorkerRequest, WorkerResponse, title_from,
};

#[doc = include_str!("docs/agent.md")]
pub use dooers_macros::agent;

#[doc = include_str!("docs/settings.md")]
pub use dooers_macros::WorkerSettings;

#[doc = include_str!("docs/choice.md")]
pub use dooers_macros::SettingChoice;

// The traits of these names: a trait and a derive macro have namespaces of their own.
pub use settings::value::SettingChoice;
pub use settings::worker_settings::WorkerSettings;

/// What the source file of an agent needs.
pub mod prelude {
    pub use crate::protocol::{
        AudioPart, ChoiceVariant, ContentPart, DocumentPart, Form, FormChoice, FormElement,
        FormSize, ImagePart,
    };
    pub use crate::{
        AgentError, CancellationToken, Email, FormResponse, FromTurn, HistoryFormat, ImageUrl,
        IntoReply, Reply, ReplyStream, Result, Secret, SettingChoice, Settings, State, TextReply,
        TextStream, ToolCall, Turn, WorkerConfig, WorkerMemory, WorkerRequest, WorkerResponse,
        WorkerServer, WorkerSettings, title_from,
    };
}
