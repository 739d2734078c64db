//! Random operations, most of them on existing items.

use super::{Both, Compared};
use crate::protocol::{
    AskedForm, ContentPart, EventType, FeedbackTarget, FeedbackTargetType, FeedbackValue, Run,
    RunStatus, Usage, User,
};
use crate::store::OnBusy;
use crate::store::tests::{at, said, scope, start};
use crate::store::usage_limit::{UsageLimitScope, UsagePeriod};
use crate::store::{
    ClaimOptions, EventPatch, FeedbackCursor, FeedbackPeriod, FeedbackQuery, NewFeedback,
    NewMessage, NewThread, Order, Participant, RunCursor, RunPatch, RunQuery, Scope, ThreadCursor,
    ThreadEdit, ThreadPatch, ThreadQuery, ThreadTarget, TitleSearch, TurnChange, TurnKey,
    TurnUsage, UsageLimit, UsageQuery, Viewer,
};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::sync::Arc;

/// A small random number generator, which returns the same numbers for the same seed on every machine.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }

    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.roll(100) < percent
    }
}

/// Picks one of the last items, usually one of this thread.
fn pick(dice: &mut Dice, all: &[(String, String)], thread_id: &str, last: u64) -> String {
    let is_stray = dice.chance(15);
    let of_thread = all.iter().rev();
    let of_thread = of_thread.filter(|(thread, _)| is_stray || thread == thread_id);
    let of_thread: Vec<_> = of_thread.collect();
    let which = dice.roll(last.min(of_thread.len() as u64 + 1));
    let picked = of_thread.get(which as usize);
    picked.map_or_else(|| "nowhere".to_owned(), |(_, id)| id.clone())
}

impl<C: Compared> Both<C> {
    pub(super) fn new_id(&mut self, kind: &str) -> String {
        self.made += 1;
        format!("{kind}{}", self.made)
    }

    pub(super) fn thread_id(&mut self) -> String {
        format!("t{}", self.dice.roll(6))
    }

    pub(super) fn user(&mut self) -> User {
        let name = ["", "ann", "bob", "eve"][self.dice.roll(4) as usize];
        let mut user = User::new(name);
        user.user_name = self.dice.chance(20).then(|| "A name".to_owned());
        user
    }

    pub(super) fn scope(&mut self) -> Scope {
        let mut scope = scope();
        match self.dice.roll(80) {
            0 => scope.agent = "other".to_owned(),
            1 => scope.worker_id = "other".to_owned(),
            2 => scope.organization_id = "other".to_owned(),
            3 => scope.workspace_id = "other".to_owned(),
            4..16 => scope.viewer = Viewer::Only(Participant::user(&self.user())),
            _ => {}
        }
        scope
    }

    /// Picks an event, usually one of this thread.
    pub(super) fn event_id(&mut self, thread_id: &str) -> String {
        pick(&mut self.dice, &self.events, thread_id, u64::MAX)
    }

    /// Picks a recent event, which may still be open or waiting.
    pub(super) fn recent_event_id(&mut self, thread_id: &str) -> String {
        pick(&mut self.dice, &self.events, thread_id, 8)
    }

    /// Picks a recent form, usually one of this thread.
    pub(super) fn recent_form(&mut self, thread_id: &str) -> String {
        pick(&mut self.dice, &self.forms, thread_id, 2)
    }

    /// Picks a run, usually one of this thread.
    pub(super) fn run_id(&mut self, thread_id: &str) -> String {
        pick(&mut self.dice, &self.runs, thread_id, 8)
    }

    /// Returns a new id, or that of an existing run.
    pub(super) fn some_run_id(&mut self, thread_id: &str) -> String {
        if self.dice.chance(20) {
            return self.run_id(thread_id);
        }
        let id = self.new_id("r");
        self.runs.push((thread_id.to_owned(), id.clone()));
        id
    }

    pub(super) fn data(&mut self) -> Option<Value> {
        match self.dice.roll(4) {
            0 => {
                let text = if self.compared.holds_nul() {
                    "\u{0}ä"
                } else {
                    "ä"
                };
                let n = 0.1 + self.dice.roll(1000) as f64 / 7.0;
                Some(json!({"n": n, "text": text}))
            }
            1 => Some(Value::Null),
            _ => None,
        }
    }

    pub(super) fn start(&mut self) -> ClaimOptions {
        let run_id = self.dice.chance(80).then(|| self.new_id("r"));
        let on_busy = match self.dice.roll(10) {
            0 => OnBusy::Queue { limit: 1 },
            1 => OnBusy::Reject,
            2..6 => OnBusy::Concurrent,
            _ => OnBusy::Queue { limit: u32::MAX },
        };
        ClaimOptions {
            run_id,
            on_busy,
            at: self.now(),
            retries: 1,
            limits: self.limits(),
            ..start("r")
        }
    }

    pub(super) fn now(&mut self) -> DateTime<Utc> {
        // Sometimes the same time again, so that the id decides the order of threads.
        at(self.made as i64 / 3)
    }

    /// Picks a time in the past.
    pub(super) fn then(&mut self) -> DateTime<Utc> {
        at(self.dice.roll(self.made + 1) as i64 / 3)
    }

    pub(super) fn message(&mut self) -> NewMessage {
        let id = self.thread_id();
        let event_id = self.new_id("e");
        let form = if self.dice.chance(50) {
            self.recent_form(&id)
        } else {
            self.event_id(&id)
        };
        self.events.push((id.clone(), event_id.clone()));
        let thread = match self.dice.roll(10) {
            0..3 => {
                let metadata = self.data();
                let made = NewThread {
                    metadata,
                    ..NewThread::new(id)
                };
                if self.dice.chance(50) {
                    ThreadTarget::New(made)
                } else {
                    ThreadTarget::ExistingOrNew(made)
                }
            }
            _ => ThreadTarget::Existing(id),
        };
        let user = self.user();
        let participant = if user.user_id.is_empty() || self.dice.chance(10) {
            Participant::connection(["c1", "c2"][self.dice.roll(2) as usize])
        } else {
            Participant::user(&user)
        };
        let is_answer = self.dice.chance(15);
        NewMessage {
            thread,
            event_id,
            kind: if is_answer {
                EventType::FormResponse
            } else {
                EventType::Message
            },
            content: vec![ContentPart::text("hello")],
            data: if is_answer && self.dice.chance(90) {
                Some(json!({"form_event_id": form, "values": {"name": "x"}}))
            } else {
                self.data()
            },
            seal: None,
            identity: None,
            client_event_id: self
                .dice
                .chance(15)
                .then(|| format!("client{}", self.made % 7)),
            is_of_program: self.dice.chance(30),
            user,
            participant,
            at: self.now(),
        }
    }

    pub(super) fn change(&mut self, thread_id: &str) -> TurnChange {
        match self.dice.roll(15) {
            13 => TurnChange::EndQuestion {
                form_event_id: self.recent_form(thread_id),
                is_over: self.dice.chance(50),
            },
            14 if self.dice.chance(20) => TurnChange::EndQuestions,
            0 => TurnChange::Touch(self.now()),
            11 | 12 => self.usage(thread_id),
            8 => TurnChange::Text {
                event_id: self.recent_event_id(thread_id),
                text: format!("so far {}", self.made),
                delta_seq: self.made,
            },
            9 => TurnChange::Finalize {
                event_id: self.recent_event_id(thread_id),
                text: format!("at last {}", self.made),
            },
            1 => TurnChange::Patch {
                patch: ThreadPatch::default().title("A title"),
                at: self.now(),
            },
            2 => TurnChange::Patch {
                patch: ThreadPatch::default().metadata(self.data().unwrap_or_default()),
                at: self.now(),
            },
            3 => TurnChange::Run(Run {
                id: self.some_run_id(thread_id),
                thread_id: thread_id.to_owned(),
                event_id: None,
                agent_id: None,
                status: RunStatus::Succeeded,
                started_at: self.now(),
                ended_at: Some(self.now()),
                error: None,
                usage: Vec::new(),
            }),
            10 => TurnChange::ReopenForm,
            kind => {
                let id = self.new_id("e");
                self.events.push((thread_id.to_owned(), id.clone()));
                let TurnChange::Event(mut event) = said(thread_id, &id, "ok") else {
                    unreachable!()
                };
                event.run_id = Some(self.run_id(thread_id));
                event.data = self.data();
                event.streaming = self.dice.chance(40).then_some(true);
                event.delta_seq = event.streaming.map(|_| 0);
                if kind == 4 || kind == 6 {
                    event.kind = EventType::Form;
                    event.data = Some(json!({
                        "message": "m", "submit_label": "s", "cancel_label": "c", "size": "small",
                        "elements": [{
                            "name": if self.dice.chance(80) { "name" } else { "other" },
                            "label": "l", "order": 0, "required": true, "disabled": false,
                            "type": "text_input", "input_type": "text",
                        }],
                    }));
                    if self.dice.chance(60) {
                        let asked = AskedForm {
                            user_id: self.dice.chance(20).then(|| "ann".to_owned()),
                            ..AskedForm::new(self.now())
                        };
                        event.data.iter_mut().for_each(|data| asked.add_to(data));
                    }
                    self.forms.push((thread_id.to_owned(), event.id.clone()));
                }
                if kind == 5 && self.dice.chance(30) {
                    event.kind = EventType::FormResponse;
                    event.data = Some(json!({"form_event_id": self.event_id(thread_id)}));
                }
                TurnChange::Event(event)
            }
        }
    }

    /// Creates a usage, often of a run of this thread.
    fn usage(&mut self, thread_id: &str) -> TurnChange {
        let model = ["small", "large"][self.dice.roll(2) as usize];
        let mut usage = Usage::new(model)
            .input_tokens(self.dice.roll(1000))
            .output_tokens(self.dice.roll(100));
        if self.dice.chance(50) {
            let picos = i64::try_from(self.dice.roll(3_000_000_000_000)).unwrap();
            let currency = ["USD", "EUR"][self.dice.roll(2) as usize];
            usage = usage.cost(Decimal::new(picos, 12), currency);
        }
        TurnChange::Usage(Box::new(TurnUsage {
            id: self.new_id("u"),
            run_id: self.dice.chance(80).then(|| self.run_id(thread_id)),
            user_id: self.user().user_id,
            usage,
            at: self.now(),
        }))
    }

    /// Returns a query for sums of usage.
    pub(super) fn usage_query(&mut self, thread_id: &str) -> UsageQuery {
        UsageQuery {
            thread_id: self.dice.chance(30).then(|| thread_id.to_owned()),
            user_id: self.dice.chance(30).then(|| self.user().user_id),
            model: self.dice.chance(30).then(|| "small".to_owned()),
            since: self.dice.chance(30).then(|| self.then()),
            before: self.dice.chance(30).then(|| self.then()),
            by_thread: self.dice.chance(50),
            by_user: self.dice.chance(50),
            by_model: self.dice.chance(50),
            by_day: self.dice.chance(50),
        }
    }

    /// Returns limits, some of which are reached in the course of a test.
    fn limits(&mut self) -> Arc<[UsageLimit]> {
        if self.dice.chance(85) {
            return Arc::default();
        }
        let scopes = [
            UsageLimitScope::User,
            UsageLimitScope::Organization,
            UsageLimitScope::Worker,
        ];
        let periods = [UsagePeriod::Day, UsagePeriod::Month];
        let amount = match self.dice.roll(2) {
            0 => format!("{} tokens", self.dice.roll(100_000)),
            _ => format!("{} USD", self.dice.roll(200)),
        };
        let limit = UsageLimit::new(
            scopes[self.dice.roll(3) as usize],
            periods[self.dice.roll(2) as usize],
            amount.parse().unwrap(),
        );
        [limit].into()
    }

    /// Creates an edit by the program.
    pub(super) fn edit(&mut self, thread_id: &str) -> ThreadEdit {
        let at = self.now();
        let run_id = self.run_id(thread_id);
        match self.dice.roll(10) {
            0 => {
                let mut patch = ThreadPatch::default();
                if self.dice.chance(70) {
                    patch = match self.dice.roll(4) {
                        0 => patch.without_title(),
                        which => patch.title(["", "A title", "Another"][which as usize - 1]),
                    };
                }
                if let Some(metadata) = self.data() {
                    patch = patch.metadata(metadata);
                }
                ThreadEdit::Patch { patch, at }
            }
            1 | 2 => {
                let event_id = self.event_id(thread_id);
                let mut patch = EventPatch::default();
                if self.dice.chance(50) {
                    patch = patch.text(format!("changed {}", self.made));
                }
                if let Some(data) = self.data() {
                    patch = patch.data(data);
                }
                ThreadEdit::UpdateEvent { event_id, patch }
            }
            3 => ThreadEdit::RemoveEvent {
                event_id: self.recent_event_id(thread_id),
                run_id: self.some_run_id(thread_id),
                at,
            },
            4 | 7 => {
                let patch = RunPatch::default();
                let patch = match self.dice.roll(3) {
                    0 => patch,
                    1 => patch.succeeded(),
                    _ => patch.failed("for a reason"),
                };
                ThreadEdit::UpdateRun { run_id, patch, at }
            }
            5 | 8 => ThreadEdit::RemoveRun(run_id),
            6 => {
                let mut message = self.message();
                message.thread = ThreadTarget::Existing(thread_id.to_owned());
                let mut event = message.event(0);
                self.events.push((thread_id.to_owned(), event.id.clone()));
                event.run_id = self.dice.chance(30).then_some(run_id);
                ThreadEdit::CreateEvent(Box::new(event))
            }
            _ => ThreadEdit::CreateRun(Run {
                id: self.some_run_id(thread_id),
                thread_id: thread_id.to_owned(),
                event_id: None,
                agent_id: None,
                status: RunStatus::Running,
                started_at: at,
                ended_at: None,
                error: None,
                usage: Vec::new(),
            }),
        }
    }

    /// Creates queries for threads and runs.
    /// Returns feedback on a thread or an event. The ids of runs occur in several threads, and a store may choose any of
    /// them.
    pub(super) fn feedback(&mut self) -> NewFeedback {
        let id = self.thread_id();
        let target = match self.dice.roll(4) {
            0 => FeedbackTarget::Thread(id),
            _ => FeedbackTarget::Event(self.recent_event_id(&id)),
        };
        let user = self.user();
        let reason = self.dice.chance(20).then(|| "A reason".to_owned());
        NewFeedback {
            id: self.new_id("l"),
            target,
            participant: Participant::user(&user),
            user_id: user.user_id,
            value: self.opinion(),
            classification: reason.clone().filter(|_| self.dice.chance(50)),
            reason,
            at: self.now(),
        }
    }

    fn opinion(&mut self) -> FeedbackValue {
        [FeedbackValue::Like, FeedbackValue::Dislike][self.dice.roll(2) as usize]
    }

    /// Returns queries for feedback with the period and the order of a query for runs.
    pub(super) fn feedback_queries(&mut self, runs: &RunQuery) -> (FeedbackQuery, FeedbackPeriod) {
        let query = FeedbackQuery {
            target_type: self.dice.chance(30).then_some(
                [FeedbackTargetType::Event, FeedbackTargetType::Thread][self.dice.roll(2) as usize],
            ),
            value: self.dice.chance(30).then(|| self.opinion()),
            thread_id: runs.thread_id.clone(),
            user_id: self.dice.chance(30).then(|| self.user().user_id),
            since: runs.started_since,
            before: runs.started_before,
            order: runs.order,
            after: self.dice.chance(30).then(|| FeedbackCursor {
                updated_at: self.then(),
                id: format!("l{}", self.dice.roll(9)),
            }),
            limit: runs.limit,
        };
        let period = FeedbackPeriod {
            since: query.since,
            before: query.before,
        };
        (query, period)
    }

    pub(super) fn queries(&mut self, thread_id: &str, limit: usize) -> (ThreadQuery, RunQuery) {
        let since = self.dice.chance(30).then(|| self.then());
        let before = self.dice.chance(30).then(|| self.then());
        let order = [Order::NewestFirst, Order::OldestFirst][self.dice.roll(2) as usize];
        let threads = ThreadQuery {
            participant: self
                .dice
                .chance(40)
                .then(|| Participant::user(&self.user())),
            active_since: since,
            active_before: before,
            order,
            after: self.dice.chance(30).then(|| ThreadCursor {
                last_event_at: self.then(),
                thread_id: self.thread_id(),
            }),
            ..ThreadQuery::newest(limit)
        };
        let runs = RunQuery {
            thread_id: self.dice.chance(60).then(|| thread_id.to_owned()),
            event_id: self.dice.chance(20).then(|| self.event_id(thread_id)),
            statuses: match self.dice.roll(3) {
                0 => vec![RunStatus::Failed, RunStatus::Canceled],
                1 => vec![RunStatus::Running],
                _ => Vec::new(),
            },
            started_since: since,
            started_before: before,
            order,
            after: self.dice.chance(30).then(|| RunCursor {
                started_at: self.then(),
                run_id: format!("r{}", self.dice.roll(self.made + 1)),
            }),
            ..RunQuery::newest(limit)
        };
        (threads, runs)
    }

    /// Creates a search for titles, which scans few threads.
    pub(super) fn search(&mut self) -> TitleSearch {
        let text = ["TITLE", "another", "missing"][self.dice.roll(3) as usize];
        TitleSearch::new(text).scanning(1 + self.dice.roll(9) as usize)
    }

    pub(super) fn changes(&mut self, thread_id: &str) -> Vec<TurnChange> {
        (0..self.dice.roll(5))
            .map(|_| self.change(thread_id))
            .collect()
    }

    /// Picks a turn that was claimed before. It may have ended, or the caller may not hold it.
    pub(super) fn turn(&mut self) -> Option<(Scope, TurnKey)> {
        let newest = self.turns.len() as u64;
        let which = newest.checked_sub(1 + self.dice.roll(newest.clamp(1, 16)))?;
        let (mut scope, mut key) = self.turns[which as usize].clone();
        if self.dice.chance(5) {
            scope = self.scope();
        }
        if self.dice.chance(5) {
            key.fence += 1;
        }
        Some((scope, key))
    }
}
