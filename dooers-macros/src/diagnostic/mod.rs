//! The errors of the macros and their texts.
//!
//! All error texts of this crate are in this folder, and a UI test shows each of them. A text names the rule, its reason
//! and the way out, in lower case, without a full stop and with code in backticks.

mod collected;
mod function;
mod message;
mod tool;

pub(crate) use collected::Diagnostics;
pub(crate) use function::{FunctionDiagnostic, FunctionMistake};
pub(crate) use message::{Diagnostic, ValueKind};
pub(crate) use tool::ToolMistake;
