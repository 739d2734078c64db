//! Items that generated code calls. They are not part of the public API and may change in any release.

pub use super::agent::part;
pub use super::annotated::{annotated, annotated_with_approval, refused};
pub use super::argument::AnyArgument;
pub use super::returned::{AnyReturn, returned};
pub use serde_json::Value as Json;
