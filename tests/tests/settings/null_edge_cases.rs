//! Combinations of `null`, defaults, secrets and numbers.

use crate::asserts::{field, patch, patch_error, subscribed};
use dooers::WorkerServer;
use dooers::prelude::*;
use dooers::repository::Scope;
use dooers::store::{MemoryStore, Store, WorkerKey};
use dooers_tests::{Server, in_memory};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

const ONE: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const TWO: &str = "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=";

#[derive(Debug, Clone, WorkerSettings)]
struct Edges {
    #[setting(default_env = "KEY", required)]
    key: Secret,
    #[setting(default_env = "SPARE")]
    spare: Option<Secret>,
    #[setting(min = 0.0, max = 1.0, step = 0.1, default = 0.30000000000000004)]
    slider: f64,
    #[setting(default = 0.5)]
    single: f32,
    #[setting(default = 0.5)]
    open: Option<f64>,
}

#[dooers::agent]
async fn edgy(settings: Edges) -> String {
    let spare = settings.spare.map(|spare| spare.expose().to_owned());
    format!("{} {spare:?} {}", settings.key.expose(), settings.slider)
}

fn key() -> WorkerKey {
    WorkerKey {
        agent: "edgy".to_owned(),
        worker_id: "w1".to_owned(),
    }
}

type Heard = Arc<Mutex<Vec<String>>>;

fn worker(store: &Arc<MemoryStore>, keys: &str, received: &Heard) -> WorkerServer {
    let config = in_memory()
        .store(Arc::clone(store) as _)
        .secret_keys(keys.parse().unwrap())
        .secret_variables(|name| Some(Secret::new(format!("env {name}"))));
    let received = Arc::clone(received);
    WorkerServer::new(config)
        .agent::<edgy>()
        .on_settings_updated(move |update| {
            let received = Arc::clone(&received);
            async move {
                received
                    .lock()
                    .unwrap()
                    .push(format!("{} {} {}", update.field_id, update.old, update.new));
                Ok(())
            }
        })
}

#[tokio::test]
async fn slider_default_near_a_step_is_rounded_to_it() {
    let received = Heard::default();
    let store = Arc::new(MemoryStore::new());
    let server = Server::start(worker(&store, ONE, &received)).await;
    let (mut owner, shown) = subscribed(&server, "owner", "creator").await;
    assert_eq!(field(&shown, "slider")["value"], json!(0.3));
    let published = patch(&mut owner, "slider", json!(0.300_000_000_000_000_04)).await;
    assert_eq!(published["value"], json!(0.3));
    let published = patch(&mut owner, "slider", Value::Null).await;
    assert_eq!(published["value"], json!(0.3));
    let settings = server.worker().settings::<Edges>("w1").await.unwrap();
    assert_eq!(settings.get().await.unwrap().slider, 0.3);
    assert_eq!(Edges::default().slider, 0.3);
    let published = patch(&mut owner, "slider", json!(0.700_000_000_000_000_1)).await;
    assert_eq!(published["value"], json!(0.7));
    server.close([owner]).await;
}

#[tokio::test]
async fn non_finite_number_is_rejected() {
    let received = Heard::default();
    let store = Arc::new(MemoryStore::new());
    let worker = worker(&store, ONE, &received);
    let settings = worker.settings::<Edges>("w1").await.unwrap();
    settings
        .set(|edges| (edges.slider, edges.single, edges.open) = (0.9, 0.9, Some(0.9)))
        .await
        .unwrap();
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let refused = settings.set(|edges| edges.slider = number).await;
        let text = refused.unwrap_err().to_string();
        assert!(text.starts_with("`slider` cannot be"), "{text}");
        let refused = settings.set(|edges| edges.open = Some(number)).await;
        refused.unwrap_err();
        #[expect(clippy::cast_possible_truncation, reason = "it stays what it is")]
        let refused = settings.set(|edges| edges.single = number as f32).await;
        assert!(refused.unwrap_err().to_string().contains("`single`"));
    }
    let edges = settings.get().await.unwrap();
    assert_eq!(
        (edges.slider, edges.single, edges.open),
        (0.9, 0.9, Some(0.9))
    );
    worker.close().await;
}

#[tokio::test]
async fn null_restores_a_variable_after_key_rotation() {
    let received = Heard::default();
    let store = Arc::new(MemoryStore::new());
    let server = Server::start(worker(&store, ONE, &received)).await;
    let (mut owner, _) = subscribed(&server, "owner", "creator").await;
    let (code, _) = patch_error(&mut owner, "key", Value::Null).await;
    assert_eq!(code, "INVALID_VALUE");
    patch(&mut owner, "spare", json!("stored")).await;
    patch(&mut owner, "spare", Value::Null).await;
    patch(&mut owner, "key", json!("pinned")).await;
    patch(&mut owner, "key", json!("env KEY")).await;
    server.close([owner]).await;
    let rows = store.settings(&key()).await.unwrap();
    let ids: Vec<_> = rows
        .iter()
        .map(|row| (row.field_id.as_str(), row.key_id.is_some()))
        .collect();
    assert_eq!(ids, [("key", true), ("spare", false)]);

    let both = format!("{TWO},{ONE}");
    let server = Server::start(worker(&store, &both, &received)).await;
    let settings = server.worker().settings::<Edges>("w1").await.unwrap();
    settings.set(|edges| edges.slider = 0.5).await.unwrap();
    let repository = server.worker().repository().await.unwrap();
    let scope = Scope::everyone::<edgy>("w1");
    repository
        .set_setting(&scope, "spare", Value::Null)
        .await
        .unwrap();
    repository
        .set_setting(&scope, "key", "env KEY")
        .await
        .unwrap();
    server.close([]).await;
    // The old key can be removed: the only stored secret uses the new one.
    let server = Server::start(worker(&store, TWO, &received)).await;
    let dispatch = server.worker().dispatch::<edgy>().worker("w1");
    let text = dispatch
        .message("?")
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert_eq!(text, r#"env KEY Some("env SPARE") 0.5"#);
    server.close([]).await;
    let received = received.lock().unwrap().join("\n");
    assert!(
        !received.contains("pinned") && !received.contains("env"),
        "{received}"
    );
    assert_eq!(received.lines().count(), 5, "{received}");
}
