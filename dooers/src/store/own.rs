//! The marker that closes [`Store`](super::Store) to other crates.

/// A store that is part of dooers.
///
/// It is public on a hidden path, because this repository's tests implement a store that observes another one.
pub trait OwnStore {}
