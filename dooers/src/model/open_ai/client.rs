//! The client.

use super::connection::Connection;
use super::endpoint::Endpoint;
use super::events::{self, Api};
use super::exchange::Exchange;
use crate::model::{ChatModel, Delta, ModelError, ModelRequest};
use crate::tool::ToolFormat;
use crate::{HistoryFormat, Secret};
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use serde_json::{Map, Value, json};
use std::env;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The address of OpenAI's own API.
const OPEN_AI: &str = "https://api.openai.com/v1";

/// Default of [`OpenAi::idle_timeout`].
const IDLE_TIMEOUT: Duration = Duration::from_secs(300);

/// A model behind OpenAI's API, or behind any server that is compatible with it (feature `openai`).
///
/// The API is Chat Completions, which most servers have, or [`responses`](Self::responses). Creating a client is cheap, and all
/// clients share their connections. A handler can therefore create one for each turn, for example with the settings of its
/// worker:
///
/// ```
/// use dooers::model::{OpenAi, RunOptions};
/// use dooers::prelude::*;
///
/// #[derive(Clone, WorkerSettings)]
/// struct HelperSettings {
///     #[setting(label = "Model", default = "gpt-4o-mini")]
///     model: String,
/// }
///
/// #[dooers::agent(timeout = "5m", retry = 2)]
/// async fn helper(settings: HelperSettings, memory: WorkerMemory, response: WorkerResponse) -> Result<()> {
///     let model = OpenAi::new(settings.model).temperature(0.2);
///     Tools::new().run(&model, &memory, &response, RunOptions::new()).await?;
///     Ok(())
/// }
/// ```
///
/// # Servers that are compatible
///
/// The reader of the stream is tolerant: members may be missing or unknown, usage may be in any event, and reasoning is read from
/// `reasoning_content` or `reasoning`. If a server refuses a member of the request, remove it with
/// `.parameter("stream_options", Value::Null)`.
///
/// # Security
///
/// The key is sent in the header `Authorization` and occurs nowhere else: not in `Debug`, in logs or in errors, even if the server
/// repeats it in its answer. Redirects are not followed, because they would send the conversation to another server. Only
/// certificates of the public authorities are accepted. The variables `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` apply, except
/// for servers on this machine.
///
/// `async-openai` logs events of a server that are not JSON. [`log_directives`](crate::log_directives) turns this off.
#[derive(Clone)]
#[must_use = "it does nothing until it is passed to `Tools::run`"]
pub struct OpenAi {
    model: String,
    base_url: String,
    key: Option<Secret>,
    api: Api,
    parameters: Map<String, Value>,
    idle_timeout: Duration,
}

impl OpenAi {
    /// Creates a client of this model. The variable `OPENAI_BASE_URL` has the address of the server and `OPENAI_API_KEY` the key.
    /// Without the first, the server is `https://api.openai.com/v1`. A variable that is blank counts as not set.
    pub fn new(model: impl Into<String>) -> Self {
        let variable = |name: &str| env::var(name).ok().filter(|text| !text.trim().is_empty());
        Self::with_variables(model.into(), variable)
    }

    fn with_variables(model: String, variable: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            model,
            base_url: variable("OPENAI_BASE_URL").unwrap_or_else(|| OPEN_AI.to_owned()),
            key: variable("OPENAI_API_KEY").map(Secret::from),
            api: Api::Chat,
            parameters: Map::new(),
            idle_timeout: IDLE_TIMEOUT,
        }
    }

    /// Sets the key. Servers on a private network often need none: an empty key is not sent.
    pub fn with_key(mut self, key: impl Into<Secret>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Sets the address of the server, with the path before `/chat/completions`, such as `http://localhost:11434/v1`.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = url.into();
        self
    }

    /// Uses the Responses API instead of Chat Completions. The server does not store the conversation (`"store": false`).
    pub fn responses(mut self) -> Self {
        self.api = Api::Responses;
        self
    }

    /// Sets the temperature, 0 to 2. Some models accept only their default.
    pub fn temperature(self, temperature: f32) -> Self {
        // The shortest text of the number: as `f64`, 0.2 would be 0.20000000298023224.
        let exact = temperature.to_string().parse::<f64>().ok();
        self.parameter("temperature", exact.map_or(Value::Null, Value::from))
    }

    /// Sets any other member of the request, such as `reasoning_effort` or `max_completion_tokens`. `null` removes the member,
    /// also one that this client sets itself.
    ///
    /// ```
    /// use dooers::model::OpenAi;
    ///
    /// let model = OpenAi::new("o4-mini").parameter("reasoning_effort", "low");
    /// # drop(model);
    /// ```
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.parameters.insert(name.into(), value.into());
        self
    }

    /// Sets how long the server may send nothing. Default: 5 minutes, because a model may think for a while before its first
    /// word. The `timeout` of the agent limits the whole turn.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// The JSON of a request.
    fn body(&self, request: ModelRequest) -> Value {
        let mut body = self.api.body(request);
        body.insert("model".to_owned(), json!(self.model));
        body.insert("stream".to_owned(), json!(true));
        body.extend(self.parameters.clone());
        body.retain(|_, value| !value.is_null());
        body.into()
    }

    /// Sends a request. The stream has the pieces of the answer.
    async fn ask(
        &self,
        request: ModelRequest,
    ) -> Result<BoxStream<'static, Result<Delta, ModelError>>, ModelError> {
        let endpoint = Endpoint::parse(&self.base_url)?;
        let key = self
            .key
            .clone()
            .filter(|key| !key.expose().trim().is_empty());
        if key.is_none() && self.base_url == OPEN_AI {
            return Err(ModelError::new(
                "OpenAI needs a key: set OPENAI_API_KEY, or call `OpenAi::with_key`",
            ));
        }
        let exchange = Arc::new(Exchange::default());
        let connection = Connection::new(
            endpoint.is_local,
            key.clone(),
            self.idle_timeout,
            Arc::clone(&exchange),
        )?;
        let client = connection.client(&endpoint);
        let body = self.body(request);
        let events = match self.api {
            Api::Chat => client.chat().create_stream_byot(body).await,
            Api::Responses => client.responses().create_stream_byot(body).await,
        };
        let events = events.map_err(|error| exchange.error(error))?;
        let reader = self.api.reader(self.model.clone(), key);
        Ok(events::read(events, reader, exchange))
    }
}

impl ChatModel for OpenAi {
    fn history_format(&self) -> HistoryFormat {
        match self.api {
            Api::Chat => HistoryFormat::OpenAi,
            Api::Responses => HistoryFormat::OpenAiResponses,
        }
    }

    fn tool_format(&self) -> ToolFormat {
        match self.api {
            Api::Chat => ToolFormat::OpenAi,
            Api::Responses => ToolFormat::OpenAiResponses,
        }
    }

    fn stream(&self, request: ModelRequest) -> BoxStream<'_, Result<Delta, ModelError>> {
        stream::once(self.ask(request)).try_flatten().boxed()
    }
}

impl fmt::Debug for OpenAi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoint = Endpoint::parse(&self.base_url);
        f.debug_struct("OpenAi")
            .field("model", &self.model)
            // The path and the query may contain a token.
            .field("server", &endpoint.map(|endpoint| endpoint.origin).ok())
            .field("api", &self.api)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(variables: &[(&str, &str)]) -> OpenAi {
        OpenAi::with_variables("m".to_owned(), |name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn variables_name_the_server_and_the_key() {
        let default = model(&[]);
        assert_eq!(default.base_url, OPEN_AI);
        assert!(default.key.is_none());
        let set = model(&[
            ("OPENAI_BASE_URL", "http://localhost:1/v1"),
            ("OPENAI_API_KEY", "sk-1"),
        ]);
        assert_eq!(set.base_url, "http://localhost:1/v1");
        assert_eq!(set.key.unwrap().expose(), "sk-1");
    }

    #[test]
    fn debug_shows_neither_the_key_nor_the_path() {
        let model = model(&[])
            .with_key("sk-secret")
            .base_url("https://example.org/token-1/v1")
            .parameter("user", "ada");
        let debug = format!("{model:?}");
        let expected =
            "OpenAi { model: \"m\", server: Some(\"https://example.org\"), api: Chat, .. }";
        assert_eq!(debug, expected);
    }

    #[test]
    fn parameters_replace_and_remove_members() {
        let request = || ModelRequest::new(vec![json!({"role": "user", "content": "hi"})]);
        let model = model(&[]).temperature(0.2);
        let whole = model.body(request().with_system("Be brief."));
        let expected = json!({
            "model": "m",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "hi"},
            ],
            "stream": true,
            "stream_options": {"include_usage": true},
            "temperature": 0.2,
        });
        assert_eq!(whole, expected);
        let model = model
            .parameter("stream_options", Value::Null)
            .parameter("top_p", 1)
            .temperature(f32::NAN);
        let body = model
            .responses()
            .body(request().with_tools(vec![json!({"type": "function"})]));
        let expected = json!({
            "model": "m",
            "input": [{"role": "user", "content": "hi"}],
            "tools": [{"type": "function"}],
            "store": false,
            "stream": true,
            "top_p": 1,
        });
        assert_eq!(body, expected);
    }
}
