//! Items that generated code calls. They are not part of the public API and may change in any release.

pub use super::agent::Registered;
pub use super::agent_fn::AgentFuture;
pub use dooers_macros::__beside as beside;
pub use inventory;

// For the tests of this repository.
pub use crate::store::own::OwnStore;

/// Functions and types that the derive macros of settings use.
pub mod settings {
    pub use crate::settings::__generated::*;

    use super::super::{Requirements, Turn};
    use crate::AgentError;
    use crate::settings::WorkerSettings;

    /// Reads the current settings for a handler's argument.
    ///
    /// # Errors
    ///
    /// [`AgentError`] if the database fails or a secret cannot be decrypted.
    pub async fn from_turn<T: WorkerSettings>(turn: &Turn) -> Result<T, AgentError> {
        Ok(turn.settings().await?)
    }

    /// Adds the requirement of an argument: the settings of this type.
    pub fn require<T: WorkerSettings>(requirements: &mut Requirements) {
        requirements.settings::<T>();
    }
}

use super::Turn;
use super::extract::FromTurn;
use super::reply::Answer;
use super::requirements::Requirements;
use crate::AgentError;
use futures::future::BoxFuture;
use std::marker::PhantomData;

/// Boxes the whole call: arguments, handler and reply.
pub fn call<F>(future: F) -> AgentFuture
where
    F: Future<Output = Result<Answer, AgentError>> + Send + 'static,
{
    Box::pin(future)
}

/// Creates one argument.
///
/// The future is boxed. Otherwise the compiler would require `FromTurn` for every lifetime if the type of the argument
/// contains `&'static`.
#[must_use]
pub fn argument<'a, T: FromTurn + 'a>(turn: &'a Turn) -> BoxFuture<'a, Result<T, AgentError>> {
    Box::pin(T::from_turn(turn))
}

/// Collects the [requirements](FromTurn::requires) of an argument type that implements [`FromTurn`].
///
/// Method lookup on `&Probe<T>` finds the method of [`Requires`] if `T` implements [`FromTurn`]. Otherwise it takes one
/// more reference and finds the method of [`RequiresNothing`]. A type that is not an argument therefore causes a single
/// error, where [`argument`] creates it.
#[derive(Debug)]
pub struct Probe<T>(PhantomData<T>);

impl<T> Probe<T> {
    /// The probe for this type.
    pub const OF: Self = Self(PhantomData);
}

/// Types that can be arguments.
pub trait Requires {
    /// Adds the requirements of the type.
    fn requires(&self, requirements: &mut Requirements);
}

impl<T: FromTurn> Requires for Probe<T> {
    fn requires(&self, requirements: &mut Requirements) {
        T::requires(requirements);
    }
}

/// All types.
pub trait RequiresNothing {
    /// Adds nothing.
    fn requires(&self, _requirements: &mut Requirements) {}
}

impl<T> RequiresNothing for &Probe<T> {}

/// The boxed future of a handler. This is the only place that requires the future to be `Send`.
pub type Handled<T> = BoxFuture<'static, T>;

/// A replacement for the handler of an agent that the macro refused. It is never called, because such a program does
/// not compile.
#[must_use]
pub fn refused(_turn: Turn) -> AgentFuture {
    Box::pin(std::future::ready(Ok(Answer::default())))
}
