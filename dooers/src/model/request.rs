//! The question to a model.

use serde_json::Value;

/// The question to a model: the conversation, and the tools that the model may call.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct ModelRequest {
    /// The messages in the model's [`history_format`](super::ChatModel::history_format), the oldest first.
    pub history: Vec<Value>,
    /// The definitions of the tools in the model's [`tool_format`](super::ChatModel::tool_format). Empty if there are none.
    pub tools: Vec<Value>,
    /// The instructions for the model. They are not a part of the history, because each API takes them in its own place.
    pub system: Option<String>,
}

impl ModelRequest {
    /// Creates a request with this history, without tools and without instructions.
    ///
    /// ```
    /// use dooers::model::ModelRequest;
    /// use serde_json::json;
    ///
    /// let history = vec![json!({"role": "user", "content": "Is it raining?"})];
    /// let request = ModelRequest::new(history).with_system("Answer in one word.");
    /// assert!(request.tools.is_empty());
    /// ```
    #[must_use]
    pub fn new(history: Vec<Value>) -> Self {
        Self {
            history,
            ..Self::default()
        }
    }

    /// Sets the definitions of the tools.
    #[must_use]
    pub fn with_tools(mut self, tools: Vec<Value>) -> Self {
        self.tools = tools;
        self
    }

    /// Sets the instructions for the model.
    #[must_use]
    pub fn with_system(mut self, system: impl Into<String>) -> Self {
        self.system = Some(system.into());
        self
    }
}
