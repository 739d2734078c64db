//! The server of the tests that search for leaked secrets.
//!
//! Its agents put secrets into everything that an author of agents can put them into. The variable `LEAKS` has the secrets
//! by name. It logs everything, without any filter.
#![allow(
    clippy::panic,
    reason = "panics are among the places that are searched"
)]

use dooers::prelude::*;
use dooers::repository::Scope;
use dooers::settings::SettingsUpdate;
use dooers::store::{
    EventQuery, FeedbackQuery, FeedbackUpdate, RunQuery, Store, ThreadQuery, WorkerKey,
};
use dooers::{AttemptEnd, TurnAttempt, TurnMiddleware};
use dooers_tests::SpyStore;
use serde_json::{Value, json};
use std::error::Error;
use std::fmt;
use std::sync::{Arc, LazyLock};

static SECRETS: LazyLock<Value> = LazyLock::new(|| {
    let text = std::env::var("LEAKS").unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
});

/// The secret with this name.
fn secret(name: &str) -> String {
    SECRETS[name].as_str().unwrap_or_default().to_owned()
}

/// Logs the `Debug` output of a value.
fn debug(value: &dyn fmt::Debug) {
    tracing::info!(target: "leaks::debug", "{value:?}");
}

/// Secrets that are set in every possible way.
#[derive(Debug, Clone, WorkerSettings)]
struct Vault {
    patched: Option<Secret>,
    #[setting(default_env = "LEAKS_DEFAULT", min_length = 8, max_length = 30)]
    by_default: Option<Secret>,
    #[setting(internal)]
    by_program: Option<Secret>,
    #[setting(validate = never)]
    refused: Option<Secret>,
    #[setting(internal)]
    text: Option<String>,
}

fn never(secret: &Secret) -> Result<(), String> {
    Err(format!("{} is not a good secret", secret.expose()))
}

/// An error with a source.
#[derive(Debug)]
struct Chained(Box<dyn Error + Send + Sync>);

impl fmt::Display for Chained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request failed")
    }
}

impl Error for Chained {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}

/// Does what the message says.
#[dooers::agent(default, timeout = "200ms")]
async fn leaking(
    request: WorkerRequest,
    response: WorkerResponse,
    settings: Settings<Vault>,
    analytics: WorkerAnalytics,
) -> Result<()> {
    let known = settings.get().await?;
    debug(&known);
    debug(&settings);
    if let Some(form) = request.form() {
        debug(&request);
        debug(&form);
        drop(response.text("thank you"));
        return Ok(());
    }
    let case = request.message.as_str();
    let text = secret(case);
    match case {
        "error" => Err(text.into()),
        "chain" => Err(Chained(Box::new(Chained(text.into()))).into()),
        "context" => Err(AgentError::from("no").context(text)),
        "behind" => Err(AgentError::from(text).with_public_text("Sorry.")),
        "wrapped" => Err(Chained(Box::new(AgentError::from(text).into_error())).into()),
        "bail" => dooers::bail!("the key is {text}"),
        "lines" => Err(format!("the first line\n{text}").into()),
        "panic" => panic!("{text}"),
        "payload" => std::panic::panic_any(vec![text]),
        "title" => {
            let title = text.repeat(100);
            response.update_thread(|thread| thread.title(title)).await?;
            Ok(())
        }
        "public" => Err(AgentError::public(text)),
        "stream" => {
            let stream = response.text_stream();
            stream.push("so far");
            Err(text.into())
        }
        "tool" => {
            let call = ToolCall::new("c1", "search", json!({"query": text}));
            drop(response.tool_transaction(call, "found"));
            Ok(())
        }
        "set" => {
            let set = |vault: &mut Vault| {
                vault.by_program = Some(Secret::new(&*text));
                vault.text = Some(secret("internal"));
            };
            settings.set(set).await?;
            Ok(())
        }
        "track" => Ok(analytics.track("tracked", json!({"text": text})).await?),
        "slow" => std::future::pending().await,
        _ => {
            drop(response.text(format!("You said: {case}")));
            Ok(())
        }
    }
}

/// Fails with a string.
#[dooers::agent]
async fn stringly() -> Result<String, String> {
    Err(secret("string"))
}

/// Fails, and fails again.
#[dooers::agent(retry = 1)]
async fn retrying() -> Result<()> {
    Err(AgentError::retryable(secret("retry")))
}

/// Sends a form with a password.
#[dooers::agent]
async fn asking(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    if let Some(form) = request.form() {
        debug(&request);
        debug(&form);
        return Err("the service did not take the password".into());
    }
    let pin = FormElement::password("pin", "PIN").required();
    drop(response.form(&Form::new("Who are you?").element(pin)));
    Ok(())
}

/// Never ends.
#[dooers::agent]
async fn hanging() {
    std::future::pending::<()>().await;
}

/// Middleware that fails or panics.
struct Leaky;

impl TurnMiddleware for Leaky {
    async fn before(&self, attempt: &TurnAttempt) -> Result<()> {
        match attempt.request().message.as_str() {
            "before" => Err(secret("before").into()),
            _ => Ok(()),
        }
    }

    #[allow(clippy::panic, reason = "the panic is the case")]
    fn after(&self, attempt: &TurnAttempt, _: &AttemptEnd<'_>) {
        if attempt.request().message == "after" {
            panic!("{}", secret("after"));
        }
    }
}

/// Panics for one setting, and fails for the others.
#[allow(clippy::panic, reason = "the panic is the case")]
async fn updated(update: SettingsUpdate) -> Result<()> {
    debug(&update);
    match update.field_id.as_str() {
        "patched" => Err(secret("settings callback").into()),
        "by_program" => panic!("{}", secret("settings callback panic")),
        _ => Ok(()),
    }
}

async fn liked(update: FeedbackUpdate) -> Result<()> {
    debug(&update.feedback.id);
    Err(secret("feedback callback").into())
}

/// Prints everything that a store in memory has kept.
async fn print_rows(store: &dyn Store, scope: &Scope) -> Result<()> {
    let print = |row: String| println!("row {row}");
    for thread in store.find_threads(scope, &ThreadQuery::newest(100)).await? {
        print(json!(thread).to_string());
        for event in store
            .find_events(scope, &thread.id, &EventQuery::newest(100))
            .await?
        {
            print(json!(event).to_string());
        }
    }
    for run in store.find_runs(scope, &RunQuery::newest(100)).await? {
        print(json!(run).to_string());
    }
    for feedback in store
        .find_feedback(scope, &FeedbackQuery::newest(100))
        .await?
    {
        print(format!("{feedback:?}"));
    }
    let worker = WorkerKey {
        agent: scope.agent.clone(),
        worker_id: scope.worker_id.clone(),
    };
    for setting in store.settings(&worker).await? {
        print(format!("{} {}", setting.field_id, setting.value));
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(std::io::stderr)
        .init();
    let mut config = WorkerConfig::from_env()?;
    let spy = SpyStore::memory();
    let is_in_memory = std::env::var("WORKER_DATABASE_TYPE").is_ok_and(|kind| kind == "memory");
    if is_in_memory {
        config = config.store(Arc::clone(&spy) as _);
    }
    debug(&config);
    spy.fail("threads", secret("store"));
    spy.fail("ping", secret("ping"));
    spy.lose("give_feedback");
    let server = WorkerServer::new(config)
        .agent::<leaking>()
        .agent::<stringly>()
        .agent::<retrying>()
        .agent::<asking>()
        .agent::<hanging>()
        .middleware(Leaky)
        .on_settings_updated(updated)
        .on_feedback(liked);
    server.clone().serve().await?;
    debug(&server);
    if is_in_memory {
        let scopes = [
            Scope::everyone::<leaking>("w1"),
            Scope::everyone::<stringly>("w1"),
            Scope::everyone::<retrying>("w1"),
            Scope::everyone::<asking>("w1"),
            Scope::everyone::<hanging>("w1"),
        ];
        for scope in scopes {
            let scope = scope.organization("o1").workspace("s1");
            print_rows(&*spy, &scope).await?;
        }
    }
    Ok(())
}
