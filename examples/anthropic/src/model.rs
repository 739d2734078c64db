//! A client of Anthropic's Messages API.

use dooers::model::{ChatModel, Delta, ModelError, ModelRequest, ToolCallPiece};
use dooers::prelude::*;
use dooers::tool::ToolFormat;
use eventsource_stream::{Event, Eventsource};
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use reqwest::header::HeaderValue;
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use std::env;
use std::error::Error;
use std::time::Duration;

/// The pieces of an answer.
type Deltas = BoxStream<'static, Result<Delta, ModelError>>;

/// The server of the API, and the connections to it.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    http: reqwest::Client,
    base_url: String,
}

/// A model of Anthropic.
pub(crate) struct Anthropic {
    pub(crate) api: Api,
    pub(crate) key: Secret,
    /// The name of the model.
    pub(crate) name: String,
    pub(crate) temperature: f64,
}

impl Api {
    /// The server of `ANTHROPIC_BASE_URL`, or else Anthropic's own.
    pub(crate) fn from_env() -> Result<Self> {
        // The HTTP client has no implementation of TLS of its own. It is an error to set one twice.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(10))
            .read_timeout(Duration::from_secs(60))
            .redirect(Policy::none())
            .build()?;
        let base_url = env::var("ANTHROPIC_BASE_URL");
        let base_url = base_url.unwrap_or_else(|_| "https://api.anthropic.com".to_owned());
        Ok(Self { http, base_url })
    }
}

impl ChatModel for Anthropic {
    fn history_format(&self) -> HistoryFormat {
        HistoryFormat::Anthropic
    }

    fn tool_format(&self) -> ToolFormat {
        ToolFormat::Anthropic
    }

    fn stream(&self, request: ModelRequest) -> BoxStream<'_, Result<Delta, ModelError>> {
        stream::once(self.ask(request)).try_flatten().boxed()
    }
}

impl Anthropic {
    /// Sends a request. Returns the answer while it arrives.
    async fn ask(&self, request: ModelRequest) -> Result<Deltas, ModelError> {
        let mut body = json!({
            "model": self.name,
            "max_tokens": 4096,
            "temperature": self.temperature,
            "messages": request.history,
            "stream": true,
        });
        if let Some(system) = request.system {
            body["system"] = json!(system);
        }
        if !request.tools.is_empty() {
            body["tools"] = json!(request.tools);
        }
        let mut key = HeaderValue::from_str(self.key.expose())
            .map_err(|_| ModelError::new("the key contains characters that no header allows"))?;
        // Logs of the HTTP client do not contain it.
        key.set_sensitive(true);
        let url = format!("{}/v1/messages", self.api.base_url.trim_end_matches('/'));
        let sending = self
            .api
            .http
            .post(url)
            .header("x-api-key", key)
            .header("anthropic-version", "2023-06-01")
            .json(&body);
        let response = sending.send().await.map_err(broken)?;
        let status = response.status().as_u16();
        if status != 200 {
            let wait = response.headers().get("retry-after").cloned();
            let wait = wait.as_ref().and_then(|value| value.to_str().ok());
            let body: Value = response.json().await.unwrap_or_default();
            let message = &body["error"]["message"];
            let text = format!("Anthropic answered with status {status}: {message}");
            return Err(ModelError::of_status(status, wait, text));
        }
        let answer = Answer {
            events: response
                .bytes_stream()
                .eventsource()
                .map_err(broken)
                .boxed(),
            usage: Usage::new(&self.name),
        };
        Ok(stream::try_unfold(answer, Answer::next).boxed())
    }
}

/// An answer that is still arriving.
struct Answer {
    events: BoxStream<'static, Result<Event, ModelError>>,
    usage: Usage,
}

impl Answer {
    /// Reads the next piece.
    async fn next(mut self) -> Result<Option<(Delta, Self)>, ModelError> {
        while let Some(event) = self.events.try_next().await? {
            let event: Value = serde_json::from_str(&event.data).map_err(broken)?;
            let delta = match event["type"].as_str() {
                Some("content_block_start") => call(&event),
                Some("content_block_delta") => piece(&event),
                Some("message_start") => Some(self.usage(&event["message"]["usage"])),
                Some("message_delta") => Some(self.usage(&event["usage"])),
                Some("message_stop") => return Ok(None),
                Some("error") => return Err(ModelError::retryable(event["error"].to_string())),
                // Pings, ends of blocks, and events of later versions of the API.
                _ => None,
            };
            if let Some(delta) = delta {
                return Ok(Some((delta, self)));
            }
        }
        Err(ModelError::retryable("the answer of Anthropic has no end"))
    }

    /// Adds the numbers of an event. The first event has the tokens of the request, the last one those of the answer.
    fn usage(&mut self, usage: &Value) -> Delta {
        if let Some(tokens) = usage["input_tokens"].as_u64() {
            self.usage = self.usage.clone().input_tokens(tokens);
        }
        if let Some(tokens) = usage["output_tokens"].as_u64() {
            self.usage = self.usage.clone().output_tokens(tokens);
        }
        Delta::Usage(self.usage.clone())
    }
}

/// The beginning of a tool call. Other blocks begin without content.
fn call(event: &Value) -> Option<Delta> {
    let block = &event["content_block"];
    let (id, name) = (block["id"].as_str()?, block["name"].as_str()?);
    Some(Delta::ToolCall(at(event).id(id).name(name)))
}

/// A piece of a block.
fn piece(event: &Value) -> Option<Delta> {
    let delta = &event["delta"];
    let text = |name: &str| delta[name].as_str().map(str::to_owned);
    match delta["type"].as_str()? {
        "text_delta" => text("text").map(Delta::Text),
        "thinking_delta" => text("thinking").map(Delta::Reasoning),
        "input_json_delta" => Some(Delta::ToolCall(at(event).arguments(text("partial_json")?))),
        _ => None,
    }
}

/// A piece of the call in this block.
fn at(event: &Value) -> ToolCallPiece {
    ToolCallPiece::new(event["index"].as_u64().map_or(0, |index| index as usize))
}

fn broken(error: impl Error + Send + Sync + 'static) -> ModelError {
    ModelError::retryable("the connection to Anthropic broke").with_source(error)
}
