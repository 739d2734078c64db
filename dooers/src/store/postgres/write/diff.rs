//! The rows that a batch writes: the difference between its threads before and after.

use super::cache::ThreadSlot;
use super::working_set::{Before, WorkingSet};
use super::write_set::{
    ChangedEvent, ChangedRun, ChangedThread, ChangedTurn, CountedParticipant, CountedThread,
    DeletedThread, EndedTurn, GivenFeedbackRow, NewEvent, NewOutbox, NewParticipant, NewRun,
    NewSent, NewThreadRow, NewTurn, NewUsage, ReadThread, RemovedRun, RemovedTarget, Rows,
    TouchedThread,
};
use crate::protocol::FeedbackTarget;
use crate::store::feedback::KeptFeedback;
use crate::store::postgres::time::lease_micros;
use crate::store::rules::TurnRow;
use crate::store::sql::{
    RowError, amount_columns, int, json, questions_column, sealed_column, turn_slot, turn_state,
    usage_column,
};
use crate::store::state::{KeptEvent, KeptRun, ThreadState};
use crate::store::usage::UsageRow;
use serde_json::Value;
use std::collections::HashMap;

/// Returns the rows that a batch writes. `places` contains the keys of its new threads.
pub(crate) fn diff(
    known: &WorkingSet,
    places: &HashMap<String, ThreadSlot>,
) -> Result<Rows, RowError> {
    let mut rows = Rows::default();
    let ledger = &known.threads.usage;
    let reports = |id: &String| ledger.iter().any(|row| row.thread_id == *id);
    // All writers lock threads in the same order.
    let mut all_before: Vec<_> = known.before.iter().collect();
    all_before.sort_unstable_by_key(|(_, before)| before.place.pk);
    for (id, before) in all_before {
        match known.threads.by_id.get(id) {
            Some(now) if *now == before.state => {
                // Usage that belongs to no run changes only the ledger. It is written only if the thread is unchanged.
                if !before.is_fresh || reports(id) {
                    rows.read.push(read(before.place));
                }
            }
            Some(now) => changed(&mut rows, before, now)?,
            None => {
                rows.read.push(read(before.place));
                deleted(&mut rows, before);
            }
        }
    }
    for (id, place) in places {
        if let Some(new) = known.threads.by_id.get(id) {
            created(&mut rows, *place, new)?;
        }
    }
    let place_of = |thread_id: &String| {
        let before = known.before.get(thread_id);
        let before = before.map(|before| &before.place);
        before.or_else(|| places.get(thread_id))
    };
    for (place, (thread_id, event)) in known.threads.outbox.events.iter().enumerate() {
        // A thread that was created and deleted in the same batch leaves no events.
        let Some(thread) = place_of(thread_id) else {
            continue;
        };
        rows.outbox.push(NewOutbox {
            thread_pk: thread.pk,
            place: int(place as u64),
            worker_id: event.worker_id.clone(),
            event: event.json.clone(),
        });
    }
    for row in ledger {
        if let Some(place) = place_of(&row.thread_id) {
            rows.used.push(used(*place, row));
        }
    }
    for (key, sent) in &known.threads.sent {
        if known.sent_before.contains(key) {
            continue;
        }
        let Some(place) = place_of(&sent.thread_id) else {
            continue;
        };
        rows.sent.push(NewSent {
            thread_pk: place.pk,
            workspace_pk: place.workspace_pk,
            participant: key.participant.as_str().to_owned(),
            client_event_id: key.client_event_id.clone(),
            thread_id: sent.thread_id.clone(),
            event_id: sent.event_id.clone(),
            deleted_at: sent.deleted_at,
        });
    }
    Ok(rows)
}

fn read(place: ThreadSlot) -> ReadThread {
    ReadThread {
        thread_pk: place.pk,
        version: place.version,
    }
}

fn created(rows: &mut Rows, place: ThreadSlot, new: &ThreadState) -> Result<(), RowError> {
    let (row, thread) = (&new.row, &new.row.record.thread);
    rows.created.push(NewThreadRow {
        thread_pk: place.pk,
        id: thread.id.clone(),
        scope_pk: place.scope_pk,
        owner: serde_json::to_string(&thread.owner)?,
        users: serde_json::to_string(&thread.users)?,
        title: thread.title.clone(),
        metadata: json(&thread.metadata)?,
        created_at: thread.created_at,
        updated_at: thread.updated_at,
        last_event_at: thread.last_event_at,
        rev: int(row.record.rev),
        row_rev: int(row.row_rev),
        last_seq: int(row.last_seq),
    });
    rows.counted.push(CountedThread {
        thread_pk: place.pk,
        scope_pk: place.scope_pk,
        threads: 1,
    });
    participants(rows, place, new, 0);
    for kept in &new.events {
        rows.events.push(new_event(place, kept)?);
    }
    for kept in &new.runs {
        rows.runs.push(new_run(place, kept)?);
    }
    for turn in &new.turns {
        rows.turns.push(new_turn(place, turn)?);
    }
    for kept in &new.feedback {
        rows.given.push(given_feedback(place, kept));
    }
    Ok(())
}

/// Adds the participants after the first `known` ones.
fn participants(rows: &mut Rows, place: ThreadSlot, now: &ThreadState, known: usize) {
    let record = &now.row.record;
    for (number, participant) in record.participants.iter().enumerate().skip(known) {
        let participant = participant.as_str().to_owned();
        rows.joined.push(CountedParticipant {
            thread_pk: place.pk,
            scope_pk: place.scope_pk,
            participant: participant.clone(),
            threads: 1,
        });
        rows.participants.push(NewParticipant {
            thread_pk: place.pk,
            place: int(number as u64),
            participant,
            scope_pk: place.scope_pk,
            last_event_at: record.thread.last_event_at,
            thread_id: record.thread.id.clone(),
        });
    }
}

fn changed(rows: &mut Rows, before: &Before, now: &ThreadState) -> Result<(), RowError> {
    let (place, was) = (before.place, &before.state);
    let (row, record_before) = (&now.row, &was.row.record);
    let (thread, thread_before) = (&row.record.thread, &record_before.thread);
    let users = (thread.users != thread_before.users).then(|| serde_json::to_string(&thread.users));
    let title = (thread.title != thread_before.title).then_some(thread.title.as_ref());
    let metadata = match (&thread.metadata, &thread_before.metadata) {
        (Some(now), Some(was)) if is_written_alike(now, was) => None,
        (now, _) => json(now)?,
    };
    rows.changed.push(ChangedThread {
        thread_pk: place.pk,
        version: place.version,
        users: users.transpose()?,
        title: title.flatten().cloned(),
        is_untitled: thread.title.is_none(),
        metadata,
        updated_at: thread.updated_at,
        last_event_at: thread.last_event_at,
        rev: int(row.record.rev),
        row_rev: int(row.row_rev),
        last_seq: int(row.last_seq),
    });
    if thread.last_event_at != thread_before.last_event_at {
        rows.touched.push(TouchedThread {
            thread_pk: place.pk,
            last_event_at: thread.last_event_at,
        });
    }
    participants(rows, place, now, record_before.participants.len());
    events(rows, place, was, now)?;
    runs(rows, place, was, now)?;
    feedback(rows, place, was, now);
    turns(rows, place, was, now)
}

/// Returns `true` if two values have the same text. Equal values may differ in their text, because `==` ignores the
/// order of members and the sign of zero.
fn is_written_alike(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| is_written_alike(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|((name, one), (other_name, other))| {
                        name == other_name && is_written_alike(one, other)
                    })
        }
        (Value::Number(one), Value::Number(other)) => one.to_string() == other.to_string(),
        _ => one == other,
    }
}

fn events(
    rows: &mut Rows,
    place: ThreadSlot,
    was: &ThreadState,
    now: &ThreadState,
) -> Result<(), RowError> {
    for kept in &now.events {
        let seq = kept.event.seq;
        if seq > was.row.last_seq {
            rows.events.push(new_event(place, kept)?);
            continue;
        }
        // Known events are ordered by `seq`.
        let known = was.events.binary_search_by_key(&seq, |old| old.event.seq);
        if known.is_ok_and(|known| was.events[known] == *kept) {
            continue;
        }
        let event = &kept.event;
        let is_removed = |known: usize| event.is_deleted() && !was.events[known].event.is_deleted();
        if known.is_ok_and(is_removed) {
            rows.ungiven.push(removed_target(place, &event.into()));
        }
        rows.edited.push(ChangedEvent {
            thread_pk: place.pk,
            seq: int(seq),
            rev: int(kept.rev),
            kind: event.kind.as_str().to_owned(),
            content: json(&event.content)?,
            data: json(&event.data)?,
            deleted: event.deleted,
            streaming: event.streaming,
            finalized: event.finalized,
            delta_seq: event.delta_seq.map(int),
            open_in: kept.open_in.clone(),
            answers: kept.answers.clone(),
        });
    }
    Ok(())
}

fn new_event(place: ThreadSlot, kept: &KeptEvent) -> Result<NewEvent, RowError> {
    let event = &kept.event;
    Ok(NewEvent {
        thread_pk: place.pk,
        seq: int(event.seq),
        id: event.id.clone(),
        first_rev: int(kept.first_rev),
        rev: int(kept.rev),
        run_id: event.run_id.clone(),
        kind: event.kind.as_str().to_owned(),
        actor: event.actor.as_str().to_owned(),
        author: event.author.clone(),
        sender: json(&event.user)?,
        content: json(&event.content)?,
        data: json(&event.data)?,
        created_at: event.created_at,
        streaming: event.streaming,
        finalized: event.finalized,
        client_event_id: event.client_event_id.clone(),
        answers: kept.answers.clone(),
        delta_seq: event.delta_seq.map(int),
        open_in: kept.open_in.clone(),
        deleted: event.deleted,
    })
}

fn runs(
    rows: &mut Rows,
    place: ThreadSlot,
    was: &ThreadState,
    now: &ThreadState,
) -> Result<(), RowError> {
    for old in &was.runs {
        if now.runs.iter().all(|kept| kept.run.id != old.run.id) {
            rows.removed.push(RemovedRun {
                thread_pk: place.pk,
                id: old.run.id.clone(),
            });
            rows.ungiven.push(removed_target(place, &(&old.run).into()));
        }
    }
    for kept in &now.runs {
        match was.runs.iter().find(|old| old.run.id == kept.run.id) {
            None => rows.runs.push(new_run(place, kept)?),
            Some(old) if old == kept => {}
            Some(_) => {
                let run = &kept.run;
                rows.ended.push(ChangedRun {
                    thread_pk: place.pk,
                    id: run.id.clone(),
                    rev: int(kept.rev),
                    agent_id: run.agent_id.clone(),
                    status: run.status.as_str().to_owned(),
                    ended_at: run.ended_at,
                    error: run.error.clone(),
                    usage: usage_column(run)?,
                });
            }
        }
    }
    Ok(())
}

fn new_run(place: ThreadSlot, kept: &KeptRun) -> Result<NewRun, RowError> {
    let run = &kept.run;
    Ok(NewRun {
        thread_pk: place.pk,
        id: run.id.clone(),
        event_id: run.event_id.clone(),
        first_rev: int(kept.first_rev),
        rev: int(kept.rev),
        agent_id: run.agent_id.clone(),
        status: run.status.as_str().to_owned(),
        started_at: run.started_at,
        ended_at: run.ended_at,
        error: run.error.clone(),
        scope_pk: place.scope_pk,
        usage: usage_column(run)?,
    })
}

fn used(place: ThreadSlot, row: &UsageRow) -> NewUsage {
    let (used, usage) = (&row.used, &row.used.usage);
    let (cost_units, cost_picos) = amount_columns(row.amount());
    NewUsage {
        thread_pk: place.pk,
        id: used.id.clone(),
        scope_pk: place.scope_pk,
        thread_id: row.thread_id.clone(),
        run_id: used.run_id.clone(),
        user_id: used.user_id.clone(),
        model: usage.model.clone(),
        input_tokens: int(usage.input_tokens),
        output_tokens: int(usage.output_tokens),
        cached_tokens: int(usage.cached_tokens),
        currency: row.currency().to_owned(),
        cost_units,
        cost_picos,
        used_at: used.at,
        day: row.day(),
        worker_id: row.scope.worker_id.clone(),
        organization_id: row.scope.organization_id.clone(),
    }
}

/// Adds new and changed feedback. Feedback is deleted with its target: see [`removed_target`].
fn feedback(rows: &mut Rows, place: ThreadSlot, was: &ThreadState, now: &ThreadState) {
    let new = now
        .feedback
        .iter()
        .filter(|kept| !was.feedback.contains(kept));
    new.for_each(|kept| rows.given.push(given_feedback(place, kept)));
}

fn given_feedback(place: ThreadSlot, kept: &KeptFeedback) -> GivenFeedbackRow {
    let feedback = &kept.feedback;
    GivenFeedbackRow {
        thread_pk: place.pk,
        participant: kept.participant.as_str().to_owned(),
        target_type: feedback.target.target_type().as_str().to_owned(),
        target_id: feedback.target.id().to_owned(),
        id: feedback.id.clone(),
        scope_pk: place.scope_pk,
        user_id: feedback.user_id.clone(),
        opinion: feedback.value.as_str().to_owned(),
        reason: feedback.reason.clone(),
        classification: feedback.classification.clone(),
        created_at: feedback.created_at,
        updated_at: feedback.updated_at,
    }
}

/// Returns the row that deletes all feedback on a removed event or run, which is not read into memory.
fn removed_target(place: ThreadSlot, target: &FeedbackTarget) -> RemovedTarget {
    RemovedTarget {
        thread_pk: place.pk,
        target_type: target.target_type().as_str().to_owned(),
        target_id: target.id().to_owned(),
    }
}

fn turns(
    rows: &mut Rows,
    place: ThreadSlot,
    was: &ThreadState,
    now: &ThreadState,
) -> Result<(), RowError> {
    for old in &was.turns {
        if now.turns.iter().all(|turn| turn.seq != old.seq) {
            rows.over.push(EndedTurn {
                thread_pk: place.pk,
                seq: int(old.seq),
            });
        }
    }
    let mut moved: Vec<_> = Vec::new();
    for turn in &now.turns {
        match was.turns.iter().find(|old| old.seq == turn.seq) {
            None => rows.turns.push(new_turn(place, turn)?),
            Some(old) if old == turn => {}
            Some(old) => moved.push((old, turn)),
        }
    }
    // Turns that wait again come first, because a thread cannot have two running turns at a time.
    moved.sort_by_key(|(_, turn)| turn.is_running);
    for (old, turn) in moved {
        let lease = lease_of(turn).filter(|_| turn.fence != old.fence);
        rows.moved.push(ChangedTurn {
            thread_pk: place.pk,
            seq: int(turn.seq),
            state: turn_state(turn).to_owned(),
            attempt: int(turn.attempt),
            fence: int(turn.fence),
            node: node_of(turn),
            lease,
            cancel_requested: turn.is_cancelled,
            retries: int(turn.retries),
            not_before: turn.not_before,
            slot: turn_slot(turn),
            questions: questions_column(&turn.questions)?,
        });
    }
    Ok(())
}

fn new_turn(place: ThreadSlot, turn: &TurnRow) -> Result<NewTurn, RowError> {
    Ok(NewTurn {
        thread_pk: place.pk,
        seq: int(turn.seq),
        event_id: turn.event_id.clone(),
        state: turn_state(turn).to_owned(),
        attempt: int(turn.attempt),
        fence: int(turn.fence),
        node: node_of(turn),
        lease: lease_of(turn),
        cancel_requested: turn.is_cancelled,
        retries: int(turn.retries),
        not_before: turn.not_before,
        slot: turn_slot(turn),
        sealed: sealed_column(turn.sealed.as_ref())?,
        identity: turn.identity.clone(),
        questions: questions_column(&turn.questions)?,
    })
}

fn node_of(turn: &TurnRow) -> Option<String> {
    turn.held.as_ref().map(|held| held.node.clone())
}

fn lease_of(turn: &TurnRow) -> Option<i64> {
    turn.held.as_ref().map(|held| lease_micros(held.lease))
}

fn deleted(rows: &mut Rows, before: &Before) {
    let place = before.place;
    rows.deleted.push(DeletedThread {
        thread_pk: place.pk,
    });
    rows.counted.push(CountedThread {
        thread_pk: place.pk,
        scope_pk: place.scope_pk,
        threads: -1,
    });
    for participant in &before.state.row.record.participants {
        rows.joined.push(CountedParticipant {
            thread_pk: place.pk,
            scope_pk: place.scope_pk,
            participant: participant.as_str().to_owned(),
            threads: -1,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Usage;
    use crate::store::list_clock::ListClock;
    use crate::store::postgres::write::cache::Cached;
    use crate::store::rules::Rows as _;
    use crate::store::rules::ThreadRow;
    use crate::store::tests::{at, next_message, scope};
    use crate::store::{NewThread, TurnUsage};

    fn usage_row(thread_id: &str) -> UsageRow {
        UsageRow {
            scope: scope(),
            thread_id: thread_id.to_owned(),
            used: TurnUsage {
                id: "u".to_owned(),
                run_id: None,
                user_id: "ann".to_owned(),
                usage: Usage::new("m"),
                at: at(0),
            },
        }
    }

    fn read_at_once() -> WorkingSet {
        let message = next_message("t", "e");
        let thread = NewThread::new("t").thread(&scope(), &message.user, at(0));
        let clock = ListClock::default();
        let state = ThreadState::new(ThreadRow::new(&scope(), thread, &clock), clock);
        let place = ThreadSlot {
            pk: 1,
            scope_pk: 1,
            workspace_pk: 1,
            version: 1,
        };
        let mut known = WorkingSet::default();
        known.add_thread(Cached { place, state }, true);
        known
    }

    #[test]
    fn values_are_alike_only_if_their_texts_are() {
        let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let texts = [
            r#"{"b":1,"a":[{"d":0.0,"c":null}]}"#,
            r#"{"b":1,"a":[{"c":null,"d":0.0}]}"#,
            r#"{"a":[{"d":0.0,"c":null}],"b":1}"#,
            r#"{"b":1,"a":[{"d":-0.0,"c":null}]}"#,
            r#"{"b":1,"a":[{"d":0,"c":null}]}"#,
            r#"{"b":1.0,"a":[{"d":0.0,"c":null}]}"#,
            r#"{"b":1,"a":[]}"#,
            r#"{"b":1}"#,
            "[]",
            "null",
        ];
        for one in texts {
            for other in texts {
                let is_alike = is_written_alike(&parsed(one), &parsed(other));
                assert_eq!(is_alike, one == other, "{one} {other}");
            }
        }
    }

    #[test]
    fn unchanged_rows_are_only_checked_for_conflicts() {
        let known = read_at_once();
        let rows = diff(&known, &HashMap::new()).unwrap();
        assert!(rows.shape().is_empty());

        // Usage without a run is written only if the thread is unchanged.
        let mut known = read_at_once();
        let rows = vec![usage_row("t")];
        known.threads.insert_usage(rows).unwrap();
        let rows = diff(&known, &HashMap::new()).unwrap();
        let written = (rows.read.len(), rows.changed.len(), rows.used.len());
        assert_eq!(written, (1, 0, 1));

        // Another process may have written between the read of the thread and the read of the event.
        let mut known = read_at_once();
        known.add_event(&KeptEvent {
            event: next_message("t", "e").event(1),
            first_rev: 1,
            rev: 1,
            open_in: None,
            answers: None,
        });
        let rows = diff(&known, &HashMap::new()).unwrap();
        assert_eq!((rows.read.len(), rows.changed.len()), (1, 0));
    }
}
