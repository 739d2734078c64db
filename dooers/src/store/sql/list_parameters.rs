//! The parameters of statements that list threads and runs.

use super::read::{Parameter, parameters};
use crate::store::listing::Span;
use crate::store::{Participant, Scope, ThreadQuery};
use chrono::{DateTime, Utc};

/// Returns the parameters of the statement that lists threads, and `true` if it lists those of a participant.
pub(super) fn listed(
    scope_pk: i64,
    scope: &Scope,
    looked_for: &ThreadQuery,
) -> (bool, Vec<Parameter>) {
    // A viewer that looks for the threads of another participant gets those that have both.
    let mut participants: Vec<_> = scope
        .viewer
        .participant()
        .into_iter()
        .chain(&looked_for.participant)
        .collect();
    let is_of_participant = !participants.is_empty();
    let mut values = spanned(scope_pk, &looked_for.span(), looked_for.limit);
    if is_of_participant {
        let other = participants.pop();
        let first = participants.pop().or(other);
        values.extend(parameters![stored(first), stored(other)]);
    }
    (is_of_participant, values)
}

/// Returns the parameters that limit a list: its owner, its beginning, the number of items, and its end.
pub(super) fn spanned(pk: i64, span: &Span, limit: usize) -> Vec<Parameter> {
    vec![
        pk.into(),
        Parameter::Time(span.behind.at),
        Parameter::from(&*span.behind.id),
        Parameter::from(limit as u64),
        Parameter::Time(span.end),
    ]
}

/// Returns the parameter for a time, or `default` without one.
pub(super) fn stored_time(at: Option<DateTime<Utc>>, default: i64) -> i64 {
    at.map_or(default, |at| at.timestamp_micros())
}

pub(super) fn stored(participant: Option<&Participant>) -> Option<String> {
    participant.map(|participant| participant.as_str().to_owned())
}
