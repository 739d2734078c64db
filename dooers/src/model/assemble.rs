//! Tool calls from their pieces.

use super::{ModelError, ToolCallPiece};
use crate::tool::ToolRequest;

/// Maximum size of the arguments of one call, in bytes. Further pieces are dropped. The arguments are then too long to be
/// accepted, which the model learns from the result of the call.
const MAX_ARGUMENT_BYTES: usize = 1024 * 1024;

/// Maximum length of an id and of a name, in bytes. Further pieces are dropped, and the name is unknown.
const MAX_NAME_BYTES: usize = 1024;

/// Maximum number of calls of one answer.
const MAX_CALLS: usize = 128;

/// The tool calls of an answer that is still arriving.
#[derive(Debug, Default)]
pub(super) struct PartialCalls(Vec<PartialCall>);

#[derive(Debug, Default)]
struct PartialCall {
    index: usize,
    id: String,
    name: String,
    arguments: String,
}

impl PartialCalls {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a piece to its call.
    ///
    /// # Errors
    ///
    /// An answer with too many calls.
    pub(super) fn push(&mut self, piece: &ToolCallPiece) -> Result<(), ModelError> {
        let calls = &mut self.0;
        let same_index = calls.iter().rposition(|call| call.index == piece.index);
        let known = same_index.filter(|place| !calls[*place].is_followed_by(piece));
        let place = match known {
            Some(place) => place,
            None if calls.len() == MAX_CALLS => {
                let text = format!("the model's answer has more than {MAX_CALLS} tool calls");
                return Err(ModelError::new(text));
            }
            None => {
                calls.push(PartialCall {
                    index: piece.index,
                    ..PartialCall::default()
                });
                calls.len() - 1
            }
        };
        calls[place].add(piece);
        Ok(())
    }

    /// The calls of a complete answer, in the order of their indices.
    pub(super) fn finish(mut self) -> Vec<ToolRequest> {
        self.0.sort_by_key(|call| call.index);
        let request = |call: PartialCall| ToolRequest::new(call.id, call.name, call.arguments);
        self.0.into_iter().map(request).collect()
    }
}

impl PartialCall {
    /// Returns true if the piece with the same index belongs to the next call.
    fn is_followed_by(&self, piece: &ToolCallPiece) -> bool {
        let id = piece.id.as_deref().unwrap_or_default();
        let name = piece.name.as_deref().unwrap_or_default();
        let is_other_id = !id.is_empty() && !self.id.is_empty() && id != self.id;
        is_other_id && !name.is_empty() && !self.name.is_empty()
    }

    fn add(&mut self, piece: &ToolCallPiece) {
        if self.id.is_empty() {
            append(
                &mut self.id,
                piece.id.as_deref().unwrap_or_default(),
                MAX_NAME_BYTES,
            );
        }
        let name = piece.name.as_deref().unwrap_or_default();
        // Some servers repeat the whole name in each piece.
        if name != self.name {
            append(&mut self.name, name, MAX_NAME_BYTES);
        }
        append(&mut self.arguments, &piece.arguments, MAX_ARGUMENT_BYTES);
    }
}

/// Appends a text unless the result is longer than the limit.
fn append(text: &mut String, more: &str, most: usize) {
    if text.len() <= most {
        text.push_str(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assembled(pieces: impl IntoIterator<Item = ToolCallPiece>) -> Vec<[String; 3]> {
        let mut calls = PartialCalls::default();
        for piece in pieces {
            calls.push(&piece).unwrap();
        }
        let parts = |call: ToolRequest| [call.id, call.name, call.arguments];
        calls.finish().into_iter().map(parts).collect()
    }

    fn piece(index: usize) -> ToolCallPiece {
        ToolCallPiece::new(index)
    }

    #[test]
    fn pieces_of_parallel_calls_are_told_apart() {
        let calls = assembled([
            piece(1).id("b").name("two").arguments("{\"b\""),
            piece(0).id("a").name("one"),
            piece(0).arguments("{\"a\""),
            piece(1).arguments(":2}"),
            piece(0).arguments(":1}"),
        ]);
        assert_eq!(
            calls,
            [["a", "one", "{\"a\":1}"], ["b", "two", "{\"b\":2}"]]
        );
    }

    #[test]
    fn id_and_name_may_be_late_missing_or_repeated() {
        let calls = assembled([
            piece(0).arguments("{"),
            piece(0).arguments("}").id("late"),
            piece(0).name("get_").id("late"),
            piece(0).name("time"),
            piece(1).name("clock").id(""),
            piece(1).name("clock").arguments("{}"),
            piece(2).id("x").name("now"),
            piece(2).id("y"),
        ]);
        assert_eq!(calls[0], ["late", "get_time", "{}"]);
        assert_eq!(calls[1], ["", "clock", "{}"]);
        assert_eq!(calls[2], ["x", "now", ""]);
    }

    #[test]
    fn calls_that_share_an_index_are_told_apart() {
        let calls = assembled([
            piece(0).id("a").name("one").arguments("{}"),
            piece(0).id("b").name("one").arguments("{\"n\":"),
            piece(0).arguments("2}"),
        ]);
        assert_eq!(calls, [["a", "one", "{}"], ["b", "one", "{\"n\":2}"]]);
    }

    #[test]
    fn arguments_stop_growing_above_the_limit() {
        let long = "x".repeat(MAX_ARGUMENT_BYTES / 2 + 1);
        let calls = assembled((0..50).map(|_| piece(0).id("a").name("b").arguments(&*long)));
        assert_eq!(calls[0][2].len(), 2 * long.len());
        assert_eq!(calls[0][1], "b");
    }

    #[test]
    fn too_many_calls_are_an_error() {
        let mut calls = PartialCalls::default();
        for index in 0..MAX_CALLS {
            calls.push(&piece(index)).unwrap();
        }
        calls.push(&piece(0).arguments("{}")).unwrap();
        let error = calls.push(&piece(MAX_CALLS)).unwrap_err();
        assert!(!error.is_retryable(), "{error}");
    }
}
