//! Agents that are made or changed at run time.

use dooers::prelude::*;
use dooers::protocol::ErrorCode;
use dooers::settings::{Field, SettingsSchema, SettingsValues};
use dooers::testing::{TestServer, TestUser};
use dooers::{AgentDefinition, OnBusy, ServerError};
use dooers_tests::gate;
use std::time::Duration;

/// A server whose conversations are in memory.
fn server() -> WorkerServer {
    WorkerServer::new(WorkerConfig::new().database(dooers::Database::Memory))
}

/// The reason why the server does not start.
async fn refusal(server: WorkerServer) -> ServerError {
    server
        .repository()
        .await
        .expect_err("the server cannot start")
}

#[tokio::test]
async fn closure_takes_arguments_like_a_function() {
    let greeting = "Hello".to_owned();
    let greet = move |request: WorkerRequest,
                      response: WorkerResponse,
                      State(mark): State<char>,
                      (memory, missing): (WorkerMemory, Option<State<u8>>)| {
        let greeting = greeting.clone();
        async move {
            response.text("One moment.").await?;
            let known = memory.messages().await?.len();
            dooers::ensure!(missing.is_none(), "there is no such state");
            Ok::<_, AgentError>(format!("{greeting}, {}{mark} ({known})", request.message))
        }
    };
    let agent = AgentDefinition::from_fn("greeter".to_owned(), greet).with_description("Greets.");
    assert_eq!((agent.name(), agent.description()), ("greeter", "Greets."));
    let server = TestServer::start(server().add_agent(agent).state('!')).await;
    let mut ada = server.connect("ada").await;
    ada.say("Ada")
        .await
        .assert_texts(["One moment.", "Hello, Ada! (2)"]);
}

/// Answers nothing.
async fn quiet() {}

#[tokio::test]
async fn functions_of_up_to_eight_arguments_are_agents() {
    let eight = |a: One, b: One, c: One, d: One, e: One, f: One, g: One, h: One| async move {
        [a, b, c, d, e, f, g, h]
            .iter()
            .map(|value| value.0)
            .sum::<u32>()
            .to_string()
    };
    let worker = server()
        .agent::<impatient>()
        .add_agent(AgentDefinition::from_fn("eight", eight))
        .add_agent(AgentDefinition::from_fn("quiet-function", quiet));
    let server = TestServer::start(worker).await;
    let mut ada = server.connect_to_named("eight", "ada").await;
    ada.say("go").await.assert_text("8");
    let mut bob = server.connect_to_named("quiet-function", "bob").await;
    assert!(bob.say("go").await.texts().is_empty());
    let mut eve = server.connect_to::<impatient>("eve").await;
    eve.say("go").await.assert_text("done");
}

/// An argument of the program's own type.
struct One(u32);

impl FromTurn for One {
    async fn from_turn(_: &Turn) -> Result<Self> {
        Ok(Self(1))
    }
}

#[tokio::test]
async fn made_agent_has_settings_of_its_own() {
    let schema = SettingsSchema::builder()
        .field(Field::text("tone").default("dry"))
        .build()
        .unwrap();
    let tone = |values: SettingsValues| async move {
        values
            .get("tone")
            .and_then(|tone| tone.as_str().map(str::to_owned))
            .unwrap()
    };
    let agent = || AgentDefinition::from_fn("toned", tone);
    let error = refusal(server().add_agent(agent())).await;
    assert!(matches!(error, ServerError::NoSettings("toned")), "{error}");
    let server = TestServer::start(server().add_agent(agent().with_settings_schema(schema))).await;
    server
        .connect("ada")
        .await
        .say("go")
        .await
        .assert_text("dry");
}

/// The settings of several agents.
#[derive(Debug, Clone, WorkerSettings)]
struct Tone {
    #[setting(default = "dry")]
    tone: String,
}

#[tokio::test]
async fn made_agents_share_a_type_of_settings() {
    let made = |name: &str| AgentDefinition::from_fn(name, async |settings: Tone| settings.tone);
    let server = TestServer::start(server().add_agent(made("one")).add_agent(made("two"))).await;
    let worker = server.worker();
    let of_two = worker
        .settings_of_named::<Tone>("two", TestUser::WORKER_ID)
        .await
        .unwrap();
    of_two
        .set(|settings| settings.tone = "warm".to_owned())
        .await
        .unwrap();
    for (name, tone) in [("one", "dry"), ("two", "warm")] {
        let mut ada = server.connect_to_named(name, "ada").await;
        ada.say("go").await.assert_text(tone);
    }
    let missing = worker.settings_of_named::<Tone>("three", "w").await;
    let error = missing.err().unwrap().to_string();
    assert!(
        error.starts_with("the server serves no agent `three` with settings of the type `"),
        "{error}"
    );
}

#[tokio::test]
async fn made_agents_obey_the_rules_of_annotated_ones() {
    let made = |name: &str| AgentDefinition::from_fn(name, async || "hello");
    let error = refusal(server().add_agent(made("a b"))).await.to_string();
    assert!(
        error.starts_with("the agent `a b` cannot be served: its name must"),
        "{error}"
    );
    let error = refusal(server().add_agent(made("a").with_retries(101)))
        .await
        .to_string();
    assert_eq!(
        error,
        "the agent `a` cannot be served: it can be retried at most 100 times"
    );
    let needs_state = AgentDefinition::from_fn("a", |State(_): State<u8>| async {});
    let error = refusal(server().add_agent(needs_state)).await;
    assert!(
        matches!(error, ServerError::NoState { agent: "a", .. }),
        "{error}"
    );
    let both = server()
        .add_agent(made("a").with_default())
        .add_agent(made("b").with_default());
    let error = refusal(both).await;
    assert!(
        matches!(error, ServerError::TwoDefaults("a", "b")),
        "{error}"
    );
    assert!(error.to_string().contains("`.with_default()`"), "{error}");
    let changed = server().agent::<impatient>();
    let error = refusal(changed.agent_with::<impatient>(|agent| agent)).await;
    assert!(
        error.to_string().contains("`.agent_with::<…>(…)`"),
        "{error}"
    );

    let twice = server().add_agent(made("a")).add_agent(made("a"));
    let error = refusal(twice).await.to_string();
    let place = "made_agents.rs:";
    assert_eq!(error.matches(place).count(), 2, "{error}");
    let like_annotated = server().agent::<impatient>().add_agent(made("impatient"));
    let error = refusal(like_annotated).await.to_string();
    assert!(
        error.contains(place) && error.contains("one in `testing::made_agents`"),
        "{error}"
    );
}

/// Waits at a gate, or forever.
#[dooers::agent(timeout = "24h", on_busy = "reject")]
async fn impatient(request: WorkerRequest) -> String {
    match &*request.message {
        "forever" => std::future::pending().await,
        key if key.starts_with("gate") => gate::pass(key).await,
        _ => {}
    }
    "done".to_owned()
}

#[tokio::test(start_paused = true)]
async fn variable_overrides_agent_with() {
    let change = |agent: AgentDefinition| agent.with_timeout(Duration::from_secs(7200));
    let start = |value: &'static str| {
        let variables = [("WORKER_AGENT_IMPATIENT_TIMEOUT", value)];
        let server = TestServer::start(server().agent_with::<impatient>(change));
        server.config(|config| config.agent_variables(variables))
    };
    let server = start("1.5").await;
    let mut ada = server.connect("ada").await;
    let begun = tokio::time::Instant::now();
    ada.say("forever").await.assert_failed("took too long");
    assert_eq!(begun.elapsed().as_secs(), 1);
    let config = WorkerConfig::new().agent_variables([("WORKER_AGENT_IMPATIENT_TIMEOUT", "soon")]);
    let error = refusal(WorkerServer::new(config).agent::<impatient>())
        .await
        .to_string();
    assert!(
        error.starts_with("WORKER_AGENT_IMPATIENT_TIMEOUT is `soon`"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn agent_with_overrides_the_timeout() {
    let change = |agent: AgentDefinition| agent.with_timeout(Duration::from_secs(5));
    let server = TestServer::start(server().agent_with::<impatient>(change)).await;
    let mut ada = server.connect("ada").await;
    ada.say("forever").await.assert_failed("took too long");
}

#[tokio::test]
async fn agent_with_applies_to_every_kind_of_message() {
    let change = |agent: AgentDefinition| agent.when_busy(OnBusy::Queue { limit: 1 });
    let server = TestServer::start(server().agent_with::<impatient>(change)).await;
    let mut ada = server.connect_to::<impatient>("ada").await;
    ada.send("gate-made").await;
    gate::arrived("gate-made").await;
    // A message of the program waits as well, although the attribute says `reject`.
    let thread_id = ada.thread_id().to_owned();
    let message = || {
        server
            .worker()
            .dispatch::<impatient>()
            .worker(TestUser::WORKER_ID)
            .thread(&*thread_id)
            .user("ada")
    };
    let waiting = message().message("next").send().await.unwrap();
    let refused = ada.try_send("too many").await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Overloaded);
    gate::open("gate-made");
    assert_eq!(waiting.text().await.unwrap(), "done");
}
