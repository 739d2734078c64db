//! The lifetime of a repository and its server.

use crate::fixtures::{scope, teller};
use dooers::Database;
use dooers::ServerError;
use dooers::WorkerServer;
use dooers::prelude::*;
use dooers::store::SqliteOptions;
use dooers_tests::in_memory;

#[tokio::test]
async fn repository_works_without_a_listener() {
    let worker = WorkerServer::new(in_memory()).agent::<teller>();
    let repository = worker.repository().await.unwrap();
    let made = repository.create_thread(&scope()).await.unwrap();
    // A second repository of the same server.
    let again = worker.repository().await.unwrap();
    assert_eq!(again.thread(&scope(), &made.id).await.unwrap(), made);
    worker.close().await;
}

#[tokio::test]
async fn repository_of_a_closed_server_fails() {
    let never = WorkerServer::new(in_memory()).agent::<teller>();
    never.close().await;
    let refused = never.repository().await.unwrap_err();
    assert!(matches!(refused, ServerError::Closed));
    assert!(matches!(never.broadcast().await, Err(ServerError::Closed)));

    let directory = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new(directory.path().join("worker.db"));
    let config = in_memory().database(Database::Sqlite(options));
    let worker = WorkerServer::new(config).agent::<teller>();
    let repository = worker.repository().await.unwrap();
    repository.create_thread(&scope()).id("t").await.unwrap();
    worker.close().await;
    let here = &scope();
    assert!(repository.thread(here, "t").await.is_err());
    assert!(
        repository
            .create_event(here, "t", Reply::text("x"))
            .await
            .is_err()
    );
}
