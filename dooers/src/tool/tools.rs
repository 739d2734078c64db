//! A set of tools.

use super::{DynamicTool, Tool, ToolFormat};
use crate::Turn;
use crate::handler::Requirements;
use crate::history::function_name;
use crate::similar::similar;
use crate::text::split_at_bytes;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// The default time limit of an approval.
const APPROVAL_TIMEOUT: Duration = Duration::from_secs(600);

/// Maximum number of names in a text.
const LISTED: usize = 20;

/// Maximum length of a name in a text, in bytes.
const MAX_SHOWN_NAME: usize = 128;

/// A set of tools. A handler takes the tools of its agent as an argument. A clone is cheap.
///
/// [`definitions`](Self::definitions) is what a model gets, and [`call_all`](Self::call_all) runs the calls that the
/// model asks for.
///
/// ```
/// use dooers::DynamicTool;
/// use dooers::prelude::*;
/// use dooers::tool::{ToolFormat, ToolRequest};
/// use serde_json::json;
///
/// async fn agent(tools: Tools, response: WorkerResponse) -> Result<()> {
///     let definitions = tools.definitions(ToolFormat::OpenAi);
///     assert_eq!(definitions[0]["function"]["name"], "add");
///     // A model gets the definitions, and asks for this call.
///     let result = tools.call("call_1", "add", r#"{"a": 1, "b": 2}"#).await?;
///     response.text(format!("The sum is {}.", result.text())).await?;
///     Ok(())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let number = json!({"type": "integer"});
/// let schema = json!({"type": "object", "properties": {"a": number, "b": number}, "required": ["a", "b"]});
/// let add = DynamicTool::new("add", schema, async |_turn, arguments| {
///     arguments["a"].as_i64().unwrap_or(0) + arguments["b"].as_i64().unwrap_or(0)
/// });
///
/// // A unit test binds the tools to a turn of its own.
/// let (response, sent) = WorkerResponse::recorder();
/// let turn = Turn::new(WorkerRequest::new("What is 1 + 2?"), response.clone());
/// agent(Tools::new().with_tool(add).for_turn(&turn), response).await?;
/// assert_eq!(sent.texts().last().unwrap(), "The sum is 3.");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Tools {
    tools: Arc<Vec<DynamicTool>>,
    pub(super) approvals: Approvals,
    /// The turn to which the set is bound.
    pub(super) bound: Option<Arc<Turn>>,
}

/// The options of approvals.
#[derive(Debug, Clone)]
pub(super) struct Approvals {
    pub(super) timeout: Duration,
    /// The id of the only user who may approve.
    pub(super) approver: Option<String>,
}

impl Default for Approvals {
    fn default() -> Self {
        Self {
            timeout: APPROVAL_TIMEOUT,
            approver: None,
        }
    }
}

impl Tools {
    /// Creates an empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an annotated tool.
    #[must_use]
    pub fn with<T: Tool>(self) -> Self {
        self.with_tool(T::definition())
    }

    /// Adds a tool that was made at run time. If the set has a tool of this name, this one takes its place.
    ///
    /// A server does not start if its agent has two tools of one name.
    #[must_use]
    pub fn with_tool(mut self, tool: DynamicTool) -> Self {
        Arc::make_mut(&mut self.tools).push(tool);
        self
    }

    /// Sets how long a call waits for its approval. Then the call counts as refused. The default is 10 minutes.
    #[must_use]
    pub fn approval_timeout(mut self, timeout: Duration) -> Self {
        self.approvals.timeout = timeout;
        self
    }

    /// Sets the id of the only user who may approve calls. The default is anyone who may write in the thread. An empty id is
    /// that of all anonymous users.
    #[must_use]
    pub fn approver(mut self, user_id: impl Into<String>) -> Self {
        self.approvals.approver = Some(user_id.into());
        self
    }

    /// Binds the set to a turn, so that its tools can be called. The tools that a handler takes as an argument are bound
    /// already.
    #[must_use]
    pub fn for_turn(mut self, turn: &Turn) -> Self {
        self.bound = Some(Arc::new(turn.clone()));
        self
    }

    /// The definitions of the tools, as this API accepts them: the value of `tools` in its requests.
    #[must_use]
    pub fn definitions(&self, format: ToolFormat) -> Vec<Value> {
        format.render(self.unique())
    }

    /// The names of the tools, in the order in which they were added.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.unique().map(DynamicTool::name).collect()
    }

    /// The number of tools.
    #[must_use]
    pub fn len(&self) -> usize {
        self.unique().count()
    }

    /// Returns true if the set has no tools.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tools.is_empty()
    }

    /// The tool of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&DynamicTool> {
        self.tools.iter().rev().find(|tool| tool.name() == name)
    }

    /// The first rule that the tools break, as a sentence that begins with its subject. `None` if there is no mistake.
    ///
    /// A server whose agent has such tools does not start.
    #[must_use]
    pub fn mistake(&self) -> Option<String> {
        for (at, tool) in self.tools.iter().enumerate() {
            if let Some(mistake) = tool.mistake() {
                return Some(mistake);
            }
            let written = function_name(tool.name());
            let mut before = self.tools[..at].iter();
            if let Some(other) = before.find(|other| function_name(other.name()) == written) {
                let (one, other) = (other.name(), tool.name());
                return Some(if one == other {
                    format!(
                        "it has two tools with the name `{one}`, but a model calls tools by name; rename one of them"
                    )
                } else {
                    format!(
                        "its tools `{one}` and `{other}` have the same name for providers, `{written}`; rename one of them"
                    )
                });
            }
        }
        let timeout = self.approvals.timeout;
        (timeout.is_zero() || timeout > MAX_APPROVAL_TIMEOUT).then(|| {
            "the time limit of its approvals must be more than zero and at most 24 hours".to_owned()
        })
    }

    /// Adds the requirements of the tools.
    pub(super) fn requires(&self, requirements: &mut Requirements) {
        let tools = self.tools.iter();
        tools.for_each(|tool| tool.requires(requirements));
    }

    /// The tools, without those that others of the same name have replaced.
    fn unique(&self) -> impl Iterator<Item = &DynamicTool> {
        let tools = self.tools.iter().enumerate();
        let is_last = |(at, tool): &(usize, &DynamicTool)| {
            let mut behind = self.tools[at + 1..].iter();
            behind.all(|other| other.name() != tool.name())
        };
        tools.filter(is_last).map(|(_, tool)| tool)
    }

    /// The tool that a model means by this name: the tool of this name, or the only tool whose name is the same once
    /// characters that providers do not accept are replaced.
    ///
    /// # Errors
    ///
    /// The reason why there is no such tool, for the model.
    pub(super) fn find(&self, name: &str) -> Result<&DynamicTool, String> {
        if let Some(tool) = self.get(name) {
            return Ok(tool);
        }
        let written = function_name(name);
        let mut fitting = self
            .unique()
            .filter(|tool| function_name(tool.name()) == written);
        match (fitting.next(), fitting.next()) {
            (Some(only), None) if !name.is_empty() => Ok(only),
            _ => Err(self.unknown(name)),
        }
    }

    fn unknown(&self, name: &str) -> String {
        let shown = shown_name(name);
        let names = self.names();
        if let Some(similar) = similar(shown, names.iter().copied()) {
            return format!("there is no tool `{shown}`; did you mean `{similar}`?");
        }
        let mut listed: Vec<_> = names
            .iter()
            .take(LISTED)
            .map(|name| format!("`{name}`"))
            .collect();
        if names.len() > LISTED {
            listed.push("…".to_owned());
        }
        match &listed[..] {
            [] => format!("there is no tool `{shown}`, and no other tool"),
            listed => format!(
                "there is no tool `{shown}`; the tools are {}",
                listed.join(", ")
            ),
        }
    }
}

/// The longest time limit of an approval.
const MAX_APPROVAL_TIMEOUT: Duration = Duration::from_secs(24 * 3600);

/// The beginning of a name that a model gave.
pub(super) fn shown_name(name: &str) -> &str {
    split_at_bytes(name, MAX_SHOWN_NAME).0
}
