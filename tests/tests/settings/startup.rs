//! Checks of settings at the start of a server.

use crate::agents::{Every, Few, Tone, every};
use dooers::prelude::*;
use dooers::settings::{Field, SettingsSchema, SettingsValues};
use dooers::{AgentDefinition, ServerError, WorkerServer};
use dooers_tests::in_memory;

#[dooers::agent]
async fn torn(every: Every, few: Settings<Few>) -> String {
    format!("{every:?} {few:?}")
}

#[dooers::agent]
async fn same(few: Few, live: Settings<Few>) -> String {
    format!("{few:?} {live:?}")
}

#[dooers::agent]
async fn any(values: SettingsValues) -> String {
    format!("{values:?}")
}

fn schema() -> SettingsSchema {
    let field = Field::text("name").default("Ada");
    SettingsSchema::builder().field(field).build().unwrap()
}

async fn refusal(worker: WorkerServer) -> String {
    let refused = worker.router::<()>().await.unwrap_err();
    worker.close().await;
    refused.to_string()
}

#[tokio::test]
async fn two_settings_types_in_one_agent_are_rejected() {
    let text = refusal(WorkerServer::new(in_memory()).agent::<torn>()).await;
    assert!(
        text.starts_with("the agent `torn` takes settings of two types"),
        "{text}"
    );
    assert!(text.contains("Every") && text.contains("Few"), "{text}");
}

#[tokio::test]
async fn one_settings_type_in_two_arguments_is_accepted() {
    let worker = WorkerServer::new(in_memory()).agent::<same>();
    drop(worker.router::<()>().await.unwrap());
    worker.close().await;
}

#[tokio::test]
async fn values_without_a_schema_are_rejected() {
    let text = refusal(WorkerServer::new(in_memory()).agent::<any>()).await;
    assert!(
        text.contains("`.settings_schema::<…>(schema)`, where `…` is the type of the agent"),
        "{text}"
    );
    let made = AgentDefinition::from_fn("made", async |_: SettingsValues| {});
    let text = refusal(WorkerServer::new(in_memory()).add_agent(made)).await;
    assert!(
        text.contains("`AgentDefinition::with_settings_schema`"),
        "{text}"
    );
}

#[tokio::test]
async fn schema_beside_a_struct_is_rejected() {
    let worker = WorkerServer::new(in_memory())
        .agent::<every>()
        .settings_schema::<every>(schema());
    let text = refusal(worker).await;
    assert!(
        text.contains("the agent `every` takes its settings as"),
        "{text}"
    );
}

#[tokio::test]
async fn two_schemas_of_one_agent_are_rejected() {
    let worker = WorkerServer::new(in_memory()).agent::<any>();
    let worker = worker
        .settings_schema::<any>(schema())
        .settings_schema::<any>(schema());
    let text = refusal(worker).await;
    assert!(text.contains("the agent `any` has two schemas"), "{text}");
}

/// Fields whose default the compiler accepts, but whose own check refuses it.
#[derive(Debug, Clone, WorkerSettings)]
struct Contradictory {
    #[setting(default = CODE, pattern = "^[a-z]+$")]
    code: String,
    #[setting(default = Tone::VeryFormal, validate = friendly)]
    tone: Tone,
    #[setting(default = "a", options("a", "b"), validate = |_| Err::<(), _>("it is closed"))]
    model: String,
    #[setting(default = 3, validate = |_| Err::<(), _>("it is odd"))]
    pairs: Option<u8>,
    #[setting(default = true, internal, validate = |_| Err::<(), _>("it is off"))]
    hidden: bool,
    #[setting(group)]
    inner: Inner,
}

#[derive(Debug, Clone, WorkerSettings)]
#[setting(group)]
struct Inner {
    #[setting(default = "2026-02-11", validate = |_| Err::<(), _>("it is\r\nover"))]
    day: NaiveDate,
}

const CODE: &str = "A1";

fn friendly(tone: &Tone) -> std::result::Result<(), &'static str> {
    match tone {
        Tone::Friendly => Ok(()),
        Tone::VeryFormal => Err("it is too formal"),
    }
}

#[dooers::agent]
async fn contradictory(settings: Contradictory) -> String {
    format!("{settings:?}")
}

#[tokio::test]
async fn default_that_its_field_refuses_fails_at_start() {
    let text = refusal(WorkerServer::new(in_memory()).agent::<contradictory>()).await;
    assert!(
        text.starts_with("the settings `settings::startup::Contradictory` cannot be used: `code`: its default does not fit: `code` cannot be \"A1\"; it takes a text that matches `^[a-z]+$`"),
        "{text}"
    );
    for reason in [
        "`tone` cannot be \"very_formal\"; it is too formal",
        "`model` cannot be \"a\"; it is closed",
        "`pairs` cannot be 3; it is odd",
        "`hidden` cannot be true; it is off",
        "`day` cannot be \"2026-02-11\"; it is over",
    ] {
        assert!(text.contains(reason), "{reason}: {text}");
    }
    assert_eq!(text.lines().count(), 1);
}

#[test]
#[should_panic(expected = "its default does not fit")]
fn detached_settings_check_their_defaults() {
    drop(Settings::<Contradictory>::detached());
}

#[tokio::test]
async fn settings_type_must_belong_to_one_agent() {
    let worker = WorkerServer::new(in_memory()).agent::<every>();
    let error = worker.settings::<Few>("w1").await.unwrap_err();
    assert!(matches!(error, ServerError::SettingsOwner { found: 0, .. }));
    worker.close().await;
    let worker = WorkerServer::new(in_memory())
        .agent::<same>()
        .agent::<crate::agents::few>();
    let error = worker.settings::<Few>("w1").await.unwrap_err();
    assert!(matches!(error, ServerError::SettingsOwner { found: 2, .. }));
    worker.close().await;
}
