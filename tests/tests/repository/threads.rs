//! Threads that the program creates, updates and removes.

use crate::fixtures::{kinds, scope, start_server, subscribed, teller};
use dooers::repository::{RepositoryError, Scope};
use serde_json::json;

#[tokio::test]
async fn new_thread_is_published_to_its_audience() {
    let (server, repository) = start_server().await;
    let mut ada = server.client("ada").await;
    let elsewhere = dooers_tests::Identity::of("eve").with("workspace_id", "s2");
    let mut elsewhere = server.client(elsewhere).await;
    let made = repository
        .create_thread(&scope())
        .title("Order 7")
        .owner("ben")
        .metadata(json!({"order": 7}))
        .await
        .unwrap();
    let published = ada.expect("thread.upsert").await;
    assert_eq!(published["thread"], serde_json::to_value(&made).unwrap());
    assert_eq!(published["thread"]["title"], "Order 7");
    assert_eq!(published["thread"]["owner"]["user_id"], "ben");
    assert_eq!(published["thread"]["users"][0]["user_id"], "ben");
    assert_eq!(repository.thread(&scope(), &made.id).await.unwrap(), made);
    elsewhere.expect_nothing().await;

    let snapshot = ada.subscribe(&made.id).await;
    assert_eq!(snapshot["events"], json!([]));
    let frames = ada.run_turn(&made.id, "hello").await;
    assert_eq!(
        kinds(&frames)[..3],
        ["thread.upsert", "event.append", "run.upsert"]
    );
    server.close([ada, elsewhere]).await;
}

#[tokio::test]
async fn threads_are_listed_by_newest_event() {
    let (server, repository) = start_server().await;
    let mut ada = server.client("ada").await;
    for id in ["first", "second"] {
        repository.create_thread(&scope()).id(id).await.unwrap();
    }
    let news = dooers::Reply::text("news");
    repository
        .create_event(&scope(), "first", news)
        .await
        .unwrap();
    ada.read_pending().await;
    let list = ada
        .request("thread.list", json!({}), "thread.list.result")
        .await;
    let ids = [&list["threads"][0]["id"], &list["threads"][1]["id"]];
    assert_eq!(
        (ids, &list["total_count"]),
        ([&json!("first"), &json!("second")], &json!(2))
    );
    server.close([ada]).await;
}

#[tokio::test]
async fn thread_change_is_published_to_its_audience() {
    let (server, repository) = start_server().await;
    let (mut ada, mut bob) = (server.client("ada").await, server.client("bob").await);
    subscribed(&repository, &mut ada, "t").await;
    bob.read_pending().await;
    let changed = repository
        .update_thread(&scope(), "t", |thread| {
            thread.title("New").metadata(json!({"a": 1}))
        })
        .await
        .unwrap();
    assert_eq!(changed.title.as_deref(), Some("New"));
    for client in [&mut ada, &mut bob] {
        let published = client.expect("thread.upsert").await;
        assert_eq!(published["thread"], serde_json::to_value(&changed).unwrap());
        client.expect_nothing().await;
    }
    // An update without a change is not published.
    let same = repository
        .update_thread(&scope(), "t", |thread| thread.title("New"))
        .await
        .unwrap();
    assert_eq!(same, changed);
    ada.expect_nothing().await;
    server.close([ada, bob]).await;
}

#[tokio::test]
async fn removed_thread_is_gone_for_all_clients() {
    let (server, repository) = start_server().await;
    let (mut ada, mut bob) = (server.client("ada").await, server.client("bob").await);
    subscribed(&repository, &mut ada, "t").await;
    bob.read_pending().await;
    repository.remove_thread(&scope(), "t").await.unwrap();
    for client in [&mut ada, &mut bob] {
        assert_eq!(
            client.expect("thread.deleted").await,
            json!({"thread_id": "t"})
        );
        client.expect_nothing().await;
    }
    for gone in [
        repository.thread(&scope(), "t").await.map(drop),
        repository.remove_thread(&scope(), "t").await,
        repository
            .update_thread(&scope(), "t", |t| t.title("x"))
            .await
            .map(drop),
        repository
            .update_thread(&scope(), "t", |t| t)
            .await
            .map(drop),
    ] {
        assert!(
            matches!(gone, Err(RepositoryError::NotFound("thread"))),
            "{gone:?}"
        );
    }
    server.close([ada, bob]).await;
}

#[tokio::test]
async fn taken_or_invalid_id_is_rejected() {
    let (server, repository) = start_server().await;
    repository.create_thread(&scope()).id("t").await.unwrap();
    let elsewhere = Scope::everyone::<teller>("w2");
    for scope in [scope(), elsewhere] {
        let taken = repository.create_thread(&scope).id("t").await.unwrap_err();
        assert_eq!(
            taken.to_string(),
            "the id `t` belongs to another thread; choose another id, or omit it to have one generated"
        );
    }
    for id in [String::new(), "x".repeat(129)] {
        let wrong = repository
            .create_thread(&scope())
            .id(&id)
            .await
            .unwrap_err();
        let RepositoryError::Invalid(text) = wrong else {
            panic!("{wrong:?}");
        };
        assert!(
            text.contains(&format!("this one has {}", id.len())),
            "{text}"
        );
    }
    let longest = "x".repeat(128);
    repository
        .create_thread(&scope())
        .id(longest)
        .await
        .unwrap();
    server.close([]).await;
}
