//! Pages of a thread's events.

use crate::asserts::{assert_not_found, ids, newest, seqs};
use crate::backends::{AnyStore, cases};
use crate::fixtures::{append, scope, thread_of};
use dooers::protocol::ThreadEvent;

cases![
    newest_page_is_first_and_ordered_oldest_first,
    pages_skip_and_repeat_no_event,
    has_more_is_set_only_if_older_events_exist,
    new_events_do_not_shift_pages,
    pages_continue_from_the_start_of_the_snapshot,
    page_before_a_foreign_event_is_not_found,
];

/// All pages of this size, the newest first.
async fn pages(store: &AnyStore, limit: usize) -> Vec<Vec<ThreadEvent>> {
    let mut pages: Vec<Vec<ThreadEvent>> = Vec::new();
    for _ in 0..100 {
        let before = pages.last().map(|page| page[0].id.clone());
        let page = store
            .events(&scope(), "t", before.as_deref(), limit.into())
            .await
            .unwrap();
        pages.push(page.events);
        if !page.has_more {
            return pages;
        }
    }
    panic!("the pages do not end");
}

async fn newest_page_is_first_and_ordered_oldest_first(store: &AnyStore) {
    thread_of(store, "t", 10).await;
    let pages = pages(store, 4).await;
    let shown: Vec<_> = pages.iter().map(|page| seqs(page)).collect();
    assert_eq!(shown, [vec![7, 8, 9, 10], vec![3, 4, 5, 6], vec![1, 2]]);
    assert_eq!(ids(&pages[2]), ["t-1", "t-2"]);
}

async fn pages_skip_and_repeat_no_event(store: &AnyStore) {
    thread_of(store, "t", 57).await;
    thread_of(store, "other", 57).await;
    for limit in [1, 2, 19, 56, 57, 58, 200] {
        let pages = pages(store, limit).await;
        assert_eq!(pages.len(), 57_usize.div_ceil(limit));
        let all: Vec<ThreadEvent> = pages.into_iter().rev().flatten().collect();
        assert_eq!(seqs(&all), (1..=57).collect::<Vec<_>>());
        assert!(all.iter().all(|event| event.thread_id == "t"));
    }
}

async fn has_more_is_set_only_if_older_events_exist(store: &AnyStore) {
    thread_of(store, "t", 3).await;
    for (before, limit, expected, has_more) in [
        (None, 2, vec![2, 3], true),
        (None, 3, vec![1, 2, 3], false),
        (Some("t-3"), 1, vec![2], true),
        (Some("t-3"), 2, vec![1, 2], false),
        (Some("t-2"), 9, vec![1], false),
        (Some("t-1"), 9, vec![], false),
    ] {
        let page = store
            .events(&scope(), "t", before, limit.into())
            .await
            .unwrap();
        assert_eq!((seqs(&page.events), page.has_more), (expected, has_more));
    }
}

async fn new_events_do_not_shift_pages(store: &AnyStore) {
    let claim = thread_of(store, "t", 10).await;
    let first = store.events(&scope(), "t", None, 5.into()).await.unwrap();
    append(store, &claim.key, 11..=20, None).await;
    let second = store
        .events(&scope(), "t", Some(&first.events[0].id), 5.into())
        .await
        .unwrap();
    assert_eq!(seqs(&second.events), [1, 2, 3, 4, 5]);
}

async fn pages_continue_from_the_start_of_the_snapshot(store: &AnyStore) {
    thread_of(store, "t", 130).await;
    let snapshot = newest(store, &scope(), "t").await;
    let first = &snapshot.events[0].id;
    let page = store
        .events(&scope(), "t", Some(first), 50.into())
        .await
        .unwrap();
    assert_eq!(
        (seqs(&page.events), page.has_more),
        ((1..=30).collect(), false)
    );
}

async fn page_before_a_foreign_event_is_not_found(store: &AnyStore) {
    thread_of(store, "t", 3).await;
    thread_of(store, "other", 3).await;
    for id in ["nothing", "", "other-2", "t"] {
        assert_not_found(store.events(&scope(), "t", Some(id), 10.into()).await);
    }
    assert_not_found(store.events(&scope(), "nowhere", None, 10.into()).await);
}
