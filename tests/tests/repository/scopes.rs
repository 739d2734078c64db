//! Isolation of scopes.

use crate::fixtures::{kinds, other, scope, scope_of, start_server_with, teller};
use dooers::prelude::*;
use dooers::repository::{Repository, RepositoryError, RunPatch, Scope};
use dooers_tests::in_memory;

fn others() -> Vec<Scope> {
    let here = |scope: Scope| scope.organization("o1").workspace("s1");
    vec![
        here(Scope::everyone::<teller>("w2")),
        here(Scope::everyone::<other>("w1")),
        here(Scope::everyone::<teller>("w1")).organization("o2"),
        here(Scope::everyone::<teller>("w1")).workspace("s2"),
        Scope::everyone::<teller>("w1"),
        scope_of("eve"),
        scope_of(""),
    ]
}

async fn call_every_method(repository: &Repository, scope: &Scope) {
    let news = || Reply::text("stolen");
    let results = [
        repository.thread(scope, "t").await.map(drop),
        repository
            .update_thread(scope, "t", |t| t.title("x"))
            .await
            .map(drop),
        repository.update_thread(scope, "t", |t| t).await.map(drop),
        repository.remove_thread(scope, "t").await,
        repository.events(scope, "t").await.map(drop),
        repository.event(scope, "t", "e").await.map(drop),
        repository.create_event(scope, "t", news()).await.map(drop),
        repository
            .update_event(scope, "t", "e", |e| e.text("x"))
            .await
            .map(drop),
        repository.remove_event(scope, "t", "e").await,
        repository.runs(scope).thread("t").await.map(drop),
        repository.run(scope, "t", "r").await.map(drop),
        repository.create_run(scope, "t").await.map(drop),
        repository
            .update_run(scope, "t", "r", RunPatch::succeeded)
            .await
            .map(drop),
        repository.remove_run(scope, "t", "r").await,
    ];
    for (number, result) in results.into_iter().enumerate() {
        assert!(
            matches!(result, Err(RepositoryError::NotFound(_))),
            "{number} in {scope:?}: {result:?}"
        );
    }
    assert!(repository.threads(scope).await.unwrap().items.is_empty());
    assert!(repository.runs(scope).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn no_call_reaches_another_scope() {
    let worker = WorkerServer::new(in_memory()).agent::<other>();
    let (server, repository) = start_server_with(worker).await;
    let here = &scope();
    repository
        .create_thread(here)
        .id("t")
        .owner("ana")
        .await
        .unwrap();
    repository.create_run(here, "t").id("r").await.unwrap();
    repository
        .create_event(here, "t", Reply::text("news"))
        .id("e")
        .run("r")
        .await
        .unwrap();
    let before = repository.events(here, "t").await.unwrap();
    for scope in others() {
        call_every_method(&repository, &scope).await;
    }
    assert_eq!(repository.events(here, "t").await.unwrap(), before);
    assert_eq!(repository.runs(here).await.unwrap().items.len(), 1);
    // The thread exists in Ana's own scope.
    repository.thread(&scope_of("ana"), "t").await.unwrap();
    assert_eq!(
        repository.runs(&scope_of("ana")).await.unwrap().items.len(),
        1
    );
    server.close([]).await;
}

#[tokio::test]
async fn private_thread_is_published_only_to_its_user() {
    let worker = WorkerServer::new(in_memory().private_threads(true));
    let (server, repository) = start_server_with(worker).await;
    let (mut ana, mut eve) = (server.client("ana").await, server.client("eve").await);
    let here = &scope();
    repository
        .create_thread(here)
        .id("t")
        .owner("ana")
        .await
        .unwrap();
    repository
        .create_event(here, "t", Reply::text("news"))
        .await
        .unwrap();
    assert_eq!(
        kinds(&ana.read_pending().await),
        ["thread.upsert", "thread.upsert"]
    );
    eve.expect_nothing().await;
    // The user of a new event becomes a participant.
    let by_eve = repository
        .create_event(here, "t", Reply::text("hi"))
        .user("eve");
    by_eve.await.unwrap();
    assert_eq!(kinds(&eve.read_pending().await), ["thread.upsert"]);
    assert_eq!(
        eve.subscribe("t").await["events"].as_array().unwrap().len(),
        2
    );
    let of_eve = repository.threads(&scope_of("eve")).await.unwrap();
    assert_eq!(of_eve.items.len(), 1);
    server.close([ana, eve]).await;
}
