//! Types that handlers can take as arguments.

use super::requirements::Requirements;
use super::state::State;
use super::{Turn, WorkerAnalytics, WorkerRequest, WorkerResponse};
use crate::AgentError;
use crate::history::WorkerMemory;
use crate::settings::{Settings, SettingsValues, WorkerSettings};
use tokio_util::sync::CancellationToken;

/// A type that a handler can take as an argument. The argument is created from the turn before the handler is called.
///
/// Arguments are independent of each other. A handler can take any number of them in any order. The type must be `Send`,
/// because the server moves the handler between threads. The compiler checks this where a handler takes the argument.
///
/// ```
/// use dooers::prelude::*;
///
/// /// The user's language, from the metadata of the message.
/// struct Language(String);
///
/// impl FromTurn for Language {
///     async fn from_turn(turn: &Turn) -> Result<Self> {
///         let metadata = turn.request().metadata.as_ref();
///         let language = metadata.and_then(|metadata| metadata["language"].as_str());
///         Ok(Self(language.unwrap_or("en").to_owned()))
///     }
/// }
///
/// #[dooers::agent]
/// async fn translator(Language(language): Language, request: WorkerRequest) -> String {
///     format!("{} in {language}", request.message)
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of an agent",
    label = "cannot be created from a turn",
    note = "an agent takes any of `WorkerRequest`, `WorkerResponse`, `WorkerMemory`, `WorkerAnalytics`, a struct with `#[derive(WorkerSettings)]` (without `#[setting(group)]`), `Settings<T>` of such a struct, `SettingsValues`, `State<S>`, `TurnServer`, `CancellationToken`, `Data<T>` and `FormAnswer<T>` of a type with `#[derive(serde::Deserialize)]`, your own types that implement `FromTurn`, and `Option`s, `Result<_, AgentError>`s and tuples of these, each by value"
)]
pub trait FromTurn: Sized {
    /// Creates the argument. An error ends the turn before the handler starts.
    ///
    /// # Errors
    ///
    /// Any error that prevents the argument from being created.
    fn from_turn(turn: &Turn) -> impl Future<Output = Result<Self, AgentError>> + Send;

    /// Adds the requirements of the argument, so that a server that lacks one of them does not start.
    ///
    /// An argument that is created from other arguments must call their `requires`.
    fn requires(requirements: &mut Requirements) {
        let _ = requirements;
    }
}

impl FromTurn for WorkerRequest {
    async fn from_turn(turn: &Turn) -> Result<Self, AgentError> {
        Ok(turn.request().clone())
    }
}

impl FromTurn for WorkerResponse {
    async fn from_turn(turn: &Turn) -> Result<Self, AgentError> {
        Ok(turn.response().clone())
    }
}

impl FromTurn for WorkerMemory {
    async fn from_turn(turn: &Turn) -> Result<Self, AgentError> {
        Ok(turn.memory().await?)
    }
}

// The compiler lists at most eight types when it explains what a handler can take.
#[diagnostic::do_not_recommend]
impl FromTurn for WorkerAnalytics {
    async fn from_turn(turn: &Turn) -> Result<Self, AgentError> {
        Ok(turn.response().analytics())
    }
}

impl<T: WorkerSettings> FromTurn for Settings<T> {
    async fn from_turn(turn: &Turn) -> Result<Self, AgentError> {
        Ok(turn.live_settings())
    }

    fn requires(requirements: &mut Requirements) {
        requirements.settings::<T>();
    }
}

impl FromTurn for SettingsValues {
    async fn from_turn(turn: &Turn) -> Result<Self, AgentError> {
        Ok(turn.settings_values().await?)
    }

    fn requires(requirements: &mut Requirements) {
        requirements.settings_values();
    }
}

impl<S: Clone + 'static> FromTurn for State<S> {
    async fn from_turn(turn: &Turn) -> Result<Self, AgentError> {
        let missing = || {
            let name = std::any::type_name::<S>();
            format!("there is no state of the type `{name}`; add it with `.state(..)`")
        };
        Ok(Self(turn.state().ok_or_else(missing)?))
    }

    fn requires(requirements: &mut Requirements) {
        requirements.state::<S>();
    }
}

/// Fires when the turn is cancelled or its handler is dropped. Use it to stop work that the handler passed to other
/// tasks.
impl FromTurn for CancellationToken {
    async fn from_turn(turn: &Turn) -> Result<Self, AgentError> {
        Ok(turn.cancellation().clone())
    }
}

/// `None` if the argument cannot be created. The server starts without a state of this type.
impl<T: FromTurn> FromTurn for Option<T> {
    async fn from_turn(turn: &Turn) -> Result<Self, AgentError> {
        Ok(T::from_turn(turn).await.ok())
    }

    fn requires(requirements: &mut Requirements) {
        requirements.optionally(T::requires);
    }
}

/// The error if the argument cannot be created, so that the handler can deal with it. The server starts without a
/// state of this type.
impl<T: FromTurn> FromTurn for Result<T, AgentError> {
    async fn from_turn(turn: &Turn) -> Result<Self, AgentError> {
        Ok(T::from_turn(turn).await)
    }

    fn requires(requirements: &mut Requirements) {
        requirements.optionally(T::requires);
    }
}

macro_rules! tuples {
    ($($first:ident $($rest:ident)*)?) => {$(
        #[diagnostic::do_not_recommend]
        impl<$first: FromTurn + Send, $($rest: FromTurn + Send),*> FromTurn for ($first, $($rest,)*) {
            async fn from_turn(turn: &Turn) -> Result<Self, AgentError> {
                Ok(($first::from_turn(turn).await?, $($rest::from_turn(turn).await?,)*))
            }

            fn requires(requirements: &mut Requirements) {
                $first::requires(requirements);
                $($rest::requires(requirements);)*
            }
        }

        tuples!($($rest)*);
    )?};
}

tuples!(A B C D E F G H);
