//! Queries for runs by thread, status and start time.

use crate::asserts::assert_not_found;
use crate::backends::{AnyStore, cases};
use crate::fixtures::{
    ana, begin_thread, ben, existing, finish, message, new_thread, now, private_scope, run_change,
    say, scope, start, write,
};
use dooers::protocol::{Run, RunStatus, User};
use dooers::store::{Order, RunCursor, RunQuery, Scope, ThreadEdit};
use dooers_tests::with;

cases![
    runs_are_found_from_either_end_up_to_the_limit,
    runs_of_one_thread_are_found,
    each_filter_selects_matching_runs,
    time_bounds_limit_the_results,
    pages_of_any_size_agree_in_either_order,
    ended_run_keeps_its_position,
    runs_of_invisible_threads_are_not_found,
    runs_of_a_deleted_thread_are_not_found,
];

/// Three threads with the runs `a1`, `b1`, `c1`, `a2`, `b2`, `c2` … `c4`, started in this order. In each thread the
/// first run has succeeded, the second has failed, the third is canceled, and the fourth is running.
async fn twelve_runs(store: &AnyStore) {
    use RunStatus::{Canceled, Failed, Succeeded};
    for (number, status) in [Succeeded, Failed, Canceled, RunStatus::Running]
        .into_iter()
        .enumerate()
    {
        for thread_id in ["a", "b", "c"] {
            let run_id = format!("{thread_id}{}", number + 1);
            let event_id = format!("{run_id}-question");
            let thread = if number == 0 {
                new_thread(thread_id)
            } else {
                existing(thread_id)
            };
            let claim = say(store, thread, &event_id, &run_id).await.claim.unwrap();
            if status != RunStatus::Running {
                let end = run_change(thread_id, &run_id, status);
                write(store, &claim.key, vec![end]).await;
                finish(store, &claim.key, "none").await;
            }
        }
    }
}

async fn runs(store: &AnyStore, query: &RunQuery) -> Vec<Run> {
    store.find_runs(&scope(), query).await.unwrap()
}

async fn found(store: &AnyStore, query: RunQuery) -> Vec<String> {
    let runs = runs(store, &query).await.into_iter();
    runs.map(|run| run.id).collect()
}

fn oldest(limit: usize) -> RunQuery {
    RunQuery {
        order: Order::OldestFirst,
        ..RunQuery::newest(limit)
    }
}

fn of(thread_id: &str, query: RunQuery) -> RunQuery {
    let thread_id = Some(thread_id.to_owned());
    RunQuery { thread_id, ..query }
}

async fn runs_are_found_from_either_end_up_to_the_limit(store: &AnyStore) {
    twelve_runs(store).await;
    assert_eq!(
        found(store, RunQuery::newest(4)).await,
        ["c4", "b4", "a4", "c3"]
    );
    assert_eq!(found(store, oldest(4)).await, ["a1", "b1", "c1", "a2"]);
    assert_eq!(found(store, RunQuery::newest(usize::MAX)).await.len(), 12);
    assert!(found(store, RunQuery::newest(0)).await.is_empty());
    for run in runs(store, &RunQuery::newest(100)).await {
        let same = store.run(&scope(), &run.thread_id, &run.id).await.unwrap();
        assert_eq!(run, same);
        assert_eq!(run.id[..1], run.thread_id);
    }
}

async fn runs_of_one_thread_are_found(store: &AnyStore) {
    twelve_runs(store).await;
    assert_eq!(
        found(store, of("b", RunQuery::newest(3))).await,
        ["b4", "b3", "b2"]
    );
    assert_eq!(found(store, of("c", oldest(2))).await, ["c1", "c2"]);
    assert_not_found(store.find_runs(&scope(), &of("none", oldest(2))).await);
    assert_not_found(store.run(&scope(), "a", "b1").await);
    assert_not_found(store.run(&scope(), "none", "b1").await);
}

async fn each_filter_selects_matching_runs(store: &AnyStore) {
    twelve_runs(store).await;
    let ended_badly = RunQuery {
        statuses: vec![RunStatus::Failed, RunStatus::Canceled],
        ..oldest(100)
    };
    assert_eq!(
        found(store, ended_badly.clone()).await,
        ["a2", "b2", "c2", "a3", "b3", "c3"]
    );
    assert_eq!(found(store, of("b", ended_badly)).await, ["b2", "b3"]);
    let answering = RunQuery {
        event_id: Some("b3-question".to_owned()),
        ..oldest(100)
    };
    assert_eq!(found(store, answering.clone()).await, ["b3"]);
    assert_eq!(found(store, of("b", answering.clone())).await, ["b3"]);
    assert!(found(store, of("a", answering.clone())).await.is_empty());
    let succeeded = vec![RunStatus::Succeeded];
    let nothing = RunQuery {
        statuses: succeeded,
        ..answering
    };
    assert!(found(store, nothing).await.is_empty());
}

async fn time_bounds_limit_the_results(store: &AnyStore) {
    twelve_runs(store).await;
    let all = runs(store, &oldest(100)).await;
    for query in [
        RunQuery::newest(100),
        oldest(100),
        of("b", RunQuery::newest(100)),
    ] {
        let is_wanted = |run: &&Run| query.thread_id.is_none() || run.thread_id == "b";
        let mut expected: Vec<_> = all[3..7]
            .iter()
            .filter(is_wanted)
            .map(|run| run.id.clone())
            .collect();
        let between = RunQuery {
            started_since: Some(all[3].started_at),
            started_before: Some(all[7].started_at),
            ..query.clone()
        };
        if query.order == Order::NewestFirst {
            expected.reverse();
        }
        assert_eq!(found(store, between).await, expected);
    }
}

/// The ids on all pages of this size, in order.
async fn pages(store: &AnyStore, mut query: RunQuery, limit: usize) -> Vec<String> {
    query.limit = limit;
    let mut all = Vec::new();
    loop {
        let page = runs(store, &query).await;
        let Some(last) = page.last() else {
            return all;
        };
        let cursor = RunCursor {
            started_at: last.started_at,
            run_id: last.id.clone(),
        };
        query.after = Some(cursor.to_string().parse().expect("the store's own cursor"));
        all.extend(page.into_iter().map(|run| run.id));
        assert!(all.len() <= 100, "the pages do not end");
    }
}

async fn pages_of_any_size_agree_in_either_order(store: &AnyStore) {
    twelve_runs(store).await;
    // Several runs start at the same time, in an order that differs from the order of their ids.
    let at = now();
    for run_id in ["own.3", "own.1", "own.2"] {
        let run = with!(Run {
            started_at: at,
            ..crate::fixtures::run("a", run_id, RunStatus::Running)
        });
        let edit = ThreadEdit::CreateRun(run);
        store.edit_thread(&scope(), "a", edit).await.unwrap();
    }
    for (query, count) in [(oldest(0), 15), (of("a", oldest(0)), 7)] {
        let whole = pages(store, query.clone(), 100).await;
        assert_eq!(whole.len(), count);
        for limit in [1, 2, 5] {
            assert_eq!(pages(store, query.clone(), limit).await, whole);
            let newest = RunQuery {
                order: Order::NewestFirst,
                ..query.clone()
            };
            let mut backwards = pages(store, newest, limit).await;
            backwards.reverse();
            assert_eq!(backwards, whole);
        }
    }
}

async fn ended_run_keeps_its_position(store: &AnyStore) {
    let first = begin_thread(store, "first", "r1").await;
    begin_thread(store, "second", "r2").await;
    let end = run_change("first", "r1", RunStatus::Succeeded);
    write(store, &first.key, vec![end]).await;
    assert_eq!(found(store, RunQuery::newest(10)).await, ["r2", "r1"]);
}

async fn runs_of_invisible_threads_are_not_found(store: &AnyStore) {
    twelve_runs(store).await;
    let by_ben = message(new_thread("d"), "d-question", &ben());
    store
        .begin_turn(&scope(), by_ben, &start("d1"))
        .await
        .unwrap();
    let seen = |scope: Scope, query: RunQuery| async move {
        let runs = store.find_runs(&scope, &query).await.unwrap();
        runs.into_iter().map(|run| run.id).collect::<Vec<_>>()
    };
    assert_eq!(seen(private_scope(&ben()), oldest(100)).await, ["d1"]);
    assert_eq!(seen(private_scope(&ana()), oldest(100)).await.len(), 12);
    assert!(
        seen(private_scope(&User::new("x")), oldest(9))
            .await
            .is_empty()
    );
    let other = with!(Scope {
        worker_id: "other".to_owned(),
        ..scope()
    });
    assert!(seen(other.clone(), RunQuery::newest(9)).await.is_empty());
    for scope in [private_scope(&ben()), other] {
        assert_not_found(store.find_runs(&scope, &of("a", oldest(9))).await);
        assert_not_found(store.run(&scope, "a", "a1").await);
    }
}

async fn runs_of_a_deleted_thread_are_not_found(store: &AnyStore) {
    twelve_runs(store).await;
    store.delete_thread(&scope(), "b").await.unwrap();
    assert_eq!(found(store, oldest(3)).await, ["a1", "c1", "a2"]);
    assert_eq!(found(store, oldest(100)).await.len(), 8);
}
