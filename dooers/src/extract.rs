//! What a handler may take as an argument.

use crate::AgentError;
use crate::requirements::Requirements;
use crate::settings::{Settings, SettingsValues, WorkerSettings};
use crate::turn::{Turn, WorkerRequest, WorkerResponse};

/// A type that a handler can take as an argument: it is made from the turn before the handler is called.
///
/// Arguments are independent of each other, so any number of them can stand in any order.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of an agent",
    label = "not made from a turn",
    note = "an agent takes any of `WorkerRequest`, `WorkerResponse`, a struct with `#[derive(WorkerSettings)]` (but none that is marked `#[setting(group)]`), `Settings<T>` of such a struct, `SettingsValues` and your own types that implement `FromTurn`, each by value"
)]
pub trait FromTurn: Sized + Send {
    /// Makes the argument. An error ends the turn before the handler begins.
    ///
    /// # Errors
    ///
    /// Whatever keeps the argument from being made.
    fn from_turn(turn: &Turn) -> impl Future<Output = Result<Self, AgentError>> + Send;

    /// Says what the argument needs of the program, so that a server that lacks it does not start.
    ///
    /// An argument that is made of others passes the question on to them.
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
        turn.settings_values().await
    }

    fn requires(requirements: &mut Requirements) {
        requirements.settings_values();
    }
}
