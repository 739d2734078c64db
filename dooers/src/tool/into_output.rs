//! Types that the handler of a tool can return.

use super::ToolOutput;
use crate::AgentError;
use crate::protocol::{AudioPart, ContentPart, DocumentPart, ImagePart};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// A type that the handler of a [`DynamicTool`](super::DynamicTool) can return: JSON, a number, a text, parts of a message,
/// [`ToolOutput`], and an `Option` or a `Result` of any of these. `()` and `None` become `null`.
///
/// `#[dooers::tool]` accepts these types, and all types that implement `Serialize`.
///
/// ```
/// use dooers::prelude::*;
/// use dooers::tool::{IntoToolOutput, ToolOutput};
/// use serde_json::json;
///
/// # fn main() -> Result<()> {
/// assert_eq!(json!({"celsius": 21}).into_output()?.into_value(), json!({"celsius": 21}));
/// assert_eq!("sunny".into_output()?, ToolOutput::text("sunny"));
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be returned by the handler of a tool",
    label = "not the output of a tool",
    note = "the handler returns `serde_json::Value`, a number, a text, `ToolOutput`, parts of a message such as `Vec<ContentPart>`, `()`, or an `Option` or a `Result` of any of these",
    note = "convert your own type with `ToolOutput::serialized(..)?`, or make the tool with `#[dooers::tool]`"
)]
pub trait IntoToolOutput {
    /// Converts the value to the output of a tool.
    ///
    /// # Errors
    ///
    /// The error that the tool returned.
    fn into_output(self) -> Result<ToolOutput, AgentError>;
}

impl IntoToolOutput for ToolOutput {
    fn into_output(self) -> Result<ToolOutput, AgentError> {
        Ok(self)
    }
}

impl IntoToolOutput for () {
    fn into_output(self) -> Result<ToolOutput, AgentError> {
        Ok(ToolOutput::json(Value::Null))
    }
}

macro_rules! json {
    ($($json:ty)*) => {$(
        impl IntoToolOutput for $json {
            fn into_output(self) -> Result<ToolOutput, AgentError> {
                Ok(ToolOutput::json(self))
            }
        }
    )*};
}

json!(Value Map<String, Value> Vec<Value> bool String &'static str Cow<'static, str>);
json!(f32 f64 i8 i16 i32 i64 isize u8 u16 u32 u64 usize);

impl IntoToolOutput for Vec<ContentPart> {
    fn into_output(self) -> Result<ToolOutput, AgentError> {
        Ok(ToolOutput::parts(self))
    }
}

macro_rules! parts {
    ($($part:ty)*) => {$(
        impl IntoToolOutput for $part {
            fn into_output(self) -> Result<ToolOutput, AgentError> {
                Ok(ToolOutput::parts(vec![self.into()]))
            }
        }
    )*};
}

parts!(ContentPart ImagePart AudioPart DocumentPart);

impl<T: IntoToolOutput> IntoToolOutput for Option<T> {
    fn into_output(self) -> Result<ToolOutput, AgentError> {
        self.map_or_else(|| ().into_output(), T::into_output)
    }
}

impl<T: IntoToolOutput, E: Into<AgentError>> IntoToolOutput for Result<T, E> {
    fn into_output(self) -> Result<ToolOutput, AgentError> {
        self.map_err(E::into)?.into_output()
    }
}
