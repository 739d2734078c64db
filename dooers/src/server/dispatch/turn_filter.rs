//! The filter for the updates of one turn.

use super::event::DispatchEvent;
use crate::hub::{Frame, Update};
use crate::protocol::{Actor, Run, RunStatus, ThreadEvent};
use crate::store::{Change, ChangeBody};
use std::collections::{HashMap, HashSet, VecDeque};

/// Selects the updates of one turn among the updates of its thread.
#[derive(Debug)]
pub(super) struct TurnFilter {
    /// The event id of the message that the turn answers.
    event_id: String,
    /// True if events without a run may belong to the turn.
    has_manual_runs: bool,
    /// The ids of the turn's runs.
    runs: HashSet<String>,
    /// The ids of the runs of other turns.
    others: HashSet<String>,
    /// The event ids of the turn's texts that are being streamed.
    texts: HashSet<String>,
    /// Events whose run is not known yet, by the run's id. A reader that catches up receives events before their runs.
    unknown: HashMap<String, Vec<ThreadEvent>>,
    /// Updates that were not taken yet.
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

    /// Returns true if the record of the last run shows that the turn has ended. Always false for a handler that starts its
    /// runs itself, because it may start another one.
    pub(super) fn is_over(&self) -> bool {
        let is_ended = |run: &Run| run.status != RunStatus::Running;
        !self.has_manual_runs && self.last_run().is_some_and(is_ended)
    }

    /// Processes a frame of the thread.
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
