//! `null`, which restores a default, and the member `required`, which forbids it.

use crate::agents::{Few, every, few};
use crate::asserts::{field, fields, patch, patch_error, subscribe, subscribed};
use dooers::prelude::*;
use dooers::repository::Scope;
use dooers::settings::{Field, SettingsSchema, SettingsUpdate, SettingsValues};
use dooers::store::{MemoryStore, SqliteOptions, Store, WorkerKey};
use dooers::{Database, WorkerServer};
use dooers_tests::{Server, in_memory, within};
use futures::StreamExt;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Fields of every kind: the id, another value, and the default.
fn with_defaults() -> Vec<(&'static str, Value, Value)> {
    vec![
        ("prompt", json!("x"), json!("")),
        ("model", json!("large"), json!("small")),
        ("tone", json!("very_formal"), json!("friendly")),
        ("whole", json!(15), json!(5)),
        ("signed", json!(7), json!(-3)),
        ("decimal", json!(1.5), json!(0.5)),
        ("check", json!(true), json!(false)),
        (
            "address",
            json!("bob@example.org"),
            json!("ada@example.org"),
        ),
        ("day", json!("2000-01-01"), json!("2026-02-11")),
        ("even", json!(4), json!(2)),
    ]
}

fn key_of(agent: &str) -> WorkerKey {
    WorkerKey {
        agent: agent.to_owned(),
        worker_id: "w1".to_owned(),
    }
}

#[tokio::test]
async fn null_restores_the_default_of_every_kind() {
    let (published, mut updates) = mpsc::unbounded_channel();
    let worker = WorkerServer::new(in_memory())
        .agent::<every>()
        .on_settings_updated(move |update: SettingsUpdate| {
            let published = published.clone();
            async move { Ok(published.send((update.old, update.new))?) }
        });
    let server = Server::start(worker).await;
    let (mut operator, before) = subscribed(&server, "member", "user").await;
    let (mut watching, _) = subscribed(&server, "member", "user").await;
    for (id, other, default) in with_defaults() {
        assert_eq!(field(&before, id)["required"], false, "{id}");
        for (value, shown, old) in [
            (&other, &other, &default),
            (&Value::Null, &default, &other),
            // The sender receives a frame even if nothing changes.
            (&Value::Null, &default, &default),
        ] {
            let patched = patch(&mut operator, id, value.clone()).await;
            assert_eq!(patched["value"], *shown, "{id}");
            assert_eq!(watching.expect("settings.patch").await, patched);
            let update = within("the callback", updates.recv()).await.unwrap();
            assert_eq!(update, (old.clone(), shown.clone()), "{id}");
        }
    }
    let after = subscribe(&mut operator, "user").await;
    assert_eq!(fields(&after), fields(&before));
    server.close([operator, watching]).await;
}

#[tokio::test]
async fn absent_value_restores_the_default_like_null() {
    let server = Server::of::<every>().await;
    let (mut operator, _) = subscribed(&server, "member", "user").await;
    patch(&mut operator, "whole", json!(15)).await;
    let id = operator
        .send("settings.patch", json!({"field_id": "whole"}))
        .await;
    operator.expect_ack(&id).await;
    let patched = operator.expect("settings.patch").await;
    assert_eq!(patched["value"], 5);
    server.close([operator]).await;
}

#[tokio::test]
async fn required_is_true_only_if_declared() {
    let server = Server::of::<every>().await;
    let (mut operator, shown) = subscribed(&server, "owner", "creator").await;
    let required: Vec<_> = fields(&shown)
        .into_iter()
        .filter(|field| field["required"] == true)
        .map(|field| field["id"].clone())
        .collect();
    assert_eq!(required, [json!("name")]);
    let (code, text) = patch_error(&mut operator, "name", Value::Null).await;
    assert_eq!(code, "INVALID_VALUE");
    assert_eq!(
        text,
        "`name` cannot be null; it takes a text of 2 to 8 characters that matches `^[a-zäöü]+$`"
    );
    server.close([operator]).await;
}

#[tokio::test]
async fn null_deletes_the_stored_value() {
    let store = Arc::new(MemoryStore::new());
    let server = Server::with::<every>(|config| config.store(Arc::clone(&store) as _)).await;
    let (mut operator, _) = subscribed(&server, "member", "user").await;
    patch(&mut operator, "key", json!("correct horse")).await;
    for (id, other, _) in with_defaults() {
        patch(&mut operator, id, other).await;
        patch(&mut operator, id, Value::Null).await;
    }
    patch(&mut operator, "key", Value::Null).await;
    for row in store.settings(&key_of("every")).await.unwrap() {
        assert_eq!((row.value, row.key_id), (Value::Null, None));
    }
    server.close([operator]).await;
}

/// Settings of an agent in two versions of a program.
#[derive(Debug, Clone, PartialEq, WorkerSettings)]
struct Mixed {
    #[setting(default = "medium")]
    size: Option<String>,
    #[setting(required)]
    town: Option<String>,
    #[setting(default = 3, required)]
    count: u8,
}

#[dooers::agent]
async fn mixed(settings: Mixed) -> String {
    format!("{settings:?}")
}

#[tokio::test]
async fn optional_field_with_a_default_is_never_none() {
    let settings = Settings::<Mixed>::detached();
    let mut changes = settings.watch();
    let size = async || settings.get().await.unwrap().size;
    assert_eq!(size().await.as_deref(), Some("medium"));
    let set = |size: Option<&'static str>| {
        settings.set(move |mixed| mixed.size = size.map(str::to_owned))
    };
    set(Some("large")).await.unwrap();
    assert_eq!(size().await.as_deref(), Some("large"));
    set(None).await.unwrap();
    assert_eq!(size().await.as_deref(), Some("medium"));
    // The value is already the default, so this is not a change.
    set(None).await.unwrap();
    set(Some("small")).await.unwrap();
    let mut next = async || {
        let change = within("a change", changes.next()).await.unwrap();
        (change.old, change.new)
    };
    assert_eq!(next().await, (json!("medium"), json!("small")));
    let mut mixed = Mixed::default();
    mixed.apply_patch("size", json!("large")).unwrap();
    mixed.apply_patch("size", Value::Null).unwrap();
    assert_eq!(mixed, Mixed::default());
}

#[tokio::test]
async fn required_option_starts_empty_and_cannot_be_unset() {
    let settings = Settings::<Mixed>::detached();
    assert_eq!(settings.get().await.unwrap().town, None);
    settings.set(|mixed| mixed.count = 4).await.unwrap();
    settings
        .set(|mixed| mixed.town = Some("Turin".to_owned()))
        .await
        .unwrap();
    let refused = settings.set(|mixed| mixed.town = None).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "`town` cannot be null; it takes a text"
    );
    assert_eq!(settings.get().await.unwrap().town.as_deref(), Some("Turin"));
    let refused = Mixed::default().apply_patch("count", Value::Null);
    assert!(refused.is_err());
}

#[tokio::test]
async fn program_restores_a_default_with_null() {
    let server = Server::of::<every>().await;
    let (mut watching, _) = subscribed(&server, "member", "user").await;
    let repository = server.worker().repository().await.unwrap();
    let scope = Scope::everyone::<every>("w1");
    for (id, other, default) in with_defaults() {
        let set = |value| repository.set_setting(&scope, id, value);
        set(other.clone()).await.unwrap();
        assert_eq!(watching.expect("settings.patch").await["value"], other);
        set(Value::Null).await.unwrap();
        assert_eq!(watching.expect("settings.patch").await["value"], default);
        assert_eq!(repository.setting(&scope, id).await.unwrap(), default);
        set(Value::Null).await.unwrap();
        watching.expect_nothing().await;
    }
    let refused = repository.set_setting(&scope, "name", Value::Null).await;
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("`name` cannot be null")
    );
    server.close([watching]).await;
}

#[dooers::agent]
async fn versioned(values: SettingsValues) -> String {
    format!("{values:?}")
}

/// The value after `null` in the next version of the program, which has another default.
async fn default_of_the_next_version(before: Value) -> Value {
    let directory = tempfile::tempdir().unwrap();
    let start = async |default: &str| {
        let path = directory.path().join("worker.db");
        let database = Database::Sqlite(SqliteOptions::new(path));
        let field = Field::text("name").default(default);
        let schema = SettingsSchema::builder().field(field).build().unwrap();
        let config = WorkerConfig::new().database(database);
        let worker = WorkerServer::new(config)
            .agent::<versioned>()
            .settings_schema::<versioned>(schema);
        Server::start(worker).await
    };
    let server = start("one").await;
    let (mut client, _) = subscribed(&server, "member", "user").await;
    patch(&mut client, "name", before).await;
    patch(&mut client, "name", Value::Null).await;
    server.close([client]).await;
    let server = start("two").await;
    let (client, shown) = subscribed(&server, "member", "user").await;
    server.close([client]).await;
    field(&shown, "name")["value"].clone()
}

#[tokio::test]
async fn null_follows_the_default_of_the_next_version() {
    assert_eq!(default_of_the_next_version(json!("x")).await, "two");
    // Also if the stored value was the default itself.
    assert_eq!(default_of_the_next_version(json!("one")).await, "two");
}

#[tokio::test]
async fn value_equal_to_the_default_is_deleted() {
    let store = Arc::new(MemoryStore::new());
    let worker = WorkerServer::new(in_memory().store(Arc::clone(&store) as _)).agent::<few>();
    let settings = worker.settings::<Few>("w1").await.unwrap();
    settings.set(|few| few.first = 9).await.unwrap();
    settings.set(|few| few.first = 1).await.unwrap();
    let stored = async || {
        store
            .settings(&key_of("few"))
            .await
            .unwrap()
            .remove(0)
            .value
    };
    assert_eq!(stored().await, json!(1));
    let mut changes = settings.watch();
    let repository = worker.repository().await.unwrap();
    let scope = Scope::everyone::<few>("w1");
    repository
        .set_setting(&scope, "first", Value::Null)
        .await
        .unwrap();
    assert_eq!(stored().await, Value::Null);
    worker.close().await;
    assert_eq!(within("the end", changes.next()).await, None);
}

#[test]
fn manual_schema_has_the_same_defaults_as_a_struct() {
    let field = Field::text("size");
    for (field, required, null) in [
        (field.clone().default("m"), false, true),
        (field.clone().default("m").required(), true, false),
        (field.clone().required().default("m"), true, false),
        (field.clone().optional(), false, true),
        (field.clone().optional().default("m"), false, true),
        (field.clone().optional().required(), true, false),
        (field.clone().required().optional(), true, false),
    ] {
        let schema = SettingsSchema::builder().field(field).build().unwrap();
        let field = schema.field("size").unwrap();
        assert_eq!(field.is_required(), required, "{field:?}");
        assert_eq!(field.check(Value::Null).is_ok(), null, "{field:?}");
        let types = schema.json_schema().to_value()["properties"]["size"]["type"].clone();
        let expected = if null {
            json!(["string", "null"])
        } else {
            json!("string")
        };
        assert_eq!(types, expected, "{field:?}");
    }
    for field in [field.clone(), field.required()] {
        let wrong = SettingsSchema::builder().field(field).build().unwrap_err();
        let text = wrong.to_string();
        assert!(
            text.contains("`size`: a setting needs an initial value"),
            "{text}"
        );
    }
}
