//! Functions and closures that answer messages.

use super::reply::Answer;
use super::requirements::Requirements;
use super::{FromTurn, IntoReply, Turn};
use crate::AgentError;
use futures::future::BoxFuture;
use std::sync::Arc;

/// The future of a handler. It resolves to the handler's return value.
pub type AgentFuture = BoxFuture<'static, Result<Answer, AgentError>>;

/// A function or closure that can be an agent: see [`AgentDefinition::from_fn`](crate::AgentDefinition::from_fn).
///
/// It takes at most eight arguments by value, each of a type that implements [`FromTurn`], and returns a future of an
/// [`IntoReply`]. The arguments of a closure need their types. `Arguments` is the tuple of these types. Programs cannot
/// implement the trait, and do not have to name it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot answer messages",
    label = "not a function of arguments of an agent",
    note = "pass an async function or a closure such as `|request: WorkerRequest| async move {{ request.message }}`: it takes at most eight arguments by value, each of a type that implements `FromTurn`, can be called again and again (`Fn`), and its future is `Send` and resolves to a type that implements `IntoReply`"
)]
pub trait AgentFn<Arguments>: Send + Sync + 'static {
    /// Creates the arguments and calls the function.
    #[doc(hidden)]
    fn call(function: Arc<Self>, turn: Turn) -> AgentFuture;

    /// Adds the requirements of the arguments.
    #[doc(hidden)]
    fn requires(requirements: &mut Requirements);
}

macro_rules! functions {
    ($($argument:ident)*) => {
        impl<F, R, $($argument),*> AgentFn<($($argument,)*)> for F
        where
            F: Fn($($argument),*) -> R + Send + Sync + 'static,
            R: Future<Output: IntoReply> + Send + 'static,
            $($argument: FromTurn + 'static,)*
        {
            #[allow(
                non_snake_case,
                unused_variables,
                reason = "an argument has the name of its type, and there may be none"
            )]
            fn call(function: Arc<Self>, turn: Turn) -> AgentFuture {
                Box::pin(async move {
                    $(let $argument = $argument::from_turn(&turn).await?;)*
                    function($($argument),*).await.into_reply()
                })
            }

            #[allow(unused_variables, reason = "there may be no arguments")]
            fn requires(requirements: &mut Requirements) {
                $($argument::requires(requirements);)*
            }
        }
    };
}

functions!();
functions!(A);
functions!(A B);
functions!(A B C);
functions!(A B C D);
functions!(A B C D E);
functions!(A B C D E G);
functions!(A B C D E G H);
functions!(A B C D E G H I);
