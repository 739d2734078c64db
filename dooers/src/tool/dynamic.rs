//! A tool that is made at run time.

use super::schema::ArgumentSchema;
use super::{Approval, HandlerOutput, ToolEffect, ToolOutput};
use crate::handler::Requirements;
use crate::text::split_at_bytes;
use crate::{AgentError, Turn};
use futures::future::BoxFuture;
use serde_json::Value;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The longest name, in bytes.
const MAX_NAME: usize = 64;

/// The longest timeout.
const MAX_TIMEOUT: Duration = Duration::from_secs(24 * 3600);

/// Maximum length of a text in a mistake, in bytes. Names and schemas can come from another program.
const MOST_BYTES: usize = 1000;

/// The handler of a tool.
pub(super) type ToolHandler =
    Arc<dyn Fn(Turn, Value) -> BoxFuture<'static, Result<ToolOutput, AgentError>> + Send + Sync>;

/// Adds the requirements of an annotated function.
type Requires = Arc<dyn Fn(&mut Requirements) + Send + Sync>;

/// A tool with its name, description, JSON Schema, options and handler.
///
/// [`#[dooers::tool]`](macro@crate::tool) makes one for an annotated function. A program makes others at run time, for
/// example for the tools of an MCP server. A clone is the same tool.
///
/// ```
/// use dooers::DynamicTool;
/// use dooers::prelude::*;
/// use dooers::tool::ToolEffect;
/// use serde_json::json;
///
/// let schema = json!({
///     "type": "object",
///     "properties": {"path": {"type": "string", "description": "The path of the file."}},
///     "required": ["path"],
/// });
/// let read_file = DynamicTool::new("read_file", schema, async |_turn, arguments| {
///     let path = arguments["path"].as_str().unwrap_or_default();
///     format!("the content of {path}")
/// })
/// .with_description("Reads a file.")
/// .with_effect(ToolEffect::Read);
/// let tools = Tools::new().with_tool(read_file);
/// assert_eq!(tools.names(), ["read_file"]);
/// ```
#[derive(Clone)]
pub struct DynamicTool(Arc<Parts>);

#[derive(Clone)]
struct Parts {
    name: String,
    description: String,
    schema: Arc<ArgumentSchema>,
    handler: ToolHandler,
    effect: ToolEffect,
    approval: Approval,
    timeout: Option<Duration>,
    is_strict: bool,
    requires: Option<Requires>,
    mistake: Option<String>,
}

impl DynamicTool {
    /// Creates a tool with this name, JSON Schema of its arguments and handler.
    ///
    /// The name has 1 to 64 of the characters `a-z A-Z 0-9 _ -`, as providers require. The schema is an object schema:
    /// its `type` is `object`. The handler is called with the turn and with arguments that fit the schema. A server whose
    /// agent has a tool that breaks one of these rules does not start.
    ///
    /// The calls of the tool need no approval, have no time limit and count as [`ToolEffect::Write`] until a method
    /// `with_…` changes that.
    #[must_use]
    pub fn new<F, Fut, R>(name: impl Into<String>, schema: Value, handler: F) -> Self
    where
        F: Fn(Turn, Value) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = R> + Send + 'static,
        R: HandlerOutput + 'static,
    {
        let handler = move |turn, arguments| {
            let running = handler(turn, arguments);
            let future: BoxFuture<'static, _> =
                Box::pin(async { running.await.into_handler_output() });
            future
        };
        Self(Arc::new(Parts {
            name: name.into(),
            description: String::new(),
            schema: Arc::new(ArgumentSchema::new(schema)),
            handler: Arc::new(handler),
            effect: ToolEffect::default(),
            approval: Approval::never(),
            timeout: None,
            is_strict: false,
            requires: None,
            mistake: None,
        }))
    }

    fn change(mut self, change: impl FnOnce(&mut Parts)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// Sets the description, by which the model decides when to call the tool.
    #[must_use]
    pub fn with_description(self, description: impl Into<String>) -> Self {
        self.change(|parts| parts.description = description.into())
    }

    /// Sets the maximum duration of a call: more than zero, and at most 24 hours. The time in which the call waits for an
    /// approval does not count. A call that takes longer is dropped, and the model gets an error as its result.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        self.change(|parts| parts.timeout = Some(timeout))
    }

    /// Sets the effect of the tool.
    #[must_use]
    pub fn with_effect(self, effect: ToolEffect) -> Self {
        self.change(|parts| parts.effect = effect)
    }

    /// Sets which calls a person must approve.
    #[must_use]
    pub fn with_approval(self, approval: Approval) -> Self {
        self.change(|parts| parts.approval = approval)
    }

    /// Makes the schema strict for OpenAI, which then guarantees that the model's arguments fit it. Strict schemas
    /// require all members, so optional ones become nullable, and allow no others.
    #[must_use]
    pub fn with_strict(self) -> Self {
        self.change(|parts| parts.is_strict = true)
    }

    /// Sets the requirements of an annotated function, so that a server that lacks one of them does not start.
    pub(super) fn with_requirements(
        self,
        requires: impl Fn(&mut Requirements) + Send + Sync + 'static,
    ) -> Self {
        self.change(|parts| parts.requires = Some(Arc::new(requires)))
    }

    /// Sets the mistake in an annotated function that the compiler cannot see, as a sentence that begins with its subject.
    pub(super) fn with_mistake(self, mistake: Option<String>) -> Self {
        self.change(|parts| parts.mistake = mistake)
    }

    /// The name by which the model calls the tool.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The description. Empty if there is none.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.0.description
    }

    /// The JSON Schema of the arguments, as it was given.
    #[must_use]
    pub fn schema(&self) -> &Value {
        self.0.schema.given()
    }

    /// The effect of the tool.
    #[must_use]
    pub fn effect(&self) -> ToolEffect {
        self.0.effect
    }

    /// The rule that decides which calls a person must approve.
    #[must_use]
    pub fn approval(&self) -> &Approval {
        &self.0.approval
    }

    /// The maximum duration of a call. `None` for no limit of its own.
    #[must_use]
    pub fn timeout(&self) -> Option<Duration> {
        self.0.timeout
    }

    /// Returns true if the schema is strict for OpenAI.
    #[must_use]
    pub fn is_strict(&self) -> bool {
        self.0.is_strict
    }

    /// The schema of the arguments.
    pub(super) fn arguments(&self) -> &ArgumentSchema {
        &self.0.schema
    }

    /// Adds the requirements of an annotated function.
    pub(super) fn requires(&self, requirements: &mut Requirements) {
        if let Some(requires) = &self.0.requires {
            requires(requirements);
        }
    }

    /// The first rule that the tool breaks, as a sentence that begins with its subject.
    pub(super) fn mistake(&self) -> Option<String> {
        let name = self.name();
        let is_name_char = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        let problem = if !(1..=MAX_NAME).contains(&name.len()) || !name.bytes().all(is_name_char) {
            Some(format!(
                "its name must have 1 to {MAX_NAME} of the characters `a-z A-Z 0-9 _ -`, because providers accept no others"
            ))
        } else if self
            .timeout()
            .is_some_and(|timeout| timeout.is_zero() || timeout > MAX_TIMEOUT)
        {
            Some("its timeout must be more than zero and at most 24 hours".to_owned())
        } else if let Some(mistake) = self.arguments().mistake() {
            Some(mistake)
        } else if let Some(mistake) = &self.0.mistake {
            Some(mistake.clone())
        } else if self.is_strict() {
            self.arguments().strict().err().map(str::to_owned)
        } else {
            None
        };
        let name = shortened(&name.escape_debug().to_string());
        problem.map(|problem| format!("the tool `{name}` cannot be used: {}", shortened(&problem)))
    }

    /// The handler.
    pub(super) fn handler(&self) -> &ToolHandler {
        &self.0.handler
    }
}

fn shortened(text: &str) -> String {
    match split_at_bytes(text, MOST_BYTES) {
        (whole, "") => whole.to_owned(),
        (start, _) => format!("{start}…"),
    }
}

impl fmt::Debug for DynamicTool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamicTool")
            .field("name", &self.name())
            .field("description", &self.description())
            .field("effect", &self.effect())
            .field("approval", self.approval())
            .field("timeout", &self.timeout())
            .field("is_strict", &self.is_strict())
            .finish_non_exhaustive()
    }
}
