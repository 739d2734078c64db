//! The analytics events that follow from changes of threads.
//!
//! The functions of this module are pure. A store can call them in the transaction of the changes, and the server after the
//! commit. Both get the same events.

use super::{Change, ChangeBody, FeedbackUpdate, INTERRUPTED, Origin, TIMED_OUT, ThreadRecord};
use crate::protocol::{
    Actor, AnalyticsEvent, BuiltInEvent, EventType, FeedbackValue, Run, RunStatus, ThreadEvent,
};
use serde_json::{Value, json};
use std::collections::HashSet;

/// Maximum length of a tool's name in the data of `tool.called`, in bytes. Longer names are cut.
const MAX_TOOL_NAME_BYTES: usize = 128;

/// The events that are recorded. All events are, unless the configuration turns them off.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AnalyticsFilter {
    pub(crate) is_off: bool,
    /// The names of the events that are not recorded, built-in or of the program.
    pub(crate) disabled: HashSet<String>,
}

impl AnalyticsFilter {
    /// Returns `true` if events with this name are recorded.
    pub(crate) fn allows(&self, name: &str) -> bool {
        !self.is_off && !self.disabled.contains(name)
    }
}

/// The operation that made changes of one thread.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChangeSource<'a> {
    /// The id of the thread's worker.
    pub(crate) worker_id: &'a str,
    /// The turn that made the changes, if one did.
    pub(crate) turn: Option<TurnSource<'a>>,
}

/// The turn that made changes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TurnSource<'a> {
    /// The id of the message that the turn answers.
    pub(crate) event_id: &'a str,
    /// The id of the user who sent the message.
    pub(crate) user_id: Option<&'a str>,
    /// The number of the attempt, from 1.
    pub(crate) attempt: u64,
}

/// Returns the built-in events that follow from changes of one thread, in the order of the changes.
pub(crate) fn built_in_events(
    changes: &[Change],
    source: &ChangeSource<'_>,
    filter: &AnalyticsFilter,
) -> Vec<AnalyticsEvent> {
    let mut events = Vec::new();
    for change in changes {
        let of_change = |event| source.event(event, change);
        match &change.body {
            ChangeBody::Thread(record) if change.origin == Origin::Created => {
                events.extend(
                    filter.take(BuiltInEvent::ThreadCreated, of_change, |event| {
                        describe_thread(event, record);
                    }),
                );
            }
            ChangeBody::Event(stored) if is_complete(stored, change.origin) => {
                if let Some(kind) = kind_of(stored) {
                    events.extend(filter.take(kind, of_change, |event| {
                        source.describe_event(event, stored);
                    }));
                }
            }
            ChangeBody::Run(run) if run.status != RunStatus::Running => {
                if run.status == RunStatus::Failed {
                    events.extend(
                        filter.take(BuiltInEvent::ErrorOccurred, of_change, |event| {
                            source.describe_run(event, run);
                            event.data = Some(json!({ "kind": kind_of_error(run) }));
                        }),
                    );
                }
                events.extend(filter.take(BuiltInEvent::RunFinished, of_change, |event| {
                    source.describe_run(event, run);
                    let attempt = source.attempt_of(run, change.origin);
                    event.data = Some(end_of_run(run, attempt));
                }));
            }
            ChangeBody::Thread(_)
            | ChangeBody::Event(_)
            | ChangeBody::Run(_)
            | ChangeBody::Deleted(_) => {}
        }
    }
    events
}

/// Returns the built-in event of a new or changed feedback. It contains neither the reason nor the classification.
pub(crate) fn feedback_event(
    update: &FeedbackUpdate,
    filter: &AnalyticsFilter,
) -> Option<AnalyticsEvent> {
    let feedback = &update.feedback;
    let kind = match feedback.value {
        FeedbackValue::Like => BuiltInEvent::FeedbackLike,
        FeedbackValue::Dislike => BuiltInEvent::FeedbackDislike,
    };
    let worker_id = &update.scope.worker_id;
    let create =
        |kind: BuiltInEvent| AnalyticsEvent::new(kind.as_str(), worker_id, feedback.updated_at);
    filter.take(kind, create, |event| {
        event.thread_id = Some(feedback.thread_id.clone());
        event.user_id = known(Some(&feedback.user_id));
        event.run_id.clone_from(&update.run_id);
        event.event_id.clone_from(&update.event_id);
        let target = &feedback.target;
        event.data = Some(json!({
            "target_type": target.target_type().as_str(),
            "target_id": target.id(),
        }));
    })
}

impl AnalyticsFilter {
    /// Creates an event if it is recorded.
    fn take(
        &self,
        kind: BuiltInEvent,
        create: impl FnOnce(BuiltInEvent) -> AnalyticsEvent,
        describe: impl FnOnce(&mut AnalyticsEvent),
    ) -> Option<AnalyticsEvent> {
        self.allows(kind.as_str()).then(|| {
            let mut event = create(kind);
            describe(&mut event);
            event
        })
    }
}

impl ChangeSource<'_> {
    fn event(&self, kind: BuiltInEvent, change: &Change) -> AnalyticsEvent {
        let at = match &change.body {
            ChangeBody::Thread(record) | ChangeBody::Deleted(record) => record.thread.created_at,
            ChangeBody::Event(event) => event.created_at,
            ChangeBody::Run(run) => run.ended_at.unwrap_or(run.started_at),
        };
        let mut event = AnalyticsEvent::new(kind.as_str(), self.worker_id, at);
        event.thread_id = Some(change.thread_id.clone());
        event
    }

    fn describe_event(&self, event: &mut AnalyticsEvent, stored: &ThreadEvent) {
        let sender = stored.user.as_ref().map(|user| user.user_id.as_str());
        let user_id = sender.or_else(|| self.turn?.user_id);
        event.user_id = known(user_id);
        event.run_id.clone_from(&stored.run_id);
        event.event_id = Some(stored.id.clone());
        event.data = Some(match stored.kind {
            EventType::ToolCall | EventType::ToolTransaction => tool_of(stored),
            kind => {
                let parts = stored.content.as_ref().map_or(0, Vec::len);
                json!({ "type": kind.as_str(), "actor": stored.actor.as_str(), "parts": parts })
            }
        });
    }

    fn describe_run(&self, event: &mut AnalyticsEvent, run: &Run) {
        event.user_id = known(self.turn_of(run).and_then(|turn| turn.user_id));
        event.run_id = Some(run.id.clone());
        event.event_id.clone_from(&run.event_id);
    }

    /// The number of attempts of the run's turn. `None` for a run of the program, which has no turn.
    fn attempt_of(&self, run: &Run, origin: Origin) -> Option<u64> {
        match origin {
            Origin::EndedTurn(attempt) => Some(attempt),
            _ => self.turn_of(run).map(|turn| turn.attempt),
        }
    }

    /// The turn that made the changes, if the run belongs to it. A message can end turns of other messages.
    fn turn_of(&self, run: &Run) -> Option<&TurnSource<'_>> {
        let turn = self.turn.as_ref();
        turn.filter(|turn| run.event_id.as_deref() == Some(turn.event_id))
    }
}

/// Returns the id of a user. Anonymous users have an empty id.
fn known(user_id: Option<&str>) -> Option<String> {
    user_id.filter(|id| !id.is_empty()).map(str::to_owned)
}

fn describe_thread(event: &mut AnalyticsEvent, record: &ThreadRecord) {
    event.user_id = known(Some(&record.thread.owner.user_id));
}

/// Returns true if the change completes an event: a new one, or a streamed text at its end.
fn is_complete(event: &ThreadEvent, origin: Origin) -> bool {
    match origin {
        Origin::Created => event.streaming != Some(true),
        Origin::Completed => true,
        Origin::Other | Origin::EndedTurn(_) => false,
    }
}

fn kind_of(event: &ThreadEvent) -> Option<BuiltInEvent> {
    match event.kind {
        EventType::ToolCall | EventType::ToolTransaction => Some(BuiltInEvent::ToolCalled),
        EventType::Message | EventType::FormResponse if event.actor == Actor::User => {
            Some(BuiltInEvent::MessageFromClient)
        }
        EventType::Message | EventType::Form | EventType::Chart => {
            Some(BuiltInEvent::MessageToClient)
        }
        _ => None,
    }
}

/// Describes the called tool by its name only. The id of a call, like its arguments, comes from a model.
fn tool_of(event: &ThreadEvent) -> Value {
    let name = event.data.as_ref().and_then(|data| data["name"].as_str());
    let name = name.map(|name| &name[..name.floor_char_boundary(MAX_TOOL_NAME_BYTES)]);
    json!({ "name": name })
}

/// Returns the kind of a failure. The text of an error may contain data of a user, so it is not recorded.
fn kind_of_error(run: &Run) -> &'static str {
    match run.error.as_deref() {
        Some(INTERRUPTED) => INTERRUPTED,
        Some(TIMED_OUT) => TIMED_OUT,
        _ => "failed",
    }
}

fn end_of_run(run: &Run, attempt: Option<u64>) -> Value {
    let duration = run
        .ended_at
        .map(|end| (end - run.started_at).num_milliseconds());
    json!({ "status": run.status.as_str(), "duration_ms": duration, "attempt": attempt })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::timestamp::from_micros;
    use crate::protocol::{ContentPart, User};

    const SOURCE: ChangeSource<'_> = ChangeSource {
        worker_id: "w1",
        turn: Some(TurnSource {
            event_id: "m1",
            user_id: Some("ada"),
            attempt: 2,
        }),
    };

    fn said(kind: EventType, actor: Actor) -> ThreadEvent {
        ThreadEvent {
            thread_id: "t1".to_owned(),
            run_id: Some("r1".to_owned()),
            content: Some(vec![ContentPart::text("secret words")]),
            data: Some(json!({ "name": "search", "args": { "for": "secret words" } })),
            created_at: from_micros(1),
            ..ThreadEvent::of("e1".to_owned(), kind, actor)
        }
    }

    fn run(event_id: &str, status: RunStatus, error: Option<&str>) -> Run {
        Run {
            id: "r1".to_owned(),
            thread_id: "t1".to_owned(),
            event_id: Some(event_id.to_owned()),
            agent_id: None,
            status,
            started_at: from_micros(1_000),
            ended_at: Some(from_micros(251_000)),
            error: error.map(str::to_owned),
            usage: Vec::new(),
        }
    }

    fn events(change: Change) -> Vec<AnalyticsEvent> {
        built_in_events(&[change], &SOURCE, &AnalyticsFilter::default())
    }

    fn names(change: Change) -> Vec<String> {
        events(change)
            .into_iter()
            .map(|event| event.event)
            .collect()
    }

    #[test]
    fn message_counts_once_and_edits_do_not_count() {
        let text = said(EventType::Message, Actor::Assistant);
        let streaming = ThreadEvent {
            streaming: Some(true),
            ..text.clone()
        };
        let cases = [
            (text.clone(), Origin::Created, vec!["message.s2c"]),
            (text.clone(), Origin::Other, vec![]),
            (streaming, Origin::Created, vec![]),
            (text, Origin::Completed, vec!["message.s2c"]),
            (
                said(EventType::Reasoning, Actor::Assistant),
                Origin::Created,
                vec![],
            ),
            (
                said(EventType::ToolCall, Actor::Assistant),
                Origin::Created,
                vec!["tool.called"],
            ),
            (
                said(EventType::ToolResult, Actor::Tool),
                Origin::Created,
                vec![],
            ),
            (
                said(EventType::Form, Actor::Assistant),
                Origin::Created,
                vec!["message.s2c"],
            ),
            (
                said(EventType::FormResponse, Actor::User),
                Origin::Created,
                vec!["message.c2s"],
            ),
        ];
        for (event, origin, expected) in cases {
            let kind = event.kind;
            assert_eq!(
                names(Change::of_event(event, 2).by(origin)),
                expected,
                "{kind:?} {origin:?}"
            );
        }
    }

    #[test]
    fn events_carry_ids_and_counts_but_no_content() {
        let mut message = said(EventType::Message, Actor::User);
        message.user = Some(User::new("bob"));
        let tool = said(EventType::ToolCall, Actor::Assistant);
        let failed = run("m1", RunStatus::Failed, Some("secret words"));
        let changes = [
            Change::of_event(message, 1).by(Origin::Created),
            Change::of_event(tool, 2).by(Origin::Created),
            Change::of_run(failed, 3),
        ];
        let events = built_in_events(&changes, &SOURCE, &AnalyticsFilter::default());
        let json = serde_json::to_value(&events).unwrap();
        assert!(!json.to_string().contains("secret"), "{json}");
        assert_eq!(json[0]["user_id"], "bob");
        assert_eq!(
            json[0]["data"],
            json!({ "type": "message", "actor": "user", "parts": 1 })
        );
        assert_eq!(json[1]["user_id"], "ada");
        assert_eq!(json[1]["data"], json!({ "name": "search" }));
        assert_eq!(json[2]["event"], "error.occurred");
        assert_eq!(json[2]["data"], json!({ "kind": "failed" }));
        let finished = json!({ "status": "failed", "duration_ms": 250, "attempt": 2 });
        assert_eq!(json[3]["data"], finished);
        assert_eq!(json[3]["event_id"], "m1");
    }

    #[test]
    fn run_of_another_message_has_no_user_of_this_turn() {
        let canceled = Change::of_run(run("m0", RunStatus::Canceled, None), 3);
        let withdrawn = events(canceled.clone().by(Origin::EndedTurn(0)));
        assert_eq!(withdrawn[0].user_id, None);
        assert_eq!(withdrawn[0].data.as_ref().unwrap()["attempt"], 0);
        // A run of the program has no turn.
        assert_eq!(
            events(canceled)[0].data.as_ref().unwrap()["attempt"],
            Value::Null
        );
    }

    #[test]
    fn running_run_is_no_event() {
        let running = run("m1", RunStatus::Running, None);
        assert!(names(Change::of_run(running, 1)).is_empty());
    }

    #[test]
    fn disabled_events_are_not_recorded() {
        let off = AnalyticsFilter {
            is_off: true,
            ..AnalyticsFilter::default()
        };
        let without = AnalyticsFilter {
            disabled: HashSet::from(["error.occurred".to_owned()]),
            ..AnalyticsFilter::default()
        };
        let change = [Change::of_run(run("m1", RunStatus::Failed, None), 1)];
        assert!(built_in_events(&change, &SOURCE, &off).is_empty());
        let left = built_in_events(&change, &SOURCE, &without);
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].event, "run.finished");
    }

    #[test]
    fn long_name_of_a_tool_is_cut_between_characters() {
        let mut tool = said(EventType::ToolCall, Actor::Assistant);
        tool.data = Some(json!({ "name": "é".repeat(100) + "x" }));
        let event = events(Change::of_event(tool, 1).by(Origin::Created)).remove(0);
        assert_eq!(event.data.unwrap()["name"], "é".repeat(64));
    }
}
