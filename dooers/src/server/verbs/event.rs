//! The verbs `event.create` and `event.list`.

use super::super::quota::{Meter, Starts};
use super::super::submit_message::submit_message;
use super::caller::Caller;
use crate::hub::Frame;
use crate::protocol::{
    ErrorBody, EventDraft, EventListPayload, EventType, NotAdmitted, ServerFrame, UploadNotFound,
    clean_id, new_id, timestamp,
};
use crate::store::{Admitted, BeginOutcome, NewMessage, NewThread, ThreadTarget};
use crate::turn::TurnCompletion;

/// Default number of events on a page.
const EVENTS: usize = 50;
/// Maximum number of events on a page.
const MOST_EVENTS: usize = 200;

/// Stores a message, and starts or queues its turn.
///
/// The sender is subscribed to the thread.
pub(super) async fn create(caller: &Caller<'_>, draft: EventDraft) -> Result<(), ErrorBody> {
    let message = message_of(caller, draft)?;
    let message = Admitted::new(message).map_err(|refused| in_frame(&refused))?;
    let turn = count(caller, message.get()).await?;
    let stored = |_: &BeginOutcome| caller.session.ack(&caller.id);
    let begun = submit_message(caller.session, &caller.identity.scope, message, stored)
        .await
        .map_err(|error| caller.refusal(error))?;
    if begun.is_repeated {
        repeat(caller, &begun);
    } else if let Some((meter, turn)) = turn.filter(|_| begun.answered.is_none()) {
        meter.turn(turn.stored_in(&begun.event.thread_id));
    }
    Ok(())
}

/// Counts a message towards the quotas of its sender. Returns the turn that the message starts, to be counted when the
/// message is stored.
async fn count<'a>(
    caller: &Caller<'a>,
    message: &NewMessage,
) -> Result<Option<(&'a Meter, TurnCompletion)>, ErrorBody> {
    let session = caller.session;
    let Some(meter) = &session.meter else {
        return Ok(None);
    };
    session.may_subscribe(message.thread.id())?;
    let scope = &caller.identity.scope;
    let within = (&scope.agent, &scope.worker_id, &scope.workspace_id);
    let id = message.client_event_id.as_ref().map(|id| (within, id));
    let starts = match &message.thread {
        ThreadTarget::New(_) => Starts::Thread,
        ThreadTarget::Existing(_) | ThreadTarget::ExistingOrNew(_) => Starts::Turn,
    };
    if let Err(refused) = meter.message(id, starts) {
        if !answers_turn(caller, message).await {
            return Err(refused);
        }
        // The quota of waiting turns may be spent by the very turn that waits for the answer.
        meter.message(id, Starts::Nothing)?;
    }
    let publisher = session.server.runner.publisher();
    Ok(Some((meter, publisher.ending_of(&message.event_id))))
}

/// Returns true if a message answers a form that a running turn waits for. Then it starts no turn.
async fn answers_turn(caller: &Caller<'_>, message: &NewMessage) -> bool {
    let (Ok(Some(answer)), scope) = (message.form_answer(), &caller.identity.scope) else {
        return false;
    };
    let store = &caller.session.server.store;
    let form = store.event(scope, message.thread.id(), &answer.form_event_id);
    let asked = form.await.ok().and_then(|form| form.asked());
    asked.is_some_and(|asked| !asked.closed)
}

/// Sends a message that was stored before to its sender again, and then the events after it. A subscribed sender that
/// has not been sent the message yet gets it by its subscription.
fn repeat(caller: &Caller<'_>, begun: &BeginOutcome) {
    let session = caller.session;
    let (hub, connection) = (&session.server.hub, &session.connection);
    session.ack(&caller.id);
    let (thread_id, seq) = (&begun.event.thread_id, begun.event.seq);
    let is_subscribed = connection.is_subscribed(thread_id);
    if is_subscribed && !hub.was_sent(connection, thread_id, seq) {
        return;
    }
    session.push(&ServerFrame::EventAppend {
        thread_id,
        events: &[&begun.event],
    });
    if !is_subscribed {
        hub.subscribe(connection, thread_id)
            .activate_lagging([], begun.position());
    }
}

fn message_of(caller: &Caller<'_>, draft: EventDraft) -> Result<NewMessage, ErrorBody> {
    if let Some(id) = &draft.thread_id {
        clean_id("payload.thread_id", id)?;
    }
    if let Some(id) = &draft.client_event_id {
        clean_id("payload.client_event_id", id)?;
    }
    let event = draft.event;
    let kind = EventType::from(event.kind);
    UploadNotFound::check(&event.content)?;
    Ok(NewMessage {
        thread: match draft.thread_id {
            Some(id) => ThreadTarget::Existing(id),
            None => ThreadTarget::New(NewThread {
                metadata: draft.metadata,
                ..NewThread::new(new_id())
            }),
        },
        event_id: new_id(),
        kind,
        content: event.content,
        data: event.data,
        seal: None,
        identity: caller.identity.stored(),
        client_event_id: draft.client_event_id,
        is_of_program: false,
        user: caller.identity.user().clone(),
        participant: caller.identity.participant.clone(),
        at: timestamp::now(),
    })
}

/// The refusal of a message. It names the member as in the client's frame.
fn in_frame(refused: &NotAdmitted) -> ErrorBody {
    match refused.member {
        member @ ("content" | "data") => refused.at(&format!("payload.event.{member}")),
        member => refused.at(&format!("payload.{member}")),
    }
}

pub(super) async fn list(caller: &Caller<'_>, payload: &EventListPayload) -> Result<(), ErrorBody> {
    let limit = caller.page_limit(payload.limit, EVENTS, MOST_EVENTS)?;
    let session = caller.session;
    let thread_id = &payload.thread_id;
    clean_id("payload.thread_id", thread_id)?;
    if let Some(id) = &payload.before_event_id {
        clean_id("payload.before_event_id", id)?;
    }
    let Some(_answering) = session.may_answer().await else {
        return Ok(());
    };
    // Joined before the store is read, so that no edit is missed.
    let join = session.server.hub.subscribe(&session.connection, thread_id);
    let page = session
        .server
        .store
        .events(
            &caller.identity.scope,
            thread_id,
            payload.before_event_id.as_deref(),
            limit,
        )
        .await
        .map_err(|error| caller.refusal(error))?;
    let oldest = page.events.first();
    let frame = ServerFrame::EventListResult {
        thread_id,
        events: &page.events,
        runs: &page.runs,
        cursor: oldest
            .filter(|_| page.has_more)
            .map(|event| event.id.as_str()),
        has_more: page.has_more,
    };
    let first_seq = oldest.map_or(u64::MAX, |oldest| oldest.seq);
    let join = join.with_events(&page.events);
    join.extend_back(Frame::from(frame.encode()), first_seq, page.rev);
    Ok(())
}
