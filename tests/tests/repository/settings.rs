//! Settings read and changed by the program, by field id.

use dooers::WorkerServer;
use dooers::prelude::*;
use dooers::repository::{Repository, RepositoryError, Scope};
use dooers::settings::{PatchError, SettingsError};
use dooers_tests::{Client, Identity, Server, in_memory};
use serde_json::{Value, json};

/// Settings with a few fields.
#[derive(Debug, Clone, PartialEq, WorkerSettings)]
struct Few {
    #[setting(default = 1, max = 9)]
    size: u32,
    note: Option<String>,
    key: Option<Secret>,
    #[setting(default = "fixed", readonly)]
    fixed: String,
    #[setting(creator, default = 10)]
    budget: u32,
}

/// Replies with its size.
#[dooers::agent]
async fn tuned(settings: Few) -> String {
    settings.size.to_string()
}

/// An agent without settings.
#[dooers::agent]
async fn plain() {}

async fn started() -> (Server, WorkerServer, Repository, Scope) {
    let worker = WorkerServer::new(in_memory()).agent::<tuned>();
    let server = Server::start(worker.clone()).await;
    let repository = worker.repository().await.unwrap();
    (server, worker, repository, Scope::everyone::<tuned>("w1"))
}

async fn subscribed(server: &Server, audience: &str) -> Client {
    let user = json!({"user_id": "ada", "organization_role": "owner"});
    let mut client = server.client(Identity::of("ada").with("user", user)).await;
    let id = client
        .send("settings.subscribe", json!({"audience": audience}))
        .await;
    client.expect("settings.snapshot").await;
    client.expect_ack(&id).await;
    client
}

fn refused(result: Result<(), RepositoryError>) -> PatchError {
    match result {
        Err(RepositoryError::Settings(SettingsError::Patch(error))) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn settings_are_listed_read_set_and_published() {
    let (server, worker, repository, scope) = started().await;
    let mut user = subscribed(&server, "user").await;
    let mut creator = subscribed(&server, "creator").await;
    let values = repository.settings(&scope).await.unwrap();
    let shown: Vec<_> = values
        .iter()
        .map(|(id, value)| (id.to_owned(), value.clone()))
        .collect();
    assert_eq!(
        shown,
        [
            ("budget", json!(10)),
            ("fixed", json!("fixed")),
            ("key", Value::Null),
            ("note", Value::Null),
            ("size", json!(1)),
        ]
        .map(|(id, value)| (id.to_owned(), value))
    );
    repository.set_setting(&scope, "size", 5).await.unwrap();
    for client in [&mut user, &mut creator] {
        let published = client.expect("settings.patch").await;
        assert_eq!(
            (&published["field_id"], &published["value"]),
            (&json!("size"), &json!(5))
        );
    }
    repository.set_setting(&scope, "budget", 20).await.unwrap();
    assert_eq!(creator.expect("settings.patch").await["value"], 20);
    user.expect_nothing().await;
    repository.set_setting(&scope, "key", "hush").await.unwrap();
    assert_eq!(user.expect("settings.patch").await["value"], Value::Null);
    assert_eq!(
        repository.setting(&scope, "key").await.unwrap(),
        json!("hush")
    );
    assert_eq!(repository.setting(&scope, "size").await.unwrap(), json!(5));
    // The typed handle has the same values. The user of the scope does not matter.
    let typed = worker
        .settings::<Few>("w1")
        .await
        .unwrap()
        .get()
        .await
        .unwrap();
    assert_eq!((typed.size, typed.budget), (5, 20));
    let of_ana = Scope::user::<tuned>("w1", "ana");
    assert_eq!(repository.setting(&of_ana, "size").await.unwrap(), json!(5));
    let elsewhere = Scope::everyone::<tuned>("w2");
    assert_eq!(
        repository.setting(&elsewhere, "size").await.unwrap(),
        json!(1)
    );
    server.close([user, creator]).await;
}

#[tokio::test]
async fn removed_setting_publishes_its_default() {
    let (server, _, repository, scope) = started().await;
    let mut client = subscribed(&server, "user").await;
    repository.set_setting(&scope, "size", 5).await.unwrap();
    client.expect("settings.patch").await;
    repository.remove_setting(&scope, "size").await.unwrap();
    let published = client.expect("settings.patch").await;
    assert_eq!(
        (&published["field_id"], &published["value"]),
        (&json!("size"), &json!(1))
    );
    assert_eq!(repository.setting(&scope, "size").await.unwrap(), json!(1));
    // Removing a default value is not a change.
    repository.remove_setting(&scope, "size").await.unwrap();
    repository.set_setting(&scope, "size", 1).await.unwrap();
    repository.remove_setting(&scope, "note").await.unwrap();
    client.expect_nothing().await;
    let id = client.send_message(None, "size?").await;
    client.expect_ack(&id).await;
    let frames = client.read_turn().await;
    let answer = frames
        .iter()
        .rfind(|frame| frame["type"] == "event.append")
        .unwrap();
    assert_eq!(answer["payload"]["events"][0]["content"][0]["text"], "1");
    server.close([client]).await;
}

#[tokio::test]
async fn invalid_setting_is_rejected_and_not_stored() {
    let (server, _, repository, scope) = started().await;
    let client = subscribed(&server, "user").await;
    let set = async |field: &str, value: Value| {
        refused(repository.set_setting(&scope, field, value).await)
    };
    assert!(matches!(
        set("size", json!(10)).await,
        PatchError::Invalid(_)
    ));
    assert!(matches!(
        set("fixed", json!("x")).await,
        PatchError::Readonly(_)
    ));
    assert!(matches!(
        set("nothing", json!(1)).await,
        PatchError::NotFound(_)
    ));
    let remove = async |field: &str| refused(repository.remove_setting(&scope, field).await);
    assert!(matches!(remove("fixed").await, PatchError::Readonly(_)));
    assert!(matches!(remove("nothing").await, PatchError::NotFound(_)));
    let unknown = repository.setting(&scope, "nothing").await.map(drop);
    assert!(matches!(refused(unknown), PatchError::NotFound(_)));
    let of_none = repository
        .settings(&Scope::everyone::<plain>("w1"))
        .await
        .unwrap_err();
    assert_eq!(of_none.to_string(), "the agent `plain` has no settings");
    let mut client = client;
    client.expect_nothing().await;
    server.close([client]).await;
}
