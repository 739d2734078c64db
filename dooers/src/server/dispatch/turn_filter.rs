//! The filter that picks the updates of one turn.

use super::event::DispatchEvent;
use crate::hub::{Frame, Update};
use crate::protocol::{Actor, Run, RunStatus, ThreadEvent};
use crate::store::{Change, ChangeBody};
use std::collections::{HashMap, HashSet, VecDeque};

/// Picks the updates of one turn from those of its thread.
#[derive(Debug)]
pub(super) struct TurnFilter {
    /// The message that the turn answers.
    event_id: String,
    /// True if events without a run may belong to the turn.
    has_manual_runs: bool,
    /// The runs of the turn.
    runs: HashSet<String>,
    /// The runs of other turns.
    others: HashSet<String>,
    /// The streamed texts of the turn.
    texts: HashSet<String>,
    /// Events whose run is not known yet: a reader that catches up gets events before their runs.
    unknown: HashMap<String, Vec<ThreadEvent>>,
    /// Updates that were not taken.
    ready: VecDeque<DispatchEvent>,
    last_run: Option<Run>,
    is_deleted: bool,
}

impl TurnFilter {
    pub(super) fn new(event_id: String, has_manual_runs: bool) -> Self {
        Self {
            event_id,
            has_manual_runs,
            runs: HashSet::new(),
            others: HashSet::new(),
            texts: HashSet::new(),
            unknown: HashMap::new(),
            ready: VecDeque::new(),
            last_run: None,
            is_deleted: false,
        }
    }

    /// Takes the next update of the turn.
    pub(super) fn next(&mut self) -> Option<DispatchEvent> {
        self.ready.pop_front()
    }

    /// The run that changed last.
    pub(super) fn last_run(&self) -> Option<&Run> {
        self.last_run.as_ref()
    }

    /// Returns true if the thread was deleted.
    pub(super) fn is_deleted(&self) -> bool {
        self.is_deleted
    }

    /// Returns true if the record says that the turn is over. A handler that starts its runs itself may start another one.
    pub(super) fn is_over(&self) -> bool {
        let is_ended = |run: &Run| run.status != RunStatus::Running;
        !self.has_manual_runs && self.last_run().is_some_and(is_ended)
    }

    /// Takes a frame of the thread.
    pub(super) fn on_frame(&mut self, frame: Frame) {
        match frame.into_update() {
            Some(Update::Change(change, sender)) => self.on_change(change, sender.as_deref()),
            Some(Update::Delta {
                event_id,
                delta_seq,
                text,
                ..
            }) if self.texts.contains(&event_id) => self.ready.push_back(DispatchEvent::Delta {
                event_id,
                delta_seq,
                text,
            }),
            Some(Update::Deleted(_)) => self.is_deleted = true,
            Some(Update::Delta { .. }) | None => {}
        }
    }

    fn on_change(&mut self, change: Change, sender: Option<&str>) {
        match change.body {
            ChangeBody::Event(event) => self.on_event(*event),
            ChangeBody::Run(run) => self.on_run(run),
            ChangeBody::Thread(record) => {
                let thread = Box::new(record.thread.shown(sender));
                self.ready.push_back(DispatchEvent::Thread(thread));
            }
            ChangeBody::Deleted(_) => self.is_deleted = true,
        }
    }

    fn on_event(&mut self, event: ThreadEvent) {
        if event.actor == Actor::User {
            return;
        }
        match &event.run_id {
            Some(run) if self.runs.contains(run) => self.take(event),
            Some(run) if self.others.contains(run) => {}
            Some(run) => self.unknown.entry(run.clone()).or_default().push(event),
            None if self.has_manual_runs => self.take(event),
            None => {}
        }
    }

    fn on_run(&mut self, run: Run) {
        let events = self.unknown.remove(&run.id).unwrap_or_default();
        if run.event_id.as_deref() != Some(&*self.event_id) {
            self.others.insert(run.id);
            return;
        }
        self.runs.insert(run.id.clone());
        events.into_iter().for_each(|event| self.take(event));
        self.last_run = Some(run.clone());
        self.ready.push_back(DispatchEvent::Run(run));
    }

    fn take(&mut self, event: ThreadEvent) {
        if event.streaming == Some(true) {
            self.texts.insert(event.id.clone());
        } else {
            self.texts.remove(&event.id);
        }
        self.ready.push_back(DispatchEvent::Event(Box::new(event)));
    }
}
