//! The texts of panics.

use std::any::Any;

/// Describes a panic of the user's code, for the log. `what` is the part that panicked, such as "the handler".
pub(crate) fn panic_text(what: &str, panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("{what} panicked: {}", text.unwrap_or("(no message)"))
}
