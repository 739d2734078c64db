//! The runs of a page of events.

use crate::asserts::{assert_not_found, ids};
use crate::backends::{AnyStore, cases};
use crate::byte_limits::size_of;
use crate::fixtures::{
    ana, append, begin_thread, ben, existing, finish, new_thread, private_scope, run, say, scope,
    thread_of, withdraw, write, written,
};
use dooers::protocol::{Run, RunStatus};
use dooers::store::{EventPage, PageLimit, ThreadEdit, TurnChange};

cases![
    page_has_the_runs_that_its_events_name,
    page_has_the_runs_that_answer_its_messages,
    page_has_the_run_of_a_withdrawn_message,
    page_has_each_run_once_in_the_order_of_start,
    page_has_no_run_of_other_threads_or_pages,
    page_shows_the_current_state_of_its_runs,
    page_counts_the_bytes_of_each_run_once,
    page_with_the_runs_of_one_event_may_be_larger,
    page_omits_a_removed_run,
    runs_of_a_private_thread_are_not_found,
];

async fn page(store: &AnyStore, before: Option<&str>, limit: impl Into<PageLimit>) -> EventPage {
    let page = store.events(&scope(), "t", before, limit.into()).await;
    page.unwrap()
}

fn run_ids(page: &EventPage) -> Vec<&str> {
    page.runs.iter().map(|run| run.id.as_str()).collect()
}

/// A thread with the messages `m1`, `m2` and so on. Each is answered by the events `m1-a` and `m1-b` of the run `r1`, which
/// has succeeded.
async fn turns(store: &AnyStore, count: usize) {
    for number in 1..=count {
        let (id, run_id) = (format!("m{number}"), format!("r{number}"));
        let thread = match number {
            1 => new_thread("t"),
            _ => existing("t"),
        };
        let key = say(store, thread, &id, &run_id).await.claim.unwrap().key;
        let said = |which| written("t", &format!("{id}-{which}"), Some(&run_id));
        let end = TurnChange::Run(run("t", &run_id, RunStatus::Succeeded));
        write(store, &key, vec![said("a"), said("b"), end]).await;
        finish(store, &key, "none").await;
    }
}

async fn page_has_the_runs_that_its_events_name(store: &AnyStore) {
    turns(store, 3).await;
    let newest = page(store, None, 2).await;
    assert_eq!(
        (ids(&newest.events), run_ids(&newest)),
        (vec!["m3-a", "m3-b"], vec!["r3"])
    );
    let older = page(store, Some("m3-a"), 3).await;
    assert_eq!(
        (ids(&older.events), run_ids(&older)),
        (vec!["m2-a", "m2-b", "m3"], vec!["r2", "r3"])
    );
    assert_eq!(run_ids(&page(store, None, 50).await), ["r1", "r2", "r3"]);
}

async fn page_has_the_runs_that_answer_its_messages(store: &AnyStore) {
    turns(store, 2).await;
    let message = page(store, Some("m2-a"), 1).await;
    assert_eq!(
        (ids(&message.events), run_ids(&message)),
        (vec!["m2"], vec!["r2"])
    );
    let answer = &message.runs[0];
    assert_eq!(answer.event_id.as_deref(), Some("m2"));
    assert_eq!(*answer, store.run(&scope(), "t", "r2").await.unwrap());
    let nothing = page(store, Some("m1"), 9).await;
    assert_eq!((nothing.events, nothing.runs), (vec![], vec![]));
}

async fn page_has_the_run_of_a_withdrawn_message(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    say(store, existing("t"), "second", "none").await;
    withdraw(store, "second").await;
    append(store, &claim.key, 3..=9, Some("r")).await;
    let page = page(store, Some("t-3"), 1).await;
    let runs = page.runs.iter().map(|run| (&*run.id, run.status));
    assert_eq!(
        runs.collect::<Vec<_>>(),
        [("second-run", RunStatus::Canceled)]
    );
}

/// An agent that starts its runs itself may start several for one message.
async fn page_has_each_run_once_in_the_order_of_start(store: &AnyStore) {
    let key = begin_thread(store, "t", "r0").await.key;
    for id in ["r3", "r1", "r2"] {
        let begun = TurnChange::Run(run("t", id, RunStatus::Running));
        write(store, &key, vec![begun, written("t", id, Some(id))]).await;
    }
    let again = ["r1", "r0", "r3"].map(|id| written("t", &format!("{id}-again"), Some(id)));
    write(store, &key, again.into()).await;
    let all = page(store, None, 50).await;
    assert_eq!(run_ids(&all), ["r0", "r3", "r1", "r2"]);
    let named = page(store, None, 3).await;
    assert_eq!(run_ids(&named), ["r0", "r3", "r1"]);
    let message = page(store, Some("r3"), 1).await;
    assert_eq!(run_ids(&message), ["r0", "r3", "r1", "r2"]);
}

async fn page_has_no_run_of_other_threads_or_pages(store: &AnyStore) {
    turns(store, 2).await;
    thread_of(store, "other", 3).await;
    assert_eq!(run_ids(&page(store, None, 50).await), ["r1", "r2"]);
    assert_eq!(run_ids(&page(store, Some("m2"), 50).await), ["r1"]);
    let other = store.events(&scope(), "other", None, 50.into()).await;
    assert_eq!(run_ids(&other.unwrap()), ["other-run"]);
}

async fn page_shows_the_current_state_of_its_runs(store: &AnyStore) {
    let key = thread_of(store, "t", 3).await.key;
    let running = page(store, None, 50).await;
    assert_eq!(running.runs[0].status, RunStatus::Running);
    let ended = TurnChange::Run(run("t", "t-run", RunStatus::Failed));
    write(store, &key, vec![ended]).await;
    let failed = page(store, None, 50).await;
    assert_eq!(failed.runs[0].error.as_deref(), Some("it went wrong"));
    assert!(failed.rev > running.rev);
}

/// A failed run with an error of this size.
fn failed(run_id: &str, bytes: usize) -> Run {
    let mut failed = run("t", run_id, RunStatus::Failed);
    failed.error = Some("ä".repeat(bytes / 2));
    failed
}

async fn page_counts_the_bytes_of_each_run_once(store: &AnyStore) {
    let key = begin_thread(store, "t", "r0").await.key;
    for number in 1..=30 {
        let run_id = format!("r{}", number % 7);
        let mut changes = vec![written("t", &format!("e{number}"), Some(&run_id))];
        if number <= 7 {
            changes.push(TurnChange::Run(failed(&run_id, number * 100)));
        }
        write(store, &key, changes).await;
    }
    let all = page(store, None, 50).await;
    assert_eq!((all.events.len(), all.runs.len()), (31, 7));
    let mut exact = Vec::new();
    for newest in 1..=all.events.len() {
        let shown = page(store, None, newest).await;
        exact.push(size_of(&shown.events) + size_of(&shown.runs));
    }
    // Exact to the byte.
    for (fitting, bytes) in exact.iter().enumerate() {
        let limit = PageLimit::new(50);
        let shown = page(store, None, limit.bytes(*bytes)).await;
        assert_eq!(shown.events.len(), fitting + 1, "{bytes} bytes");
        let shown = page(store, None, limit.bytes(bytes - 1)).await;
        assert_eq!(shown.events.len(), fitting.max(1), "{bytes} bytes less 1");
        assert_eq!(shown.has_more, fitting < 31);
    }
}

async fn page_with_the_runs_of_one_event_may_be_larger(store: &AnyStore) {
    let key = begin_thread(store, "t", "r0").await.key;
    let runs = (1..=20).map(|number| TurnChange::Run(failed(&format!("r{number}"), 1000)));
    write(store, &key, runs.collect()).await;
    append(store, &key, 2..=3, None).await;
    let limit = PageLimit::new(50).bytes(2000);
    let newest = page(store, None, limit).await;
    assert_eq!((newest.events.len(), newest.runs.len()), (2, 0));
    let oldest = page(store, Some("t-2"), limit).await;
    assert_eq!((oldest.events.len(), oldest.runs.len()), (1, 21));
    assert!(!oldest.has_more);
}

async fn page_omits_a_removed_run(store: &AnyStore) {
    turns(store, 1).await;
    let remove = ThreadEdit::RemoveRun("r1".to_owned());
    store.edit_thread(&scope(), "t", remove).await.unwrap();
    let page = page(store, None, 50).await;
    assert_eq!((page.events.len(), page.runs.len()), (3, 0));
    assert_eq!(page.events[1].run_id.as_deref(), Some("r1"));
}

async fn runs_of_a_private_thread_are_not_found(store: &AnyStore) {
    turns(store, 1).await;
    let (own, others) = (private_scope(&ana()), private_scope(&ben()));
    let page = store.events(&own, "t", None, 9.into()).await.unwrap();
    assert_eq!(run_ids(&page), ["r1"]);
    assert_not_found(store.events(&others, "t", None, 9.into()).await);
}
