//! Settings used by the program.

use crate::agents::{Few, every, few};
use crate::asserts::{patch, subscribed};
use dooers::prelude::*;
use dooers::settings::{PatchError, SettingsError, SettingsUpdate};
use dooers::{ServerError, WorkerServer};
use dooers_tests::{Server, in_memory, within};
use futures::StreamExt;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;

fn detached() -> Settings<Few> {
    Settings::detached()
}

#[tokio::test]
async fn values_are_read_by_field_and_all_at_once() {
    let settings = detached();
    let few = settings.get().await.unwrap();
    assert_eq!((few.first, few.second, few.fixed.as_str()), (1, 2, "fixed"));
    assert_eq!(settings.get_value("second").await.unwrap(), Some(json!(2)));
    assert_eq!(settings.get_value("key").await.unwrap(), Some(Value::Null));
    assert_eq!(settings.get_value("third").await.unwrap(), None);
    settings
        .set(|few| few.key = Some(Secret::new("hush")))
        .await
        .unwrap();
    let all = settings.all().read().await.unwrap();
    assert_eq!(all.get("key"), Some(&json!("hush")));
    assert!(!format!("{all:?}").contains("hush"));
    let some = settings
        .all()
        .exclude(["key", "fixed"])
        .read()
        .await
        .unwrap();
    let ids: Vec<_> = some.iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["first", "second"]);
}

#[tokio::test]
async fn program_updates_several_values_atomically() {
    let settings = detached();
    settings
        .set(|few| {
            few.first = 10;
            few.second = 20;
        })
        .await
        .unwrap();
    let few = settings.get().await.unwrap();
    assert_eq!((few.first, few.second), (10, 20));
    let refused = settings
        .set(|few| {
            few.first = 11;
            few.fixed = "changed".to_owned();
        })
        .await;
    assert!(matches!(
        refused,
        Err(SettingsError::Patch(PatchError::Readonly(_)))
    ));
    assert_eq!(settings.get().await.unwrap(), few);
}

#[tokio::test]
async fn program_changes_are_published_to_subscribers() {
    let server = Server::of::<few>().await;
    let (mut watching, _) = subscribed(&server, "member", "user").await;
    let mut client = server.client("ada").await;
    client.start_thread("count").await;
    let published = watching
        .read_until("the change", |frame| frame["type"] == "settings.patch")
        .await;
    let published = &published.last().unwrap()["payload"];
    assert_eq!(
        (&published["field_id"], &published["value"]),
        (&json!("first"), &json!(2))
    );
    client.start_thread("count").await;
    let published = watching
        .read_until("the change", |frame| frame["type"] == "settings.patch")
        .await;
    assert_eq!(published.last().unwrap()["payload"]["value"], 3);
    server.close([watching, client]).await;
}

#[tokio::test]
async fn watch_yields_each_change_and_batches_as_one() {
    let settings = detached();
    let mut changes = settings.watch();
    let shape = |change: SettingsUpdate| (change.field_id, change.old, change.new);
    settings.set(|few| few.first = 5).await.unwrap();
    let first = within("a change", changes.next()).await.unwrap();
    assert_eq!(shape(first), ("first".to_owned(), json!(1), json!(5)));
    settings.set(|few| few.second = 3).await.unwrap();
    settings.set(|few| few.first = 6).await.unwrap();
    settings.set(|few| few.second = 4).await.unwrap();
    // An unchanged value is not a change.
    settings.set(|few| few.second = 4).await.unwrap();
    settings
        .set(|few| few.key = Some(Secret::new("hush")))
        .await
        .unwrap();
    let mut next = async || shape(within("a change", changes.next()).await.unwrap());
    assert_eq!(next().await, ("second".to_owned(), json!(2), json!(4)));
    assert_eq!(next().await, ("first".to_owned(), json!(5), json!(6)));
    assert_eq!(next().await, ("key".to_owned(), Value::Null, Value::Null));
}

#[tokio::test]
async fn program_uses_settings_outside_a_handler() {
    let worker = WorkerServer::new(in_memory())
        .agent::<few>()
        .agent::<every>();
    let settings = worker.settings::<Few>("w1").await.unwrap();
    settings.set(|few| few.second = 9).await.unwrap();
    let same = worker.settings_of::<few, Few>("w1").await.unwrap();
    assert_eq!(same.get().await.unwrap().second, 9);
    let other = worker.settings::<Few>("w2").await.unwrap();
    assert_eq!(other.get().await.unwrap().second, 2);
    let wrong = worker.settings_of::<every, Few>("w1").await.unwrap_err();
    assert!(
        matches!(&wrong, ServerError::SettingsOfAgent { agent, .. } if agent == "every"),
        "{wrong}"
    );
    worker.close().await;
}

#[tokio::test]
async fn callback_is_ordered_and_its_failure_keeps_changes() {
    let (published, mut updates) = mpsc::unbounded_channel();
    let calls = Arc::new(Mutex::new(0));
    let worker = WorkerServer::new(in_memory())
        .agent::<few>()
        .on_settings_updated({
            let calls = Arc::clone(&calls);
            move |update| {
                let number = {
                    let mut calls = calls.lock().unwrap();
                    *calls += 1;
                    *calls
                };
                let published = published.clone();
                async move {
                    published.send(update).unwrap();
                    match number {
                        1 => Err("the callback fails".into()),
                        2 => panic!("the callback panics"),
                        _ => Ok(()),
                    }
                }
            }
        });
    let server = Server::start(worker).await;
    let mut client = server.client("ada").await;
    for value in [11, 12, 13] {
        patch(&mut client, "first", json!(value)).await;
        let update = within("the callback", updates.recv()).await.unwrap();
        assert_eq!(update.new, json!(value));
        assert_eq!(
            (update.agent.as_str(), update.worker_id.as_str()),
            ("few", "w1")
        );
        assert_eq!(update.field_id, "first");
    }
    let (other, shown) = subscribed(&server, "member", "user").await;
    assert_eq!(crate::asserts::field(&shown, "first")["value"], 13);
    server.close([client, other]).await;
}

/// The callback changes the second field on each change of the first.
#[tokio::test]
async fn callback_may_change_settings() {
    let server: Arc<Mutex<Option<WorkerServer>>> = Arc::default();
    let own = Arc::clone(&server);
    let worker = WorkerServer::new(in_memory())
        .agent::<few>()
        .on_settings_updated(move |update| {
            let worker = own.lock().unwrap().clone();
            async move {
                if update.field_id == "first" {
                    let settings = worker.unwrap().settings::<Few>("w1").await?;
                    settings.set(|few| few.second = few.first * 2).await?;
                }
                Ok(())
            }
        });
    *server.lock().unwrap() = Some(worker.clone());
    let settings = worker.settings::<Few>("w1").await.unwrap();
    let mut changes = settings.watch();
    settings.set(|few| few.first = 21).await.unwrap();
    let seconds = changes.by_ref().filter(|change| {
        let is_second = change.field_id == "second";
        async move { is_second }
    });
    let second = within("the callback's change", Box::pin(seconds).next())
        .await
        .unwrap();
    assert_eq!(second.new, json!(42));
    // Watchers are notified that the server has stopped.
    within("the server to close", worker.close()).await;
    let rest = within("the end", changes.collect::<Vec<_>>()).await;
    assert_eq!(rest, []);
}
