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
//! [`agent`](macro@agent) is the macro. [`FromTurn`] lists the arguments of a handler, and [`IntoReply`] its return
//! types. [`WorkerServer`] serves the annotated agents, and [`store`] keeps the conversations. [`guide`] explains how
//! to use each part.
//!
//! | feature | default? | description |
//! |---|---|---|
//! | `auth-webhook` | no | [`auth::WebhookAuthenticator`]: a server of the operator decides about the tokens of clients |
//! | `jwt` | no | clients prove who they are with a JSON Web Token |
//! | `nats` | no | the processes of a PostgreSQL database notify each other through a NATS server; includes `postgres` |
//! | `openai` | no | `dooers::model::OpenAi`: OpenAI's API, and servers that are compatible with it; includes `tools` |
//! | `playground` | yes | a page for conversations with the agents, which a server on a loopback address serves at `/` |
//! | `postgres` | no | conversations in a PostgreSQL database |
//! | `sqlite` | yes | conversations in a SQLite file |
//! | `testing` | no | `dooers::testing`: a client in the same process, and a fake model, for the tests of agents |
//! | `tools` | no | `dooers::tool`: functions that a model can call; `dooers::model`: the loop that calls them |
//! | `webhook` | no | analytics events are sent to a webhook, if one is configured |

// Generated code refers to this crate as `dooers`, also in this crate's own tests and examples.
#[allow(
    unused_extern_crates,
    reason = "only the tests of this crate annotate anything"
)]
extern crate self as dooers;

pub mod auth;
#[cfg(any(feature = "tools", feature = "webhook"))]
mod back_off;
mod broker;
mod cipher;
mod crash;
mod error;
pub mod guide;
mod handler;
mod history;
#[cfg(feature = "__http")]
mod http;
mod hub;
#[cfg(test)]
mod log_capture;
mod logs;
#[cfg(feature = "tools")]
pub mod model;
pub mod protocol;
mod secret;
mod server;
pub mod settings;
mod shrink;
mod similar;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod text;
mod throttle;
#[cfg(feature = "__tls")]
mod tls;
#[cfg(feature = "tools")]
pub mod tool;
mod turn;

#[doc(hidden)]
pub use handler::private as __private;
#[cfg(feature = "tools")]
#[doc(hidden)]
pub use tool::private as __private_tools;

#[cfg(feature = "nats")]
pub use broker::{InvalidNatsOptions, NatsOptions};
pub use error::{AgentError, Context, Result, SendError};
pub use handler::{
    Agent, AgentDefinition, AgentFn, Answer, AskForm, AttemptEnd, AttemptOutcome, Data, EventId,
    FormAnswer, FormReply, FormResponse, FromTurn, GiveFeedback, IntoReply, InvalidData, PushAll,
    Recorder, Reply, ReplyStream, Requirements, RunId, Sent, State, StreamText, StreamedReply,
    StreamedText, TextReply, TextStream, ToolCall, Turn, TurnAttempt, TurnMiddleware, TurnPolicy,
    WorkerAnalytics, WorkerRequest, WorkerResponse, title_from,
};
pub use history::{
    ChatMessage, ChatRole, DEFAULT_HISTORY_LIMIT, HistoryFormat, MemoryError, MemoryQuery, ToolUse,
    WorkerMemory,
};
pub use logs::log_directives;
/// An exact decimal number, for the [cost](protocol::Usage::cost) of a model call.
pub use rust_decimal::Decimal;
pub use server::repository;
pub use server::{
    AllowedHosts, AllowedOrigins, AnalyticsEvents, BindAddress, BrokerKind, ConfigError, Database,
    Dispatch, DispatchError, DispatchEvent, DispatchStream, HandlerError, HandlerErrorKind,
    InvalidAnalyticsName, InvalidHost, InvalidOrigin, InvalidProxy, Limits, Quotas, ServerError,
    TrustedProxies, TurnServer, WorkerConfig, WorkerServer,
};
#[cfg(feature = "webhook")]
pub use server::{AnalyticsWebhook, AnalyticsWebhookBuilder, InvalidWebhook};
pub use store::on_busy::{DEFAULT_QUEUE, OnBusy};
pub use store::usage_limit::{
    InvalidUsageAmount, UsageAmount, UsageLimit, UsageLimitScope, UsagePeriod,
};
pub use throttle::{InvalidQuota, Quota, Rate, RateExceeded, RateLimiter};
/// A token that fires when work must stop early.
pub use tokio_util::sync::CancellationToken;
#[cfg(feature = "tools")]
pub use tool::{definition::Tool, dynamic::DynamicTool, tools::Tools};

pub use settings::handle::Settings;
pub use settings::types::{Email, ImageUrl, Secret};

#[doc = include_str!("docs/agent.md")]
pub use dooers_macros::agent;

#[cfg_attr(feature = "tools", doc = include_str!("docs/tool.md"))]
#[cfg_attr(
    not(feature = "tools"),
    doc = "Turns an async function into a tool, which a model can call. The macro needs the feature `tools`."
)]
pub use dooers_macros::tool;

#[doc = include_str!("docs/settings.md")]
pub use dooers_macros::WorkerSettings;

#[doc = include_str!("docs/choice.md")]
pub use dooers_macros::SettingChoice;

// The traits with these names. Traits and derive macros are in different namespaces.
pub use settings::value::SettingChoice;
pub use settings::worker_settings::WorkerSettings;

/// Everything that the source file of an agent needs.
pub mod prelude {
    pub use crate::protocol::{
        AudioPart, ChoiceVariant, ContentPart, DocumentPart, Form, FormChoice, FormElement,
        FormSize, ImagePart, Usage,
    };
    pub use crate::settings::NaiveDate;
    pub use crate::{
        AgentError, CancellationToken, Context, Data, Email, FormAnswer, FormReply, FormResponse,
        FromTurn, HistoryFormat, ImageUrl, IntoReply, Reply, ReplyStream, Result, Secret,
        SettingChoice, Settings, State, TextReply, TextStream, ToolCall, Turn, TurnServer,
        WorkerAnalytics, WorkerConfig, WorkerMemory, WorkerRequest, WorkerResponse, WorkerServer,
        WorkerSettings, agent, title_from, tool,
    };
    #[cfg(feature = "tools")]
    pub use crate::{Tool, Tools};
}
