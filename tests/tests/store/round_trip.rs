//! Stored values are read back unchanged.

use crate::asserts::{dump, events_and_runs, events_of, newest, run_named};
use crate::backends::{AnyStore, cases};
use crate::fixtures::{
    ana, answer, begin_thread, existing, finish, message, new_thread, now, private_scope,
    repeatable, run, scope, start, write,
};
use chrono::DateTime;
use dooers::OnBusy;
use dooers::protocol::{Actor, ContentPart, EventType, Run, RunStatus, ThreadEvent, User};
use dooers::store::{
    ClaimOptions, EventPatch, NewMessage, NewThread, Participant, Scope, SnapshotFrom, ThreadDraft,
    ThreadEdit, ThreadPatch, ThreadTarget, TurnChange, Viewer,
};
use dooers_tests::with;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;

cases![
    any_text_round_trips_in_every_text_field,
    long_text_round_trips,
    data_round_trips_with_every_kind_of_value,
    extreme_floats_round_trip,
    deeply_nested_data_round_trips,
    json_keys_keep_their_order_at_every_depth,
    metadata_accepts_a_new_key_order,
    every_kind_of_event_round_trips,
    absent_and_empty_values_stay_distinct,
    times_round_trip_with_microseconds,
    identity_reaches_the_claim_of_its_message,
];

async fn identity_reaches_the_claim_of_its_message(store: &AnyStore) {
    let sent = |thread, event_id: &str, identity: &str| NewMessage {
        identity: Some(identity.to_owned()),
        ..message(thread, event_id, &ana())
    };
    let (scope, start) = (scope(), start("r1"));
    let begin = |new| store.begin_turn(&scope, new, &start);
    let first = sent(new_thread("t"), "a", r#"{"claims":{"plan":"gold \"€\""}}"#);
    let claim = begin(first.clone()).await.unwrap().claim.unwrap();
    assert_eq!(claim.identity, first.identity);
    // The second message waits for the first one.
    let second = sent(existing("t"), "b", "{}");
    assert!(begin(second.clone()).await.unwrap().claim.is_none());
    assert!(
        begin(message(existing("t"), "c", &ana()))
            .await
            .unwrap()
            .claim
            .is_none()
    );
    let claim = finish(store, &claim.key, "r2").await.unwrap();
    assert_eq!(
        (claim.event.id.as_str(), &claim.identity),
        ("b", &second.identity)
    );
    let claim = finish(store, &claim.key, "r3").await.unwrap();
    assert_eq!((claim.event.id.as_str(), &claim.identity), ("c", &None));
    let seen = format!("{:?}", dump(store, &scope).await);
    assert!(
        !seen.contains("gold"),
        "an event shows the identity: {seen}"
    );
}

/// Texts that a careless store would corrupt.
fn texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "'; drop table worker_threads; --",
        "\"; delete from worker_events where \"\"=\"",
        "' OR '1'='1",
        "%",
        "_",
        "100%_of\\%\\_it",
        "\\",
        "\\'",
        "`backticks` [brackets] {braces} $1 ?1 :name @name",
        "{prefix}threads",
        "null",
        "0",
        "1e3",
        " surrounded by spaces ",
        "line\nbreaks\r\nand\ttabs",
        "\u{1}\u{7f}\u{85}\u{2028}\u{feff}\u{fffd}\u{fffe}",
        "e\u{301} is not \u{e9}",
        "ǅ ß İ ı ſ",
        "مرحبا שלום 你好 नमस्ते",
        "👩‍👩‍👧‍👦🏳️‍🌈🇧🇷\u{10ffff}",
        "\u{202e}backwards",
        "<script>alert(1)</script>",
        "{\"json\": [1, \"2\"]}",
    ]
    .into_iter()
    .map(str::to_owned)
    .collect();
    // The maximum length of a client's id in bytes.
    texts.push("🗝".repeat(32));
    texts.push("i".repeat(128));
    texts
}

fn user_of(text: &str) -> User {
    User::new(text)
        .user_name(text)
        .user_email(text)
        .identity_ids([text, "", text])
        .system_role(text)
        .organization_role(text)
        .workspace_role(text)
}

async fn any_text_round_trips_in_every_text_field(store: &AnyStore) {
    for text in texts() {
        one_text_everywhere(store, &text).await;
    }
    // Each text was stored in its own scope.
    for text in texts() {
        let scope = with!(Scope {
            viewer: Viewer::Everyone,
            ..scope_of(&text)
        });
        assert_eq!(
            store
                .threads(&scope, None, 10.into())
                .await
                .unwrap()
                .total_count,
            1,
            "{text}"
        );
    }
}

fn scope_of(text: &str) -> Scope {
    with!(Scope {
        viewer: Viewer::Only(Participant::user(&user_of(text))),
        ..Scope::new(text, text).organization(text).workspace(text)
    })
}

async fn one_text_everywhere(store: &AnyStore, text: &str) {
    let scope = scope_of(text);
    let data = json!({text: [text, {text: text}]});
    let new = NewMessage {
        thread: ThreadTarget::New(NewThread {
            metadata: Some(data.clone()),
            ..NewThread::new(text)
        }),
        event_id: text.to_owned(),
        kind: EventType::Message,
        content: vec![
            ContentPart::text(text),
            ContentPart::document(text, text).into(),
        ],
        data: Some(data.clone()),
        seal: None,
        identity: None,
        client_event_id: Some(text.to_owned()),
        is_of_program: false,
        user: user_of(text),
        participant: Participant::user(&user_of(text)),
        at: now(),
    };
    let start = ClaimOptions {
        node: text.to_owned(),
        run_id: Some(text.to_owned()),
        at: now(),
        lease: Duration::ZERO,
        retries: 0,
        on_busy: OnBusy::default(),
        limits: Arc::default(),
    };
    let begun = store.begin_turn(&scope, new.clone(), &start).await.unwrap();
    let again = store.begin_turn(&scope, new, &start).await.unwrap();
    assert!(again.is_repeated);
    assert_eq!(again.event, begun.event);

    let key = begun.claim.unwrap().key;
    let said = with!(ThreadEvent {
        author: Some(text.to_owned()),
        data: Some(data.clone()),
        ..answer(text, &format!("{text}2"), Some(text))
    });
    let run = with!(Run {
        event_id: Some(begun.event.id.clone()),
        agent_id: Some(text.to_owned()),
        started_at: start.at,
        error: Some(text.to_owned()),
        ..run(text, text, RunStatus::Failed)
    });
    let patch = ThreadPatch::default().title(text).metadata(data.clone());
    let changes = vec![
        TurnChange::Event(Box::new(said.clone())),
        TurnChange::Patch { patch, at: now() },
        TurnChange::Run(run.clone()),
    ];
    store.write_turn(&scope, &key, changes).await.unwrap();

    let said = with!(ThreadEvent { seq: 2, ..said });
    let (events, runs) = events_and_runs(store, &scope, text).await;
    assert_eq!(events, [begun.event.clone(), said.clone()]);
    assert_eq!(runs, [run]);
    assert_eq!(begun.event.user, Some(user_of(text)));
    assert_eq!(begun.event.client_event_id.as_deref(), Some(text));

    let record = store.thread(&scope, text).await.unwrap();
    assert_eq!(
        (record.agent.as_str(), record.thread.id.as_str()),
        (text, text)
    );
    assert_eq!(
        (record.thread.title.as_deref(), &record.thread.metadata),
        (Some(text), &Some(data))
    );
    assert_eq!(
        (&record.thread.owner, &record.thread.users),
        (&user_of(text), &vec![user_of(text)])
    );
    let page = store.threads(&scope, None, 10.into()).await.unwrap();
    assert_eq!((page.total_count, page.threads), (1, vec![record.thread]));
    let after = SnapshotFrom::After(text.to_owned());
    let snapshot = store
        .snapshot(&scope, text, &after, usize::MAX)
        .await
        .unwrap();
    assert_eq!((snapshot.events, snapshot.recovered), (vec![said], true));
    let before = store
        .events(&scope, text, Some(&format!("{text}2")), 10.into())
        .await
        .unwrap();
    assert_eq!(before.events, [begun.event]);
}

async fn long_text_round_trips(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    let long: [String; 3] = [
        "x".repeat(256 * 1024),
        "👍".repeat(64 * 1024),
        "'\"\\\n".repeat(64 * 1024),
    ];
    let events: Vec<ThreadEvent> = long
        .iter()
        .enumerate()
        .map(|(number, text)| {
            with!(ThreadEvent {
                content: Some(vec![ContentPart::text(text)]),
                data: Some(json!({ "text": text })),
                seq: number as u64 + 2,
                ..answer("t", &format!("e{number}"), None)
            })
        })
        .collect();
    let changes = events
        .iter()
        .map(|event| TurnChange::Event(Box::new(event.clone())));
    write(store, &claim.key, changes.collect()).await;
    assert_eq!(newest(store, &scope(), "t").await.events[1..], events);
    let patch = ThreadPatch::default()
        .title(&long[1])
        .metadata(json!({ "text": long[2] }));
    write(
        store,
        &claim.key,
        vec![TurnChange::Patch { patch, at: now() }],
    )
    .await;
    let thread = store.thread(&scope(), "t").await.unwrap().thread;
    assert_eq!(thread.title.as_ref(), Some(&long[1]));
    assert_eq!(thread.metadata, Some(json!({ "text": long[2] })));
}

/// Writes an event with this data and compares it after reading.
async fn assert_data_comes_back(store: &AnyStore, data: Value) {
    let claim = begin_thread(store, "t", "r").await;
    let event = with!(ThreadEvent {
        data: Some(data.clone()),
        ..answer("t", "e", None)
    });
    write(store, &claim.key, vec![TurnChange::Event(Box::new(event))]).await;
    assert_eq!(
        events_and_runs(store, &scope(), "t").await.0[1].data,
        Some(data)
    );
}

async fn data_round_trips_with_every_kind_of_value(store: &AnyStore) {
    let data = json!({
        "": "an empty name",
        "null": null,
        "yes": true,
        "no": false,
        "integers": [0, -1, i64::MIN, i64::MAX, u64::MAX, 9_007_199_254_740_993_u64],
        "fractions": [0.5, -0.1, 1.0, 1e-7, 123_456.789, 2.5e-300],
        "empty": [{}, [], ""],
        "mixed": [1, "1", [1, ["1", {"1": 1}]], null],
        "a.b": {"$c": {"d[0]": 1}},
    });
    assert_data_comes_back(store, data).await;
}

async fn extreme_floats_round_trip(store: &AnyStore) {
    let data = json!([
        5e-324,
        f64::MIN_POSITIVE,
        f64::EPSILON,
        0.1 + 0.2,
        1e15,
        1e16,
        1.5e16,
        1e21,
        123_456_789_012_345_680_000.0,
        f64::MAX,
        f64::MIN,
    ]);
    assert_data_comes_back(store, data).await;
}

async fn deeply_nested_data_round_trips(store: &AnyStore) {
    // The server accepts 120 levels. Earlier versions accepted up to 127, and such data must stay readable.
    let mut data = json!("inside");
    for depth in 0..200 {
        data = if depth % 2 == 0 {
            json!([data])
        } else {
            json!({ "in": data })
        };
    }
    let wide: Map<String, Value> = (0..1_000)
        .map(|n| (format!("name {n}"), json!(n)))
        .collect();
    assert_data_comes_back(store, json!([data, wide])).await;
}

/// Objects whose keys are not in alphabetical order, at every depth.
fn unsorted(first: &str) -> Value {
    let text = r#"{"who":"ana","size":"L","":0,"b":{"z":[{"y":1,"x":{"d":null,"c":[]}}],"a":1.0},"a\u00e9":2,"A":3,"10":4,"9":5}"#;
    let rest: Map<String, Value> = serde_json::from_str(text).unwrap();
    let first = [(first.to_owned(), json!({"n": 1, "m": 2}))];
    Value::Object(first.into_iter().chain(rest).collect())
}

/// JSON as text, because equality of values ignores the order of keys.
fn text_of(value: Option<&Value>) -> String {
    value.map(Value::to_string).unwrap_or_default()
}

async fn json_keys_keep_their_order_at_every_depth(store: &AnyStore) {
    let new = NewMessage {
        thread: ThreadTarget::New(NewThread {
            metadata: Some(unsorted("thread")),
            ..NewThread::new("t")
        }),
        data: Some(unsorted("message")),
        ..repeatable(new_thread("t"), "e1", "c1")
    };
    let begun = store
        .begin_turn(&scope(), new.clone(), &start("r"))
        .await
        .unwrap();
    let key = begun.claim.unwrap().key;
    let written = with!(ThreadEvent {
        data: Some(unsorted("answer")),
        ..answer("t", "e2", None)
    });
    write(store, &key, vec![TurnChange::Event(Box::new(written))]).await;
    let created = with!(ThreadEvent {
        data: Some(json!({})),
        ..answer("t", "e3", None)
    });
    let create = ThreadEdit::CreateEvent(Box::new(created));
    store.edit_thread(&scope(), "t", create).await.unwrap();
    let update = ThreadEdit::UpdateEvent {
        event_id: "e3".to_owned(),
        patch: EventPatch::default().data(unsorted("update")),
    };
    let updated = store.edit_thread(&scope(), "t", update).await.unwrap();
    let draft = ThreadDraft {
        thread: NewThread {
            metadata: Some(unsorted("draft")),
            ..NewThread::new("drafted")
        },
        owner: ana(),
        at: now(),
    };
    store.create_thread(&scope(), draft).await.unwrap();

    let expected = ["message", "answer", "update"].map(|first| unsorted(first).to_string());
    let data_of = |events: &[ThreadEvent]| -> Vec<String> {
        events.iter().map(|it| text_of(it.data.as_ref())).collect()
    };
    assert_eq!(data_of(&events_of(&updated.changes)), expected[2..]);
    let (events, _) = events_and_runs(store, &scope(), "t").await;
    assert_eq!(data_of(&events), expected, "to a reader that catches up");
    let snapshot = newest(store, &scope(), "t").await;
    assert_eq!(data_of(&snapshot.events), expected, "in a snapshot");
    let after = SnapshotFrom::After("e1".to_owned());
    let resumed = store
        .snapshot(&scope(), "t", &after, usize::MAX)
        .await
        .unwrap();
    assert_eq!(data_of(&resumed.events), expected[1..], "after a break");
    let page = store.events(&scope(), "t", None, 10.into()).await.unwrap();
    assert_eq!(data_of(&page.events), expected, "in a page");
    let event = store.event(&scope(), "t", "e2").await.unwrap();
    assert_eq!(data_of(&[event]), expected[1..2], "by itself");

    let threads = store
        .threads(&scope(), None, 10.into())
        .await
        .unwrap()
        .threads;
    let metadata = threads
        .iter()
        .map(|thread| text_of(thread.metadata.as_ref()));
    let mut metadata: Vec<_> = metadata.collect();
    metadata.sort_unstable();
    let expected = ["draft", "thread"].map(|first| unsorted(first).to_string());
    assert_eq!(metadata, expected);

    // The order has no meaning: with another order it is the same message.
    let Some(Value::Object(sent)) = &new.data else {
        panic!("an object was sent");
    };
    let reversed: Map<String, Value> = sent.clone().into_iter().rev().collect();
    let again = NewMessage {
        thread: existing("t"),
        data: Some(reversed.into()),
        ..new
    };
    let again = store.begin_turn(&scope(), again, &start("r2")).await;
    let again = again.unwrap();
    assert!(again.is_repeated);
    let first = text_of(Some(&unsorted("message")));
    assert_eq!(text_of(again.event.data.as_ref()), first);
}

async fn metadata_accepts_a_new_key_order(store: &AnyStore) {
    begin_thread(store, "t", "r").await;
    for text in [
        r#"{"a":1,"b":{"d":1,"c":2}}"#,
        r#"{"b":{"c":2,"d":1},"a":1}"#,
    ] {
        let metadata: Value = serde_json::from_str(text).unwrap();
        let patch = ThreadPatch::default().metadata(metadata);
        let edit = ThreadEdit::Patch { patch, at: now() };
        store.edit_thread(&scope(), "t", edit).await.unwrap();
        let thread = store.thread(&scope(), "t").await.unwrap().thread;
        assert_eq!(text_of(thread.metadata.as_ref()), text);
    }
}

async fn every_kind_of_event_round_trips(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    let whole_image: ContentPart = serde_json::from_value(json!({
        "type": "image", "url": "u", "mime_type": "image/png", "width": 640.5, "height": 480.0,
        "alt": "a", "filename": "f", "ref_id": "r",
    }))
    .unwrap();
    let whole_document: ContentPart = serde_json::from_value(json!({
        "type": "document", "url": "u", "filename": "f", "mime_type": "application/pdf",
        "size_bytes": 9_007_199_254_740_993_u64, "ref_id": "r",
    }))
    .unwrap();
    let kinds = [
        EventType::Message,
        EventType::Reasoning,
        EventType::RunStarted,
        EventType::RunFinished,
        EventType::ToolCall,
        EventType::ToolResult,
        EventType::ToolTransaction,
        EventType::Form,
        EventType::FormResponse,
        EventType::Chart,
    ];
    let actors = [Actor::User, Actor::Assistant, Actor::System, Actor::Tool];
    let flags = [None, Some(true), Some(false)];
    let events: Vec<ThreadEvent> = kinds
        .into_iter()
        .enumerate()
        .map(|(number, kind)| {
            with!(ThreadEvent {
                kind,
                actor: actors[number % 4],
                author: (number % 2 == 0).then(|| "An author".to_owned()),
                user: (number % 3 == 0).then(|| user_of("user")),
                content: Some(vec![
                    whole_image.clone(),
                    ContentPart::audio("a").into(),
                    whole_document.clone(),
                    ContentPart::image("i").into(),
                ]),
                streaming: flags[number % 3],
                finalized: flags[(number + 1) % 3],
                seq: number as u64 + 2,
                ..answer("t", &format!("e{number}"), Some("r"))
            })
        })
        .collect();
    let changes = events
        .iter()
        .map(|event| TurnChange::Event(Box::new(event.clone())));
    write(store, &claim.key, changes.collect()).await;
    assert_eq!(events_and_runs(store, &scope(), "t").await.0[1..], events);
}

async fn absent_and_empty_values_stay_distinct(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    let absent = with!(ThreadEvent {
        content: None,
        data: None,
        seq: 2,
        ..answer("t", "absent", None)
    });
    let empty = with!(ThreadEvent {
        content: Some(Vec::new()),
        data: Some(json!({})),
        author: Some(String::new()),
        seq: 3,
        ..answer("t", "empty", None)
    });
    let events = [absent, empty];
    let changes = events
        .iter()
        .map(|event| TurnChange::Event(Box::new(event.clone())));
    write(store, &claim.key, changes.collect()).await;
    assert_eq!(events_and_runs(store, &scope(), "t").await.0[1..], events);
    let run = with!(Run {
        agent_id: None,
        error: Some(String::new()),
        ..claim.run.unwrap()
    });
    write(store, &claim.key, vec![TurnChange::Run(run.clone())]).await;
    assert_eq!(run_named(store, &scope(), "t", "r").await, run);
    let without_names = store
        .threads(&private_scope(&User::new("ana")), None, 1.into())
        .await
        .unwrap();
    assert_eq!(without_names.threads[0].users, [User::new("ana")]);
}

async fn times_round_trip_with_microseconds(store: &AnyStore) {
    // In ascending order, as the times of a list never decrease.
    let micros = [
        -1,
        0,
        1,
        999_999,
        1_760_000_000_123_456,
        253_402_300_799_999_999,
    ];
    for (number, micros) in micros.into_iter().enumerate() {
        let at = DateTime::from_timestamp_micros(micros).unwrap();
        let (id, run_id) = (format!("t{number}"), format!("r{number}"));
        let new = NewMessage {
            at,
            ..message(new_thread(&id), &format!("{id}-e"), &ana())
        };
        let starting = ClaimOptions {
            at,
            ..start(&run_id)
        };
        let begun = store.begin_turn(&scope(), new, &starting).await.unwrap();
        let ended = with!(Run {
            ended_at: Some(at),
            ..run(&id, &run_id, RunStatus::Succeeded)
        });
        write(
            store,
            &begun.claim.unwrap().key,
            vec![TurnChange::Run(ended)],
        )
        .await;
        let snapshot = store.thread(&scope(), &id).await.unwrap().thread;
        assert_eq!(
            [
                snapshot.created_at,
                snapshot.updated_at,
                snapshot.last_event_at
            ],
            [at; 3]
        );
        let (events, runs) = events_and_runs(store, &scope(), &id).await;
        assert_eq!(events[0].created_at, at);
        assert_eq!((runs[0].started_at, runs[0].ended_at), (at, Some(at)));
    }
}
