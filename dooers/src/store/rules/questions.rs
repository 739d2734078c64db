//! Forms whose answer a running turn waits for.
//!
//! A question is a part of the turn's row. It begins with the event of the form and ends at the latest with the attempt, so
//! that nobody can answer a turn that does not wait. The clock does not matter: the process that runs the turn decides when
//! the time of a question is over.

use super::rows::{Rows, ThreadRows, TurnRow};
use super::thread::{OpenThread, find};
use crate::protocol::{FormAnswer, ThreadEvent};
use crate::store::{
    AnsweredQuestion, BeginOutcome, Change, GivenAnswer, KeyedDigest, NewMessage, Origin, Question,
    Scope, StoreError, TurnKey, UnaskedQuestion,
};

/// Stores the answer to a form whose answer a running turn waits for. `None` if the form is not of this kind.
pub(super) fn answer_question<S: Rows>(
    rows: &mut S,
    scope: &Scope,
    new: &NewMessage,
    answer: &FormAnswer,
) -> Result<Option<BeginOutcome>, S::Error> {
    let Some(mut thread) = find(rows, scope, new.thread.id())? else {
        return Ok(None);
    };
    let form = thread.rows.event(&answer.form_event_id)?;
    let Some(form) = form.filter(|form| form.asked().is_some()) else {
        return Ok(None);
    };
    let (mut turn, at) = thread.open_question(&form.id)?;
    may_answer(&turn.questions[at], new)?;
    let accepted = new.accepted(answer, Some(&form), false)?;
    let mut changes = Vec::new();
    if thread.add_participant(&accepted.participant, &accepted.user, accepted.at)? {
        changes.push(thread.change_row());
    }
    thread.touch(accepted.at)?;
    let (event, rev) = thread.append(accepted.event(0), Some(&form.id), None)?;
    changes.push(Change::of_event(event.clone(), rev).by(Origin::Created));
    let sealed = accepted.sealed().cloned();
    turn.questions[at].answer = Some(GivenAnswer {
        event_id: event.id.clone(),
        sealed: sealed.clone(),
    });
    thread.rows.update_turn(&turn)?;
    let answered = AnsweredQuestion {
        turn: TurnKey {
            thread_id: event.thread_id.clone(),
            event_id: turn.event_id,
            fence: turn.fence,
        },
        form_event_id: form.id,
        sealed,
    };
    thread.save(&changes, None)?;
    Ok(Some(BeginOutcome {
        event,
        rev,
        is_repeated: false,
        changes,
        claim: None,
        interrupted: Vec::new(),
        answered: Some(answered),
    }))
}

/// Refuses an answer of a user who may not answer.
fn may_answer(question: &Question, new: &NewMessage) -> Result<(), StoreError> {
    match &question.user_id {
        Some(user_id) if *user_id != new.user.user_id => Err(StoreError::Forbidden(
            "only the user that the form names in `data.asked.user_id` may answer it".to_owned(),
        )),
        _ => Ok(()),
    }
}

impl<R: ThreadRows> OpenThread<R> {
    /// Returns the running turn that waits for the answer to a form, and the index of its question.
    fn open_question(&self, form_event_id: &str) -> Result<(TurnRow, usize), R::Error> {
        let turns = self.rows.running_turns()?.into_iter();
        let mut waiting = turns.filter(|turn| !turn.is_cancelled).filter_map(|turn| {
            let is_it =
                |question: &Question| question.form_event_id == form_event_id && question.is_open();
            let at = turn.questions.iter().position(is_it)?;
            Some((turn, at))
        });
        if let Some(waiting) = waiting.next() {
            return Ok(waiting);
        }
        let text = if self.rows.has_answer_to(form_event_id)? {
            "this form is answered, and takes one answer"
        } else {
            "no turn waits for an answer to this form any more: its time is over, or the turn that asked has ended"
        };
        Err(StoreError::Conflict(text.to_owned()).into())
    }

    /// Returns the hash of the passwords in an answer, if the answer's turn still waits or the turn that it answers still runs.
    pub(super) fn digest_of(&self, event: &ThreadEvent) -> Result<Option<KeyedDigest>, R::Error> {
        if let Some(turn) = self.rows.turn_of(&event.id)? {
            return Ok(turn.sealed.map(|sealed| sealed.digest));
        }
        if event.answered_form().is_none() {
            return Ok(None);
        }
        let turns = self.rows.running_turns()?.into_iter();
        let questions = turns.flat_map(|turn| turn.questions);
        let mut answers = questions.filter_map(|question| question.answer);
        let answer = answers.find(|answer| answer.event_id == event.id);
        Ok(answer
            .and_then(|answer| answer.sealed)
            .map(|sealed| sealed.digest))
    }

    /// Adds the question of a form to the turn that sent the form, if the turn waits for the answer.
    pub(super) fn ask(&mut self, turn: &mut TurnRow, form: &ThreadEvent) -> Result<(), R::Error> {
        let Some(asked) = form.asked() else {
            return Ok(());
        };
        let question = Question::new(form.id.clone(), asked.user_id);
        turn.questions.push(question);
        self.rows.update_turn(turn)
    }

    /// Closes the form of a question that is open. A question whose answer the turn no longer needs is removed even if it was
    /// answered.
    pub(super) fn end_question(
        &mut self,
        turn: &mut TurnRow,
        form_event_id: &str,
        is_over: bool,
    ) -> Result<Option<Change>, R::Error> {
        let mut questions = turn.questions.iter();
        let at = questions.position(|question| question.form_event_id == form_event_id);
        let Some(at) = at.filter(|at| is_over || turn.questions[*at].is_open()) else {
            return Ok(None);
        };
        let question = turn.questions.remove(at);
        self.rows.update_turn(turn)?;
        self.close_form(&question)
    }

    /// Ends all questions of an attempt, and closes the forms that were not answered. The caller stores or deletes the turn.
    pub(super) fn end_questions(&mut self, turn: &mut TurnRow) -> Result<Vec<Change>, R::Error> {
        let questions = std::mem::take(&mut turn.questions);
        let closed = questions.iter().map(|question| self.close_form(question));
        let closed: Result<Vec<_>, _> = closed.collect();
        Ok(closed?.into_iter().flatten().collect())
    }

    /// Ends the question of a form that was removed. Returns the question if a turn waited for the answer.
    pub(super) fn forget_question(
        &mut self,
        form_event_id: &str,
    ) -> Result<Option<UnaskedQuestion>, R::Error> {
        for mut turn in self.rows.running_turns()? {
            let before = turn.questions.len();
            let is_other = |question: &Question| question.form_event_id != form_event_id;
            turn.questions
                .retain(|question| is_other(question) || !question.is_open());
            if turn.questions.len() < before {
                self.rows.update_turn(&turn)?;
                return Ok(Some(UnaskedQuestion {
                    turn: TurnKey {
                        thread_id: self.id().to_owned(),
                        event_id: turn.event_id,
                        fence: turn.fence,
                    },
                    form_event_id: form_event_id.to_owned(),
                }));
            }
        }
        Ok(None)
    }

    fn close_form(&mut self, question: &Question) -> Result<Option<Change>, R::Error> {
        if !question.is_open() {
            return Ok(None);
        }
        let Some(mut form) = self.rows.event(&question.form_event_id)? else {
            return Ok(None);
        };
        if !form.close_form() {
            return Ok(None);
        }
        Ok(Some(self.replace(form)?))
    }
}
