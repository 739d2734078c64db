//! Changes that the program makes in a thread outside of a turn.

use crate::asserts::{
    Reader, assert_conflict, assert_not_found, dump, events_and_runs, events_of, kinds, newest,
    revs, run_named, runs_of, threads_of,
};
use crate::backends::{AnyStore, cases};
use crate::fixtures::{
    ana, answer, begin_thread, ben, existing, finish, form_response, message, new_thread, now,
    private_scope, repeatable, run, run_change, say, scope, start, streamed, thread_of,
    thread_with_form, write, written,
};
use dooers::protocol::{Actor, ContentPart, EventType, Run, RunStatus, ThreadEvent};
use dooers::store::{
    Cancel, CancelTarget, Cancelled, Edited, EventPatch, EventQuery, RunPatch, StoreError,
    ThreadEdit, ThreadPatch,
};
use dooers_tests::with;
use serde_json::{Value, json};
use std::time::Duration;

cases![
    edit_changes_only_named_thread_fields,
    patch_with_stored_values_changes_nothing,
    new_event_gets_next_seq_and_moves_thread_to_front,
    user_named_by_an_event_becomes_a_participant,
    event_can_only_name_a_run_of_its_thread,
    taken_event_id_is_rejected_in_every_thread,
    updated_event_keeps_its_seq,
    removed_event_leaves_an_empty_message,
    removed_event_is_found_only_on_request,
    removed_event_cannot_be_updated_or_removed,
    streaming_text_can_only_be_edited_by_its_turn,
    removing_a_queued_message_withdraws_its_turn,
    withdrawal_may_reuse_the_id_of_an_ended_run,
    removing_a_running_message_cancels_its_turn,
    removed_message_sent_again_is_a_repeat,
    removed_form_cannot_be_answered,
    program_run_continues_until_the_program_ends_it,
    program_run_does_not_belong_to_a_turn,
    turn_run_can_only_be_ended_by_its_handler,
    outcome_of_an_ended_run_can_be_corrected,
    removing_an_ended_run_keeps_its_events,
    returning_reader_receives_every_edit,
    deep_json_is_stored_or_rejected,
];

async fn edit(store: &AnyStore, edit: ThreadEdit) -> Edited {
    let edited = store.edit_thread(&scope(), "t", edit).await;
    edited.expect("the thread is visible, and allows it")
}

async fn refused(store: &AnyStore, edit: ThreadEdit) -> StoreError {
    let before = dump(store, &scope()).await;
    let refused = store.edit_thread(&scope(), "t", edit).await.unwrap_err();
    assert_eq!(dump(store, &scope()).await, before, "nothing is changed");
    refused
}

fn update(event_id: &str, patch: EventPatch) -> ThreadEdit {
    let event_id = event_id.to_owned();
    ThreadEdit::UpdateEvent { event_id, patch }
}

fn remove(event_id: &str) -> ThreadEdit {
    ThreadEdit::RemoveEvent {
        event_id: event_id.to_owned(),
        run_id: format!("{event_id}-withdrawn"),
        at: now(),
    }
}

fn create(event: ThreadEvent) -> ThreadEdit {
    ThreadEdit::CreateEvent(Box::new(event))
}

fn end(run_id: &str, patch: RunPatch) -> ThreadEdit {
    let run_id = run_id.to_owned();
    let at = now();
    ThreadEdit::UpdateRun { run_id, patch, at }
}

fn created_run(run_id: &str) -> ThreadEdit {
    ThreadEdit::CreateRun(run("t", run_id, RunStatus::Running))
}

async fn edit_changes_only_named_thread_fields(store: &AnyStore) {
    begin_thread(store, "t", "r").await;
    let patches = [
        ThreadPatch::default()
            .title("First")
            .metadata(json!({"a": 1})),
        ThreadPatch::default().title("Second"),
        ThreadPatch::default().metadata(Value::Null),
        ThreadPatch::default().without_title(),
        ThreadPatch::default().title(""),
    ];
    let expected = [
        (Some("First"), json!({"a": 1})),
        (Some("Second"), json!({"a": 1})),
        (Some("Second"), Value::Null),
        (None, Value::Null),
        (Some(""), Value::Null),
    ];
    for (number, (patch, (title, metadata))) in patches.into_iter().zip(expected).enumerate() {
        let before = newest(store, &scope(), "t").await.thread;
        let at = now();
        let edited = edit(store, ThreadEdit::Patch { patch, at }).await;
        let [thread] = &threads_of(&edited.changes)[..] else {
            panic!("one change: {edited:?}");
        };
        assert_eq!(thread.title.as_deref(), title, "{number}");
        assert_eq!(thread.metadata, Some(metadata), "{number}");
        assert_eq!(thread.updated_at, at);
        assert_eq!(thread.last_event_at, before.thread.last_event_at);
        assert_eq!(revs(&edited.changes), [before.rev + 1]);
        let stored = store.thread(&scope(), "t").await.unwrap();
        assert_eq!(
            (&stored.thread, stored.rev),
            (thread, edited.changes[0].rev)
        );
    }
}

async fn patch_with_stored_values_changes_nothing(store: &AnyStore) {
    begin_thread(store, "t", "r").await;
    let patch = ThreadPatch::default;
    let both = || patch().title("A title").metadata(json!({"a": 1, "b": 2}));
    for (number, (patch, is_change)) in [
        (patch().without_title(), false),
        (both(), true),
        (both(), false),
        (patch(), false),
        (patch().title("A title"), false),
        (patch().metadata(json!({"a": 1, "b": 2})), false),
        // Members keep their order, so another order is a change.
        (patch().metadata(json!({"b": 2, "a": 1})), true),
        (patch().title("a title"), true),
        (patch().without_title(), true),
        (patch().without_title(), false),
    ]
    .into_iter()
    .enumerate()
    {
        let before = store.thread(&scope(), "t").await.unwrap();
        let edited = edit(store, ThreadEdit::Patch { patch, at: now() }).await;
        assert_eq!(edited.changes.len(), usize::from(is_change), "{number}");
        let stored = store.thread(&scope(), "t").await.unwrap();
        assert_eq!(stored.rev, before.rev + u64::from(is_change), "{number}");
        assert_eq!(stored.thread == before.thread, !is_change, "{number}");
    }
    let patch = patch().without_title();
    let edit = ThreadEdit::Patch { patch, at: now() };
    assert_not_found(store.edit_thread(&scope(), "missing", edit).await);
}

async fn new_event_gets_next_seq_and_moves_thread_to_front(store: &AnyStore) {
    let claim = thread_of(store, "t", 3).await;
    begin_thread(store, "other", "other-run").await;
    let event = answer("t", "e", None);
    let edited = edit(store, create(event.clone())).await;
    assert_eq!(kinds(&edited.changes), ["event", "thread"]);
    let created = &events_of(&edited.changes)[0];
    assert_eq!((created.seq, created.id.as_str()), (4, "e"));
    assert_eq!(
        threads_of(&edited.changes)[0].last_event_at,
        event.created_at
    );
    let listed = store.threads(&scope(), None, 10.into()).await.unwrap();
    assert_eq!(listed.threads[0].id, "t");
    assert!(edited.interrupted.is_none() && edited.waiting.is_none());
    // The running turn writes after the new event.
    let written = write(store, &claim.key, vec![written("t", "later", None)]).await;
    assert_eq!(events_of(&written)[0].seq, 5);
    assert_eq!(
        store.event(&scope(), "t", "e").await.unwrap(),
        with!(ThreadEvent { seq: 4, ..event })
    );
}

async fn user_named_by_an_event_becomes_a_participant(store: &AnyStore) {
    begin_thread(store, "t", "r").await;
    assert_not_found(store.thread(&private_scope(&ben()), "t").await);
    let said = with!(ThreadEvent {
        actor: Actor::User,
        user: Some(ben()),
        ..answer("t", "by-ben", None)
    });
    let edited = edit(store, create(said)).await;
    assert_eq!(kinds(&edited.changes), ["event", "thread"]);
    assert_eq!(threads_of(&edited.changes)[0].users, [ana(), ben()]);
    let seen = store.thread(&private_scope(&ben()), "t").await.unwrap();
    assert_eq!(seen.thread.users, [ana(), ben()]);
    assert_eq!(seen.thread.owner, ana());
    let listed = store
        .threads(&private_scope(&ben()), None, 10.into())
        .await
        .unwrap();
    assert_eq!((listed.threads.len(), listed.total_count), (1, 1));
    // The new event begins no turn.
    assert!(
        store
            .claim_turn(&scope(), "t", &start("none"))
            .await
            .unwrap()
            .is_none()
    );
}

async fn event_can_only_name_a_run_of_its_thread(store: &AnyStore) {
    begin_thread(store, "t", "r").await;
    begin_thread(store, "other", "of-other").await;
    for run_id in ["of-other", "nothing"] {
        let event = answer("t", "e", Some(run_id));
        let refusal = refused(store, create(event)).await;
        assert!(matches!(refusal, StoreError::NotFound(_)), "{refusal:?}");
    }
    edit(store, create(answer("t", "e", Some("r")))).await;
    assert_eq!(
        store
            .event(&scope(), "t", "e")
            .await
            .unwrap()
            .run_id
            .as_deref(),
        Some("r")
    );
}

async fn taken_event_id_is_rejected_in_every_thread(store: &AnyStore) {
    begin_thread(store, "t", "r").await;
    begin_thread(store, "other", "of-other").await;
    for taken in ["t-question", "other-question"] {
        let refusal = refused(store, create(answer("t", taken, None))).await;
        assert!(matches!(refusal, StoreError::Conflict(_)), "{refusal:?}");
    }
    for taken in ["r", "of-other"] {
        let refusal = refused(store, created_run(taken)).await;
        assert!(matches!(refusal, StoreError::Conflict(_)), "{refusal:?}");
    }
}

async fn updated_event_keeps_its_seq(store: &AnyStore) {
    thread_of(store, "t", 5).await;
    let before = store.event(&scope(), "t", "t-2").await.unwrap();
    let patch = EventPatch::default().text("changed");
    let edited = edit(store, update("t-2", patch)).await;
    let changed = with!(ThreadEvent {
        content: Some(vec![ContentPart::text("changed")]),
        ..before
    });
    assert_eq!(events_of(&edited.changes), std::slice::from_ref(&changed));
    let patch = EventPatch::default().data(json!({"a": 1}));
    let edited = edit(store, update("t-2", patch)).await;
    let changed = with!(ThreadEvent {
        data: Some(json!({"a": 1})),
        ..changed
    });
    assert_eq!(events_of(&edited.changes), std::slice::from_ref(&changed));
    let (events, _) = events_and_runs(store, &scope(), "t").await;
    let order: Vec<_> = newest(store, &scope(), "t").await.events;
    assert_eq!(order[1], changed);
    assert_eq!((order.len(), events.len()), (5, 5));
    assert_eq!(
        newest(store, &scope(), "t").await.thread.rev,
        edited.changes[0].rev
    );
    for (thread_id, event_id) in [("t", "nothing"), ("none", "t-2")] {
        let patch = update(event_id, EventPatch::default().text("x"));
        assert_not_found(store.edit_thread(&scope(), thread_id, patch).await);
    }
}

async fn removed_event_leaves_an_empty_message(store: &AnyStore) {
    let claim = thread_of(store, "t", 4).await;
    let call = with!(ThreadEvent {
        kind: EventType::ToolCall,
        content: None,
        data: Some(json!({"id": "c", "name": "weather"})),
        ..answer("t", "call", Some("t-run"))
    });
    edit(store, create(call.clone())).await;
    finish(store, &claim.key, "none").await;
    let edited = edit(store, remove("call")).await;
    assert_eq!(kinds(&edited.changes), ["event"]);
    let removed = with!(ThreadEvent {
        kind: EventType::Message,
        content: Some(Vec::new()),
        data: None,
        deleted: Some(true),
        seq: 5,
        ..call
    });
    assert_eq!(events_of(&edited.changes), std::slice::from_ref(&removed));
    assert_eq!(store.event(&scope(), "t", "call").await.unwrap(), removed);
    assert_eq!(
        newest(store, &scope(), "t").await.events.last(),
        Some(&removed)
    );
    let page = store.events(&scope(), "t", None, 10.into()).await.unwrap();
    assert_eq!(page.events.last(), Some(&removed));
    // Its `seq` is not reused.
    let next = edit(store, create(answer("t", "next", None))).await;
    assert_eq!(events_of(&next.changes)[0].seq, 6);
}

async fn removed_event_is_found_only_on_request(store: &AnyStore) {
    thread_of(store, "t", 4).await;
    edit(store, remove("t-3")).await;
    let found = async |query: &EventQuery| {
        let found = store.find_events(&scope(), "t", query).await.unwrap();
        found.into_iter().map(|event| event.seq).collect::<Vec<_>>()
    };
    assert_eq!(found(&EventQuery::newest(10)).await, [4, 2, 1]);
    assert_eq!(found(&EventQuery::oldest(3)).await, [1, 2, 4]);
    let all = EventQuery {
        with_deleted: true,
        ..EventQuery::oldest(10)
    };
    assert_eq!(found(&all).await, [1, 2, 3, 4]);
}

async fn removed_event_cannot_be_updated_or_removed(store: &AnyStore) {
    thread_of(store, "t", 2).await;
    edit(store, remove("t-2")).await;
    for again in [
        remove("t-2"),
        update("t-2", EventPatch::default().text("x")),
        remove("nothing"),
    ] {
        let refusal = refused(store, again).await;
        assert!(matches!(refusal, StoreError::NotFound(_)), "{refusal:?}");
    }
}

async fn streaming_text_can_only_be_edited_by_its_turn(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    write(store, &claim.key, vec![streamed("t", "text")]).await;
    for change in [
        remove("text"),
        update("text", EventPatch::default().text("x")),
    ] {
        let refusal = refused(store, change).await;
        assert!(matches!(refusal, StoreError::Conflict(_)), "{refusal:?}");
    }
    finish(store, &claim.key, "none").await;
    edit(store, update("text", EventPatch::default().text("x"))).await;
    edit(store, remove("text")).await;
}

async fn removing_a_queued_message_withdraws_its_turn(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    say(store, existing("t"), "waits", "none").await;
    say(store, existing("t"), "waits-too", "none").await;
    let edited = edit(store, remove("waits")).await;
    assert_eq!(kinds(&edited.changes), ["event", "run"]);
    let withdrawn = &runs_of(&edited.changes)[0];
    assert_eq!(
        (
            withdrawn.id.as_str(),
            withdrawn.event_id.as_deref(),
            withdrawn.status
        ),
        ("waits-withdrawn", Some("waits"), RunStatus::Canceled)
    );
    assert!(edited.interrupted.is_none());
    let next = finish(store, &claim.key, "next").await.unwrap();
    assert_eq!(next.event.id, "waits-too");
}

async fn withdrawal_may_reuse_the_id_of_an_ended_run(store: &AnyStore) {
    begin_thread(store, "t", "r").await;
    edit(store, created_run("own")).await;
    edit(store, end("own", RunPatch::default().succeeded())).await;
    let before = run_named(store, &scope(), "t", "own").await;
    say(store, existing("t"), "first", "none").await;
    say(store, existing("t"), "second", "none").await;

    let (event_id, run_id, at) = ("first".to_owned(), "own".to_owned(), now());
    let remove = ThreadEdit::RemoveEvent {
        event_id,
        run_id: run_id.clone(),
        at,
    };
    let edited = edit(store, remove).await;
    let canceled = &runs_of(&edited.changes)[0];
    assert_eq!(canceled.status, RunStatus::Canceled);
    // The run keeps its start time and the event that it answers.
    let kept = |run: &Run| (run.started_at, run.event_id.clone());
    assert_eq!(kept(canceled), kept(&before));
    assert_eq!(*canceled, run_named(store, &scope(), "t", "own").await);

    let target = CancelTarget::Event("second".to_owned());
    let cancel = Cancel { target, run_id, at };
    let withdrawn = store.cancel_turn(None, &cancel).await.unwrap();
    let Cancelled::Withdrawn { changes, .. } = withdrawn else {
        panic!("the turn is queued");
    };
    let canceled = &runs_of(&changes)[0];
    assert_eq!(kept(canceled), kept(&before));
    assert_eq!(*canceled, run_named(store, &scope(), "t", "own").await);
}

async fn removing_a_running_message_cancels_its_turn(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    let edited = edit(store, remove("t-question")).await;
    assert_eq!(kinds(&edited.changes), ["event"]);
    assert_eq!(edited.interrupted.as_deref(), Some("t-question"));
    let held = store
        .renew_leases("node", Duration::from_secs(30))
        .await
        .unwrap();
    assert!(held[0].is_cancelled, "other processes learn it too");
    // The canceled turn can still write its end.
    let ended = run_change("t", "r", RunStatus::Canceled);
    let written = store
        .finish_turn(&scope(), &claim.key, vec![ended], None)
        .await;
    assert_eq!(kinds(&written.unwrap().changes), ["run"]);
}

async fn removed_message_sent_again_is_a_repeat(store: &AnyStore) {
    let sent = repeatable(new_thread("t"), "e", "c");
    store
        .begin_turn(&scope(), sent.clone(), &start("r"))
        .await
        .unwrap();
    edit(store, remove("e")).await;
    let again = store
        .begin_turn(&scope(), sent, &start("again"))
        .await
        .unwrap();
    assert!(again.is_repeated && again.changes.is_empty());
    assert!(again.event.is_deleted());
}

async fn removed_form_cannot_be_answered(store: &AnyStore) {
    let claim = thread_with_form(store, "t", "form").await;
    let other = with!(ThreadEvent {
        thread_id: "t".to_owned(),
        ..crate::fixtures::form("t", "other")
    });
    edit(store, create(other)).await;
    finish(store, &claim.key, "none").await;
    edit(store, remove("form")).await;
    let respond = async |event_id: &str, form: &str| {
        let data = json!({"form_event_id": form, "values": {"size": "L"}});
        let response = form_response("t", event_id, data);
        store
            .begin_turn(&scope(), response, &start(&format!("{event_id}-r")))
            .await
    };
    assert_not_found(respond("refused", "form").await);
    respond("answer", "other").await.unwrap();
    edit(store, remove("answer")).await;
    assert_conflict(respond("again", "other").await);
}

async fn program_run_continues_until_the_program_ends_it(store: &AnyStore) {
    begin_thread(store, "t", "r").await;
    let started = run("t", "own", RunStatus::Running);
    let edited = edit(store, ThreadEdit::CreateRun(started.clone())).await;
    assert_eq!(runs_of(&edited.changes), std::slice::from_ref(&started));
    assert_eq!(
        store.run(&scope(), "t", "own").await.unwrap(),
        started.clone()
    );
    edit(store, create(answer("t", "e", Some("own")))).await;
    let edited = edit(store, end("own", RunPatch::default().failed("it broke"))).await;
    let ended = &runs_of(&edited.changes)[0];
    assert_eq!(
        (ended.status, ended.error.as_deref()),
        (RunStatus::Failed, Some("it broke"))
    );
    assert_eq!(
        (ended.started_at, &ended.event_id),
        (started.started_at, &None)
    );
    assert!(ended.ended_at.is_some_and(|at| at > started.started_at));
    assert_eq!(*ended, run_named(store, &scope(), "t", "own").await);
}

async fn program_run_does_not_belong_to_a_turn(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    edit(store, created_run("own")).await;
    finish(store, &claim.key, "none").await;
    let recovered = store.recover().await.unwrap();
    assert_eq!((recovered.interrupted, recovered.retried), (0, 0));
    let after = run_named(store, &scope(), "t", "own").await;
    assert_eq!(after.status, RunStatus::Running);
    let claim = say(store, existing("t"), "next", "next-run").await.claim;
    assert_eq!(claim.unwrap().run.unwrap().id, "next-run");
}

async fn turn_run_can_only_be_ended_by_its_handler(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    for change in [
        end("r", RunPatch::default().succeeded()),
        ThreadEdit::RemoveRun("r".to_owned()),
    ] {
        let refusal = refused(store, change).await;
        assert!(matches!(refusal, StoreError::Conflict(_)), "{refusal:?}");
    }
    let ended = vec![run_change("t", "r", RunStatus::Succeeded)];
    write(store, &claim.key, ended).await;
    finish(store, &claim.key, "none").await;
    edit(store, ThreadEdit::RemoveRun("r".to_owned())).await;
}

async fn outcome_of_an_ended_run_can_be_corrected(store: &AnyStore) {
    begin_thread(store, "t", "r").await;
    edit(store, created_run("own")).await;
    let first = edit(store, end("own", RunPatch::default().failed("it broke"))).await;
    let second = edit(store, end("own", RunPatch::default().canceled())).await;
    let (first, second) = (&runs_of(&first.changes)[0], &runs_of(&second.changes)[0]);
    assert_eq!((second.status, &second.error), (RunStatus::Canceled, &None));
    assert_eq!(second.ended_at, first.ended_at);
    for run_id in ["nothing", "other-run"] {
        begin_thread(store, &format!("of-{run_id}"), &format!("{run_id}-r")).await;
        let refusal = refused(store, end(run_id, RunPatch::default().succeeded())).await;
        assert!(matches!(refusal, StoreError::NotFound(_)), "{refusal:?}");
    }
}

async fn removing_an_ended_run_keeps_its_events(store: &AnyStore) {
    begin_thread(store, "t", "r").await;
    edit(store, created_run("own")).await;
    edit(store, create(answer("t", "e", Some("own")))).await;
    edit(store, end("own", RunPatch::default().succeeded())).await;
    let before = newest(store, &scope(), "t").await.thread.rev;
    let edited = edit(store, ThreadEdit::RemoveRun("own".to_owned())).await;
    assert_eq!(kinds(&edited.changes), ["thread"]);
    assert_eq!(revs(&edited.changes), [before + 1]);
    assert_not_found(store.run(&scope(), "t", "own").await);
    let snapshot = newest(store, &scope(), "t").await;
    assert!(snapshot.runs.iter().all(|run| run.id != "own"));
    let event = store.event(&scope(), "t", "e").await.unwrap();
    assert_eq!(event.run_id.as_deref(), Some("own"));
    let again = refused(store, ThreadEdit::RemoveRun("own".to_owned())).await;
    assert!(matches!(again, StoreError::NotFound(_)), "{again:?}");
}

async fn returning_reader_receives_every_edit(store: &AnyStore) {
    let claim = thread_of(store, "t", 20).await;
    finish(store, &claim.key, "none").await;
    let mut reader = Reader::fresh(store, &scope(), "t").await;
    edit(store, update("t-5", EventPatch::default().text("changed"))).await;
    edit(store, remove("t-7")).await;
    edit(store, created_run("own")).await;
    edit(store, create(answer("t", "e", Some("own")))).await;
    edit(store, end("own", RunPatch::default().succeeded())).await;
    let at = now();
    let patch = ThreadPatch::default().title("At last");
    edit(store, ThreadEdit::Patch { patch, at }).await;
    reader.advance(store, &scope(), 3).await;
    let fresh = Reader::fresh(store, &scope(), "t").await;
    assert_eq!(reader.events, fresh.events);
    assert_eq!(reader.runs, fresh.runs);
    assert_eq!(reader.thread, fresh.thread);
    assert!(reader.events[&7].is_deleted());
}

async fn deep_json_is_stored_or_rejected(store: &AnyStore) {
    thread_of(store, "t", 2).await;
    let deep = (0..200).fold(json!(1), |inner, _| json!([inner]));
    let event = with!(ThreadEvent {
        data: Some(deep.clone()),
        ..answer("t", "deep", None)
    });
    let at = now();
    let patch = ThreadPatch::default().metadata(deep.clone());
    for edit in [
        create(event),
        update("t-2", EventPatch::default().data(deep)),
        ThreadEdit::Patch { patch, at },
    ] {
        let edited = store.edit_thread(&scope(), "t", edit).await;
        // The server never passes such JSON to a store. A store that accepts it must be able to read it.
        if let Err(refusal) = edited {
            assert!(matches!(refusal, StoreError::Invalid(_)), "{refusal:?}");
        }
        newest(store, &scope(), "t").await;
    }
    let ok = message(existing("t"), "after", &ana());
    store
        .begin_turn(&scope(), ok, &start("none"))
        .await
        .unwrap();
}
