//! Secrets with values from environment variables.

use crate::asserts::{field, patch, patch_error, subscribe, subscribed};
use dooers::WorkerServer;
use dooers::prelude::*;
use dooers::repository::Scope;
use dooers::settings::{Field, SettingsSchema, SettingsValues};
use dooers::store::{MemoryStore, Store, WorkerKey};
use dooers_tests::{Server, in_memory};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

#[derive(Debug, Clone, WorkerSettings)]
struct Keys {
    #[setting(default_env = "KEY", min_length = 4, validate = quiet)]
    key: Secret,
    #[setting(group)]
    more: MoreKeys,
    #[setting(default = 1)]
    count: u8,
}

#[derive(Debug, Clone, WorkerSettings)]
#[setting(group)]
struct MoreKeys {
    #[setting(default_env = "SPARE_KEY")]
    spare: Option<Secret>,
    #[setting(default_env = "INTERNAL_KEY", internal, readonly)]
    hidden: Option<Secret>,
}

/// A validation whose error contains the value.
fn quiet(key: &Secret) -> Result<(), String> {
    match key.expose() {
        "loud" => Err(format!("{} is no key", key.expose())),
        _ => Ok(()),
    }
}

/// Replies with its keys, unlike any real agent.
#[dooers::agent]
async fn keyed(settings: Keys) -> String {
    let of =
        |key: Option<Secret>| key.map_or_else(|| "-".to_owned(), |key| key.expose().to_owned());
    let more = settings.more;
    format!(
        "{} {} {}",
        settings.key.expose(),
        of(more.spare),
        of(more.hidden)
    )
}

/// A server with these variables.
fn worker(variables: &'static [(&'static str, &'static str)]) -> WorkerServer {
    let config = in_memory().secret_variables(|name| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| Secret::new(*value))
    });
    WorkerServer::new(config).agent::<keyed>()
}

/// The keys in the agent's reply.
async fn keys(server: &Server) -> String {
    let turn = server.worker().dispatch::<keyed>().worker("w1").user("ada");
    turn.message("which?")
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap()
}

async fn refusal(worker: WorkerServer) -> String {
    let refused = worker.router::<()>().await.unwrap_err();
    worker.close().await;
    refused.to_string()
}

#[tokio::test]
async fn handler_receives_values_from_variables() {
    let set = &[("KEY", "correct horse"), ("INTERNAL_KEY", "battery")];
    let server = Server::start(worker(set)).await;
    assert_eq!(keys(&server).await, "correct horse - battery");
    let settings = server.worker().settings::<Keys>("w2").await.unwrap();
    let value = settings.get_value("key").await.unwrap();
    assert_eq!(value, Some(json!("correct horse")));
    server.close([]).await;
}

#[tokio::test]
async fn variable_value_is_never_shown() {
    let set = &[("KEY", "correct horse"), ("SPARE_KEY", "battery")];
    let server = Server::start(worker(set)).await;
    let (mut owner, shown) = subscribed(&server, "owner", "creator").await;
    for id in ["key", "spare"] {
        let key = field(&shown, id);
        assert_eq!(
            (&key["value"], &key["has_value"]),
            (&Value::Null, &json!(true))
        );
        assert_eq!(key["required"], false);
    }
    let public = owner
        .request(
            "settings.public_schema",
            json!({}),
            "settings.public_schema.result",
        )
        .await;
    let patched = patch(&mut owner, "spare", Value::Null).await;
    assert_eq!(patched["value"], Value::Null);
    let texts = [
        shown.to_string(),
        public.to_string(),
        Keys::json_schema().to_value().to_string(),
        format!("{:?}", server.worker()),
        format!(
            "{:?}",
            server.worker().settings::<Keys>("w1").await.unwrap()
        ),
        format!("{:?}", server.worker().repository().await.unwrap()),
    ];
    for text in texts {
        assert!(
            !text.contains("horse") && !text.contains("battery"),
            "{text}"
        );
        assert!(!text.contains("SPARE_KEY"), "{text}");
    }
    server.close([owner]).await;
}

#[tokio::test]
async fn missing_variable_of_a_secret_fails_the_start() {
    let expected = "the setting `key` of `settings::env::Keys` needs the environment variable `KEY`: it is not set; \
                    set it, or make the setting optional (`Option<Secret>`)";
    assert_eq!(refusal(worker(&[])).await, expected);
    assert_eq!(refusal(worker(&[("KEY", "")])).await, expected);
}

#[tokio::test]
async fn invalid_variable_error_hides_its_value() {
    let prefix = "the setting `key` of `settings::env::Keys` needs the environment variable `KEY`: its value does not \
                  fit: it ";
    for (set, problem) in [
        (&[("KEY", "x@y")], "takes a text of at least 4 characters"),
        (
            &[("KEY", "loud")],
            "does not pass the setting's own check (`validate`)",
        ),
    ] {
        let text = refusal(worker(set)).await;
        assert_eq!(text, format!("{prefix}{problem}"));
    }
}

#[tokio::test]
async fn stored_value_overrides_the_variable_until_null() {
    let set = &[
        ("KEY", "from outside"),
        ("SPARE_KEY", "spare"),
        ("INTERNAL_KEY", "hidden"),
    ];
    let server = Server::start(worker(set)).await;
    let (mut owner, _) = subscribed(&server, "owner", "creator").await;
    patch(&mut owner, "key", json!("stored")).await;
    patch(&mut owner, "spare", json!("stored too")).await;
    assert_eq!(keys(&server).await, "stored stored too hidden");
    patch(&mut owner, "key", Value::Null).await;
    patch(&mut owner, "spare", Value::Null).await;
    assert_eq!(keys(&server).await, "from outside spare hidden");
    let shown = subscribe(&mut owner, "creator").await;
    assert_eq!(field(&shown, "key")["has_value"], true);
    let (code, text) = patch_error(&mut owner, "key", json!("abc")).await;
    assert_eq!(code, "INVALID_VALUE");
    assert_eq!(
        text,
        "`key` cannot be this; it takes a text of at least 4 characters, or null for its default"
    );

    let settings = server.worker().settings::<Keys>("w1").await.unwrap();
    let set = |spare: Option<&'static str>| {
        settings.set(move |keys| keys.more.spare = spare.map(Secret::new))
    };
    set(Some("by the program")).await.unwrap();
    assert_eq!(keys(&server).await, "from outside by the program hidden");
    set(None).await.unwrap();
    assert_eq!(keys(&server).await, "from outside spare hidden");
    let repository = server.worker().repository().await.unwrap();
    let scope = Scope::everyone::<keyed>("w1");
    repository
        .set_setting(&scope, "key", "again")
        .await
        .unwrap();
    assert_eq!(keys(&server).await, "again spare hidden");
    repository.remove_setting(&scope, "key").await.unwrap();
    assert_eq!(keys(&server).await, "from outside spare hidden");
    server.close([owner]).await;
}

#[tokio::test]
async fn variable_value_is_not_stored() {
    let store = Arc::new(MemoryStore::new());
    let config = in_memory()
        .store(Arc::clone(&store) as _)
        .secret_variables(|_| Some(Secret::new("hush")));
    let worker = WorkerServer::new(config).agent::<keyed>();
    let settings = worker.settings::<Keys>("w1").await.unwrap();
    settings.set(|keys| keys.count = 2).await.unwrap();
    let all = settings.all().read().await.unwrap();
    assert_eq!(all.get("key"), Some(&json!("hush")));
    // Setting the current value changes nothing and stores nothing.
    settings
        .set(|keys| keys.key = Secret::new("hush"))
        .await
        .unwrap();
    let key = WorkerKey {
        agent: "keyed".to_owned(),
        worker_id: "w1".to_owned(),
    };
    let rows = store.settings(&key).await.unwrap();
    let ids: Vec<_> = rows.iter().map(|row| row.field_id.as_str()).collect();
    assert_eq!(ids, ["count"]);
    worker.close().await;
}

#[tokio::test]
async fn variables_are_read_once_at_each_start() {
    let reads = Arc::new(AtomicUsize::new(0));
    let value = Arc::new(Mutex::new("first"));
    let config = in_memory().secret_variables({
        let (reads, value) = (Arc::clone(&reads), Arc::clone(&value));
        move |_| {
            reads.fetch_add(1, Ordering::Relaxed);
            Some(Secret::new(*value.lock().unwrap()))
        }
    });
    let start = async || Server::start(WorkerServer::new(config.clone()).agent::<keyed>()).await;
    let server = start().await;
    assert_eq!(keys(&server).await, "first first first");
    *value.lock().unwrap() = "second";
    assert_eq!(keys(&server).await, "first first first");
    assert_eq!(reads.load(Ordering::Relaxed), 3);
    server.close([]).await;
    let server = start().await;
    assert_eq!(keys(&server).await, "second second second");
    server.close([]).await;
}

#[tokio::test]
async fn detached_settings_change_with_an_empty_secret() {
    let settings = Settings::<Keys>::detached();
    settings.set(|keys| keys.count = 2).await.unwrap();
    let keys = settings.get().await.unwrap();
    assert_eq!((keys.count, keys.key.expose()), (2, ""));
    settings
        .set(|keys| keys.key = Secret::new("hush"))
        .await
        .unwrap();
    assert_eq!(settings.get().await.unwrap().key.expose(), "hush");
}

#[test]
fn secret_is_empty_outside_a_server() {
    let keys = Keys::default();
    assert_eq!(keys.key.expose(), "");
    assert!(keys.more.spare.is_none());
    let mut keys = keys;
    keys.apply_patch("key", json!("patched")).unwrap();
    assert_eq!(keys.key.expose(), "patched");
}

#[dooers::agent]
async fn by_hand(values: SettingsValues) -> String {
    values.get("key").unwrap().to_string()
}

fn schema(field: Field) -> SettingsSchema {
    SettingsSchema::builder().field(field).build().unwrap()
}

#[tokio::test]
async fn manual_field_can_use_a_variable() {
    let with = |field: Field, value: Option<&'static str>| {
        let config = in_memory().secret_variables(move |_| value.map(Secret::new));
        WorkerServer::new(config)
            .agent::<by_hand>()
            .settings_schema::<by_hand>(schema(field))
    };
    let key = || Field::password("key").default_env("KEY");
    for (field, value, expected) in [
        (key(), Some("hush"), "\"hush\""),
        (key().optional(), Some("hush"), "\"hush\""),
        (key().optional(), None, "null"),
    ] {
        let worker = with(field, value);
        let turn = worker.dispatch::<by_hand>().worker("w1").message("?");
        let text = turn.send().await.unwrap().text().await.unwrap();
        assert_eq!(text, expected);
        worker.close().await;
    }
    assert_eq!(
        refusal(with(key(), None)).await,
        "the setting `key` of `by_hand` needs the environment variable `KEY`: it is not set; set it, or make the setting \
         optional (`Option<Secret>`)"
    );
}

#[test]
fn manual_schema_error_locates_a_bad_variable() {
    let wrong = SettingsSchema::builder()
        .field(Field::text("a").default_env("A"))
        .field(Field::password("b").default_env(""))
        .field(Field::password("c").default_env("C=1"))
        .field(Field::password("d").default("x"))
        .field(Field::password("e").default_env("E").readonly().required())
        .build()
        .unwrap_err();
    assert_eq!(
        wrong.mistakes(),
        [
            "`a`: only a password has `default_env`",
            "`b`: the name in `default_env` cannot be the name of an environment variable",
            "`c`: the name in `default_env` cannot be the name of an environment variable",
            "`d`: a password cannot have a `default`, as a value in the program would not be secret; name an environment \
             variable with `default_env`",
        ]
    );
}
