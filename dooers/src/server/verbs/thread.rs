//! The verbs `thread.list`, `thread.subscribe`, `thread.unsubscribe`, `thread.update` and `thread.delete`.

use super::caller::Caller;
use crate::hub::Frame;
use crate::protocol::{
    ErrorBody, FeedbackTargetType, FeedbackView, ServerFrame, ThreadListPayload,
    ThreadUpdatePayload, ThreadView, admit_title, clean_id, cleaned, is_visible, timestamp,
};
use crate::store::{Snapshot, SnapshotFrom, ThreadCursor, ThreadEdit, ThreadPatch, TitleSearch};

/// Default number of threads on a page.
const THREADS: usize = 30;
/// Maximum number of threads on a page.
const MOST_THREADS: usize = 100;
/// Maximum length of a query for titles, in bytes.
const MOST_QUERY_BYTES: usize = 128;

pub(super) async fn list(
    caller: &Caller<'_>,
    payload: &ThreadListPayload,
) -> Result<(), ErrorBody> {
    let limit = caller.page_limit(payload.limit, THREADS, MOST_THREADS)?;
    let cursor: Option<ThreadCursor> = match &payload.cursor {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| {
            ErrorBody::invalid_payload("`payload.cursor` must be the `cursor` of the page before")
        })?),
    };
    let search = title_search(payload.query.as_deref())?;
    let Some(_answering) = caller.session.may_answer().await else {
        return Ok(());
    };
    let store = &caller.session.server.store;
    let (scope, after) = (&caller.identity.scope, cursor.as_ref());
    let page = match &search {
        None => store.threads(scope, after, limit).await,
        Some(search) => store.search_threads(scope, search, after, limit).await,
    };
    let page = page.map_err(|error| caller.refusal(error))?;
    let shown = |thread| ThreadView::new(thread, None);
    let threads: Vec<_> = page.threads.iter().map(shown).collect();
    caller.session.push(&ServerFrame::ThreadListResult {
        threads: &threads,
        cursor: page.next.map(|next| next.to_string()).as_deref(),
        total_count: page.total_count,
    });
    Ok(())
}

/// The search of a client. `None` without a query, or if it is blank.
fn title_search(query: Option<&str>) -> Result<Option<TitleSearch>, ErrorBody> {
    let query = cleaned(query.unwrap_or_default().to_owned());
    let text = query.trim();
    if text.len() > MOST_QUERY_BYTES {
        let is = text.len();
        return Err(ErrorBody::invalid_payload(format!(
            "`payload.query` is {is} bytes long; at most {MOST_QUERY_BYTES} are allowed; shorten it"
        )));
    }
    Ok(is_visible(text).then(|| TitleSearch::new(text)))
}

/// Sends a snapshot, and then every later change.
pub(super) async fn subscribe(
    caller: &Caller<'_>,
    thread_id: &str,
    after_event_id: Option<String>,
) -> Result<(), ErrorBody> {
    clean_id("payload.thread_id", thread_id)?;
    if let Some(id) = &after_event_id {
        clean_id("payload.after_event_id", id)?;
    }
    let session = caller.session;
    session.may_subscribe(thread_id)?;
    let from = match after_event_id {
        None => SnapshotFrom::Newest,
        Some(id) if caller.identity.keeps_its_events => SnapshotFrom::After(id),
        Some(id) => SnapshotFrom::Covering(id),
    };
    let Some(_answering) = session.may_answer().await else {
        return Ok(());
    };
    // Joined before the store is read, so that no change is missed.
    let join = session
        .server
        .hub
        .join(&session.connection, thread_id)
        .await;
    let snapshot = session
        .server
        .store
        .snapshot_for(
            &caller.identity.scope,
            Some(&caller.identity.participant),
            thread_id,
            &from,
            caller.answer_bytes(),
        )
        .await
        .map_err(|error| caller.refusal(error))?;
    // A second subscription replaces the first.
    session
        .server
        .hub
        .unsubscribe(&session.connection, thread_id);
    let frame = frame_of(&snapshot);
    let join = join.with_events(&snapshot.events);
    if snapshot.is_complete {
        join.activate([frame], snapshot.position);
    } else {
        join.activate_lagging([frame], snapshot.position);
    }
    Ok(())
}

pub(super) async fn unsubscribe(caller: &Caller<'_>, thread_id: &str) -> Result<(), ErrorBody> {
    clean_id("payload.thread_id", thread_id)?;
    let session = caller.session;
    if session.connection.is_subscribed(thread_id) {
        session
            .server
            .hub
            .unsubscribe(&session.connection, thread_id);
    } else {
        let store = &session.server.store;
        store
            .thread(&caller.identity.scope, thread_id)
            .await
            .map_err(|error| caller.refusal(error))?;
    }
    session.ack(&caller.id);
    Ok(())
}

/// Changes the title of a thread. The change is published before it is acknowledged.
pub(super) async fn update(
    caller: &Caller<'_>,
    payload: ThreadUpdatePayload,
) -> Result<(), ErrorBody> {
    let ThreadUpdatePayload { thread_id, title } = payload;
    clean_id("payload.thread_id", &thread_id)?;
    let patch = ThreadPatch::default();
    let patch = match new_title(title)? {
        Some(title) => patch.title(title),
        None => patch.without_title(),
    };
    let session = caller.session;
    if let Some(meter) = &session.meter {
        meter.thread_update()?;
    }
    let at = timestamp::now();
    let edit = ThreadEdit::Patch { patch, at };
    let scope = caller.identity.scope.clone();
    let editing = session.server.edit_thread(scope, thread_id, edit);
    editing.await.map_err(|error| caller.refusal(error))?;
    session.ack(&caller.id);
    Ok(())
}

/// The title that a client gives to a thread. `None` if it is blank.
fn new_title(title: Option<String>) -> Result<Option<String>, ErrorBody> {
    // A missing title may be a mistake of the client, so it does not remove the present one.
    let title = title.ok_or_else(|| {
        ErrorBody::invalid_payload(
            "`payload.title` must be a text, because nothing else can be changed; a blank text removes the title",
        )
    })?;
    let title = cleaned(title);
    let mut title = is_visible(&title).then(|| title.trim().to_owned());
    admit_title(&mut title).map_err(|refused| refused.at("payload.title"))?;
    Ok(title)
}

pub(super) async fn delete(caller: &Caller<'_>, thread_id: &str) -> Result<(), ErrorBody> {
    clean_id("payload.thread_id", thread_id)?;
    let session = caller.session;
    let scope = caller.identity.scope.clone();
    let deleting = session.server.delete_thread(scope, thread_id.to_owned());
    deleting.await.map_err(|error| caller.refusal(error))?;
    session.ack(&caller.id);
    Ok(())
}

fn frame_of(snapshot: &Snapshot) -> Frame {
    let feedback = snapshot.feedback.iter().map(|shown| FeedbackView {
        target_type: FeedbackTargetType::Event,
        target_id: &shown.event_id,
        value: shown.value,
    });
    let frame = ServerFrame::ThreadSnapshot {
        thread: ThreadView::new(&snapshot.thread.thread, None),
        events: &snapshot.events,
        runs: &snapshot.runs,
        has_more: snapshot.has_more,
        recovered: snapshot.recovered,
        feedback: &feedback.collect::<Vec<_>>(),
    };
    Frame::from(frame.encode())
}
