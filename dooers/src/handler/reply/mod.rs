//! The types that a handler can return or send.

mod answer;
mod check;
mod event;
mod part;
mod stream;
mod text;

pub(crate) use answer::AnswerKind;
pub use answer::{Answer, IntoReply};
pub(crate) use check::ReplyError;
pub use event::{Reply, ToolCall};
pub use stream::{ReplyStream, StreamedReply};
pub use text::{StreamedText, TextReply};
