//! Pages, snapshots and catch-up steps limited by bytes.

use crate::asserts::{Reader, catch_up_fully, events_of, runs_of, seqs, start_position};
use crate::backends::{AnyStore, cases};
use crate::fixtures::{
    ana, answer, append, begin_thread, ben, existing, finish, message, new_thread, now,
    private_scope, run, scope, start, thread_of, write,
};
use dooers::protocol::{ContentPart, Run, RunStatus, Thread, ThreadEvent, User};
use dooers::store::{
    ChangeBody, ClaimOptions, EventPage, EventPatch, EventQuery, NewMessage, NewThread, PageLimit,
    Snapshot, SnapshotFrom, ThreadEdit, ThreadTarget, TurnChange, TurnKey,
};
use dooers_tests::with;
use serde_json::json;

cases![
    page_ends_before_the_event_over_the_limit,
    page_of_one_event_may_exceed_the_limit,
    pages_of_every_content_kind_keep_the_limit,
    newest_snapshot_omits_older_events,
    snapshot_after_an_event_omits_newer_events,
    covering_snapshot_that_fits_continues,
    covering_snapshot_over_the_limit_has_the_newest,
    covering_snapshot_may_have_fewer_than_100_events,
    covering_snapshot_counts_edited_events,
    step_ends_before_the_change_over_the_limit,
    step_size_counts_edits_runs_and_thread_row,
    thread_list_ends_before_the_thread_over_the_limit,
    thread_list_of_one_thread_may_exceed_the_limit,
    repository_queries_have_no_byte_limit;
    not_pooled: readers_in_small_steps_miss_nothing,
];

/// The counted size of an item: its JSON and a comma.
pub(crate) trait Item {
    fn size(&self) -> usize;
}

macro_rules! items {
    ($($item:ty),+) => {
        $(impl Item for $item {
            fn size(&self) -> usize {
                serde_json::to_string(self).unwrap().len() + 1
            }
        })+
    };
}

items!(ThreadEvent, Run, Thread);

pub(crate) fn size_of(items: &[impl Item]) -> usize {
    items.iter().map(Item::size).sum()
}

fn large(event_id: &str, bytes: usize) -> TurnChange {
    TurnChange::Event(Box::new(with!(ThreadEvent {
        content: Some(vec![ContentPart::text("x".repeat(bytes))]),
        ..answer("t", event_id, None)
    })))
}

/// A thread with events `t-1` and so on of these sizes, and the turn that wrote them.
async fn thread_of_sizes(store: &AnyStore, sizes: impl IntoIterator<Item = usize>) -> TurnKey {
    let key = thread_of(store, "t", 1).await.key;
    let sizes = sizes.into_iter().zip(2..);
    let events = sizes.map(|(bytes, number)| large(&format!("t-{number}"), bytes));
    write(store, &key, events.collect()).await;
    key
}

async fn page(store: &AnyStore, before: Option<&str>, limit: PageLimit) -> Vec<ThreadEvent> {
    let page = store.events(&scope(), "t", before, limit).await.unwrap();
    let first = page.events.first().expect("a page has an event");
    assert_eq!(page.has_more, first.seq > 1);
    page.events
}

/// All events of `t`, read in pages of this size. Checks that each page is as full as possible.
async fn pages(store: &AnyStore, limit: PageLimit) -> Vec<ThreadEvent> {
    let mut all: Vec<ThreadEvent> = Vec::new();
    loop {
        let before = all.first().map(|event| event.id.clone());
        let page = store.events(&scope(), "t", before.as_deref(), limit).await;
        let EventPage {
            events: mut page,
            runs,
            ..
        } = page.unwrap();
        let bytes = size_of(&page) + size_of(&runs);
        assert!(page.len() == 1 || bytes <= limit.bytes);
        if let Some(oldest) = all.first() {
            assert_eq!(page.last().unwrap().seq + 1, oldest.seq);
        }
        let is_full = page.len() == limit.items;
        let first = page[0].clone();
        page.append(&mut all);
        all = page;
        if first.seq == 1 {
            return all;
        }
        let one = PageLimit::new(1);
        let next = store.events(&scope(), "t", Some(&first.id), one).await;
        let mut next = next.unwrap();
        next.runs.retain(|run| !runs.contains(run));
        let with_next = bytes + size_of(&next.events) + size_of(&next.runs);
        assert!(is_full || with_next > limit.bytes);
    }
}

async fn page_ends_before_the_event_over_the_limit(store: &AnyStore) {
    thread_of_sizes(store, (0..40).map(|number| number * 37 % 1000)).await;
    let all = pages(store, PageLimit::new(200)).await;
    assert_eq!(all.len(), 41);
    for bytes in [1000, 1500, 2000, 5000, 20_000, 100_000] {
        for items in [1, 3, 200] {
            let limit = PageLimit::new(items).bytes(bytes);
            assert_eq!(pages(store, limit).await, all, "{limit:?}");
        }
    }
    // Exact to the byte.
    let newest_three = size_of(&all[38..]);
    for (bytes, fitting) in [(newest_three, 3), (newest_three - 1, 2)] {
        let page = page(store, None, PageLimit::new(200).bytes(bytes)).await;
        assert_eq!(page.len(), fitting);
    }
}

async fn page_of_one_event_may_exceed_the_limit(store: &AnyStore) {
    thread_of_sizes(store, [10, 50_000, 60_000, 10]).await;
    let limit = PageLimit::new(50).bytes(40_000);
    let mut shown = Vec::new();
    let mut before = None;
    loop {
        let page = page(store, before.as_deref(), limit).await;
        shown.push(seqs(&page));
        if page[0].seq == 1 {
            break;
        }
        before = Some(page[0].id.clone());
    }
    assert_eq!(shown, [vec![5], vec![4], vec![3], vec![1, 2]]);
    let nothing = page(store, None, PageLimit::new(50).bytes(0)).await;
    assert_eq!(seqs(&nothing), [5]);
}

/// Covers everything that makes an event large: escaped text, data, and its user.
async fn pages_of_every_content_kind_keep_the_limit(store: &AnyStore) {
    let key = thread_of(store, "t", 1).await.key;
    let mut events = Vec::new();
    for number in 0..20 {
        let text = ["\u{1}", "\"", "ä", "🦀", "x"][number % 5].repeat(100);
        let mut event = answer("t", &format!("e{number}"), None);
        match number % 3 {
            0 => event.data = Some(json!({ text.clone(): [text, 1.5, null] })),
            1 => event.content = Some(vec![ContentPart::text(text)]),
            _ => event.content = None,
        }
        events.push(TurnChange::Event(Box::new(event)));
    }
    write(store, &key, events).await;
    for number in 0..10 {
        let mut user = User::new("ana");
        user.user_name = Some("n".repeat(number * 100));
        user.identity_ids = (0..number).map(|id| format!("identity {id}")).collect();
        let message = message(existing("t"), &format!("m{number}"), &user);
        let start = start(&format!("r{number}"));
        store.begin_turn(&scope(), message, &start).await.unwrap();
    }
    let all = pages(store, PageLimit::new(200)).await;
    assert_eq!(all.len(), 31);
    for bytes in [500, 1000, 3000] {
        let limit = PageLimit::new(200).bytes(bytes);
        assert_eq!(pages(store, limit).await, all);
    }
}

async fn snapshot(store: &AnyStore, from: &SnapshotFrom, bytes: usize) -> Snapshot {
    let snapshot = store.snapshot(&scope(), "t", from, bytes).await.unwrap();
    assert!(snapshot.events.len() == 1 || size_of(&snapshot.events) <= bytes);
    snapshot
}

async fn newest_snapshot_omits_older_events(store: &AnyStore) {
    let key = thread_of_sizes(store, [1000; 150]).await;
    let newest = &SnapshotFrom::Newest;
    for (bytes, expected) in [(100_000_000, 100), (50_000, 42), (3000, 2), (1, 1)] {
        let shown = snapshot(store, newest, bytes).await;
        assert_eq!(shown.events.len(), expected, "{bytes}");
        assert_eq!(shown.events.last().unwrap().seq, 151);
        assert!(shown.has_more && shown.is_complete && !shown.recovered);
        let first_seq = shown.events[0].seq;
        assert_eq!(shown.position.first_seq, first_seq);
        // An edit of an event outside the snapshot is not sent to this reader. An edit of an event inside it
        // is.
        for (seq, is_sent) in [(first_seq, true), (first_seq - 1, false)] {
            let patch = EventPatch::default().text(format!("{seq} at {bytes}"));
            let event_id = format!("t-{seq}");
            let edit = ThreadEdit::UpdateEvent { event_id, patch };
            store.edit_thread(&scope(), "t", edit).await.unwrap();
            let position = shown.position.clone();
            let (changes, _) = catch_up_fully(store, &scope(), "t", position, 50).await;
            let sent = events_of(&changes).iter().any(|event| event.seq == seq);
            assert_eq!(sent, is_sent);
        }
    }
    // A run is included only with its events, unless it is open.
    let run_id = "t-late";
    let ended = TurnChange::Run(run("t", run_id, RunStatus::Succeeded));
    let event = TurnChange::Event(Box::new(answer("t", "of-run", Some(run_id))));
    write(store, &key, vec![ended, event, large("last", 5000)]).await;
    for (bytes, is_shown) in [(5000, false), (50_000, true)] {
        let runs = snapshot(store, newest, bytes).await.runs;
        assert_eq!(runs.iter().any(|run| run.id == run_id), is_shown);
        assert!(runs.iter().any(|run| run.id == "t-run"));
    }
}

async fn snapshot_after_an_event_omits_newer_events(store: &AnyStore) {
    thread_of_sizes(store, [1000; 50]).await;
    let after = SnapshotFrom::After("t-10".to_owned());
    for (bytes, last) in [(1_000_000, 51), (10_000, 18), (1, 11)] {
        let shown = snapshot(store, &after, bytes).await;
        assert_eq!(seqs(&shown.events), (11..=last).collect::<Vec<_>>());
        assert!(shown.recovered && shown.has_more);
        assert_eq!(shown.is_complete, last == 51);
        let (rest, position) = catch_up_fully(store, &scope(), "t", shown.position, 50).await;
        assert_eq!(seqs(&events_of(&rest)), (last + 1..=51).collect::<Vec<_>>());
        assert_eq!(position.last_seq, 51);
    }
    // All events except the last one fit.
    let all = snapshot(store, &after, 1_000_000).await.events;
    let shown = snapshot(store, &after, size_of(&all) - 1).await;
    assert_eq!((shown.events.len(), shown.is_complete), (40, false));
}

async fn covering_snapshot_that_fits_continues(store: &AnyStore) {
    thread_of_sizes(store, [1000; 150]).await;
    let all = SnapshotFrom::Covering("t-5".to_owned());
    let shown = snapshot(store, &all, 1_000_000).await;
    assert_eq!(seqs(&shown.events), (6..=151).collect::<Vec<_>>());
    assert!(shown.recovered && shown.has_more && shown.is_complete);
    let exactly = size_of(&shown.events);
    assert!(snapshot(store, &all, exactly).await.recovered);
    assert!(!snapshot(store, &all, exactly - 1).await.recovered);
}

async fn covering_snapshot_over_the_limit_has_the_newest(store: &AnyStore) {
    thread_of_sizes(store, [1000; 150]).await;
    let all = SnapshotFrom::Covering("t-1".to_owned());
    for bytes in [1, 20_000, 150_000] {
        let shown = snapshot(store, &all, bytes).await;
        let newest = snapshot(store, &SnapshotFrom::Newest, bytes).await;
        assert!(!shown.recovered && shown.has_more && shown.is_complete);
        assert_eq!(shown.events, newest.events);
        assert_eq!(shown.runs, newest.runs);
        assert_eq!(shown.position, newest.position);
    }
}

async fn covering_snapshot_may_have_fewer_than_100_events(store: &AnyStore) {
    thread_of_sizes(store, [1000; 150]).await;
    // A covering snapshot has the newest hundred events if they fit, and must have all missed ones.
    for (known, bytes, first) in [(149, 20_500, 135), (149, 3000, 150), (151, 1, 151)] {
        let from = SnapshotFrom::Covering(format!("t-{known}"));
        let shown = snapshot(store, &from, bytes).await;
        assert!(shown.recovered && shown.has_more && shown.is_complete);
        assert_eq!(seqs(&shown.events), (first..=151).collect::<Vec<_>>());
    }
    // A single missed event is included regardless of its size. Two are not.
    let one = SnapshotFrom::Covering("t-150".to_owned());
    assert!(snapshot(store, &one, 1).await.recovered);
    let two = SnapshotFrom::Covering("t-149".to_owned());
    assert!(!snapshot(store, &two, 1).await.recovered);
}

async fn covering_snapshot_counts_edited_events(store: &AnyStore) {
    thread_of_sizes(store, [1000; 50]).await;
    let patch = EventPatch::default().text("edited");
    let event_id = "t-20".to_owned();
    let edit = ThreadEdit::UpdateEvent { event_id, patch };
    store.edit_thread(&scope(), "t", edit).await.unwrap();
    let from = SnapshotFrom::Covering("t-51".to_owned());
    let shown = snapshot(store, &from, 1_000_000).await;
    assert_eq!((shown.recovered, shown.events.len()), (true, 51));
    // The edited event requires all events after it.
    let needed = size_of(&shown.events[19..]);
    let shown = snapshot(store, &from, needed).await;
    assert_eq!((shown.recovered, shown.events[0].seq), (true, 20));
    assert!(!snapshot(store, &from, needed - 1).await.recovered);
}

fn size_of_change(body: &ChangeBody) -> usize {
    match body {
        ChangeBody::Event(event) => event.size(),
        ChangeBody::Run(run) => run.size(),
        ChangeBody::Thread(record) => record.thread.size(),
        other => panic!("a reader received {other:?}"),
    }
}

async fn step_ends_before_the_change_over_the_limit(store: &AnyStore) {
    thread_of_sizes(store, (0..60).map(|number| number * 37 % 1000)).await;
    for bytes in [1, 1000, 3000, 10_000, usize::MAX] {
        let limit = PageLimit::new(50).bytes(bytes);
        let mut position = start_position();
        let mut steps: Vec<Vec<usize>> = Vec::new();
        let mut got = Vec::new();
        loop {
            let step = store.catch_up(&scope(), "t", &position, limit).await;
            let step = step.unwrap();
            let sizes = step
                .changes
                .iter()
                .map(|change| size_of_change(&change.body));
            let sizes: Vec<usize> = sizes.collect();
            assert!(sizes.len() == 1 || sizes.iter().sum::<usize>() <= bytes);
            steps.push(sizes);
            got.extend(seqs(&events_of(&step.changes)));
            position = step.position;
            if step.is_complete {
                break;
            }
        }
        assert_eq!(got, (1..=61).collect::<Vec<_>>());
        for pair in steps.windows(2) {
            let with_next = pair[0].iter().sum::<usize>() + pair[1][0];
            assert!(with_next > bytes || pair[0].len() >= 50);
        }
    }
}

async fn step_size_counts_edits_runs_and_thread_row(store: &AnyStore) {
    let key = thread_of_sizes(store, [100; 30]).await;
    let reader = Reader::fresh(store, &scope(), "t").await;
    for seq in 2..=20 {
        let patch = EventPatch::default().text("y".repeat(1000));
        let event_id = format!("t-{seq}");
        let edit = ThreadEdit::UpdateEvent { event_id, patch };
        store.edit_thread(&scope(), "t", edit).await.unwrap();
        let mut failed = run("t", &format!("run-{seq}"), RunStatus::Failed);
        failed.error = Some("z".repeat(1000));
        let touch = TurnChange::Touch(now());
        write(store, &key, vec![TurnChange::Run(failed), touch]).await;
    }
    for bytes in [1, 3000, 10_000] {
        let limit = PageLimit::new(50).bytes(bytes);
        let mut position = reader.position.clone();
        let mut changes = Vec::new();
        loop {
            let step = store.catch_up(&scope(), "t", &position, limit).await;
            let step = step.unwrap();
            let sizes = step
                .changes
                .iter()
                .map(|change| size_of_change(&change.body));
            assert!(step.changes.len() == 1 || sizes.sum::<usize>() <= bytes);
            changes.extend(step.changes);
            position = step.position;
            if step.is_complete {
                break;
            }
        }
        assert_eq!(events_of(&changes).len(), 19);
        assert_eq!(runs_of(&changes).len(), 19);
        assert_eq!(changes.len(), 39);
        let mut went_on = reader.clone();
        went_on.advance(store, &scope(), limit).await;
        went_on.assert_up_to_date(store, &scope()).await;
    }
}

async fn readers_in_small_steps_miss_nothing(store: &AnyStore) {
    let mut claim = begin_thread(store, "t", "t-run").await;
    let mut readers = Vec::new();
    for number in 0..12_usize {
        readers.push(Reader::fresh(store, &scope(), "t").await);
        let run_id = claim.run.as_ref().map(|run| run.id.clone()).unwrap();
        append(store, &claim.key, [number + 1], Some(&run_id)).await;
        let text = large(&format!("large-{number}"), number * 97 % 900);
        write(store, &claim.key, vec![text]).await;
        let patch = EventPatch::default().text(format!("edited {number}"));
        let event_id = format!("t-{}", number / 2 + 1);
        let edit = ThreadEdit::UpdateEvent { event_id, patch };
        store.edit_thread(&scope(), "t", edit).await.unwrap();
        let asked = message(existing("t"), &format!("e{number}"), &ben());
        let waits = start("waits");
        store.begin_turn(&scope(), asked, &waits).await.unwrap();
        let next = format!("r{number}");
        claim = finish(store, &claim.key, &next)
            .await
            .expect("one turn is queued");
    }
    for reader in readers {
        for limit in [(50, 1), (50, 700), (3, 2000), (50, 5000)] {
            let limit = PageLimit::new(limit.0).bytes(limit.1);
            let mut went_on = reader.clone();
            went_on.advance(store, &scope(), limit).await;
            went_on.assert_up_to_date(store, &scope()).await;
            let mut came_back = reader.clone();
            came_back.reconnect(store, &scope(), limit).await;
            came_back.assert_up_to_date(store, &scope()).await;
            let mut restless = reader.clone();
            restless.advance_partially(store, &scope(), limit, 3).await;
            restless.reconnect(store, &scope(), limit).await;
            restless.assert_up_to_date(store, &scope()).await;
        }
    }
}

/// Threads of Ana with metadata of these sizes, the newest last.
async fn threads_of_sizes(store: &AnyStore, sizes: &[usize]) {
    for (number, bytes) in sizes.iter().enumerate() {
        let id = format!("t{number}");
        let ThreadTarget::New(thread) = new_thread(&id) else {
            unreachable!()
        };
        let thread = NewThread {
            metadata: Some(json!("m".repeat(*bytes))),
            ..thread
        };
        let message = NewMessage {
            thread: ThreadTarget::New(thread),
            ..message(existing(&id), &format!("{id}-question"), &ana())
        };
        let start = ClaimOptions {
            run_id: None,
            ..start("")
        };
        store.begin_turn(&scope(), message, &start).await.unwrap();
    }
}

async fn thread_list_ends_before_the_thread_over_the_limit(store: &AnyStore) {
    let sizes: Vec<usize> = (0..25).map(|number| number * 37 % 1000).collect();
    threads_of_sizes(store, &sizes).await;
    for scope in [scope(), private_scope(&ana())] {
        for limit in [
            PageLimit::new(100).bytes(4000),
            PageLimit::new(3).bytes(4000),
        ] {
            let mut listed = Vec::new();
            let mut after = None;
            loop {
                let page = store.threads(&scope, after.as_ref(), limit).await.unwrap();
                let count = page.threads.len();
                assert!(count == 1 || size_of(&page.threads) <= limit.bytes);
                assert_eq!(page.total_count, if after.is_none() { 25 } else { 0 });
                let bytes = size_of(&page.threads);
                listed.extend(page.threads.into_iter().map(|thread| thread.id));
                after = page.next;
                if after.is_none() {
                    break;
                }
                let next = store
                    .threads(&scope, after.as_ref(), PageLimit::new(1))
                    .await;
                let next = size_of(&next.unwrap().threads);
                assert!(count == limit.items || bytes + next > limit.bytes);
            }
            let expected: Vec<_> = (0..25).rev().map(|number| format!("t{number}")).collect();
            assert_eq!(listed, expected);
        }
    }
}

async fn thread_list_of_one_thread_may_exceed_the_limit(store: &AnyStore) {
    threads_of_sizes(store, &[50_000, 50_000]).await;
    let limit = PageLimit::new(100).bytes(1000);
    let first = store.threads(&scope(), None, limit).await.unwrap();
    assert_eq!((first.threads.len(), &*first.threads[0].id), (1, "t1"));
    let last = store.threads(&scope(), first.next.as_ref(), limit).await;
    let last = last.unwrap();
    assert_eq!((last.threads.len(), &*last.threads[0].id), (1, "t0"));
    assert!(last.next.is_none());
}

async fn repository_queries_have_no_byte_limit(store: &AnyStore) {
    thread_of_sizes(store, [20_000; 60]).await;
    let query = EventQuery::newest(200);
    let found = store.find_events(&scope(), "t", &query).await.unwrap();
    assert_eq!(found.len(), 61);
}
