//! Streaming texts.

use crate::asserts::{
    assert_stale, catch_up_fully, events_and_runs, events_of, ids, kinds, newest, revs,
    start_position,
};
use crate::backends::{AnyStore, cases};
use crate::fixtures::{begin_thread, existing, now, say, scope, start, streamed, write, written};
use dooers::protocol::ThreadEvent;
use dooers::store::{BeginOutcome, Position, TurnChange, TurnKey};

cases![
    streaming_text_is_stored_without_a_change,
    text_ends_once_with_a_change_of_its_event,
    text_that_is_not_streaming_is_unchanged,
    streaming_text_of_another_turn_is_unchanged,
    ending_a_turn_ends_its_texts,
    recovery_ends_texts_at_their_stored_length,
    reader_joining_midway_receives_the_end,
    text_may_begin_and_end_in_one_write,
];

fn grown(event_id: &str, text: &str, delta_seq: u64) -> TurnChange {
    TurnChange::Text {
        event_id: event_id.to_owned(),
        text: text.to_owned(),
        delta_seq,
    }
}

fn ended(event_id: &str, text: &str) -> TurnChange {
    TurnChange::Finalize {
        event_id: event_id.to_owned(),
        text: text.to_owned(),
    }
}

/// A thread whose running turn writes a streaming text.
async fn streaming(store: &AnyStore) -> TurnKey {
    let key = begin_thread(store, "t", "r").await.key;
    let published = write(store, &key, vec![streamed("t", "s")]).await;
    assert_eq!(
        (kinds(&published), revs(&published)),
        (vec!["event"], vec![4])
    );
    key
}

/// The text, `streaming`, `finalized`, and the number of the next piece.
type State<'a> = (&'a str, Option<bool>, Option<bool>, Option<u64>);

fn state(event: &ThreadEvent) -> State<'_> {
    let text = match event.content.as_deref() {
        Some([part]) => part.as_text().unwrap(),
        other => panic!("{other:?}"),
    };
    (text, event.streaming, event.finalized, event.delta_seq)
}

async fn event(store: &AnyStore, id: &str) -> ThreadEvent {
    let (events, _) = events_and_runs(store, &scope(), "t").await;
    let found = events.into_iter().find(|event| event.id == id);
    found.unwrap_or_else(|| panic!("no event {id}"))
}

async fn rev(store: &AnyStore) -> u64 {
    store.thread(&scope(), "t").await.unwrap().rev
}

async fn streaming_text_is_stored_without_a_change(store: &AnyStore) {
    let key = streaming(store).await;
    assert_eq!(
        state(&event(store, "s").await),
        ("", Some(true), None, Some(0))
    );
    let published = write(
        store,
        &key,
        vec![grown("s", "Hel", 2), grown("s", "Hello", 5)],
    )
    .await;
    assert!(published.is_empty());
    assert_eq!(rev(store).await, 4);
    let so_far = ("Hello", Some(true), None, Some(5));
    assert_eq!(state(&event(store, "s").await), so_far);
    let snapshot = newest(store, &scope(), "t").await;
    assert_eq!(state(snapshot.events.last().unwrap()), so_far);
}

async fn text_ends_once_with_a_change_of_its_event(store: &AnyStore) {
    let key = streaming(store).await;
    write(store, &key, vec![written("t", "between", None)]).await;
    let published = write(store, &key, vec![ended("s", "Hello."), ended("s", "again")]).await;
    assert_eq!(
        (kinds(&published), revs(&published)),
        (vec!["event"], vec![6])
    );
    let whole = event(store, "s").await;
    assert_eq!(events_of(&published), std::slice::from_ref(&whole));
    assert_eq!(state(&whole), ("Hello.", None, Some(true), None));
    // Its `seq` is where it began.
    let (events, _) = events_and_runs(store, &scope(), "t").await;
    assert_eq!(ids(&events), ["t-question", "s", "between"]);
}

async fn text_that_is_not_streaming_is_unchanged(store: &AnyStore) {
    let key = streaming(store).await;
    write(
        store,
        &key,
        vec![written("t", "plain", None), ended("s", "whole")],
    )
    .await;
    let before = events_and_runs(store, &scope(), "t").await;
    for id in ["s", "plain", "t-question", "nowhere"] {
        let changes = vec![grown(id, "more", 9), ended(id, "more")];
        assert!(write(store, &key, changes).await.is_empty());
    }
    assert_eq!(events_and_runs(store, &scope(), "t").await, before);
}

async fn streaming_text_of_another_turn_is_unchanged(store: &AnyStore) {
    let key = streaming(store).await;
    let other = begin_thread(store, "other", "r2").await.key;
    let changes = vec![grown("s", "theirs", 9), ended("s", "theirs")];
    assert!(write(store, &other, changes.clone()).await.is_empty());
    let late = TurnKey {
        fence: key.fence + 1,
        ..key
    };
    assert_stale(store.write_turn(&scope(), &late, changes).await);
    assert_eq!(
        state(&event(store, "s").await),
        ("", Some(true), None, Some(0))
    );
}

async fn ending_a_turn_ends_its_texts(store: &AnyStore) {
    let key = streaming(store).await;
    write(
        store,
        &key,
        vec![streamed("t", "second"), grown("second", "so far", 3)],
    )
    .await;
    let (scope, last) = (scope(), vec![ended("s", "whole")]);
    let end = store.finish_turn(&scope, &key, last, None).await;
    let published = end.unwrap().changes;
    assert_eq!(kinds(&published), ["event", "event"]);
    assert_eq!(
        state(&event(store, "s").await),
        ("whole", None, Some(true), None)
    );
    assert_eq!(
        state(&event(store, "second").await),
        ("so far", None, Some(true), None)
    );
}

async fn recovery_ends_texts_at_their_stored_length(store: &AnyStore) {
    let key = streaming(store).await;
    write(store, &key, vec![grown("s", "as far as", 4)]).await;
    let recovered = store.expire_leases(now()).await.unwrap();
    let [published] = recovered.changes.as_slice() else {
        panic!("{recovered:?}");
    };
    assert_eq!(published.scope, scope());
    let published = &published.changes;
    assert_eq!(kinds(published), ["event", "event", "thread", "run"]);
    let whole = event(store, "s").await;
    assert_eq!(state(&whole), ("as far as", None, Some(true), None));
    assert_eq!(events_of(published)[0], whole);
    assert_stale(
        store
            .write_turn(&scope(), &key, vec![grown("s", "late", 5)])
            .await,
    );

    let BeginOutcome { claim, .. } = say(store, existing("t"), "e2", "r2").await;
    let key = claim.unwrap().key;
    write(store, &key, vec![streamed("t", "s2")]).await;
    store.recover().await.unwrap();
    assert_eq!(
        state(&event(store, "s2").await),
        ("", None, Some(true), None)
    );
}

async fn reader_joining_midway_receives_the_end(store: &AnyStore) {
    let key = streaming(store).await;
    let here = Position {
        last_seq: 2,
        rev: 4,
        ..start_position()
    };
    write(store, &key, vec![grown("s", "Hel", 1)]).await;
    let (published, _) = catch_up_fully(store, &scope(), "t", here.clone(), 10).await;
    assert!(published.is_empty());
    write(store, &key, vec![ended("s", "Hello")]).await;
    let (published, _) = catch_up_fully(store, &scope(), "t", here, 10).await;
    assert_eq!(
        state(&events_of(&published)[0]),
        ("Hello", None, Some(true), None)
    );
    let (published, _) = catch_up_fully(store, &scope(), "t", start_position(), 1).await;
    assert_eq!(ids(&events_of(&published)), ["t-question", "s"]);
}

async fn text_may_begin_and_end_in_one_write(store: &AnyStore) {
    let key = begin_thread(store, "t", "r").await.key;
    let changes = vec![streamed("t", "s"), grown("s", "a", 1), ended("s", "ab")];
    let published = write(store, &key, changes).await;
    assert_eq!(
        (kinds(&published), revs(&published)),
        (vec!["event", "event"], vec![4, 5])
    );
    assert_eq!(
        state(&event(store, "s").await),
        ("ab", None, Some(true), None)
    );
    let (scope, next) = (scope(), start("none"));
    let end = store
        .finish_turn(&scope, &key, Vec::new(), Some(&next))
        .await;
    assert!(end.unwrap().changes.is_empty());
}
