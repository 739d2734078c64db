//! Queries for threads by participant and time.

use crate::asserts::threads_of;
use crate::backends::{AnyStore, cases};
use crate::fixtures::{ana, ben, message, new_thread, now, private_scope, scope, start};
use chrono::{DateTime, Utc};
use dooers::protocol::{Thread, User};
use dooers::store::{
    NewMessage, Order, Participant, Scope, ThreadCursor, ThreadEdit, ThreadPatch, ThreadQuery,
};
use dooers_tests::with;

cases![
    threads_are_found_from_either_end_up_to_the_limit,
    time_bounds_limit_the_results,
    threads_are_found_by_participant,
    private_scope_finds_only_shared_threads,
    pages_of_any_size_agree_in_either_order,
    cursor_and_time_bound_both_apply,
    pages_skip_no_thread_while_others_are_created,
    another_scope_finds_nothing,
];

/// Threads `t0` to `t9`, all of Ana, the even ones also of Ben. Returns the time of each.
async fn ten_threads(store: &AnyStore) -> Vec<DateTime<Utc>> {
    let mut times = Vec::new();
    for number in 0..10 {
        let id = format!("t{number}");
        let at = now();
        let user = if number % 2 == 0 { ben() } else { ana() };
        let new = NewMessage {
            at,
            ..message(new_thread(&id), &format!("{id}-e"), &user)
        };
        let begun = store.begin_turn(&scope(), new, &start(&id)).await.unwrap();
        assert_eq!(threads_of(&begun.changes).len(), 1);
        times.push(at);
    }
    times
}

async fn found(store: &AnyStore, scope: &Scope, query: &ThreadQuery) -> Vec<String> {
    let threads = store.find_threads(scope, query).await.unwrap();
    threads.into_iter().map(|thread| thread.id).collect()
}

fn oldest(limit: usize) -> ThreadQuery {
    ThreadQuery {
        order: Order::OldestFirst,
        ..ThreadQuery::newest(limit)
    }
}

fn of(user: &User, query: ThreadQuery) -> ThreadQuery {
    ThreadQuery {
        participant: Some(Participant::user(user)),
        ..query
    }
}

async fn threads_are_found_from_either_end_up_to_the_limit(store: &AnyStore) {
    ten_threads(store).await;
    let find = async |query| found(store, &scope(), &query).await;
    assert_eq!(find(ThreadQuery::newest(3)).await, ["t9", "t8", "t7"]);
    assert_eq!(find(oldest(3)).await, ["t0", "t1", "t2"]);
    assert_eq!(find(ThreadQuery::newest(100)).await.len(), 10);
    assert_eq!(find(ThreadQuery::newest(usize::MAX)).await.len(), 10);
    assert_eq!(find(ThreadQuery::newest(0)).await.len(), 0);
    let whole = store.find_threads(&scope(), &ThreadQuery::newest(1)).await;
    let whole: Vec<Thread> = whole.unwrap();
    assert_eq!(whole[0], store.thread(&scope(), "t9").await.unwrap().thread);
}

async fn time_bounds_limit_the_results(store: &AnyStore) {
    let times = ten_threads(store).await;
    for query in [ThreadQuery::newest(100), oldest(100)] {
        let between = ThreadQuery {
            active_since: Some(times[3]),
            active_before: Some(times[6]),
            ..query.clone()
        };
        let mut ids = found(store, &scope(), &between).await;
        ids.sort();
        assert_eq!(ids, ["t3", "t4", "t5"]);
        let nothing = ThreadQuery {
            active_since: Some(times[6]),
            active_before: Some(times[3]),
            ..query
        };
        assert!(found(store, &scope(), &nothing).await.is_empty());
    }
}

async fn threads_are_found_by_participant(store: &AnyStore) {
    ten_threads(store).await;
    let find = async |query| found(store, &scope(), &query).await;
    assert_eq!(
        find(of(&ben(), ThreadQuery::newest(100))).await,
        ["t8", "t6", "t4", "t2", "t0"]
    );
    assert_eq!(find(of(&ana(), oldest(2))).await, ["t1", "t3"]);
    let stranger = User::new("stranger");
    assert!(find(of(&stranger, oldest(10))).await.is_empty());
}

async fn private_scope_finds_only_shared_threads(store: &AnyStore) {
    ten_threads(store).await;
    let by_ana = message(crate::fixtures::existing("t4"), "more", &ana());
    store
        .begin_turn(&scope(), by_ana, &start("none"))
        .await
        .unwrap();
    let of_ana = private_scope(&ana());
    let all = found(store, &of_ana, &oldest(100)).await;
    assert_eq!(all, ["t1", "t3", "t5", "t7", "t9", "t4"]);
    assert_eq!(
        found(store, &of_ana, &of(&ben(), oldest(100))).await,
        ["t4"]
    );
    assert_eq!(found(store, &of_ana, &of(&ana(), oldest(100))).await, all);
    assert_eq!(
        found(
            store,
            &private_scope(&ben()),
            &of(&ana(), ThreadQuery::newest(9))
        )
        .await,
        ["t4"]
    );
}

/// The ids on all pages of this size, in order.
async fn pages(store: &AnyStore, mut query: ThreadQuery, limit: usize) -> Vec<String> {
    query.limit = limit;
    let mut all = Vec::new();
    loop {
        let page = store.find_threads(&scope(), &query).await.unwrap();
        let Some(last) = page.last() else {
            return all;
        };
        query.after = Some(ThreadCursor {
            last_event_at: last.last_event_at,
            thread_id: last.id.clone(),
        });
        all.extend(page.into_iter().map(|thread| thread.id));
        assert!(all.len() <= 100, "the pages do not end");
    }
}

async fn pages_of_any_size_agree_in_either_order(store: &AnyStore) {
    let at = now();
    for number in 0..9 {
        let id = format!("t{}", (number * 4) % 9);
        let new = NewMessage {
            at: if number < 5 { at } else { now() },
            ..message(new_thread(&id), &format!("{id}-e"), &ana())
        };
        store.begin_turn(&scope(), new, &start(&id)).await.unwrap();
    }
    for query in [
        ThreadQuery::newest(0),
        oldest(0),
        of(&ana(), ThreadQuery::newest(0)),
        of(&ana(), oldest(0)),
    ] {
        let whole = pages(store, query.clone(), 100).await;
        assert_eq!(whole.len(), 9);
        for limit in [1, 2, 4, 8, 9] {
            assert_eq!(pages(store, query.clone(), limit).await, whole);
        }
    }
    let mut backwards = pages(store, oldest(0), 2).await;
    backwards.reverse();
    assert_eq!(backwards, pages(store, ThreadQuery::newest(0), 3).await);
}

async fn cursor_and_time_bound_both_apply(store: &AnyStore) {
    let times = ten_threads(store).await;
    let cursor = |number: usize| {
        Some(ThreadCursor {
            last_event_at: times[number],
            thread_id: format!("t{number}"),
        })
    };
    let find = async |query| found(store, &scope(), &query).await;
    let newest = |after, before: usize| ThreadQuery {
        after: cursor(after),
        active_before: Some(times[before]),
        ..ThreadQuery::newest(1)
    };
    assert_eq!(find(newest(7, 3)).await, ["t2"]);
    assert_eq!(find(newest(3, 7)).await, ["t2"]);
    let oldest = |after, since: usize| ThreadQuery {
        after: cursor(after),
        active_since: Some(times[since]),
        ..oldest(1)
    };
    assert_eq!(find(oldest(2, 5)).await, ["t5"]);
    assert_eq!(find(oldest(5, 2)).await, ["t6"]);
}

async fn pages_skip_no_thread_while_others_are_created(store: &AnyStore) {
    ten_threads(store).await;
    let mut query = ThreadQuery::newest(3);
    let mut all = Vec::new();
    for number in 0.. {
        let page = store.find_threads(&scope(), &query).await.unwrap();
        let Some(last) = page.last() else { break };
        query.after = Some(ThreadCursor {
            last_event_at: last.last_event_at,
            thread_id: last.id.clone(),
        });
        all.extend(page.into_iter().map(|thread| thread.id));
        let id = format!("new{number}");
        let new = message(new_thread(&id), &format!("{id}-e"), &ana());
        store.begin_turn(&scope(), new, &start(&id)).await.unwrap();
        // The row of the thread changes, but not its position.
        let at = now();
        let patch = ThreadPatch::default().title("changed");
        let edit = ThreadEdit::Patch { patch, at };
        store.edit_thread(&scope(), "t1", edit).await.unwrap();
    }
    let expected: Vec<_> = (0..10).rev().map(|number| format!("t{number}")).collect();
    assert_eq!(all, expected);
}

async fn another_scope_finds_nothing(store: &AnyStore) {
    ten_threads(store).await;
    for other in [
        with!(Scope {
            agent: "other".to_owned(),
            ..scope()
        }),
        with!(Scope {
            organization_id: "other".to_owned(),
            ..scope()
        }),
        private_scope(&User::new("stranger")),
    ] {
        for query in [ThreadQuery::newest(10), of(&ana(), oldest(10))] {
            assert!(found(store, &other, &query).await.is_empty());
        }
    }
}
