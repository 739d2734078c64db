//! Changes that a handler made and that are not stored yet.

use super::reply::Reply;
use crate::protocol::{ContentPart, NotAdmitted, Run, RunStatus, ThreadEvent, Usage, clean_text};
use crate::store::{Admit, ThreadPatch, TurnChange, TurnUsage};
use chrono::{DateTime, Utc};

/// One change that a handler made to its thread.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Draft {
    Event {
        id: String,
        run_id: Option<String>,
        reply: Box<Reply>,
        text: TextState,
    },
    /// The end of a streamed text.
    TextEnded {
        id: String,
        text: String,
    },
    Thread(ThreadPatch),
    RunStarted {
        id: String,
    },
    RunEnded {
        id: String,
        status: RunStatus,
        error: Option<String>,
    },
    Usage {
        id: String,
        run_id: Option<String>,
        usage: Usage,
    },
    /// The end of a form whose answer the handler waited for.
    QuestionEnded {
        form_event_id: String,
        is_over: bool,
    },
}

/// The state of an event's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextState {
    /// The text was complete from the start.
    Fixed,
    /// The text starts empty and is streamed.
    Growing,
    /// The text was streamed and ended before the event was stored.
    Ended,
}

impl Draft {
    /// Converts to a change for the store. `user_id` is the sender of the message that is answered, and `at` is the current
    /// time.
    pub(crate) fn into_change(
        self,
        thread_id: &str,
        agent: &str,
        assistant_name: &str,
        user_id: &str,
        at: DateTime<Utc>,
    ) -> TurnChange {
        let run = |id, status, ended_at, error| {
            TurnChange::Run(Run {
                id,
                thread_id: thread_id.to_owned(),
                // The store sets the event id.
                event_id: None,
                agent_id: Some(agent.to_owned()),
                status,
                started_at: at,
                ended_at,
                error,
                usage: Vec::new(),
            })
        };
        match self {
            Self::Event {
                id,
                run_id,
                reply,
                text,
            } => {
                let is_growing = text == TextState::Growing;
                TurnChange::Event(Box::new(ThreadEvent {
                    run_id,
                    streaming: is_growing.then_some(true),
                    finalized: (text == TextState::Ended).then_some(true),
                    delta_seq: is_growing.then_some(0),
                    ..reply.into_event(id, thread_id, assistant_name, at)
                }))
            }
            Self::TextEnded { id, text } => TurnChange::Finalize { event_id: id, text },
            Self::Thread(patch) => TurnChange::Patch { patch, at },
            Self::RunStarted { id } => run(id, RunStatus::Running, None, None),
            Self::RunEnded { id, status, error } => run(id, status, Some(at), error),
            Self::Usage { id, run_id, usage } => TurnChange::Usage(Box::new(TurnUsage {
                id,
                run_id,
                user_id: user_id.to_owned(),
                usage,
                at,
            })),
            Self::QuestionEnded {
                form_event_id,
                is_over,
            } => TurnChange::EndQuestion {
                form_event_id,
                is_over,
            },
        }
    }
}

impl Admit for Draft {
    fn admit(&mut self) -> Result<(), NotAdmitted> {
        match self {
            Self::Event { reply, .. } => reply.admit(),
            Self::TextEnded { text, .. } => {
                clean_text(text);
                Ok(())
            }
            Self::Thread(patch) => patch.admit(),
            Self::RunStarted { .. } | Self::Usage { .. } | Self::QuestionEnded { .. } => Ok(()),
            Self::RunEnded { error, .. } => {
                error.iter_mut().for_each(clean_text);
                Ok(())
            }
        }
    }
}

/// Joins texts that begin and end within these drafts with their events, so that they are stored as events without
/// streaming.
pub(crate) fn join_whole_texts(drafts: Vec<Draft>) -> Vec<Draft> {
    let mut joined: Vec<Draft> = Vec::with_capacity(drafts.len());
    for draft in drafts {
        if let Draft::TextEnded { id, text } = &draft
            && let Some((reply, state)) = event_of(&mut joined, id)
        {
            reply.content = Some(vec![ContentPart::text(text)]);
            *state = TextState::Ended;
        } else {
            joined.push(draft);
        }
    }
    joined
}

/// Finds the event with this id in the drafts.
pub(crate) fn event_of<'a>(
    drafts: &'a mut [Draft],
    event_id: &str,
) -> Option<(&'a mut Reply, &'a mut TextState)> {
    drafts.iter_mut().find_map(|draft| match draft {
        Draft::Event {
            id, reply, text, ..
        } if id == event_id => Some((&mut **reply, text)),
        _ => None,
    })
}
