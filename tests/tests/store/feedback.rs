//! Feedback of users.

use crate::asserts::assert_not_found;
use crate::backends::{AnyStore, cases};
use crate::fixtures::{
    ana, append, begin_thread, ben, now, private_scope, run, run_change, scope, thread_of, write,
};
use chrono::{DateTime, TimeDelta, Utc};
use dooers::protocol::{FeedbackTarget, FeedbackTargetType, FeedbackValue, RunStatus, User};
use dooers::store::{
    Feedback, FeedbackCursor, FeedbackPeriod, FeedbackQuery, NewFeedback, Order, Participant,
    Scope, SnapshotFrom, StoreError, ThreadEdit,
};
use futures::future::join_all;
use std::sync::atomic::{AtomicU64, Ordering};

cases![
    feedback_is_replaced_and_repeats_change_nothing,
    feedback_is_refused_without_a_visible_target,
    feedback_is_deleted_with_its_target,
    feedback_of_a_deleted_thread_does_not_return,
    feedback_is_listed_by_its_filters,
    feedback_is_listed_page_by_page,
    feedback_is_counted_by_day,
    snapshot_shows_the_feedback_of_its_reader,
    concurrent_feedback_is_one_row_per_user,
    feedback_changes_no_rev,
];

fn event(id: &str) -> FeedbackTarget {
    FeedbackTarget::Event(id.to_owned())
}

/// A like of this user, with an id that was not used before.
fn like(user: &User, target: FeedbackTarget) -> NewFeedback {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    NewFeedback {
        id: format!("feedback-{number:04}"),
        target,
        user_id: user.user_id.clone(),
        participant: Participant::user(user),
        value: FeedbackValue::Like,
        reason: None,
        classification: None,
        at: now(),
    }
}

fn dislike(user: &User, target: FeedbackTarget) -> NewFeedback {
    NewFeedback {
        value: FeedbackValue::Dislike,
        ..like(user, target)
    }
}

/// Stores a feedback that changes something.
async fn give(store: &AnyStore, given: NewFeedback) -> Feedback {
    let stored = store.give_feedback(&scope(), given).await.unwrap();
    assert!(stored.is_changed);
    stored.update.feedback
}

async fn listed(store: &AnyStore, scope: &Scope, query: &FeedbackQuery) -> Vec<String> {
    let found = store.find_feedback(scope, query).await.unwrap();
    found.into_iter().map(|feedback| feedback.id).collect()
}

fn all() -> FeedbackQuery {
    FeedbackQuery::newest(100)
}

async fn feedback_is_replaced_and_repeats_change_nothing(store: &AnyStore) {
    thread_of(store, "t", 2).await;
    let first = NewFeedback {
        reason: Some("It is \"right\".\n😀".to_owned()),
        classification: Some("correct".to_owned()),
        ..like(&ana(), event("t-2"))
    };
    let stored = store.give_feedback(&scope(), first.clone()).await.unwrap();
    assert!(stored.is_changed);
    let update = stored.update;
    assert_eq!(update.scope, scope());
    assert_eq!(
        (
            update.previous,
            update.run_id.as_deref(),
            update.event_id.as_deref()
        ),
        (None, Some("t-run"), Some("t-2"))
    );
    let feedback = update.feedback;
    assert_eq!(feedback.id, first.id);
    assert_eq!(feedback.thread_id, "t");
    assert_eq!(feedback.target, event("t-2"));
    assert_eq!(feedback.user_id, "ana");
    assert_eq!(feedback.value, FeedbackValue::Like);
    assert_eq!(feedback.reason, first.reason);
    assert_eq!(feedback.classification, first.classification);
    assert_eq!(
        (feedback.created_at, feedback.updated_at),
        (first.at, first.at)
    );
    let found = store.find_feedback(&scope(), &all()).await.unwrap();
    assert_eq!(found, std::slice::from_ref(&feedback));

    let again = NewFeedback {
        id: "unused".to_owned(),
        at: now(),
        ..first.clone()
    };
    let repeated = store.give_feedback(&scope(), again).await.unwrap();
    assert!(!repeated.is_changed);
    assert_eq!(repeated.update.feedback, feedback);
    let found = store.find_feedback(&scope(), &all()).await.unwrap();
    assert_eq!(found, std::slice::from_ref(&feedback));

    // Each of the members alone is a change. The clock may have been set back.
    let earlier = first.at - TimeDelta::days(1);
    for changed in [
        NewFeedback {
            value: FeedbackValue::Dislike,
            at: earlier,
            ..first.clone()
        },
        NewFeedback {
            value: FeedbackValue::Dislike,
            reason: None,
            ..first.clone()
        },
        dislike(&ana(), event("t-2")),
    ] {
        let (value, reason, at) = (changed.value, changed.reason.clone(), changed.at);
        let stored = store.give_feedback(&scope(), changed).await.unwrap();
        assert!(stored.is_changed);
        assert!(stored.update.previous.is_some());
        let feedback = stored.update.feedback;
        assert_eq!((&feedback.id, feedback.created_at), (&first.id, first.at));
        assert_eq!((feedback.value, &feedback.reason), (value, &reason));
        assert_eq!(feedback.updated_at, at.max(first.at));
        let found = store.find_feedback(&scope(), &all()).await.unwrap();
        assert_eq!(found, [feedback]);
    }
    // Another user, and an anonymous connection whose name is that of a user.
    give(store, like(&ben(), event("t-2"))).await;
    let nobody = NewFeedback {
        participant: Participant::connection("ana"),
        ..like(&User::new(""), event("t-2"))
    };
    assert_eq!(give(store, nobody).await.user_id, "");
    assert_eq!(listed(store, &scope(), &all()).await.len(), 3);
}

async fn feedback_is_refused_without_a_visible_target(store: &AnyStore) {
    let claim = thread_of(store, "t", 2).await;
    let refused = async |scope: &Scope, target: FeedbackTarget, what: &str| {
        let refused = store.give_feedback(scope, like(&ana(), target)).await;
        match refused {
            Err(StoreError::NotFound(found)) => assert_eq!(found, what),
            other => panic!("{other:?}"),
        }
    };
    let of = |kind, id: &str| FeedbackTarget::new(kind, id);
    let types = [
        (FeedbackTargetType::Event, "event", "t-2"),
        (FeedbackTargetType::Run, "run", "t-run"),
        (FeedbackTargetType::Thread, "thread", "t"),
    ];
    // A missing target and a foreign one have the same text.
    let foreign = scope().workspace("other");
    let private = private_scope(&ben());
    for (kind, what, id) in types {
        for missing in ["", "nothing", "t' OR '1'='1", "%", "ü\u{1F600}"] {
            refused(&scope(), of(kind, missing), what).await;
        }
        for (_, _, other) in types.iter().filter(|(other, ..)| *other != kind) {
            refused(&scope(), of(kind, other), what).await;
        }
        refused(&foreign, of(kind, id), what).await;
        refused(&private, of(kind, id), what).await;
        give(store, like(&ana(), of(kind, id))).await;
        refused(&private, of(kind, id), what).await;
    }
    assert_eq!(listed(store, &scope(), &all()).await.len(), 3);
    assert_eq!(listed(store, &private, &all()).await, [""; 0]);
    assert_eq!(listed(store, &foreign, &all()).await, [""; 0]);
    let days = store.count_feedback(&private, FeedbackPeriod::default());
    assert_eq!(days.await.unwrap(), []);
    let in_thread = FeedbackQuery {
        thread_id: Some("t".to_owned()),
        ..all()
    };
    assert_not_found(store.find_feedback(&private, &in_thread).await);
    assert_not_found(store.find_feedback(&foreign, &in_thread).await);

    remove_event(store, "t-2").await;
    refused(&scope(), event("t-2"), "event").await;
    let ended = run_change("t", "t-run", RunStatus::Succeeded);
    write(store, &claim.key, vec![ended]).await;
    let removal = ThreadEdit::RemoveRun("t-run".to_owned());
    store.edit_thread(&scope(), "t", removal).await.unwrap();
    let run = of(FeedbackTargetType::Run, "t-run");
    refused(&scope(), run, "run").await;
}

async fn remove_event(store: &AnyStore, event_id: &str) {
    let removal = ThreadEdit::RemoveEvent {
        event_id: event_id.to_owned(),
        run_id: "none".to_owned(),
        at: now(),
    };
    store.edit_thread(&scope(), "t", removal).await.unwrap();
}

async fn feedback_is_deleted_with_its_target(store: &AnyStore) {
    thread_of(store, "t", 3).await;
    let own = ThreadEdit::CreateRun(run("t", "own", RunStatus::Running));
    store.edit_thread(&scope(), "t", own).await.unwrap();
    begin_thread(store, "other", "own").await;
    let on_own = || FeedbackTarget::Run("own".to_owned());
    let mut kept = Vec::new();
    for user in [ana(), ben()] {
        give(store, like(&user, event("t-2"))).await;
        kept.push(give(store, like(&user, event("t-3"))).await.id);
        kept.push(
            give(store, like(&user, FeedbackTarget::Thread("t".to_owned())))
                .await
                .id,
        );
        give(store, like(&user, on_own())).await;
    }
    remove_event(store, "t-2").await;
    // An edit of an event does not remove its feedback.
    let patch = dooers::store::EventPatch::default().text("edited");
    let edit = ThreadEdit::UpdateEvent {
        event_id: "t-3".to_owned(),
        patch,
    };
    store.edit_thread(&scope(), "t", edit).await.unwrap();
    let in_thread = FeedbackQuery {
        thread_id: Some("t".to_owned()),
        order: Order::OldestFirst,
        ..all()
    };
    let is_event = FeedbackQuery {
        target_type: Some(FeedbackTargetType::Event),
        ..in_thread.clone()
    };
    assert_eq!(listed(store, &scope(), &is_event).await.len(), 2);
    let ended = ThreadEdit::UpdateRun {
        run_id: "own".to_owned(),
        patch: dooers::store::RunPatch::default().succeeded(),
        at: now(),
    };
    store.edit_thread(&scope(), "t", ended).await.unwrap();
    let removal = ThreadEdit::RemoveRun("own".to_owned());
    store.edit_thread(&scope(), "t", removal).await.unwrap();
    let mut left = listed(store, &scope(), &in_thread).await;
    left.sort_unstable();
    kept.sort_unstable();
    assert_eq!(left, kept);
    // The ids of runs are unique only in each thread: the other one with this id is found now.
    let stored = store.give_feedback(&scope(), like(&ana(), on_own())).await;
    assert_eq!(stored.unwrap().update.feedback.thread_id, "other");
}

async fn feedback_of_a_deleted_thread_does_not_return(store: &AnyStore) {
    thread_of(store, "t", 2).await;
    thread_of(store, "kept", 2).await;
    let kept = give(store, like(&ana(), event("kept-2"))).await;
    give(store, like(&ana(), event("t-2"))).await;
    give(store, like(&ben(), FeedbackTarget::Thread("t".to_owned()))).await;
    store.delete_thread(&scope(), "t").await.unwrap();
    assert_eq!(listed(store, &scope(), &all()).await, [kept.id.as_str()]);
    assert_not_found(
        store
            .give_feedback(&scope(), like(&ana(), event("t-2")))
            .await,
    );
    // A new thread with the same ids.
    thread_of(store, "t", 2).await;
    assert_eq!(listed(store, &scope(), &all()).await, [kept.id]);
    give(store, like(&ana(), event("t-2"))).await;
    give(
        store,
        dislike(&ben(), FeedbackTarget::Thread("t".to_owned())),
    )
    .await;
    let always = FeedbackPeriod::default();
    let days = store.count_feedback(&scope(), always).await.unwrap();
    assert_eq!((days[0].likes, days[0].dislikes), (2, 1));
}

async fn feedback_is_listed_by_its_filters(store: &AnyStore) {
    thread_of(store, "t", 3).await;
    thread_of(store, "u", 2).await;
    let given = [
        give(store, like(&ana(), event("t-2"))).await,
        give(store, dislike(&ben(), event("t-2"))).await,
        give(store, like(&ana(), FeedbackTarget::Run("u-run".to_owned()))).await,
        give(store, like(&ben(), FeedbackTarget::Thread("t".to_owned()))).await,
        give(store, dislike(&ana(), event("u-2"))).await,
    ];
    let at = |place: usize| given[place].updated_at;
    let text = |text: &str| Some(text.to_owned());
    let cases: [(FeedbackQuery, &[usize]); 12] = [
        (all(), &[4, 3, 2, 1, 0]),
        (
            FeedbackQuery {
                order: Order::OldestFirst,
                ..all()
            },
            &[0, 1, 2, 3, 4],
        ),
        (
            FeedbackQuery {
                target_type: Some(FeedbackTargetType::Event),
                ..all()
            },
            &[4, 1, 0],
        ),
        (
            FeedbackQuery {
                target_type: Some(FeedbackTargetType::Run),
                ..all()
            },
            &[2],
        ),
        (
            FeedbackQuery {
                value: Some(FeedbackValue::Dislike),
                ..all()
            },
            &[4, 1],
        ),
        (
            FeedbackQuery {
                thread_id: text("t"),
                ..all()
            },
            &[3, 1, 0],
        ),
        (
            FeedbackQuery {
                thread_id: text("t"),
                order: Order::OldestFirst,
                value: Some(FeedbackValue::Like),
                ..all()
            },
            &[0, 3],
        ),
        (
            FeedbackQuery {
                user_id: text("ben"),
                ..all()
            },
            &[3, 1],
        ),
        (
            FeedbackQuery {
                user_id: text("be_"),
                ..all()
            },
            &[],
        ),
        (
            FeedbackQuery {
                since: Some(at(3)),
                ..all()
            },
            &[4, 3],
        ),
        (
            FeedbackQuery {
                since: Some(at(1)),
                before: Some(at(3)),
                order: Order::OldestFirst,
                ..all()
            },
            &[1, 2],
        ),
        (
            FeedbackQuery {
                user_id: text("ana"),
                limit: 2,
                ..all()
            },
            &[4, 2],
        ),
    ];
    for (query, expected) in cases {
        let expected: Vec<_> = expected.iter().map(|place| given[*place].clone()).collect();
        let found = store.find_feedback(&scope(), &query).await.unwrap();
        assert_eq!(found, expected, "{query:?}");
    }
    let missing = FeedbackQuery {
        thread_id: text("nothing"),
        ..all()
    };
    assert_not_found(store.find_feedback(&scope(), &missing).await);
}

async fn feedback_is_listed_page_by_page(store: &AnyStore) {
    thread_of(store, "t", 8).await;
    // Equal times are ordered by id.
    let at = now();
    let mut given = Vec::new();
    for number in 2..=8 {
        let feedback = NewFeedback {
            at: if number % 3 == 0 { now() } else { at },
            ..like(&ana(), event(&format!("t-{number}")))
        };
        given.push(give(store, feedback).await);
    }
    given.sort_by_key(|feedback| (feedback.updated_at, feedback.id.clone()));
    for order in [Order::OldestFirst, Order::NewestFirst] {
        for thread_id in [None, Some("t".to_owned())] {
            let mut after: Option<FeedbackCursor> = None;
            let mut read = Vec::new();
            loop {
                let query = FeedbackQuery {
                    order,
                    after,
                    thread_id: thread_id.clone(),
                    ..FeedbackQuery::newest(2)
                };
                let page = store.find_feedback(&scope(), &query).await.unwrap();
                let Some(last) = page.last() else { break };
                after = Some(FeedbackCursor {
                    updated_at: last.updated_at,
                    id: last.id.clone(),
                });
                read.extend(page);
            }
            if order == Order::NewestFirst {
                read.reverse();
            }
            assert_eq!(read, given);
        }
    }
}

fn day(number: i64, micros: i64) -> DateTime<Utc> {
    let first = DateTime::from_timestamp(1_760_054_400, 0).unwrap();
    first + TimeDelta::days(number) + TimeDelta::microseconds(micros)
}

async fn feedback_is_counted_by_day(store: &AnyStore) {
    thread_of(store, "t", 6).await;
    let counted = async |period| {
        let days = store.count_feedback(&scope(), period).await.unwrap();
        let count = |day: dooers::store::FeedbackDay| {
            assert_eq!(day.agent, scope().agent);
            (day.day.to_string(), day.likes, day.dislikes)
        };
        days.into_iter().map(count).collect::<Vec<_>>()
    };
    assert_eq!(counted(FeedbackPeriod::default()).await, []);
    for (at, given) in [
        (day(0, 0), like(&ana(), event("t-1"))),
        (day(1, -1), dislike(&ana(), event("t-2"))),
        (day(1, -1), like(&ben(), event("t-2"))),
        (day(3, 0), dislike(&ana(), event("t-3"))),
        (day(3, 1), dislike(&ana(), event("t-4"))),
    ] {
        give(store, NewFeedback { at, ..given }).await;
    }
    let of = |number, likes, dislikes| (day(number, 0).date_naive().to_string(), likes, dislikes);
    assert_eq!(
        counted(FeedbackPeriod::default()).await,
        [of(0, 2, 1), of(3, 0, 2)]
    );
    let period = FeedbackPeriod {
        since: Some(day(1, -1)),
        before: Some(day(3, 1)),
    };
    assert_eq!(counted(period).await, [of(0, 1, 1), of(3, 0, 1)]);
    // A changed feedback moves to another day.
    let at = day(3, 2);
    let moved = NewFeedback {
        at,
        ..dislike(&ana(), event("t-1"))
    };
    give(store, moved).await;
    assert_eq!(
        counted(FeedbackPeriod::default()).await,
        [of(0, 1, 1), of(3, 0, 3)]
    );
}

async fn snapshot_shows_the_feedback_of_its_reader(store: &AnyStore) {
    thread_of(store, "t", 150).await;
    for target in ["t-1", "t-100", "t-149"] {
        give(store, like(&ana(), event(target))).await;
    }
    give(store, dislike(&ana(), event("t-150"))).await;
    give(store, dislike(&ben(), event("t-149"))).await;
    give(store, like(&ana(), FeedbackTarget::Thread("t".to_owned()))).await;
    let shown = async |reader: Option<&User>, from: SnapshotFrom| {
        let reader = reader.map(Participant::user);
        let here = scope();
        let snapshot = store.snapshot_for(&here, reader.as_ref(), "t", &from, usize::MAX);
        let snapshot = snapshot.await.unwrap();
        let shown = snapshot.feedback.into_iter();
        let shown = shown.map(|shown| (shown.event_id, shown.value));
        (snapshot.events.len(), shown.collect::<Vec<_>>())
    };
    let (liked, disliked) = (FeedbackValue::Like, FeedbackValue::Dislike);
    let of = |id: &str, value| (id.to_owned(), value);
    let newest = vec![
        of("t-100", liked),
        of("t-149", liked),
        of("t-150", disliked),
    ];
    assert_eq!(
        shown(Some(&ana()), SnapshotFrom::Newest).await,
        (100, newest)
    );
    assert_eq!(
        shown(Some(&ben()), SnapshotFrom::Newest).await,
        (100, vec![of("t-149", disliked)])
    );
    for nobody in [None, Some(&User::new("")), Some(&User::new("ANA"))] {
        assert_eq!(shown(nobody, SnapshotFrom::Newest).await, (100, vec![]));
    }
    // Only the events of the snapshot count.
    let after = SnapshotFrom::After("t-149".to_owned());
    let last = vec![of("t-150", disliked)];
    assert_eq!(shown(Some(&ana()), after).await, (1, last));
    let covering = SnapshotFrom::Covering("t-20".to_owned());
    let (events, feedback) = shown(Some(&ana()), covering).await;
    assert_eq!((events, feedback.len()), (130, 3));
    // Only feedback on the thread itself.
    give(
        store,
        like(&User::new("eve"), FeedbackTarget::Thread("t".to_owned())),
    )
    .await;
    let eve = shown(Some(&User::new("eve")), SnapshotFrom::Newest).await;
    assert_eq!(eve, (100, vec![]));
}

async fn concurrent_feedback_is_one_row_per_user(store: &AnyStore) {
    thread_of(store, "t", 2).await;
    let user = |number: u64| User::new(format!("user-{number}"));
    let given = (0..40).map(|number| {
        let new = NewFeedback {
            reason: Some(format!("reason {number}")),
            ..like(&user(number % 5), event("t-2"))
        };
        let store = store.clone();
        tokio::spawn(async move { store.give_feedback(&scope(), new).await })
    });
    for stored in join_all(given).await {
        assert!(stored.unwrap().unwrap().is_changed);
    }
    let found = store.find_feedback(&scope(), &all()).await.unwrap();
    let mut users: Vec<_> = found.iter().map(|found| found.user_id.as_str()).collect();
    users.sort_unstable();
    assert_eq!(users, ["user-0", "user-1", "user-2", "user-3", "user-4"]);
    // The same feedback many times at once is one change.
    let same = like(&ana(), event("t-1"));
    let here = scope();
    let given = (0..20).map(|_| store.give_feedback(&here, same.clone()));
    let stored = join_all(given).await;
    let changed = stored
        .iter()
        .filter(|stored| stored.as_ref().unwrap().is_changed);
    assert_eq!(changed.count(), 1);
}

async fn feedback_changes_no_rev(store: &AnyStore) {
    let claim = thread_of(store, "t", 2).await;
    let before = store.thread(&scope(), "t").await.unwrap();
    give(store, like(&ana(), event("t-2"))).await;
    give(store, dislike(&ana(), event("t-2"))).await;
    assert_eq!(store.thread(&scope(), "t").await.unwrap(), before);
    // The running turn goes on, and feedback on the events that it has just written is stored.
    append(store, &claim.key, 3..=3, Some("t-run")).await;
    give(store, like(&ana(), event("t-3"))).await;
}
