//! The API for authors of agents: the agent, the arguments of its handler, and its replies.

mod agent;
mod agent_fn;
mod agent_limits;
mod agent_part;
mod agent_place;
mod analytics;
mod analytics_data;
mod analytics_sink;
mod annotated;
mod answer_values;
mod ask_form;
#[cfg(feature = "tools")]
mod call_ids;
mod draft;
mod extract;
mod form_answer;
mod form_answers;
mod form_reply;
mod id;
mod interned;
mod invalid_data;
mod middleware;
mod outbox;
mod policy;
pub mod private;
mod questions;
mod recorder;
mod reply;
mod request;
mod requirements;
mod response;
mod secrets;
mod sent;
mod state;
mod stream_text;
mod text_stream;
mod title;
mod turn;
mod turn_memory;
mod typed_data;

pub use agent::{Agent, AgentDefinition};
pub use agent_fn::AgentFn;
pub use analytics::{GiveFeedback, WorkerAnalytics};
pub use ask_form::AskForm;
pub use extract::FromTurn;
pub use form_answer::FormAnswer;
pub use form_reply::FormReply;
pub use id::{EventId, RunId};
pub use invalid_data::InvalidData;
pub use middleware::{AttemptEnd, AttemptOutcome, TurnAttempt, TurnMiddleware};
pub use policy::TurnPolicy;
pub use recorder::Recorder;
pub use reply::{
    Answer, IntoReply, Reply, ReplyStream, StreamedReply, StreamedText, TextReply, ToolCall,
};
pub use request::{FormResponse, WorkerRequest};
pub use requirements::Requirements;
pub use response::WorkerResponse;
pub use sent::Sent;
pub use state::State;
pub use stream_text::{PushAll, StreamText};
pub use text_stream::TextStream;
pub use title::title_from;
pub use turn::Turn;
pub use typed_data::Data;

pub(crate) use agent::annotated;
pub(crate) use agent_limits::{MAX_QUEUE, MAX_RETRIES};
#[cfg(feature = "tools")]
pub(crate) use agent_part::AgentPart;
pub(crate) use analytics_sink::{AnalyticsSink, TurnAnalytics};
#[cfg(feature = "tools")]
pub(crate) use call_ids::IdsGuard;
pub(crate) use draft::{Draft, join_whole_texts};
pub(crate) use interned::interned;
pub(crate) use middleware::{DynMiddleware, Middlewares};
pub(crate) use outbox::{Outbox, Piece, Rest, StoredSender};
pub(crate) use questions::QuestionReply;
pub(crate) use reply::{AnswerKind, ReplyError};
pub(crate) use requirements::StateType;
pub(crate) use secrets::AnswerKeys;
pub(crate) use state::States;
pub(crate) use turn::WorkerSettingsHandle;
pub(crate) use turn_memory::TurnMemory;
