//! Items that generated code calls. They are not part of the public API and may change in any release.

pub use super::agent::Registered;
pub use super::agent_fn::AgentFuture;
pub use super::annotated::{AnyType, Handled, Handler, handler, refused};
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
