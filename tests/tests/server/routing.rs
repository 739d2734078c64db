//! The served agents and their paths.

use crate::agents::{echo, quiet};
use crate::asserts::appended;
use axum::Router;
use axum::extract::State;
use dooers::{Agent, ServerError, WorkerServer};
use dooers_tests::{Client, Server};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The agent at `/ws`.
#[dooers::agent(name = "first-choice", default)]
async fn favourite() -> &'static str {
    "I am the default"
}

mod other {
    /// An agent with a duplicate name.
    #[dooers::agent(name = "echo")]
    pub(super) async fn double() {}

    /// A second default agent.
    #[dooers::agent(default)]
    pub(super) async fn rival() {}
}

fn worker() -> WorkerServer {
    WorkerServer::new(dooers_tests::in_memory())
}

async fn answer_at(server: &Server, path: &str) -> String {
    let mut client = Client::open(server.address, path).await;
    client.connect("ada").await;
    client.send_message(None, "hello").await;
    let frames = client.read_turn().await;
    client.disconnect().await;
    let run = &frames.last().unwrap()["payload"]["run"];
    let answer = appended(&frames)
        .get(1)
        .map(|event| crate::asserts::text(event).to_owned());
    format!("{}: {}", run["agent_id"], answer.unwrap_or_default())
}

#[tokio::test]
async fn one_agent_is_served_under_both_paths() {
    let server = Server::of::<echo>().await;
    assert_eq!(answer_at(&server, "/ws").await, "\"echo\": You said: hello");
    assert_eq!(
        answer_at(&server, "/agents/echo/ws").await,
        "\"echo\": You said: hello"
    );
    let (status, body) = server.get("/agents").await;
    assert_eq!(status, 200);
    let expected = json!({
        "agents": [{
            "name": "echo", "description": "Echoes the message.", "is_default": true,
            "has_settings": false, "private_threads": false,
        }],
        "server": {
            "name": "dooers", "version": env!("CARGO_PKG_VERSION"),
            "capabilities": ["auth.expiring", "event.delta", "form.ask", "run.cancel", "thread.query", "thread.update"],
        },
        "analytics": true,
    });
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), expected);
    server.close([]).await;
}

#[tokio::test]
async fn default_of_several_agents_is_served_at_ws() {
    let server = Server::start(
        worker()
            .agent::<echo>()
            .agent::<favourite>()
            .agent::<quiet>(),
    )
    .await;
    assert_eq!(
        answer_at(&server, "/ws").await,
        "\"first-choice\": I am the default"
    );
    assert_eq!(
        answer_at(&server, "/agents/echo/ws").await,
        "\"echo\": You said: hello"
    );
    assert_eq!(
        answer_at(&server, "/agents/first-choice/ws").await,
        "\"first-choice\": I am the default"
    );
    let (_, body) = server.get("/agents").await;
    let list: Value = serde_json::from_str(&body).unwrap();
    let agents = list["agents"].as_array().unwrap().iter();
    let agents: Vec<_> = agents
        .map(|agent| (agent["name"].as_str().unwrap(), agent["is_default"] == true))
        .collect();
    let expected = [("echo", false), ("first-choice", true), ("quiet", false)];
    assert_eq!(agents, expected);
    server.close([]).await;
}

/// An agent whose threads are private.
#[dooers::agent(private_threads)]
async fn journal() {}

/// The settings of [`stall`].
#[derive(Debug, Clone, dooers::WorkerSettings)]
struct StallSettings {
    #[setting(default = "open")]
    sign: String,
}

/// An agent with settings.
#[dooers::agent]
async fn stall(settings: StallSettings) -> String {
    settings.sign
}

#[tokio::test]
async fn agent_list_names_settings_and_private_threads() {
    let config = dooers_tests::in_memory().analytics(false);
    let server = Server::start(
        WorkerServer::new(config.private_threads(true))
            .authenticator(async |_| Err(dooers::auth::Refusal::unauthorized("log in first")))
            .agent::<journal>()
            .agent::<stall>()
            .agent_with::<echo>(|agent| agent.with_private_threads(false)),
    )
    .await;
    let (status, body) = server.get("/agents").await;
    let list: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &list["analytics"]), (200, &json!(false)));
    let expected = json!([
        {
            "name": "journal", "description": "An agent whose threads are private.",
            "is_default": false, "has_settings": false, "private_threads": true,
        },
        {
            "name": "stall", "description": "An agent with settings.",
            "is_default": false, "has_settings": true, "private_threads": true,
        },
        {
            "name": "echo", "description": "Echoes the message.",
            "is_default": false, "has_settings": false, "private_threads": false,
        },
    ]);
    assert_eq!(list["agents"], expected);
    server.close([]).await;
}

#[tokio::test]
async fn ws_without_a_default_agent_lists_the_paths() {
    let server = Server::start(worker().agent::<echo>().agent::<quiet>()).await;
    let (status, body) = server.try_upgrade("/ws").await;
    assert_eq!(status, 404);
    let expected = "there are several agents, and none is marked `default`; connect to /agents/echo/ws or /agents/quiet/ws\n";
    assert_eq!(body, expected);
    let (status, body) = server.try_upgrade("/agents/nobody/ws").await;
    assert_eq!(status, 404);
    assert_eq!(
        body,
        "there is no agent of this name; connect to /agents/echo/ws or /agents/quiet/ws\n"
    );
    assert_eq!(answer_at(&server, "/agents/quiet/ws").await, "\"quiet\": ");
    server.close([]).await;
}

#[tokio::test]
async fn plain_http_request_explains_the_websocket() {
    let server = Server::of::<echo>().await;
    let (status, body) = server.get("/ws").await;
    assert_eq!(status, 400);
    assert!(
        body.starts_with("this path serves WebSockets only"),
        "{body}"
    );
    assert_eq!(server.get("/elsewhere").await.0, 404);
    server.close([]).await;
}

async fn start_error(worker: WorkerServer) -> ServerError {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let by_listener = worker.serve_on(listener).await.unwrap_err();
    let by_router = worker.router::<()>().await.unwrap_err();
    assert_eq!(by_listener.to_string(), by_router.to_string());
    by_router
}

#[tokio::test]
async fn duplicate_agent_names_fail_at_start() {
    let error = start_error(worker().agent::<echo>().agent::<other::double>()).await;
    let modules = concat!(
        "two agents are named `echo`, one in `server::agents` and one in `server::routing::other`: ",
        "give one of them another name"
    );
    let text = error.to_string();
    assert!(text.starts_with(modules), "{text}");
    let error = start_error(worker().agent::<echo>().agent::<echo>()).await;
    let text = error.to_string();
    assert!(
        text.starts_with("the agent `echo` is registered twice"),
        "{text}"
    );
}

#[tokio::test]
async fn two_default_agents_fail_at_start() {
    let error = start_error(worker().agent::<favourite>().agent::<other::rival>()).await;
    let text = error.to_string();
    assert!(
        text.starts_with("the agents `first-choice` and `rival` are both marked"),
        "{text}"
    );
}

#[tokio::test]
async fn all_annotated_agents_are_served_by_default() {
    // The program has two agents of one name, and the error shows that all annotated agents are served.
    let error = start_error(worker()).await;
    assert!(
        matches!(error, ServerError::SameName { name: "echo", .. }),
        "{error}"
    );
    assert_eq!(other::double::DEFINITION.name(), "echo");
}

#[tokio::test]
async fn router_works_inside_another_program() {
    let worker = worker().agent::<echo>();
    let app = Router::new()
        .route("/health", axum::routing::get(|| async { "fine" }))
        .route(
            "/name",
            axum::routing::get(async |State(name): State<String>| name),
        )
        .nest("/chat", worker.router().await.unwrap())
        .with_state("shop".to_owned());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move { axum::serve(listener, app).await });

    // The program's own routes have a state, and those of the server need none.
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = b"GET /name HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("\r\n\r\nshop"), "{answer}");

    let mut client = Client::open(address, "/chat/ws").await;
    client.connect("ada").await;
    client.start_thread("hello").await;
    let mut other = Client::open(address, "/chat/agents/echo/ws").await;
    other.connect("ada").await;
    let (closing, codes) = tokio::join!(worker.close(), async {
        (client.expect_close().await, other.expect_close().await)
    });
    let () = closing;
    assert_eq!(codes, (1001, 1001));
    serving.abort();
}

/// State that a program passes to its handlers.
#[derive(Debug, Clone)]
struct Greeting(&'static str);

#[dooers::agent]
async fn greets(dooers::State(Greeting(text)): dooers::State<Greeting>) -> &'static str {
    text
}

#[dooers::agent]
async fn may_greet(greeting: Option<dooers::State<Greeting>>) -> &'static str {
    greeting.map_or("nothing", |greeting| greeting.0.0)
}

#[tokio::test]
async fn missing_state_error_names_agent_and_type() {
    let error = worker().agent::<greets>().router::<()>().await.unwrap_err();
    assert!(matches!(
        error,
        ServerError::NoState {
            agent: "greets",
            ..
        }
    ));
    let text = error.to_string();
    assert!(
        text.contains("Greeting>") && text.contains("`.state(..)`"),
        "{text}"
    );
}

#[tokio::test]
async fn missing_state_error_lists_given_states() {
    let server = worker().agent::<greets>().state(7_u8).state("text");
    let text = server.router::<()>().await.unwrap_err().to_string();
    assert!(text.contains("only `&str`, `u8`; add it"), "{text}");
}

#[tokio::test]
async fn two_states_of_one_type_fail_at_start() {
    let server = worker().agent::<greets>().state(Greeting("a"));
    let error = start_error(server.state(Greeting("b"))).await;
    let text = error.to_string();
    assert!(
        text.starts_with("the server has two states of the type `server::routing::Greeting`"),
        "{text}"
    );
}

#[tokio::test]
async fn state_reaches_the_handler_and_may_be_optional() {
    let given = worker().agent::<greets>().state(Greeting("hello"));
    let server = Server::start(given).await;
    assert_eq!(answer_at(&server, "/ws").await, "\"greets\": hello");
    server.close([]).await;
    let server = Server::start(worker().agent::<may_greet>()).await;
    assert_eq!(answer_at(&server, "/ws").await, "\"may_greet\": nothing");
    server.close([]).await;
    let given = worker().agent::<may_greet>().state(Greeting("hi"));
    let server = Server::start(given).await;
    assert_eq!(answer_at(&server, "/ws").await, "\"may_greet\": hi");
    server.close([]).await;
}
