//! The runs of the events of a page.
//!
//! A page has each run that one of its events names, and each run that answers one of its messages. A run counts in the size
//! of the page once: with the newest of these events.

use super::limit::{encoded_len, fitting};
use crate::protocol::{Run, ThreadEvent};
use std::collections::{HashMap, HashSet};

/// The runs of a thread, or of a part of it, by the events that they belong to.
#[derive(Debug)]
pub(crate) struct PageRuns<'a> {
    /// In the order of their start.
    all: Vec<&'a Run>,
    by_id: HashMap<&'a str, &'a Run>,
    by_message: HashMap<&'a str, Vec<&'a Run>>,
}

impl<'a> PageRuns<'a> {
    /// `runs` are in the order of their start.
    pub(crate) fn of(runs: impl Iterator<Item = &'a Run>) -> Self {
        let all: Vec<&Run> = runs.collect();
        let mut by_message: HashMap<&str, Vec<&Run>> = HashMap::new();
        for run in &all {
            if let Some(event_id) = &run.event_id {
                by_message.entry(event_id).or_default().push(run);
            }
        }
        Self {
            by_id: all.iter().map(|run| (run.id.as_str(), *run)).collect(),
            by_message,
            all,
        }
    }

    /// Returns the runs that an event names or that answer it. A run may be returned twice.
    fn of_event(&self, event: &ThreadEvent) -> impl Iterator<Item = &'a Run> {
        let named = event.run_id.as_deref().and_then(|id| self.by_id.get(id));
        let answers = self.by_message.get(event.id.as_str());
        named
            .into_iter()
            .chain(answers.into_iter().flatten())
            .copied()
    }

    /// Returns how many of these events fit into a page together with their runs. The first one always fits.
    pub(crate) fn fitting<'e>(
        &self,
        bytes: usize,
        newest_first: impl Iterator<Item = &'e ThreadEvent>,
    ) -> usize {
        let mut counted = HashSet::new();
        let sizes = newest_first.map(|event| {
            let new = self.of_event(event);
            let new = new.filter(|run| counted.insert(run.id.as_str()));
            encoded_len(event) + new.map(encoded_len).sum::<usize>()
        });
        fitting(bytes, sizes)
    }

    /// Returns the runs of these events, each once, in the order of their start.
    pub(crate) fn shown<'e>(&self, events: impl Iterator<Item = &'e ThreadEvent>) -> Vec<Run> {
        let shown = events.flat_map(|event| self.of_event(event));
        let shown: HashSet<&str> = shown.map(|run| run.id.as_str()).collect();
        let all = self.all.iter();
        let shown = all.filter(|run| shown.contains(run.id.as_str()));
        shown.map(|run| Run::clone(run)).collect()
    }
}
