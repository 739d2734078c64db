//! The part of an agent that belongs to a higher layer.

use super::{Requirements, Turn};

/// A part of an agent that belongs to a layer above the handler, such as its tools.
///
/// The handler's layer does not know the type of the part. It only lets the part prepare each turn.
pub trait AgentPart: Send + Sync + 'static {
    /// Prepares a turn before the arguments of the handler are created.
    fn prepare(&self, turn: Turn) -> Turn;

    /// The first rule that the part breaks, as a sentence that begins with its subject.
    fn mistake(&self) -> Option<String>;

    /// Adds the requirements of the part.
    fn requires(&self, requirements: &mut Requirements);
}
