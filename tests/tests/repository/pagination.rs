//! Lists, page by page and as streams.

use crate::fixtures::{scope, start_server, start_server_with};
use chrono::{DateTime, Utc};
use dooers::prelude::*;
use dooers::protocol::{Actor, EventType, Thread};
use dooers::repository::{List, Listed, MAX_PAGE, Repository, RepositoryError};
use dooers::{Database, WorkerServer};
use dooers_tests::in_memory;
use futures::{StreamExt, TryStreamExt};

fn ids(threads: &[Thread]) -> Vec<&str> {
    threads.iter().map(|thread| thread.id.as_str()).collect()
}

/// Threads `t0` to `t9`. Ben owns the even ones, Ana the others.
async fn ten_threads(repository: &Repository) -> Vec<DateTime<Utc>> {
    let mut times = Vec::new();
    for number in 0..10 {
        let owner = if number % 2 == 0 { "ben" } else { "ana" };
        let made = repository
            .create_thread(&scope())
            .id(format!("t{number}"))
            .owner(owner);
        times.push(made.await.unwrap().created_at);
    }
    times
}

#[tokio::test]
async fn threads_are_filtered_ordered_and_paged() {
    let (server, repository) = start_server().await;
    let times = ten_threads(&repository).await;
    let here = &scope();
    let first = repository.threads(here).limit(4).await.unwrap();
    assert_eq!(ids(&first.items), ["t9", "t8", "t7", "t6"]);
    let second = repository
        .threads(here)
        .limit(4)
        .after(first.next)
        .await
        .unwrap();
    assert_eq!(ids(&second.items), ["t5", "t4", "t3", "t2"]);
    let last = repository
        .threads(here)
        .limit(4)
        .after(second.next)
        .await
        .unwrap();
    assert_eq!((ids(&last.items), last.next), (vec!["t1", "t0"], None));
    let of_ben = repository
        .threads(here)
        .user("ben")
        .oldest_first()
        .limit(2)
        .await
        .unwrap();
    assert_eq!(ids(&of_ben.items), ["t0", "t2"]);
    let next = repository
        .threads(here)
        .user("ben")
        .oldest_first()
        .after(of_ben.next);
    assert_eq!(ids(&next.await.unwrap().items), ["t4", "t6", "t8"]);
    let between = repository
        .threads(here)
        .active_since(times[3])
        .active_before(times[5]);
    assert_eq!(ids(&between.await.unwrap().items), ["t4", "t3"]);
    let nothing = repository.threads(here).user("nobody").await.unwrap();
    assert_eq!((nothing.items, nothing.next), (Vec::new(), None));
    server.close([]).await;
}

#[tokio::test]
async fn events_are_filtered_ordered_and_paged() {
    let (server, repository) = start_server().await;
    let here = &scope();
    repository.create_thread(here).id("t").await.unwrap();
    repository.create_run(here, "t").id("r").await.unwrap();
    for number in 0..4 {
        let text = || Reply::text(number.to_string());
        repository
            .create_event(here, "t", text())
            .user("ana")
            .await
            .unwrap();
        repository
            .create_event(here, "t", text())
            .run("r")
            .await
            .unwrap();
        repository
            .create_event(here, "t", Reply::reasoning("hm"))
            .await
            .unwrap();
    }
    let seqs = async |list: List<dooers::repository::Events>| {
        let page = list.await.unwrap();
        page.items.iter().map(|event| event.seq).collect::<Vec<_>>()
    };
    let list = || repository.events(here, "t");
    assert_eq!(seqs(list().limit(3)).await, [12, 11, 10]);
    assert_eq!(seqs(list().actor(Actor::User)).await, [10, 7, 4, 1]);
    assert_eq!(
        seqs(list().user("ana").oldest_first().limit(2)).await,
        [1, 4]
    );
    assert_eq!(seqs(list().run("r").oldest_first()).await, [2, 5, 8, 11]);
    let kinds = list().kind(EventType::Reasoning).kind(EventType::Form);
    assert_eq!(seqs(kinds).await, [12, 9, 6, 3]);
    assert!(seqs(list().user("ben")).await.is_empty());
    let first = list().run("r").limit(3).await.unwrap();
    assert_eq!(seqs(list().run("r").after(first.next)).await, [2]);
    let first = list().oldest_first().limit(11).await.unwrap();
    assert_eq!(seqs(list().oldest_first().after(first.next)).await, [12]);
    server.close([]).await;
}

#[tokio::test]
async fn zero_limit_is_rejected_and_large_limit_is_capped() {
    let (server, repository) = start_server().await;
    ten_threads(&repository).await;
    let here = &scope();
    let refused = repository.threads(here).limit(0).await.unwrap_err();
    let text = format!("a page has 1 to {MAX_PAGE} items; the limit is 0");
    assert_eq!(refused.to_string(), text);
    let refused = repository
        .runs(here)
        .limit(0)
        .stream()
        .next()
        .await
        .unwrap();
    assert!(matches!(refused, Err(RepositoryError::Invalid(_))));
    for limit in [1_000_000_000, usize::MAX] {
        assert_eq!(
            repository
                .threads(here)
                .limit(limit)
                .await
                .unwrap()
                .items
                .len(),
            10
        );
    }
    for number in 0..MAX_PAGE {
        let reply = Reply::text(number.to_string());
        repository.create_event(here, "t1", reply).await.unwrap();
    }
    repository
        .create_event(here, "t1", Reply::text("one more"))
        .await
        .unwrap();
    let page = repository
        .events(here, "t1")
        .limit(1_000_000_000)
        .await
        .unwrap();
    assert_eq!((page.items.len(), page.next.is_some()), (MAX_PAGE, true));
    let rest = repository
        .events(here, "t1")
        .after(page.next)
        .await
        .unwrap();
    assert_eq!((rest.items.len(), rest.next), (1, None));
    server.close([]).await;
}

#[tokio::test]
async fn invalid_cursor_is_rejected() {
    async fn try_it<L: Listed>(list: impl Fn() -> List<L>) {
        for cursor in [
            "",
            "garbage",
            "-1",
            "1.",
            "2026-01-01",
            "9999999999999999999999",
        ] {
            let refused = list().after(cursor.to_owned()).await.map(drop);
            let Err(RepositoryError::Invalid(text)) = refused else {
                panic!("{cursor}: {refused:?}");
            };
            assert_eq!(
                text,
                "`after` takes the `next` of an earlier page of the same list"
            );
        }
    }
    let (server, repository) = start_server().await;
    ten_threads(&repository).await;
    let here = &scope();
    try_it(|| repository.threads(here)).await;
    try_it(|| repository.events(here, "t1")).await;
    try_it(|| repository.runs(here)).await;
    server.close([]).await;
}

/// Checks that a stream yields every item that existed at its start exactly once, during concurrent writes.
async fn check_list_during_writes(database: Database) {
    let (server, repository) =
        start_server_with(WorkerServer::new(in_memory().database(database))).await;
    let here = &scope();
    for number in 0..250 {
        let id = format!("t{number}");
        repository.create_thread(here).id(id).await.unwrap();
    }
    let writer = repository.clone();
    let writing = tokio::spawn(async move {
        for number in 0..150 {
            let id = format!("new{number}");
            writer.create_thread(&scope()).id(id).await.unwrap();
        }
    });
    for list in [
        repository.threads(here),
        repository.threads(here).oldest_first(),
    ] {
        let found: Vec<Thread> = list.stream().try_collect().await.unwrap();
        let mut old: Vec<_> = found
            .iter()
            .filter(|thread| thread.id.starts_with('t'))
            .collect();
        assert_eq!(old.len(), 250, "each once");
        old.dedup_by_key(|thread| &thread.id);
        assert_eq!(old.len(), 250);
        let times: Vec<_> = found
            .iter()
            .map(|thread| (thread.last_event_at, &thread.id))
            .collect();
        assert!(times.is_sorted() || times.iter().rev().is_sorted());
    }
    writing.await.unwrap();
    let all: Vec<_> = repository.threads(here).stream().collect().await;
    assert_eq!(all.len(), 400);
    let some: Vec<_> = repository.threads(here).limit(333).stream().collect().await;
    assert_eq!(some.len(), 333);
    server.close([]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn list_in_memory_is_complete_during_writes() {
    check_list_during_writes(Database::Memory).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn list_on_sqlite_is_complete_during_writes() {
    let directory = tempfile::tempdir().unwrap();
    let options = dooers::store::SqliteOptions::new(directory.path().join("worker.db"));
    check_list_during_writes(Database::Sqlite(options)).await;
}

#[tokio::test]
async fn removing_a_thread_fails_its_open_stream() {
    let (server, repository) = start_server().await;
    let here = &scope();
    repository.create_thread(here).id("t").await.unwrap();
    for number in 0..500 {
        let reply = Reply::text(number.to_string());
        repository.create_event(here, "t", reply).await.unwrap();
    }
    let mut events = repository.events(here, "t").oldest_first().stream();
    let mut read = 0;
    while read < 150 {
        read = events.next().await.unwrap().unwrap().seq;
    }
    repository.remove_thread(here, "t").await.unwrap();
    let rest: Vec<_> = events.collect().await;
    let (last, whole) = rest.split_last().unwrap();
    assert!(
        matches!(last, Err(RepositoryError::NotFound("thread"))),
        "{last:?}"
    );
    assert!(whole.iter().all(Result::is_ok), "what was read is whole");
    server.close([]).await;
}
