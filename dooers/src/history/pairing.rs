//! The pairing of tool calls with their results.

use super::tools::{ToolData, object_of};
use serde_json::{Map, Value};
use std::cmp::Reverse;
use std::collections::VecDeque;

/// The members of a call or a result that are compared to pair the two. `None` means unknown and matches everything.
#[derive(Debug, Clone)]
pub(crate) struct ToolKey {
    run_id: Option<String>,
    id: Option<String>,
    name: Option<String>,
    args: Option<Map<String, Value>>,
}

/// The calls that wait for their results, in their order. `P` identifies the position of a call.
///
/// Models repeat ids within a thread, leave them empty or use the tool's name instead, so an id alone does not
/// identify a call. See [`ToolKey::fits`].
#[derive(Debug)]
pub(crate) struct OpenCalls<P> {
    calls: VecDeque<(ToolKey, P)>,
}

/// The match between one member of a result and of a call, from worst to best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Different,
    Unknown,
    Equal,
}

impl ToolKey {
    pub(super) fn new(run_id: Option<&str>, data: &ToolData) -> Self {
        let known = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let is_blank = data
            .args
            .as_str()
            .is_some_and(|args| args.trim().is_empty());
        let args = (!is_blank).then(|| object_of(&data.args, "value"));
        Self {
            run_id: run_id.and_then(known),
            id: known(&data.id),
            name: known(&data.name),
            // Results often lack the arguments of their call, and some programs write an empty object instead.
            args: args.filter(|args| !args.is_empty()),
        }
    }

    /// The key of a tool event.
    #[cfg(feature = "testing")]
    pub(crate) fn of(event: &crate::protocol::ThreadEvent) -> Self {
        let data = ToolData::of(event.data.clone());
        Self::new(event.run_id.as_deref(), &data)
    }

    /// Returns how well this result matches a call, or `None` if it cannot belong to the call.
    ///
    /// Run, id and name must not differ, and the id or the name must be equal. Arguments decide between calls that
    /// otherwise match equally well. They must not differ if the id does not identify a call, because the right call
    /// may be missing: the limit of the history may have cut it off.
    fn fits(&self, call: &Self) -> Option<[Fit; 4]> {
        let run = Fit::of(&call.run_id, &self.run_id);
        let id = Fit::of(&call.id, &self.id);
        let name = Fit::of(&call.name, &self.name);
        let args = Fit::of(&call.args, &self.args);
        let is_recognized = id == Fit::Equal && (self.id.is_some() || name == Fit::Equal)
            || name == Fit::Equal && self.name.is_some();
        let has_own_id = id == Fit::Equal && self.has_own_id() && call.has_own_id();
        let is_different =
            [run, id, name].contains(&Fit::Different) || args == Fit::Different && !has_own_id;
        (is_recognized && !is_different).then_some([run, id, name, args])
    }

    fn has_own_id(&self) -> bool {
        self.id.is_some() && self.id != self.name
    }
}

impl Fit {
    fn of<T: PartialEq>(call: &Option<T>, result: &Option<T>) -> Self {
        match (call, result) {
            (Some(call), Some(result)) if call != result => Self::Different,
            (Some(_), Some(_)) | (None, None) => Self::Equal,
            (Some(_), None) | (None, Some(_)) => Self::Unknown,
        }
    }
}

impl<P> OpenCalls<P> {
    /// Adds a call. Calls must be added in their order.
    pub(crate) fn add(&mut self, call: ToolKey, place: P) {
        self.calls.push_back((call, place));
    }

    /// Removes the call that a result belongs to and returns its position. This is the call that matches best, and the
    /// first one of several that match equally well.
    pub(crate) fn take(&mut self, result: &ToolKey) -> Option<P> {
        let fits = |(call, _): &(ToolKey, P)| result.fits(call);
        let fitting = self.calls.iter().map(fits).enumerate();
        let fitting = fitting.filter_map(|(index, fits)| Some((Reverse(fits?), index)));
        let (_, index) = fitting.min()?;
        self.calls.remove(index).map(|(_, place)| place)
    }

    /// Removes the oldest calls while there are more than `most` calls and `gone` is true for the oldest.
    pub(super) fn forget(&mut self, most: usize, gone: impl Fn(&P) -> bool) {
        while self.calls.len() > most && self.calls.front().is_some_and(|(_, place)| gone(place)) {
            self.calls.pop_front();
        }
    }
}

impl<P> Default for OpenCalls<P> {
    fn default() -> Self {
        Self {
            calls: VecDeque::new(),
        }
    }
}
