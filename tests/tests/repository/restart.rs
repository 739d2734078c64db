//! The program's changes survive a restart.

use crate::fixtures::{scope, teller};
use dooers::prelude::*;
use dooers::protocol::RunStatus;
use dooers::repository::RunPatch;
use dooers::store::SqliteOptions;
use dooers::{Database, WorkerServer};
use dooers_tests::in_memory;

#[tokio::test]
async fn data_and_open_program_runs_survive_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let worker = || {
        let options = SqliteOptions::new(directory.path().join("worker.db"));
        WorkerServer::new(in_memory().database(Database::Sqlite(options))).agent::<teller>()
    };
    let here = &scope();
    let first = worker();
    let repository = first.repository().await.unwrap();
    let thread = repository
        .create_thread(here)
        .id("t")
        .title("Order 7")
        .owner("ana");
    let thread = thread.await.unwrap();
    let run = repository.create_run(here, "t").await.unwrap();
    let kept = repository
        .create_event(here, "t", Reply::text("kept"))
        .run(&run.id)
        .await
        .unwrap();
    let gone = repository
        .create_event(here, "t", Reply::text("gone"))
        .await
        .unwrap();
    repository.remove_event(here, "t", &gone.id).await.unwrap();
    first.close().await;

    let second = worker();
    let repository = second.repository().await.unwrap();
    let found = repository.thread(here, "t").await.unwrap();
    assert_eq!((found.title, found.owner), (thread.title, thread.owner));
    assert_eq!(repository.events(here, "t").await.unwrap().items, [kept]);
    let all = repository
        .events(here, "t")
        .with_deleted()
        .await
        .unwrap()
        .items;
    assert_eq!((all[0].seq, all[0].is_deleted()), (2, true));
    assert_eq!(repository.run(here, "t", &run.id).await.unwrap(), run);
    let ended = repository
        .update_run(here, "t", &run.id, RunPatch::succeeded)
        .await
        .unwrap();
    assert_eq!(ended.status, RunStatus::Succeeded);
    second.close().await;
}
