//! The id of an error in a text for people.

/// Adds the id of an error to a text that a client shows. The log has the details of the error under this id.
///
/// The form is the same in every text, so that a program can find the id: it is the last thing in the text, in
/// parentheses.
pub(crate) fn with_error_id(text: &str, id: &str) -> String {
    format!("{text} (error {id})")
}
