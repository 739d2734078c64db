//! What generated code calls. Not part of the public API: it may change in any release.

pub use crate::agent::{AgentFuture, Registered};
pub use inventory;

use crate::AgentError;
use crate::extract::FromTurn;
use crate::reply::{Answer, IntoReply};
use crate::turn::Turn;
use futures::future::BoxFuture;

/// Boxes the whole call: arguments, handler, reply.
pub fn call<F>(future: F) -> AgentFuture
where
    F: Future<Output = Result<Answer, AgentError>> + Send + 'static,
{
    Box::pin(future)
}

/// Makes one argument.
///
/// # Errors
///
/// What the argument's `FromTurn` says.
pub async fn argument<T: FromTurn>(turn: &Turn) -> Result<T, AgentError> {
    T::from_turn(turn).await
}

/// Boxes the handler's future: the one place that demands `Send` of it.
pub fn handler<F>(future: F) -> BoxFuture<'static, F::Output>
where
    F: Future + Send + 'static,
{
    Box::pin(future)
}

/// Takes what the handler returned.
///
/// # Errors
///
/// The error that the handler returned.
pub fn reply<R: IntoReply>(value: R) -> Result<Answer, AgentError> {
    value.into_reply()
}
