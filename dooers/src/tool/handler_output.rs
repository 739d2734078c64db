//! Types that the handler of a tool made at run time can return.

use super::{IntoToolOutput, ToolOutput};
use crate::AgentError;
use crate::protocol::{AudioPart, ContentPart, DocumentPart, ImagePart};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// A type that the handler of a [`DynamicTool`](super::DynamicTool) can return: JSON, texts, numbers, [`ToolOutput`], content
/// parts, and a `Result` of any of these with an error that converts into [`AgentError`].
///
/// A handler returns its own type as [`ToolOutput::serialized`]. [`IntoToolOutput`] is the same for annotated functions, which
/// can also return their own types.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be returned by the handler of a tool",
    label = "not an output of a tool",
    note = "a handler returns `serde_json::Value`, a text, a number, `()`, `ToolOutput`, content parts, or a `Result` of any of these whose error converts into `AgentError`; return any other value as `ToolOutput::serialized(value)`"
)]
pub trait HandlerOutput {
    /// Converts the value to the output of a tool.
    ///
    /// # Errors
    ///
    /// The error that the handler returned.
    fn into_handler_output(self) -> Result<ToolOutput, AgentError>;
}

macro_rules! serialized {
    ($($ty:ty)*) => {$(
        #[diagnostic::do_not_recommend]
        impl HandlerOutput for $ty {
            fn into_handler_output(self) -> Result<ToolOutput, AgentError> {
                self.into_output()
            }
        }
    )*};
}

serialized!(() bool f32 f64 i8 i16 i32 i64 isize u8 u16 u32 u64 usize);
serialized!(&'static str Cow<'static, str> Map<String, Value> String ToolOutput Value Vec<Value>);

macro_rules! parts {
    ($($part:ty)*) => {$(
        #[diagnostic::do_not_recommend]
        impl HandlerOutput for $part {
            fn into_handler_output(self) -> Result<ToolOutput, AgentError> {
                Ok(ToolOutput::parts(vec![self.into()]))
            }
        }
    )*};
}

parts!(ContentPart ImagePart AudioPart DocumentPart);

impl HandlerOutput for Vec<ContentPart> {
    fn into_handler_output(self) -> Result<ToolOutput, AgentError> {
        Ok(ToolOutput::parts(self))
    }
}

impl<T: HandlerOutput, E: Into<AgentError>> HandlerOutput for Result<T, E> {
    fn into_handler_output(self) -> Result<ToolOutput, AgentError> {
        self.map_err(Into::into)?.into_handler_output()
    }
}
