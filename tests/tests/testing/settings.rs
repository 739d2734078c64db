//! Settings read and changed by a client and by the program.

use crate::agents::{echo, failure};
use dooers::prelude::*;
use dooers::protocol::{Audience, ErrorCode};
use dooers::testing::{TestServer, TestUser};
use serde_json::json;

/// Settings for operators.
#[derive(Debug, Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = "small", options("small" = "Small", "large" = "Large"))]
    model: String,
    #[setting(group)]
    costs: Costs,
}

/// The group of costs.
#[derive(Debug, Clone, WorkerSettings)]
#[setting(group)]
struct Costs {
    #[setting(creator, default = 10)]
    budget: u32,
}

/// Replies with its settings.
#[dooers::agent]
async fn tuned(settings: Tuning) -> String {
    format!("{} for {}", settings.model, settings.costs.budget)
}

#[tokio::test]
async fn change_reaches_the_handler_and_other_clients() {
    let server = TestServer::of::<tuned>().await;
    let mut ada = server.connect("ada").await;
    let mut bob = server.connect("bob").await;
    assert_eq!(bob.settings().await.value("model"), "small");
    ada.patch_setting("model", "large").await.unwrap();
    ada.say("?").await.assert_text("large for 10");
    bob.catch_up().await;
    assert_eq!(bob.shown_settings().unwrap().value("model"), "large");
    let refusal = ada.patch_setting("model", "huge").await.unwrap_err();
    assert_eq!(refusal.code, ErrorCode::InvalidValue);
    server.restart().await;
    ada.reconnect().await;
    bob.reconnect().await;
    assert_eq!(bob.shown_settings().unwrap().value("model"), "large");
    ada.say("?").await.assert_text("large for 10");
}

#[tokio::test]
async fn creators_see_more_and_program_changes_apply() {
    let server = TestServer::of::<tuned>().await;
    let boss = TestUser::new("eve").organization_role("owner");
    let mut eve = server.connect(boss).await;
    let shown = eve.settings_as(Audience::Creator).await;
    assert_eq!(shown.value("budget"), 10);
    assert_eq!(shown.field("budget").unwrap()["visibility"], "creator");
    let settings = server
        .worker()
        .settings::<Tuning>(TestUser::WORKER_ID)
        .await
        .unwrap();
    settings
        .set(|tuning| tuning.costs.budget = 99)
        .await
        .unwrap();
    eve.catch_up().await;
    assert_eq!(eve.shown_settings().unwrap().value("budget"), 99);
    let mut ada = server.connect("ada").await;
    assert!(ada.settings().await.field("budget").is_none());
    let text = failure(ada.settings_as(Audience::Creator)).await;
    assert!(
        text.starts_with("the server refuses to send settings: "),
        "{text}"
    );
    let refusal = ada.patch_setting("budget", json!(1)).await.unwrap_err();
    assert_eq!(refusal.code, ErrorCode::NotFound);
}

#[tokio::test]
async fn agent_without_settings_shows_none() {
    let server = TestServer::of::<echo>().await;
    let mut ada = server.connect("ada").await;
    let text = failure(ada.settings()).await;
    assert_eq!(
        text,
        "the server refuses to send settings: this agent has no settings"
    );
}
