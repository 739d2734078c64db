//! The definitions of tools, as model APIs accept them.

use super::DynamicTool;
use crate::history::function_name;
use serde_json::{Map, Value, json};

/// The API format in which the definitions of tools are written: the elements of `tools` in a request.
///
/// Names are written as [`HistoryFormat`](crate::HistoryFormat) writes them: a name that does not begin with a letter or
/// `_` gets a `_` in front, because Google requires that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ToolFormat {
    /// `tools` of OpenAI's Chat Completions API, as openai-python described it in 2026. A [strict](DynamicTool::with_strict)
    /// tool has a strict schema.
    OpenAi,
    /// `tools` of OpenAI's Responses API, as openai-python described it in 2026. A [strict](DynamicTool::with_strict) tool
    /// has a strict schema. The others state that they are not strict, because that API makes them strict otherwise.
    OpenAiResponses,
    /// `tools` of Anthropic's Messages API, version `2023-06-01`, as anthropic-sdk-python described it in 2026.
    Anthropic,
    /// `tools` of `generateContent` in Google's Gemini API, version `v1beta`: one element that contains all functions. The
    /// schemas are JSON Schemas (`parametersJsonSchema`). Google requires a description, so a tool without one is described
    /// by its name.
    Google,
    /// `tools` of Cohere's Chat API, version 2, as cohere-python described it in 2025.
    Cohere,
}

impl ToolFormat {
    /// Writes the definitions of these tools.
    pub(super) fn render<'a>(self, tools: impl Iterator<Item = &'a DynamicTool>) -> Vec<Value> {
        let written: Vec<_> = tools.map(|tool| self.definition(tool)).collect();
        match self {
            Self::Google if !written.is_empty() => vec![json!({"functionDeclarations": written})],
            _ => written,
        }
    }

    fn definition(self, tool: &DynamicTool) -> Value {
        match self {
            Self::OpenAi => {
                let mut function = described(tool, "parameters", self.schema(tool));
                if tool.is_strict() {
                    function.insert("strict".to_owned(), Value::Bool(true));
                }
                json!({"type": "function", "function": function})
            }
            Self::OpenAiResponses => {
                let mut function = Map::from_iter([("type".to_owned(), json!("function"))]);
                function.extend(described(tool, "parameters", self.schema(tool)));
                function.insert("strict".to_owned(), Value::Bool(tool.is_strict()));
                Value::Object(function)
            }
            Self::Anthropic => Value::Object(described(tool, "input_schema", self.schema(tool))),
            Self::Google => {
                let mut function = described(tool, "parametersJsonSchema", self.schema(tool));
                let description = function.entry("description");
                description.or_insert_with(|| json!(tool.name()));
                Value::Object(function)
            }
            Self::Cohere => {
                let function = described(tool, "parameters", self.schema(tool));
                json!({"type": "function", "function": function})
            }
        }
    }

    fn schema(self, tool: &DynamicTool) -> Value {
        let is_strict = matches!(self, Self::OpenAi | Self::OpenAiResponses) && tool.is_strict();
        let strict = is_strict.then(|| tool.arguments().strict().ok().cloned());
        strict.flatten().unwrap_or_else(|| tool.arguments().plain())
    }
}

/// The name, the description and the schema of a tool.
fn described(tool: &DynamicTool, member: &str, schema: Value) -> Map<String, Value> {
    let mut described = Map::new();
    described.insert("name".to_owned(), json!(function_name(tool.name())));
    if !tool.description().is_empty() {
        described.insert("description".to_owned(), json!(tool.description()));
    }
    described.insert(member.to_owned(), schema);
    described
}
