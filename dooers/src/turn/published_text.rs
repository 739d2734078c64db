//! The state of a text that a turn streams.

use crate::broker::TextPiece;
use crate::hub::GrowingText;

/// A text that is being streamed.
pub(super) struct PublishedText {
    pub(super) growing: GrowingText,
    /// The state of the text for other nodes: an empty piece at its end.
    pub(super) elsewhere: TextPiece,
    /// The number of the next piece when the text was last stored.
    pub(super) stored: u64,
}
