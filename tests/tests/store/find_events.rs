//! Queries for events by kind and author.

use crate::asserts::{assert_not_found, events_and_runs, ids, seqs};
use crate::backends::{AnyStore, cases};
use crate::fixtures::{
    ana, answer, ben, existing, finish, message, new_thread, private_scope, say, scope, start,
    streamed, thread_of, write,
};
use dooers::protocol::{Actor, EventType, ThreadEvent, User};
use dooers::store::{EventQuery, Order, TurnChange};
use dooers_tests::with;
use serde_json::json;

cases![
    events_are_found_from_either_end_up_to_the_limit,
    seq_bounds_are_exclusive,
    each_filter_selects_and_an_empty_one_matches_all,
    filters_are_combined_with_and,
    pages_of_any_size_find_the_same,
    filter_matches_ids_literally,
    streaming_text_is_found_up_to_its_stored_length,
    missing_ids_find_nothing_or_are_not_found,
];

async fn find(store: &AnyStore, query: &EventQuery) -> Vec<ThreadEvent> {
    let found = store.find_events(&scope(), "t", query).await;
    found.expect("the thread is visible")
}

/// Two turns, of Ana and of Ben, with events of several kinds in each.
async fn conversation(store: &AnyStore) {
    let mut claim = say(store, new_thread("t"), "t-ana", "run-1").await.claim;
    let by_ben = message(existing("t"), "t-ben", &ben());
    let begun = store.begin_turn(&scope(), by_ben, &start("run-2")).await;
    assert!(begun.unwrap().claim.is_none());
    for run in ["run-1", "run-2"] {
        let key = claim.unwrap().key;
        let of = |kind, actor, name: &str| {
            let event = answer("t", &format!("{run}-{name}"), Some(run));
            TurnChange::Event(Box::new(with!(ThreadEvent {
                kind,
                actor,
                ..event
            })))
        };
        let events = vec![
            of(EventType::Reasoning, Actor::Assistant, "thought"),
            of(EventType::ToolCall, Actor::Assistant, "call"),
            of(EventType::ToolResult, Actor::Tool, "result"),
            of(EventType::Message, Actor::Assistant, "text"),
            of(EventType::Message, Actor::System, "error"),
        ];
        write(store, &key, events).await;
        let between = TurnChange::Event(Box::new(answer("t", &format!("{run}-none"), None)));
        write(store, &key, vec![between]).await;
        claim = finish(store, &key, "run-2").await;
    }
}

async fn events_are_found_from_either_end_up_to_the_limit(store: &AnyStore) {
    thread_of(store, "t", 10).await;
    thread_of(store, "other", 10).await;
    for (query, expected) in [
        (EventQuery::newest(3), vec![10, 9, 8]),
        (EventQuery::oldest(3), vec![1, 2, 3]),
        (EventQuery::newest(10), (1..=10).rev().collect()),
        (EventQuery::oldest(usize::MAX), (1..=10).collect()),
        (EventQuery::newest(1_000_000_000), (1..=10).rev().collect()),
        (EventQuery::newest(0), vec![]),
        (EventQuery::oldest(0), vec![]),
    ] {
        let found = find(store, &query).await;
        assert_eq!(seqs(&found), expected, "{query:?}");
        assert!(found.iter().all(|event| event.thread_id == "t"));
    }
    let (events, _) = events_and_runs(store, &scope(), "t").await;
    assert_eq!(find(store, &EventQuery::oldest(100)).await, events);
}

async fn seq_bounds_are_exclusive(store: &AnyStore) {
    thread_of(store, "t", 10).await;
    for (after, before, expected) in [
        (0, 4, vec![1, 2, 3]),
        (7, u64::MAX, vec![8, 9, 10]),
        (3, 6, vec![4, 5]),
        (4, 5, vec![]),
        (5, 5, vec![]),
        (6, 3, vec![]),
        (10, u64::MAX, vec![]),
        (0, 1, vec![]),
        (0, 0, vec![]),
        (u64::MAX, u64::MAX, vec![]),
    ] {
        for order in [Order::OldestFirst, Order::NewestFirst] {
            let query = EventQuery {
                after,
                before,
                order,
                ..EventQuery::newest(100)
            };
            let mut found = seqs(&find(store, &query).await);
            if order == Order::NewestFirst {
                found.reverse();
            }
            assert_eq!(found, expected, "{query:?}");
        }
    }
}

async fn each_filter_selects_and_an_empty_one_matches_all(store: &AnyStore) {
    conversation(store).await;
    let all = EventQuery::oldest(100);
    assert_eq!(find(store, &all).await.len(), 14);
    let actors = |actors: &[Actor]| EventQuery {
        actors: actors.to_vec(),
        ..all.clone()
    };
    let kinds = |kinds: &[EventType]| EventQuery {
        kinds: kinds.to_vec(),
        ..all.clone()
    };
    let users = |users: &[&str]| EventQuery {
        user_ids: users.iter().map(ToString::to_string).collect(),
        ..all.clone()
    };
    let runs = |runs: &[&str]| EventQuery {
        run_ids: runs.iter().map(ToString::to_string).collect(),
        ..all.clone()
    };
    for (query, expected) in [
        (actors(&[Actor::User]), vec!["t-ana", "t-ben"]),
        (actors(&[Actor::Tool]), vec!["run-1-result", "run-2-result"]),
        (
            actors(&[Actor::System, Actor::User]),
            vec!["t-ana", "t-ben", "run-1-error", "run-2-error"],
        ),
        (
            kinds(&[EventType::ToolCall, EventType::Reasoning]),
            vec!["run-1-thought", "run-1-call", "run-2-thought", "run-2-call"],
        ),
        (kinds(&[EventType::Chart]), vec![]),
        (users(&["ben"]), vec!["t-ben"]),
        (users(&["ben", "ana", "cleo"]), vec!["t-ana", "t-ben"]),
        (users(&["cleo"]), vec![]),
        (
            runs(&["run-2"]),
            vec![
                "run-2-thought",
                "run-2-call",
                "run-2-result",
                "run-2-text",
                "run-2-error",
            ],
        ),
        (runs(&["run-3"]), vec![]),
    ] {
        assert_eq!(ids(&find(store, &query).await), expected, "{query:?}");
    }
}

async fn filters_are_combined_with_and(store: &AnyStore) {
    conversation(store).await;
    let texts = EventQuery {
        actors: vec![Actor::Assistant, Actor::Tool],
        kinds: vec![EventType::Message, EventType::ToolResult],
        run_ids: vec!["run-1".to_owned(), "run-2".to_owned()],
        after: 3,
        ..EventQuery::newest(3)
    };
    assert_eq!(
        ids(&find(store, &texts).await),
        ["run-2-text", "run-2-result", "run-1-text"]
    );
    let nobody = EventQuery {
        user_ids: vec!["ana".to_owned()],
        ..texts
    };
    assert!(find(store, &nobody).await.is_empty());
}

async fn pages_of_any_size_find_the_same(store: &AnyStore) {
    conversation(store).await;
    let filtered = EventQuery {
        actors: vec![Actor::Assistant, Actor::User],
        ..EventQuery::oldest(100)
    };
    let all = find(store, &filtered).await;
    assert_eq!(all.len(), 10);
    for limit in [1, 2, 3, 9, 10, 11] {
        let mut oldest = Vec::new();
        let mut query = EventQuery {
            limit,
            ..filtered.clone()
        };
        loop {
            let page = find(store, &query).await;
            let Some(last) = page.last() else { break };
            query.after = last.seq;
            oldest.extend(page);
        }
        assert_eq!(oldest, all);

        let mut newest = Vec::new();
        let mut query = EventQuery {
            limit,
            order: Order::NewestFirst,
            ..filtered.clone()
        };
        loop {
            let page = find(store, &query).await;
            let Some(last) = page.last() else { break };
            query.before = last.seq;
            newest.extend(page);
        }
        newest.reverse();
        assert_eq!(newest, all);
    }
}

async fn filter_matches_ids_literally(store: &AnyStore) {
    // Values that a careless filter would misinterpret.
    let strange = ["", "%", "null", "a\",\"b", "a'b", "[\"x\"]", "{}", "🗝", "b"];
    for (number, id) in strange.iter().enumerate() {
        let thread = if number == 0 {
            new_thread("t")
        } else {
            existing("t")
        };
        let new = message(thread, &format!("e{number}"), &User::new(*id));
        let begun = store.begin_turn(&scope(), new, &start(id)).await.unwrap();
        if let Some(claim) = begun.claim {
            let text = answer("t", "text", Some("a\",\"b"));
            write(store, &claim.key, vec![TurnChange::Event(Box::new(text))]).await;
        }
    }
    for (number, id) in strange.iter().enumerate() {
        let query = EventQuery {
            user_ids: vec![(*id).to_owned()],
            ..EventQuery::newest(100)
        };
        let found = find(store, &query).await;
        assert_eq!(ids(&found), [format!("e{number}")], "{id}");
    }
    for (run_id, expected) in [("a\",\"b", 1), ("a", 0), ("b", 0), ("%", 0), ("", 0)] {
        let query = EventQuery {
            run_ids: vec![run_id.to_owned()],
            ..EventQuery::newest(100)
        };
        assert_eq!(find(store, &query).await.len(), expected, "{run_id}");
    }
}

async fn streaming_text_is_found_up_to_its_stored_length(store: &AnyStore) {
    let claim = thread_of(store, "t", 1).await;
    write(store, &claim.key, vec![streamed("t", "growing")]).await;
    let grown = TurnChange::Text {
        event_id: "growing".to_owned(),
        text: "so far".to_owned(),
        delta_seq: 2,
    };
    write(store, &claim.key, vec![grown]).await;
    let found = find(store, &EventQuery::newest(1)).await;
    assert_eq!(found[0].streaming, Some(true));
    let content = serde_json::to_value(&found[0].content).unwrap();
    assert_eq!(content, json!([{"type": "text", "text": "so far"}]));
}

async fn missing_ids_find_nothing_or_are_not_found(store: &AnyStore) {
    thread_of(store, "t", 3).await;
    let all = EventQuery::newest(10);
    assert_not_found(store.find_events(&scope(), "nowhere", &all).await);
    let nobodys = private_scope(&User::new("cleo"));
    assert_not_found(store.find_events(&nobodys, "t", &all).await);
    let anas = private_scope(&ana());
    let found = store.find_events(&anas, "t", &all).await.unwrap();
    assert_eq!(seqs(&found), [3, 2, 1]);
    store.delete_thread(&scope(), "t").await.unwrap();
    assert_not_found(store.find_events(&scope(), "t", &all).await);
}
