//! Servers, agents and values for the admission tests.

use dooers::prelude::*;
use dooers::protocol::{Form, FormElement};
use dooers::repository::{Repository, Scope};
use dooers::store::{MemoryStore, PostgresStore, SqliteOptions, SqliteStore, Store};
use dooers::{Agent, Database, Dispatch, WorkerServer};
use dooers_tests::postgres::shared;
use dooers_tests::{Client, Server, in_memory};
use serde_json::{Value, json};
use std::any::Any;
use std::sync::Arc;

/// The settings of the agent.
#[derive(Debug, Clone, WorkerSettings)]
pub(crate) struct Tuning {
    #[setting(default = "hello")]
    pub(crate) greeting: String,
    pub(crate) key: Option<Secret>,
    #[setting(default = 1.0)]
    pub(crate) factor: f64,
}

/// Follows the message.
///
/// `tool N`, `unawaited N` and `patch N` send JSON nested `N` levels deep. `nul` sends U+0000 in every text field,
/// and `public` fails with U+0000 in its error. `title N`, `unawaited-title N` and `metadata N` set a value of `N`
/// bytes. `users` replies with the number of the thread's users. Any other message is answered with `ok`.
#[dooers::agent(default)]
pub(crate) async fn writer(
    request: WorkerRequest,
    response: WorkerResponse,
    settings: Settings<Tuning>,
) -> Result<()> {
    let (command, rest) = request
        .message
        .split_once(' ')
        .unwrap_or((&request.message, ""));
    let levels = rest.parse().unwrap_or(0);
    let tool = |id: &str| ToolCall::new(id, "tool", json!({}));
    match command {
        "tool" => {
            response.tool_result(tool("c"), nested(levels - 1)).await?;
        }
        "unawaited" => drop(response.tool_result(tool("c"), nested(levels - 1))),
        "patch" => {
            let patched = response.update_thread(|thread| thread.metadata(nested(levels)));
            patched.await?;
        }
        "title" => {
            let title = "x".repeat(levels);
            response.update_thread(|thread| thread.title(title)).await?;
        }
        "unawaited-title" => {
            let title = "x".repeat(levels);
            drop(response.update_thread(|thread| thread.title(title)));
        }
        "metadata" => {
            let metadata = "x".repeat(levels - 2);
            let patched = response.update_thread(|thread| thread.metadata(metadata));
            patched.await?;
        }
        "users" => {
            response
                .text(request.thread.users.len().to_string())
                .await?;
        }
        "nul" => send_nuls(&response, &settings).await?,
        "public" => return Err(AgentError::public("no\0body")),
        _ => {
            response.text("ok").await?;
        }
    }
    Ok(())
}

/// Returns JSON nested as deep as the message requests.
#[dooers::agent]
pub(crate) async fn returner(request: WorkerRequest) -> Result<Reply> {
    let levels: usize = request.message.parse()?;
    let call = ToolCall::new("c", "tool", json!({}));
    Ok(Reply::tool_result(call, nested(levels - 1)))
}

/// Sends U+0000 in every text field that a handler can write.
async fn send_nuls(response: &WorkerResponse, settings: &Settings<Tuning>) -> Result<()> {
    let call = ToolCall::new("c\0", "to\0ol", json!({"a\0": "\0b"})).display_name("T\0");
    response.author("au\0thor").text("te\0xt").await?;
    response.reasoning("rea\0son").await?;
    response.document("u\0rl", "fi\0le").await?;
    response.tool_call(call.clone()).await?;
    response.tool_result(call, "re\0sult").await?;
    let form = Form::new("Who\0?").element(FormElement::text("na\0me", "La\0bel"));
    response.form(&form).await?;
    let grown = response.author("gro\0wer").text_stream();
    grown.push("pie\0ce\0");
    tokio::task::yield_now().await;
    grown.push("\0");
    grown.finish().await?;
    let patch = |thread: dooers::repository::ThreadPatch| {
        thread.title("ti\0tle").metadata(json!({"k\0": ["\0"]}))
    };
    response.update_thread(patch).await?;
    settings
        .set(|tuning| {
            tuning.greeting = "g\0r".to_owned();
            tuning.key = Some(Secret::new("se\0cret"));
        })
        .await?;
    Ok(())
}

/// Alternating arrays and objects, nested this many levels deep.
pub(crate) fn nested(levels: usize) -> Value {
    (0..levels).fold(json!("inside"), |inner, level| {
        if level % 2 == 0 {
            Value::Array(vec![inner])
        } else {
            Value::Object([("in".to_owned(), inner)].into_iter().collect())
        }
    })
}

/// A server of the agent, with the directory of its database file if it has one.
pub(crate) struct ServerFixture {
    pub(crate) server: Server,
    pub(crate) repository: Repository,
    pub(crate) store: Arc<dyn Store>,
    _outlives_it: Box<dyn Any + Send>,
}

impl ServerFixture {
    async fn of(store: impl Store, outlives_it: impl Any + Send) -> Self {
        let store: Arc<dyn Store> = Arc::new(store);
        let database = Database::Custom(Arc::clone(&store));
        let worker = WorkerServer::new(in_memory().database(database))
            .agent::<writer>()
            .agent::<returner>();
        let server = Server::start(worker.clone()).await;
        Self {
            server,
            repository: worker.repository().await.unwrap(),
            store,
            _outlives_it: Box::new(outlives_it),
        }
    }

    /// A message from Ada to the writer.
    pub(crate) fn dispatch(&self) -> Dispatch {
        self.dispatch_to::<writer>()
    }

    /// A message from Ada to this agent.
    pub(crate) fn dispatch_to<A: Agent>(&self) -> Dispatch {
        let dispatch = self.server.worker().dispatch::<A>();
        dispatch
            .worker("w1")
            .organization("o1")
            .workspace("s1")
            .user("ada")
    }

    pub(crate) async fn client(&self) -> Client {
        self.server.client("ada").await
    }
}

pub(crate) async fn memory() -> Option<ServerFixture> {
    Some(ServerFixture::of(MemoryStore::new(), ()).await)
}

pub(crate) async fn sqlite() -> Option<ServerFixture> {
    let directory = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new(directory.path().join("worker.db"));
    let store = SqliteStore::open(options).await.unwrap();
    Some(ServerFixture::of(store, directory).await)
}

/// Returns `None`, and prints a line, if no database is configured.
pub(crate) async fn on_postgres() -> Option<ServerFixture> {
    let store = PostgresStore::open(shared()?.pool_size(3)).await.unwrap();
    Some(ServerFixture::of(store, ()).await)
}

/// The scope of all users in the workspace of the test clients.
pub(crate) fn scope() -> Scope {
    Scope::everyone::<writer>("w1")
        .organization("o1")
        .workspace("s1")
}

/// An `event.create` frame with a text. `in_event` and `in_payload` are JSON members to insert.
pub(crate) fn create(in_event: &str, in_payload: &str) -> String {
    format!(
        r#"{{"id":"x","type":"event.create","payload":{{"event":{{"type":"message","actor":"user","content":[{{"type":"text","text":"hello"}}]{in_event}}}{in_payload}}}}}"#
    )
}

/// Generates one test per case and database.
macro_rules! cases {
    ($($case:ident),+ $(,)?) => {
        crate::fixtures::cases_on!(memory: $($case),+);
        crate::fixtures::cases_on!(sqlite: $($case),+);
        crate::fixtures::cases_on!(on_postgres: $($case),+);
    };
}

macro_rules! cases_on {
    ($database:ident: $($case:ident),+) => {
        mod $database {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    let Some(fixture) = crate::fixtures::$database().await else {
                        return;
                    };
                    super::$case(&fixture).await;
                    fixture.server.close([]).await;
                }
            )+
        }
    };
}

pub(crate) use {cases, cases_on};
