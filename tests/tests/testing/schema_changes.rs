//! Schema changes while values are stored.

use dooers::prelude::*;
use dooers::store::{MemoryStore, Store, StoredSetting, WorkerKey};
use dooers::testing::{TestServer, TestServerBuilder, TestUser};
use dooers::{Agent, Database};
use serde_json::json;
use std::sync::Arc;

fn worker() -> WorkerKey {
    WorkerKey {
        agent: "limits".to_owned(),
        worker_id: TestUser::WORKER_ID.to_owned(),
    }
}

/// The settings before an update.
mod before {
    use dooers::prelude::*;

    #[derive(Debug, Clone, WorkerSettings)]
    pub(super) struct Limits {
        #[setting(default = 50, max = 100)]
        pub(super) limit: u32,
        #[setting(default = "old")]
        pub(super) gone: String,
    }

    #[dooers::agent(name = "limits")]
    pub(super) async fn limits(settings: Limits) -> String {
        format!("{} {}", settings.limit, settings.gone)
    }
}

/// The settings after the update.
mod after {
    use dooers::prelude::*;

    #[derive(Debug, Clone, WorkerSettings)]
    pub(super) struct Limits {
        #[setting(default = 5, max = 10)]
        pub(super) limit: u32,
        pub(super) new: Option<bool>,
    }

    #[dooers::agent(name = "limits")]
    pub(super) async fn limits(settings: Limits) -> String {
        format!("{} {:?}", settings.limit, settings.new)
    }
}

/// A test server of an agent on an existing store.
fn over<A: Agent>(store: &Arc<MemoryStore>) -> TestServerBuilder {
    TestServer::of::<A>().database(Database::Custom(Arc::clone(store) as _))
}

async fn assert_answer<A: Agent>(store: &Arc<MemoryStore>, expected: &str) {
    let server = over::<A>(store).await;
    server
        .connect("ada")
        .await
        .say("what?")
        .await
        .assert_text(expected);
    server.close().await;
}

#[tokio::test]
async fn invalid_stored_value_yields_default_and_is_kept() {
    let store = Arc::new(MemoryStore::new());
    let server = over::<before::limits>(&store).await;
    let mut ada = server.connect("ada").await;
    ada.patch_setting("limit", 80).await.unwrap();
    ada.patch_setting("gone", "kept").await.unwrap();
    server.close().await;
    assert_answer::<before::limits>(&store, "80 kept").await;
    assert_answer::<after::limits>(&store, "5 None").await;
    let stored = store.settings(&worker()).await.unwrap();
    let stored: Vec<_> = stored
        .iter()
        .map(|row| (&*row.field_id, &row.value))
        .collect();
    assert_eq!(stored, [("gone", &json!("kept")), ("limit", &json!(80))]);
    assert_answer::<before::limits>(&store, "80 kept").await;
}

#[tokio::test]
async fn handler_receives_the_current_values() {
    let store = Arc::new(MemoryStore::new());
    assert_answer::<before::limits>(&store, "50 old").await;
    let row = StoredSetting {
        field_id: "limit".to_owned(),
        value: json!(60),
        key_id: None,
        updated_at: chrono::Utc::now(),
    };
    store.put_settings(&worker(), vec![row]).await.unwrap();
    assert_answer::<before::limits>(&store, "60 old").await;
}

#[test]
fn struct_patch_equals_a_wire_patch() {
    let mut limits = before::Limits::default();
    limits.apply_patch("limit", json!(70)).unwrap();
    assert_eq!((limits.limit, limits.gone.as_str()), (70, "old"));
    let refused = limits.apply_patch("limit", json!(101)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "`limit` cannot be 101; it takes a whole number from 0 to 100, or null for its default"
    );
    assert_eq!(limits.limit, 70);
    let unknown = limits.apply_patch("other", json!(1)).unwrap_err();
    assert_eq!(unknown.to_string(), "there is no setting `other`");
}
