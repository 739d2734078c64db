//! Lists of threads.

use crate::asserts::assert_not_found;
use crate::backends::{AnyStore, cases};
use crate::fixtures::{
    ana, begin_thread, ben, existing, message, new_thread, now, private_scope, repeatable, say,
    scope, start, write,
};
use dooers::protocol::User;
use dooers::store::{NewMessage, Participant, Scope, ThreadCursor, ThreadPage, TurnChange, Viewer};
use dooers_tests::with;

cases![
    empty_store_has_an_empty_list,
    thread_with_the_newest_event_is_first,
    threads_with_equal_times_are_ordered,
    pages_skip_and_repeat_no_thread,
    thread_count_is_on_the_first_page_only,
    cursor_keeps_its_position,
    cursor_round_trips_over_the_wire,
    cursor_of_a_deleted_thread_still_works,
    private_scope_lists_and_counts_own_threads,
    own_threads_are_ordered_by_newest_event,
    anonymous_user_sees_threads_of_its_connection,
    repeated_and_rejected_messages_are_not_counted,
];

async fn page(
    store: &AnyStore,
    scope: &Scope,
    after: Option<&ThreadCursor>,
    limit: usize,
) -> ThreadPage {
    store.threads(scope, after, limit.into()).await.unwrap()
}

fn ids(page: &ThreadPage) -> Vec<&str> {
    page.threads
        .iter()
        .map(|thread| thread.id.as_str())
        .collect()
}

/// The ids on all pages of this size.
async fn all_pages(store: &AnyStore, scope: &Scope, limit: usize) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut after = None;
    for _ in 0..100 {
        let page = page(store, scope, after.as_ref(), limit).await;
        pages.push(page.threads.into_iter().map(|thread| thread.id).collect());
        match page.next {
            Some(next) => after = Some(next),
            None => return pages,
        }
    }
    panic!("the pages do not end");
}

async fn empty_store_has_an_empty_list(store: &AnyStore) {
    for scope in [scope(), private_scope(&ana())] {
        let page = page(store, &scope, None, 10).await;
        assert_eq!(
            (page.threads.len(), page.next, page.total_count),
            (0, None, 0)
        );
    }
}

async fn thread_with_the_newest_event_is_first(store: &AnyStore) {
    for id in ["a", "b", "c"] {
        begin_thread(store, id, &format!("{id}-run")).await;
    }
    assert_eq!(ids(&page(store, &scope(), None, 10).await), ["c", "b", "a"]);
    say(store, existing("a"), "e", "waits").await;
    let listed = page(store, &scope(), None, 10).await;
    assert_eq!(ids(&listed), ["a", "c", "b"]);
    for thread in listed.threads {
        assert_eq!(
            thread,
            store.thread(&scope(), &thread.id).await.unwrap().thread
        );
    }
    let claim = begin_thread(store, "d", "d-run").await;
    say(store, existing("b"), "e2", "waits").await;
    write(store, &claim.key, vec![TurnChange::Touch(now())]).await;
    assert_eq!(
        ids(&page(store, &scope(), None, 10).await),
        ["d", "b", "a", "c"]
    );
}

async fn threads_with_equal_times_are_ordered(store: &AnyStore) {
    let at = now();
    for number in 0..9 {
        let id = format!("t{}", (number * 4) % 9);
        let new = NewMessage {
            at,
            ..message(new_thread(&id), &format!("{id}-e"), &ana())
        };
        store.begin_turn(&scope(), new, &start(&id)).await.unwrap();
    }
    let whole = all_pages(store, &scope(), 100).await.concat();
    assert_eq!(whole.len(), 9);
    for limit in [1, 2, 4, 8, 9] {
        assert_eq!(all_pages(store, &scope(), limit).await.concat(), whole);
    }
}

async fn pages_skip_and_repeat_no_thread(store: &AnyStore) {
    for number in 0..23 {
        begin_thread(store, &format!("t{number}"), &format!("r{number}")).await;
    }
    let expected: Vec<String> = (0..23).rev().map(|number| format!("t{number}")).collect();
    for limit in [1, 7, 22, 23, 24, 100] {
        let pages = all_pages(store, &scope(), limit).await;
        assert_eq!(
            pages.len(),
            23_usize.div_ceil(limit),
            "no empty page at the end"
        );
        assert_eq!(pages.concat(), expected);
    }
}

async fn thread_count_is_on_the_first_page_only(store: &AnyStore) {
    for number in 0..5 {
        begin_thread(store, &format!("t{number}"), &format!("r{number}")).await;
    }
    let first = page(store, &scope(), None, 2).await;
    assert_eq!(first.total_count, 5);
    let second = page(store, &scope(), first.next.as_ref(), 2).await;
    assert_eq!((second.total_count, second.threads.len()), (0, 2));
}

async fn cursor_keeps_its_position(store: &AnyStore) {
    for number in 0..6 {
        begin_thread(store, &format!("t{number}"), &format!("r{number}")).await;
    }
    let first = page(store, &scope(), None, 3).await;
    assert_eq!(ids(&first), ["t5", "t4", "t3"]);
    // New and updated threads are in front of the cursor and are not listed again.
    begin_thread(store, "new", "new-run").await;
    say(store, existing("t5"), "e", "waits").await;
    say(store, existing("t1"), "e2", "waits").await;
    let second = page(store, &scope(), first.next.as_ref(), 3).await;
    assert_eq!((ids(&second), &second.next), (vec!["t2", "t0"], &None));
    assert_eq!(page(store, &scope(), None, 1).await.total_count, 7);
}

async fn cursor_round_trips_over_the_wire(store: &AnyStore) {
    for id in ["plain", "with.dots.", "_%'\"", "ключ🗝"] {
        begin_thread(store, id, &format!("{id}-run")).await;
    }
    let mut after: Option<ThreadCursor> = None;
    for expected in ["ключ🗝", "_%'\"", "with.dots.", "plain"] {
        let page = page(store, &scope(), after.as_ref(), 1).await;
        assert_eq!(ids(&page), [expected]);
        after = page
            .next
            .map(|next| next.to_string().parse().expect("the store's own cursor"));
    }
    assert_eq!(after, None);
}

async fn cursor_of_a_deleted_thread_still_works(store: &AnyStore) {
    for id in ["a", "b", "c", "d"] {
        begin_thread(store, id, &format!("{id}-run")).await;
    }
    let first = page(store, &scope(), None, 2).await;
    assert_eq!(ids(&first), ["d", "c"]);
    store.delete_thread(&scope(), "c").await.unwrap();
    assert_eq!(
        ids(&page(store, &scope(), first.next.as_ref(), 2).await),
        ["b", "a"]
    );
}

async fn private_scope_lists_and_counts_own_threads(store: &AnyStore) {
    for number in 0..6 {
        let user = if number % 3 == 0 { ben() } else { ana() };
        let new = message(
            new_thread(&format!("t{number}")),
            &format!("e{number}"),
            &user,
        );
        store
            .begin_turn(&private_scope(&user), new, &start(&format!("r{number}")))
            .await
            .unwrap();
    }
    for (user, expected) in [
        (ben(), vec!["t3", "t0"]),
        (ana(), vec!["t5", "t4", "t2", "t1"]),
    ] {
        assert_eq!(
            all_pages(store, &private_scope(&user), 100).await.concat(),
            expected
        );
        assert_eq!(
            all_pages(store, &private_scope(&user), 1).await.concat(),
            expected
        );
        let count = page(store, &private_scope(&user), None, 1)
            .await
            .total_count;
        assert_eq!(count, expected.len() as u64);
    }
    assert_eq!(page(store, &scope(), None, 1).await.total_count, 6);
    let stranger = page(store, &private_scope(&User::new("stranger")), None, 10).await;
    assert_eq!((stranger.threads.len(), stranger.total_count), (0, 0));

    // A user who writes in a thread sees it from then on, and is counted once.
    for event_id in ["e7", "e8"] {
        let new = message(existing("t1"), event_id, &ben());
        store
            .begin_turn(&scope(), new, &start("waits"))
            .await
            .unwrap();
    }
    let of_ben = page(store, &private_scope(&ben()), None, 10).await;
    assert_eq!(
        (ids(&of_ben), of_ben.total_count),
        (vec!["t1", "t3", "t0"], 3)
    );
    assert_eq!(
        page(store, &private_scope(&ana()), None, 1)
            .await
            .total_count,
        4
    );
    store
        .delete_thread(&private_scope(&ben()), "t1")
        .await
        .unwrap();
    for (scope, count) in [
        (private_scope(&ben()), 2),
        (private_scope(&ana()), 3),
        (scope(), 5),
    ] {
        assert_eq!(page(store, &scope, None, 1).await.total_count, count);
    }
}

async fn anonymous_user_sees_threads_of_its_connection(store: &AnyStore) {
    let connection = |id: &str| Participant::connection(id);
    for number in 0..4 {
        let participant = connection(if number == 0 { "a" } else { "b" });
        let scope = with!(Scope {
            viewer: Viewer::Only(participant.clone()),
            ..scope()
        });
        let new = NewMessage {
            participant,
            ..message(
                new_thread(&format!("t{number}")),
                &format!("e{number}"),
                &User::new(""),
            )
        };
        store
            .begin_turn(&scope, new, &start(&format!("r{number}")))
            .await
            .unwrap();
    }
    for (id, expected) in [
        ("a", vec!["t0"]),
        ("b", vec!["t3", "t2", "t1"]),
        ("c", vec![]),
    ] {
        let scope = with!(Scope {
            viewer: Viewer::Only(connection(id)),
            ..scope()
        });
        let page = page(store, &scope, None, 10).await;
        assert_eq!(
            (ids(&page), page.total_count),
            (expected.clone(), expected.len() as u64)
        );
    }
    assert_not_found(store.thread(&private_scope(&User::new("")), "t0").await);
}

async fn repeated_and_rejected_messages_are_not_counted(store: &AnyStore) {
    for (number, target) in [new_thread("t"), existing("t"), new_thread("t2")]
        .into_iter()
        .enumerate()
    {
        let new = repeatable(target, &format!("e{number}"), "c");
        store.begin_turn(&scope(), new, &start("r")).await.unwrap();
    }
    let twice = message(new_thread("t"), "e9", &ana());
    assert!(
        store
            .begin_turn(&scope(), twice, &start("r9"))
            .await
            .is_err()
    );
    for scope in [scope(), private_scope(&ana())] {
        assert_eq!(page(store, &scope, None, 10).await.total_count, 1);
    }
}

async fn own_threads_are_ordered_by_newest_event(store: &AnyStore) {
    let anas = private_scope(&ana());
    for thread_id in ["a", "b", "c"] {
        begin_thread(store, thread_id, &format!("{thread_id}-r")).await;
    }
    for (thread_id, expected) in [("a", ["a", "c", "b"]), ("b", ["b", "a", "c"])] {
        say(
            store,
            existing(thread_id),
            &format!("{thread_id}-next"),
            "none",
        )
        .await;
        assert_eq!(all_pages(store, &anas, 100).await.concat(), expected);
        assert_eq!(all_pages(store, &anas, 1).await.concat(), expected);
    }
}
