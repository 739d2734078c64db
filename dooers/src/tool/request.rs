//! A call that a model asks for.

/// A call that a model asks for: the id, the name of the tool, and the arguments as the model wrote them.
///
/// ```
/// use dooers::tool::ToolRequest;
///
/// let request = ToolRequest::new("call_1", "weather", r#"{"city": "Paris"}"#);
/// assert_eq!(request.name, "weather");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ToolRequest {
    /// The id of the call. Empty if the model gave none.
    pub id: String,
    /// The name of the tool.
    pub name: String,
    /// The arguments as the text that the model wrote: JSON, if the model made no mistake. An empty text stands for no
    /// arguments.
    pub arguments: String,
}

impl ToolRequest {
    /// Creates a request.
    pub fn new(
        id: impl Into<String>,
        name: impl Into<String>,
        arguments: impl Into<String>,
    ) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            arguments: arguments.into(),
        }
    }
}
