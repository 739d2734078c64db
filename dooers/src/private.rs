//! What generated code calls. Not part of the public API: it may change in any release.

pub use crate::agent::{AgentFuture, Registered};
pub use dooers_macros::__beside as beside;
pub use inventory;

pub use crate::settings::__generated as settings;
// For the tests of this repository.
pub use crate::store::own::OwnStore;

use crate::AgentError;
use crate::extract::FromTurn;
use crate::reply::Answer;
use crate::requirements::Requirements;
use crate::turn::Turn;
use futures::future::BoxFuture;
use std::marker::PhantomData;

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

/// Asks an argument what it [`requires`](FromTurn::requires), if it is one.
///
/// A type that is no argument is reported where [`argument`] makes it, and not here a second time: the method that is
/// found for a `&Probe<T>` is that of [`Requires`], or, without a `FromTurn` for it, one reference further, that of
/// [`RequiresNothing`].
#[derive(Debug)]
pub struct Probe<T>(PhantomData<T>);

impl<T> Probe<T> {
    /// The probe of this type.
    pub const OF: Self = Self(PhantomData);
}

/// Of a type that can be an argument.
pub trait Requires {
    /// What it requires.
    fn requires(&self, requirements: &mut Requirements);
}

impl<T: FromTurn> Requires for Probe<T> {
    fn requires(&self, requirements: &mut Requirements) {
        T::requires(requirements);
    }
}

/// Of every type.
pub trait RequiresNothing {
    /// Nothing.
    fn requires(&self, _requirements: &mut Requirements) {}
}

impl<T> RequiresNothing for &Probe<T> {}

/// The future of a handler, boxed. Boxing it is the one place that demands `Send` of it.
pub type Handled<T> = BoxFuture<'static, T>;

/// Stands for the handler of an agent that the macro refused. It is never called, as such a program is not built.
#[must_use]
pub fn refused(_turn: Turn) -> AgentFuture {
    Box::pin(std::future::ready(Ok(Answer::default())))
}
