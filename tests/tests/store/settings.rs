//! Settings: one row per field, agent and worker.

use crate::backends::{AnyStore, cases};
use crate::fixtures::now;
use chrono::TimeDelta;
use dooers::store::{StoredSetting, WorkerKey};
use serde_json::{Value, json};

cases![
    stored_settings_are_read_and_replaced_by_field,
    settings_are_separate_per_worker_and_agent,
    setting_values_may_be_any_json,
    setting_value_keeps_its_key_order,
    concurrent_changes_are_both_stored,
    time_of_a_field_never_decreases,
    every_change_has_another_version,
    keys_in_use_are_listed,
    empty_put_stores_nothing,
    removing_a_setting_keeps_the_others,
    last_value_of_a_field_in_one_put_is_stored,
];

fn worker(agent: &str, worker_id: &str) -> WorkerKey {
    WorkerKey {
        agent: agent.to_owned(),
        worker_id: worker_id.to_owned(),
    }
}

fn setting(field_id: &str, value: Value) -> StoredSetting {
    StoredSetting {
        field_id: field_id.to_owned(),
        value,
        key_id: None,
        updated_at: now(),
    }
}

async fn put(store: &AnyStore, worker: &WorkerKey, field_id: &str, value: Value) {
    let settings = vec![setting(field_id, value)];
    store.put_settings(worker, settings).await.unwrap();
}

async fn values(store: &AnyStore, worker: &WorkerKey) -> Vec<(String, Value)> {
    let stored = store.settings(worker).await.unwrap().into_iter();
    stored.map(|row| (row.field_id, row.value)).collect()
}

async fn stored_settings_are_read_and_replaced_by_field(store: &AnyStore) {
    let here = worker("a", "w");
    let rows = vec![
        setting("b", json!(1)),
        setting("a", json!("x")),
        setting("c", Value::Null),
    ];
    let times = store.put_settings(&here, rows.clone()).await.unwrap();
    let given: Vec<_> = rows.iter().map(|row| row.updated_at).collect();
    assert_eq!(times, given);
    let stored = store.settings(&here).await.unwrap();
    assert_eq!(stored, [rows[1].clone(), rows[0].clone(), rows[2].clone()]);
    put(store, &here, "b", json!(2)).await;
    let expected = [("a", json!("x")), ("b", json!(2)), ("c", Value::Null)];
    assert_eq!(
        values(store, &here).await,
        expected.map(|(id, value)| (id.to_owned(), value))
    );
    assert!(!format!("{:?}", store.settings(&here).await.unwrap()).contains("\"x\""));
}

async fn settings_are_separate_per_worker_and_agent(store: &AnyStore) {
    let places = [
        worker("a", "w"),
        worker("a", "v"),
        worker("b", "w"),
        worker("aw", ""),
        worker("", "aw"),
    ];
    for (number, place) in places.iter().enumerate() {
        put(store, place, "field", json!(number)).await;
    }
    for (number, place) in places.iter().enumerate() {
        assert_eq!(
            values(store, place).await,
            [("field".to_owned(), json!(number))]
        );
    }
    assert_eq!(values(store, &worker("b", "v")).await, []);
}

async fn setting_values_may_be_any_json(store: &AnyStore) {
    let here = worker("a", "w");
    for value in [
        json!(u64::MAX),
        json!(i64::MIN),
        json!(0.1),
        json!(-0.0),
        json!(true),
        json!("größer \u{1F600}\n\"x\""),
        json!(""),
        json!([1, {"a": null}]),
        Value::Null,
    ] {
        put(store, &here, "field", value.clone()).await;
        assert_eq!(values(store, &here).await, [("field".to_owned(), value)]);
    }
}

async fn setting_value_keeps_its_key_order(store: &AnyStore) {
    let here = worker("a", "w");
    for text in [
        r#"{"who":"ana","size":{"z":1,"a":[{"2":0,"1":0}]}}"#,
        r#"{"size":{"a":[{"1":0,"2":0}],"z":1},"who":"ana"}"#,
    ] {
        let value = serde_json::from_str(text).unwrap();
        put(store, &here, "field", value).await;
        assert_eq!(values(store, &here).await[0].1.to_string(), text);
    }
}

async fn concurrent_changes_are_both_stored(store: &AnyStore) {
    let here = worker("a", "w");
    let fields: Vec<String> = (0..30).map(|number| format!("field{number:02}")).collect();
    let puts = fields
        .iter()
        .map(|field| put(store, &here, field, json!(field)));
    futures::future::join_all(puts).await;
    let expected: Vec<_> = fields
        .iter()
        .map(|field| (field.clone(), json!(field)))
        .collect();
    assert_eq!(values(store, &here).await, expected);
}

async fn time_of_a_field_never_decreases(store: &AnyStore) {
    let here = worker("a", "w");
    let late = setting("field", json!(1));
    let early = StoredSetting {
        updated_at: late.updated_at - TimeDelta::hours(1),
        ..setting("field", json!(2))
    };
    let other = setting("other", json!(3));
    store.put_settings(&here, vec![late.clone()]).await.unwrap();
    let times = store
        .put_settings(&here, vec![early, other.clone()])
        .await
        .unwrap();
    assert_eq!(times, [late.updated_at, other.updated_at]);
    let stored = store.settings(&here).await.unwrap();
    assert_eq!(
        (&stored[0].value, stored[0].updated_at),
        (&json!(2), late.updated_at)
    );
}

async fn every_change_has_another_version(store: &AnyStore) {
    let (here, there) = (worker("a", "w"), worker("a", "v"));
    let version = async || {
        let asked = [here.clone(), worker("b", "w"), here.clone()];
        let versions = store.setting_versions(&asked).await.unwrap();
        let only = versions.get(&here).copied();
        assert_eq!(versions.len(), usize::from(only.is_some()));
        only
    };
    assert_eq!(version().await, None);
    put(store, &there, "x", json!(0)).await;
    assert_eq!(version().await, None);
    let mut seen = std::collections::HashSet::new();
    // All of these rows have the same time.
    for (field, value) in [("x", 1), ("y", 1), ("x", 2), ("y", 2), ("z", 0)] {
        put(store, &here, field, json!(value)).await;
        let changed = version().await.unwrap();
        assert!(seen.insert(changed), "{field} {value}");
        put(store, &there, field, json!(value)).await;
        assert_eq!(version().await, Some(changed));
    }
    store.remove_setting(&here, "y").await.unwrap();
    assert!(seen.insert(version().await.unwrap()));
    for field in ["x", "z"] {
        store.remove_setting(&here, field).await.unwrap();
    }
    assert_eq!(version().await, None);
    assert!(store.setting_versions(&[]).await.unwrap().is_empty());
}

async fn keys_in_use_are_listed(store: &AnyStore) {
    assert_eq!(store.setting_keys().await.unwrap(), Vec::<String>::new());
    let sealed = |field: &str, key: &str| StoredSetting {
        key_id: Some(key.to_owned()),
        ..setting(field, json!("sealed"))
    };
    let rows = vec![
        sealed("x", "two"),
        sealed("y", "one"),
        sealed("z", "two"),
        setting("plain", json!(1)),
    ];
    store.put_settings(&worker("a", "w"), rows).await.unwrap();
    assert_eq!(store.setting_keys().await.unwrap(), ["one", "two"]);
    let rows = vec![setting("y", json!("plain now"))];
    store.put_settings(&worker("a", "w"), rows).await.unwrap();
    assert_eq!(store.setting_keys().await.unwrap(), ["two"]);
}

async fn empty_put_stores_nothing(store: &AnyStore) {
    let here = worker("a", "w");
    let times = store.put_settings(&here, Vec::new()).await.unwrap();
    assert!(times.is_empty());
    assert_eq!(values(store, &here).await, []);
}

async fn removing_a_setting_keeps_the_others(store: &AnyStore) {
    let (here, there) = (worker("a", "w"), worker("a", "v"));
    let sealed = StoredSetting {
        key_id: Some("key".to_owned()),
        ..setting("x", json!("sealed"))
    };
    let rows = vec![sealed, setting("y", json!(2))];
    store.put_settings(&here, rows).await.unwrap();
    put(store, &there, "x", json!(3)).await;
    store.remove_setting(&here, "x").await.unwrap();
    assert_eq!(values(store, &here).await, [("y".to_owned(), json!(2))]);
    assert_eq!(values(store, &there).await, [("x".to_owned(), json!(3))]);
    assert!(store.setting_keys().await.unwrap().is_empty());
    // Removing a missing setting succeeds.
    store.remove_setting(&here, "x").await.unwrap();
    store.remove_setting(&worker("b", "w"), "x").await.unwrap();
    put(store, &here, "x", json!(4)).await;
    assert_eq!(values(store, &here).await.len(), 2);
}

async fn last_value_of_a_field_in_one_put_is_stored(store: &AnyStore) {
    let here = worker("a", "w");
    let (early, late) = (setting("a", json!(1)), setting("a", json!(2)));
    let rows = vec![late.clone(), setting("b", json!(3)), early.clone()];
    let times = store.put_settings(&here, rows.clone()).await.unwrap();
    // The time of a field never decreases.
    let given = [late.updated_at, rows[1].updated_at, late.updated_at];
    assert_eq!(times, given);
    let last = StoredSetting {
        updated_at: late.updated_at,
        ..early
    };
    let stored = store.settings(&here).await.unwrap();
    assert_eq!(stored, [last, rows[1].clone()]);
}
