//! Requests to a fake provider.

use serde_json::Value;

/// The APIs of providers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProviderApi {
    /// OpenAI's Chat Completions.
    ChatCompletions,
    /// OpenAI's Responses.
    Responses,
    /// Anthropic's Messages.
    Messages,
}

impl ProviderApi {
    /// All APIs.
    pub const ALL: [Self; 3] = [Self::ChatCompletions, Self::Responses, Self::Messages];

    /// The path of the API.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::ChatCompletions => "/v1/chat/completions",
            Self::Responses => "/v1/responses",
            Self::Messages => "/v1/messages",
        }
    }
}

/// A request that fits the schema of its API.
#[derive(Debug, Clone)]
pub struct ProviderRequest {
    /// The API that was called.
    pub api: ProviderApi,
    /// The number of the request, from 1 on.
    pub number: usize,
    /// The body.
    pub body: Value,
}

/// A text of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Said {
    User(String),
    Tool(String),
}

impl ProviderRequest {
    /// The last text of the user.
    #[must_use]
    pub fn question(&self) -> String {
        let last = self.said().into_iter().rev().find_map(|said| match said {
            Said::User(text) => Some(text),
            Said::Tool(_) => None,
        });
        last.unwrap_or_default()
    }

    /// The results of the tools that were called since the last text of the user.
    #[must_use]
    pub fn results(&self) -> Vec<String> {
        let mut results = Vec::new();
        for said in self.said() {
            match said {
                Said::User(_) => results.clear(),
                Said::Tool(text) => results.push(text),
            }
        }
        results
    }

    /// The names of the tools that the model may call.
    #[must_use]
    pub fn tools(&self) -> Vec<String> {
        tool_names(&self.body)
    }

    /// The instructions to the model.
    #[must_use]
    pub fn system(&self) -> Option<String> {
        let instructions = match self.api {
            ProviderApi::ChatCompletions => {
                let first = self.body.pointer("/messages/0")?;
                let is_system = first["role"] == "system" || first["role"] == "developer";
                is_system.then(|| &first["content"])?
            }
            ProviderApi::Responses => self.body.get("instructions")?,
            ProviderApi::Messages => self.body.get("system")?,
        };
        Some(text_of(instructions))
    }

    /// The texts of the user and of tools, in their order.
    fn said(&self) -> Vec<Said> {
        let items = match self.api {
            ProviderApi::Responses => &self.body["input"],
            ProviderApi::ChatCompletions | ProviderApi::Messages => &self.body["messages"],
        };
        let items = items.as_array().into_iter().flatten();
        items.flat_map(said_in).collect()
    }
}

/// The texts of the user and of tools in a message or an item.
fn said_in(item: &Value) -> Vec<Said> {
    if item["role"] == "tool" {
        return vec![Said::Tool(text_of(&item["content"]))];
    }
    if item["type"] == "function_call_output" {
        return vec![Said::Tool(text_of(&item["output"]))];
    }
    if item["role"] != "user" {
        return Vec::new();
    }
    let blocks = item["content"].as_array().into_iter().flatten();
    let results = blocks.filter(|block| block["type"] == "tool_result");
    let mut said: Vec<_> = results
        .map(|block| Said::Tool(text_of(&block["content"])))
        .collect();
    let text = text_of(&item["content"]);
    if !text.is_empty() {
        said.push(Said::User(text));
    }
    said
}

/// The text of a content, which is a string or a list of parts.
fn text_of(content: &Value) -> String {
    if let Some(text) = content.as_str() {
        return text.to_owned();
    }
    let parts = content.as_array().into_iter().flatten();
    let texts: Vec<_> = parts.filter_map(|part| part["text"].as_str()).collect();
    texts.join("\n")
}

/// The names of the tools in a body.
pub(super) fn tool_names(body: &Value) -> Vec<String> {
    let tools = body["tools"].as_array().into_iter().flatten();
    let names = tools.filter_map(|tool| {
        let name = tool.pointer("/function/name").or_else(|| tool.get("name"));
        Some(name?.as_str()?.to_owned())
    });
    names.collect()
}
