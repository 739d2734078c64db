//! The effect of a tool on the world.

/// The effect of a tool on the world. It decides whether calls of the tool may run side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ToolEffect {
    /// The tool only reads. Calls of such tools run side by side.
    Read,
    /// The tool may change something. Calls of such tools run one after the other, in the order of the model.
    #[default]
    Write,
}
