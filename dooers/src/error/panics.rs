//! The texts of panics.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Describes a panic of the user's code, for the log. `what` is the part that panicked, such as "the handler".
///
/// The value of the panic is dropped here, where another panic has no effect.
pub(crate) fn panic_text(what: &str, panic: Box<dyn Any + Send>) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let text = format!("{what} panicked: {}", text.unwrap_or("(no message)"));
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        // Dropping this value may panic as well.
        Box::leak(again);
    }
    text
}
