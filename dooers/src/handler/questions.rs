//! The forms whose answers a turn waits for.

use super::form_reply::FormReply;
use crate::AgentError;
use crate::protocol::{Form, FormAnswer};
use crate::shrink::shrink;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

/// Maximum number of forms whose answers a turn waits for at a time.
pub(super) const MAX_OPEN_QUESTIONS: usize = 100;

/// The reply that a waiting handler receives.
pub(crate) type QuestionReply = Result<FormReply, AgentError>;

/// The forms whose answers a turn waits for.
#[derive(Debug)]
pub(crate) struct Questions {
    state: Mutex<QuestionState>,
    /// The time until which forms wait for their answers. `None` if no form waits.
    waiting: watch::Sender<Option<Instant>>,
}

#[derive(Debug, Default)]
struct QuestionState {
    /// The questions that the handler waits for, by the events of their forms.
    asked: HashMap<String, Asked>,
    /// The forms whose answers the handler has received. The store still has their questions.
    received: Vec<String>,
    /// The positions of the answers in the thread.
    answers: Vec<u64>,
    /// `true` if the turn has asked a form.
    has_asked: bool,
    /// `true` if the turn has ended.
    is_closed: bool,
    /// The replies of a unit test. `None` in a running turn.
    script: Option<VecDeque<FormReply>>,
}

/// A question that the handler waits for.
#[derive(Debug)]
struct Asked {
    /// Sends the reply to the handler. `None` once the reply was sent.
    sender: Option<oneshot::Sender<QuestionReply>>,
    /// The time at which the handler stops waiting.
    deadline: Instant,
    is_stored: bool,
    is_answered: bool,
}

/// The state of a question when the handler stops waiting.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum LastState {
    /// Nobody has answered.
    Open,
    /// The question has ended in the store, or ends when the handler asks next.
    Over,
}

impl Questions {
    /// Creates the questions of a running turn.
    pub(super) fn live() -> Self {
        Self::of(None)
    }

    /// Creates the questions of a unit test, which are answered by its script.
    pub(super) fn scripted() -> Self {
        Self::of(Some(VecDeque::new()))
    }

    fn of(script: Option<VecDeque<FormReply>>) -> Self {
        Self {
            state: Mutex::new(QuestionState {
                script,
                ..QuestionState::default()
            }),
            waiting: watch::Sender::new(None),
        }
    }

    /// Adds a question that the handler waits for. `data` is the data of the form's event.
    pub(super) fn begin(
        &self,
        form_event_id: &str,
        data: Option<&Value>,
        deadline: Instant,
    ) -> Result<oneshot::Receiver<QuestionReply>, AgentError> {
        let mut state = self.state();
        if state.asked.len() >= MAX_OPEN_QUESTIONS {
            let text = format!(
                "the turn already waits for the answers to {MAX_OPEN_QUESTIONS} forms; ask again after an answer"
            );
            return Err(text.into());
        }
        let (sender, receiver) = oneshot::channel();
        let scripted = state.script.as_mut().map(VecDeque::pop_front);
        let asked = Asked {
            sender: Some(sender).filter(|_| !state.is_closed),
            deadline,
            is_stored: false,
            is_answered: false,
        };
        state.has_asked = true;
        state.asked.insert(form_event_id.to_owned(), asked);
        self.publish(&state);
        drop(state);
        if let Some(reply) = scripted {
            let reply = scripted_reply(reply, form_event_id, data);
            self.resolve(form_event_id, reply, None);
        }
        Ok(receiver)
    }

    /// Takes the forms whose questions the store may forget.
    pub(super) fn take_received(&self) -> Vec<String> {
        std::mem::take(&mut self.state().received)
    }

    /// Marks the question of a form as stored.
    pub(crate) fn mark_stored(&self, form_event_id: &str) {
        if let Some(asked) = self.state().asked.get_mut(form_event_id) {
            asked.is_stored = true;
        }
    }

    /// The forms that are stored and whose replies the handler has not received.
    pub(crate) fn stored(&self) -> Vec<String> {
        let state = self.state();
        let asked = state.asked.iter();
        let waiting = asked.filter(|(_, asked)| asked.is_stored && asked.sender.is_some());
        waiting.map(|(id, _)| id.clone()).collect()
    }

    /// Sends a reply to the handler, if it still waits. `answer` is the position of the answer in the thread.
    pub(crate) fn resolve(&self, form_event_id: &str, reply: QuestionReply, answer: Option<u64>) {
        let mut state = self.state();
        let Some(asked) = state.asked.get_mut(form_event_id) else {
            return;
        };
        let Some(sender) = asked.sender.take() else {
            return;
        };
        asked.is_answered = answer.is_some();
        state.answers.extend(answer);
        // The positions are read in their order.
        state.answers.sort_unstable();
        self.publish(&state);
        // The handler may have stopped waiting.
        let _ = sender.send(reply);
    }

    /// Removes a question that the handler no longer waits for.
    pub(super) fn end(&self, form_event_id: &str) -> LastState {
        let mut state = self.state();
        let Some(asked) = state.asked.remove(form_event_id) else {
            return LastState::Over;
        };
        shrink(&mut state.asked);
        if asked.is_answered {
            state.received.push(form_event_id.to_owned());
        }
        self.publish(&state);
        match asked.sender {
            Some(_) => LastState::Open,
            None => LastState::Over,
        }
    }

    /// Ends all questions at the end of the turn. A task that still waits receives an error.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.is_closed = true;
        state.asked.clear();
        self.publish(&state);
    }

    /// Returns `true` if the turn has asked a form.
    pub(crate) fn has_asked(&self) -> bool {
        self.state().has_asked
    }

    /// The time until which forms wait for their answers, as it changes. `None` if no form waits.
    pub(crate) fn waiting(&self) -> watch::Receiver<Option<Instant>> {
        self.waiting.subscribe()
    }

    /// The positions of the answers that the handler has received, in their order.
    pub(crate) fn answers(&self) -> Vec<u64> {
        self.state().answers.clone()
    }

    /// Adds a reply to the script of a unit test.
    pub(super) fn script(&self, reply: FormReply) {
        if let Some(script) = &mut self.state().script {
            script.push_back(reply);
        }
    }

    /// Publishes the time until which forms wait.
    fn publish(&self, state: &QuestionState) {
        let asked = state.asked.values();
        let waiting = asked.filter(|asked| asked.sender.is_some());
        let until = waiting.map(|asked| asked.deadline).max();
        self.waiting
            .send_if_modified(|waiting| std::mem::replace(waiting, until) != until);
    }

    fn state(&self) -> MutexGuard<'_, QuestionState> {
        // No code panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the reply of a unit test to a form. An answer is checked against the form, as the server does.
fn scripted_reply(
    reply: Option<FormReply>,
    form_event_id: &str,
    data: Option<&Value>,
) -> QuestionReply {
    let mut reply = reply.ok_or(
        "the handler asks a form, and the test has no reply to it; call `Recorder::answer` before the handler asks",
    )?;
    if let FormReply::Answered(response) = &mut reply {
        form_event_id.clone_into(&mut response.form_event_id);
        let answer = FormAnswer {
            form_event_id: form_event_id.to_owned(),
            cancelled: false,
            values: response.values.clone(),
        };
        let form = data.map(Form::deserialize).transpose()?;
        form.map_or(Ok(()), |form| answer.check(&form))
            .map_err(|misfit| format!("the test's answer does not fit the form: {misfit}"))?;
    }
    Ok(reply)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use std::time::Duration;

    #[test]
    fn question_waits_until_it_is_resolved() {
        let questions = Questions::live();
        let waiting = questions.waiting();
        let now = Instant::now();
        let later = now + Duration::from_secs(1);
        let mut one = questions.begin("f", None, now).unwrap();
        let mut other = questions.begin("g", None, later).unwrap();
        assert_eq!(*waiting.borrow(), Some(later));
        assert!(questions.stored().is_empty());
        questions.mark_stored("f");
        assert_eq!(questions.stored(), ["f"]);
        questions.resolve("f", Ok(FormReply::Dismissed), Some(7));
        questions.resolve("f", Ok(FormReply::Expired), None);
        assert_eq!(*waiting.borrow(), Some(later));
        assert!(questions.stored().is_empty());
        let reply = (&mut one).now_or_never().unwrap().unwrap();
        assert_eq!(reply.unwrap(), FormReply::Dismissed);
        assert_eq!(questions.end("f"), LastState::Over);
        assert_eq!(questions.take_received(), ["f"]);
        assert!(questions.take_received().is_empty());
        assert_eq!(questions.answers(), [7]);
        assert!((&mut other).now_or_never().is_none());
        assert_eq!(questions.end("g"), LastState::Open);
        assert_eq!(*waiting.borrow(), None);
        assert!(questions.take_received().is_empty());
    }

    #[test]
    fn closed_questions_end_with_an_error() {
        let questions = Questions::live();
        assert!(!questions.has_asked());
        let (now, later) = (Instant::now(), Instant::now());
        let before = questions.begin("f", None, now).unwrap();
        questions.close();
        let after = questions.begin("g", None, later).unwrap();
        for receiver in [before, after] {
            assert!(receiver.now_or_never().unwrap().is_err());
        }
        assert_eq!(*questions.waiting().borrow(), None);
        assert!(questions.has_asked());
    }

    #[test]
    fn number_of_open_questions_is_limited() {
        let questions = Questions::live();
        let begin = |number: usize| questions.begin(&number.to_string(), None, Instant::now());
        let all: Vec<_> = (0..MAX_OPEN_QUESTIONS)
            .map(|number| begin(number).unwrap())
            .collect();
        let refused = begin(all.len()).unwrap_err().to_string();
        assert!(refused.contains("100 forms"), "{refused}");
        questions.end("0");
        assert!(begin(all.len()).is_ok());
    }
}
