//! What generated code calls. Not part of the public API: it may change in any release.

pub use crate::agent::{AgentFuture, Registered};
pub use dooers_macros::__beside as beside;
pub use inventory;

use crate::AgentError;
use crate::extract::FromTurn;
use crate::reply::Answer;
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
/// Boxed, as the compiler would otherwise ask for a `FromTurn` of every lifetime where an argument's type has
/// `&'static` in it.
#[must_use]
pub fn argument<'a, T: FromTurn + 'a>(turn: &'a Turn) -> BoxFuture<'a, Result<T, AgentError>> {
    Box::pin(T::from_turn(turn))
}

/// Boxes the handler's future: the one place that demands `Send` of it.
pub fn handler<F>(future: F) -> BoxFuture<'static, F::Output>
where
    F: Future + Send + 'static,
{
    Box::pin(future)
}

/// Stands for the handler of an agent that the macro refused. It is never called, as such a program is not built.
#[must_use]
pub fn refused(_turn: Turn) -> AgentFuture {
    Box::pin(std::future::ready(Ok(Answer::default())))
}
