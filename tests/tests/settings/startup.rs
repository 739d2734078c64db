//! Checks of settings at the start of a server.

use crate::agents::{Every, Few, every};
use dooers::prelude::*;
use dooers::settings::{Field, SettingsSchema, SettingsValues};
use dooers::{ServerError, WorkerServer};
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
    assert!(text.contains("`.settings_schema::<any>(schema)`"), "{text}");
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
