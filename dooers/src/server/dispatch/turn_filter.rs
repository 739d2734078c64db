//! Which frames of a thread belong to one turn.

use super::stream::DispatchEvent;
use crate::protocol::{Actor, Heard, Run, RunStatus, ThreadEvent};
use std::collections::{HashMap, HashSet, VecDeque};

/// What is heard of a thread, narrowed to one of its turns.
#[derive(Debug)]
pub(super) struct TurnFilter {
    /// The message that the turn answers.
    event_id: String,
    /// Whether events may belong to it that no run has.
    has_manual_runs: bool,
    /// Its runs, …
    runs: HashSet<String>,
    /// … and those of other turns.
    others: HashSet<String>,
    /// Its texts that grow.
    texts: HashSet<String>,
    /// Events whose run is not known yet: who reads from the store is told of events first.
    unknown: HashMap<String, Vec<ThreadEvent>>,
    /// What was heard of it and not taken.
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

    /// What comes next of the turn.
    pub(super) fn next(&mut self) -> Option<DispatchEvent> {
        self.ready.pop_front()
    }

    /// The run that was heard of last.
    pub(super) fn last_run(&self) -> Option<&Run> {
        self.last_run.as_ref()
    }

    /// Whether the thread is gone.
    pub(super) fn is_deleted(&self) -> bool {
        self.is_deleted
    }

    /// Whether what is recorded says that the turn is over. Who starts its runs itself may start another one.
    pub(super) fn is_over(&self) -> bool {
        let is_ended = |run: &Run| run.status != RunStatus::Running;
        !self.has_manual_runs && self.last_run().is_some_and(is_ended)
    }

    pub(super) fn hear(&mut self, heard: Heard) {
        match heard {
            Heard::Events(events) => events.into_iter().for_each(|event| self.hear_event(event)),
            Heard::Delta(delta) if self.texts.contains(&delta.event_id) => {
                self.ready.push_back(DispatchEvent::Delta {
                    event_id: delta.event_id,
                    delta_seq: delta.delta_seq,
                    text: delta.text,
                });
            }
            Heard::Run(run) => self.hear_run(run),
            Heard::Thread(thread) => self.ready.push_back(DispatchEvent::Thread(thread)),
            Heard::ThreadDeleted => self.is_deleted = true,
            Heard::Delta(_) | Heard::Other => {}
        }
    }

    fn hear_event(&mut self, event: ThreadEvent) {
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

    fn hear_run(&mut self, run: Run) {
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
