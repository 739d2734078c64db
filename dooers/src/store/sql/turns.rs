//! The rows of turns.

use super::int;
use super::rows::{Columns, RowError, thread_place};
use crate::store::rules::{Held, TurnRow};
use crate::store::{
    GivenAnswer, HeldTurn, KeyedDigest, Question, SealedAnswer, TurnKey, TurnState,
};
use std::time::Duration;

/// The columns that [`turn`] reads.
pub(crate) const TURN_COLUMNS: &str = "u.seq, u.event_id, u.state, u.fence, u.attempt, u.retries, {micros u.not_before}, \
     {micros u.lease_until}, {flag u.cancel_requested}, u.node, u.slot, u.sealed, u.identity, \
     u.questions";

/// Reads a turn that a process holds: the place of its thread, and four more columns.
pub(crate) fn held_turn(row: &impl Columns) -> Result<HeldTurn, RowError> {
    let (scope, thread_id) = thread_place(row)?;
    Ok(HeldTurn {
        key: TurnKey {
            thread_id,
            event_id: row.text(5)?.to_owned(),
            fence: row.count(6)?,
        },
        scope,
        is_cancelled: row.number(7)? != 0,
        questions: questions(row, 8)?,
    })
}

/// Reads a turn.
pub(crate) fn turn(row: &impl Columns) -> Result<TurnRow, RowError> {
    let held = match (row.optional_string(9)?, row.optional_time(7)?) {
        (Some(node), Some(until)) => Some(Held {
            node,
            lease: Duration::ZERO,
            until,
        }),
        _ => None,
    };
    Ok(TurnRow {
        seq: row.count(0)?,
        event_id: row.text(1)?.to_owned(),
        is_running: row.text(2)? == "running",
        fence: row.count(3)?,
        attempt: row.count(4)?,
        retries: row.count(5)?,
        not_before: row.optional_time(6)?,
        is_cancelled: row.number(8)? != 0,
        is_beside: row.number(10)? != 0,
        sealed: sealed_answer(row, 11)?,
        identity: row.optional_string(12)?,
        questions: questions(row, 13)?,
        held,
    })
}

/// Returns the value of a turn's column `state`.
pub(crate) fn turn_state(turn: &TurnRow) -> &'static str {
    if turn.is_running { "running" } else { "queued" }
}

/// Returns the state of a turn, by the column `state`. It is null for an event that has no turn.
pub(super) fn state_of_turn(row: &impl Columns) -> Result<TurnState, RowError> {
    Ok(match row.optional_text(0)? {
        None => TurnState::Ended,
        Some("running") => TurnState::Running,
        Some(_) => TurnState::Queued,
    })
}

/// Returns the value of a turn's column `slot`. Turns with the same slot cannot run at the same time.
pub(crate) fn turn_slot(turn: &TurnRow) -> i64 {
    if turn.is_beside { int(turn.seq) } else { 0 }
}

/// Reads the sealed answer of a turn: a JSON array of the id of its key, its hash and its sealed values.
pub(super) fn sealed_answer(
    row: &impl Columns,
    at: usize,
) -> Result<Option<SealedAnswer>, RowError> {
    Ok(row.optional_json(at)?.map(sealed_of))
}

/// Returns the value of the column that [`sealed_answer`] reads.
pub(crate) fn sealed_column(
    sealed: Option<&SealedAnswer>,
) -> Result<Option<String>, serde_json::Error> {
    let json = |sealed| serde_json::to_string(&sealed_parts(sealed));
    sealed.map(json).transpose()
}

/// Returns the parts of a sealed answer as they are stored: the id of its key, its hash and its sealed values.
pub(super) fn sealed_parts(sealed: &SealedAnswer) -> (&str, &str, &str) {
    let SealedAnswer { text, digest } = sealed;
    (&digest.key_id, &digest.digest, text)
}

/// Returns the sealed answer with these parts.
pub(super) fn sealed_of((key_id, digest, text): (String, String, String)) -> SealedAnswer {
    SealedAnswer {
        text,
        digest: KeyedDigest { key_id, digest },
    }
}

/// The parts of a question as they are stored: the event of the form, the user who may answer, and the answer with its event
/// and its sealed values.
type QuestionParts<T> = (T, Option<T>, Option<(T, Option<(T, T, T)>)>);

/// Reads the questions of a turn: a JSON array. The column is null if there are none.
fn questions(row: &impl Columns, at: usize) -> Result<Vec<Question>, RowError> {
    let stored: Vec<QuestionParts<String>> = row.optional_json(at)?.unwrap_or_default();
    let question = |(form_event_id, user_id, answer): QuestionParts<String>| Question {
        form_event_id,
        user_id,
        answer: answer.map(|(event_id, sealed)| GivenAnswer {
            event_id,
            sealed: sealed.map(sealed_of),
        }),
    };
    Ok(stored.into_iter().map(question).collect())
}

/// Returns the value of the column that [`questions`] reads.
pub(crate) fn questions_column(
    questions: &[Question],
) -> Result<Option<String>, serde_json::Error> {
    if questions.is_empty() {
        return Ok(None);
    }
    let parts: Vec<_> = questions.iter().map(question_parts).collect();
    serde_json::to_string(&parts).map(Some)
}

fn question_parts(question: &Question) -> QuestionParts<&str> {
    let Question {
        form_event_id,
        user_id,
        answer,
    } = question;
    let answer = answer.as_ref().map(|answer| {
        let sealed = answer.sealed.as_ref().map(sealed_parts);
        (answer.event_id.as_str(), sealed)
    });
    (form_event_id, user_id.as_deref(), answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row with a single column.
    struct Text(Option<String>);

    impl Columns for Text {
        fn optional_text(&self, _: usize) -> Result<Option<&str>, RowError> {
            Ok(self.0.as_deref())
        }

        fn optional_number(&self, _: usize) -> Result<Option<i64>, RowError> {
            Ok(None)
        }
    }

    #[test]
    fn questions_are_read_as_they_were_written() {
        let sealed = sealed_of(("key".to_owned(), "hash".to_owned(), "text".to_owned()));
        let answer = |sealed| GivenAnswer {
            event_id: "a".to_owned(),
            sealed,
        };
        let question = |user_id: Option<&str>, answer| Question {
            answer,
            ..Question::new("f".to_owned(), user_id.map(str::to_owned))
        };
        let all = [
            question(None, None),
            question(Some("ann"), Some(answer(None))),
            question(None, Some(answer(Some(sealed)))),
        ];
        for count in 0..=all.len() {
            let written = questions_column(&all[..count]).unwrap();
            assert_eq!(written.is_none(), count == 0);
            assert_eq!(questions(&Text(written), 0).unwrap(), all[..count]);
        }
    }
}
