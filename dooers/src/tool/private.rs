//! Items that generated code calls. They are not part of the public API and may change in any release.

pub use super::agent::part;
