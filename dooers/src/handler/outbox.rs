//! The outbox of a turn: changes that a handler has made and that are not stored yet.

use super::AnswerKeys;
use super::analytics_sink::TurnAnalytics;
use super::draft::{Draft, TextState, event_of};
use super::questions::Questions;
use super::reply::{Reply, ReplyError};
use crate::error::SendError;
use crate::protocol::{
    AnalyticsEvent, ContentPart, InvalidAnalyticsEvent, MAX_TRACKED_BYTES, MAX_TRACKED_EVENTS,
    RunStatus, Usage, cleaned, json_bytes, new_id,
};
use crate::store::{Admit, Feedback, ThreadPatch};
use futures::task::AtomicWaker;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use tokio::sync::oneshot;

/// A piece of a streamed text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) event_id: String,
    pub(crate) text: String,
}

/// The remains of a turn that has ended.
#[derive(Debug)]
pub(crate) struct Rest {
    /// The drafts that were not written, and the end of every text whose end is not stored. A write of them may
    /// already have been tried.
    pub(crate) drafts: Vec<Draft>,
    /// The senders to notify when these drafts are stored.
    pub(crate) waiting: Vec<StoredSender>,
    /// The pieces that were not published.
    pub(crate) pieces: Vec<Piece>,
    /// The run that is still open.
    pub(crate) run_id: Option<String>,
    /// The analytics events that the handler tracked.
    pub(crate) tracked: Vec<AnalyticsEvent>,
}

/// Notifies a waiting handler when its draft is stored.
pub(crate) type StoredSender = oneshot::Sender<Result<(), SendError>>;

/// A draft, and the sender to notify when the draft is stored.
#[derive(Debug)]
struct PendingDraft {
    draft: Draft,
    stored: StoredSender,
}

fn split(pending: Vec<PendingDraft>) -> (Vec<Draft>, Vec<StoredSender>) {
    let pair = |pending: PendingDraft| (pending.draft, pending.stored);
    pending.into_iter().map(pair).unzip()
}

/// The drafts of one turn, in the order in which they were sent.
///
/// Nothing is written while the handler runs without waiting. All drafts that it sends until it waits are stored in
/// one transaction.
#[derive(Debug)]
pub(crate) struct Outbox {
    state: Mutex<OutboxState>,
    changed: AtomicWaker,
    /// The forms whose answers the handler waits for.
    questions: Questions,
    /// `None` in unit tests.
    analytics: Option<TurnAnalytics>,
}

#[derive(Debug)]
struct OutboxState {
    mode: Mode,
    pending: Vec<PendingDraft>,
    /// The texts that are or will be streamed, in the order in which they were started.
    texts: BTreeMap<String, GrowingDraft>,
    /// The pieces of these texts that were not published.
    pieces: Vec<Piece>,
    /// The run that new events belong to.
    run_id: Option<String>,
    /// All runs of the turn.
    run_ids: Vec<String>,
    has_manual_runs: bool,
    /// The reason why the first refused draft was refused.
    refused: Option<Arc<ReplyError>>,
    /// The keys that seal form answers. `None` in unit tests, which do not need them.
    answer_keys: Option<AnswerKeys>,
    /// The analytics events that the handler tracked. They are stored by the commit that ends the attempt.
    tracked: Vec<AnalyticsEvent>,
    /// The size of their JSON in bytes.
    tracked_bytes: usize,
    /// The number of events that were not kept, because there were too many.
    untracked: u64,
    /// The feedback that a handler gave in a unit test.
    feedback: Vec<Feedback>,
}

/// A text that is or will be streamed, or whose end is not stored yet.
#[derive(Debug)]
struct GrowingDraft {
    /// The event of the text. It is sent with the first piece, so that an empty text does not create an event.
    unsent: Option<Reply>,
    text: String,
    /// True if the event is stored, so that pieces may be published.
    is_stored: bool,
    has_ended: bool,
}

#[derive(Debug)]
enum Mode {
    Live,
    /// In a unit test, drafts are kept and count as stored at once.
    Recording(Vec<Draft>),
    Closed,
}

impl Outbox {
    /// Creates the outbox of a running turn.
    pub(crate) fn live(
        run_id: Option<String>,
        has_manual_runs: bool,
        answer_keys: AnswerKeys,
        analytics: TurnAnalytics,
    ) -> Self {
        Self {
            analytics: Some(analytics),
            ..Self::of(Mode::Live, run_id, has_manual_runs, Some(answer_keys))
        }
    }

    /// Creates an outbox that keeps all drafts, for unit tests.
    pub(crate) fn recording() -> Self {
        Self {
            questions: Questions::scripted(),
            ..Self::of(Mode::Recording(Vec::new()), None, true, None)
        }
    }

    fn of(
        mode: Mode,
        run_id: Option<String>,
        has_manual_runs: bool,
        answer_keys: Option<AnswerKeys>,
    ) -> Self {
        Self {
            state: Mutex::new(OutboxState {
                mode,
                pending: Vec::new(),
                texts: BTreeMap::new(),
                pieces: Vec::new(),
                run_ids: run_id.iter().cloned().collect(),
                run_id,
                has_manual_runs,
                refused: None,
                answer_keys,
                tracked: Vec::new(),
                tracked_bytes: 0,
                untracked: 0,
                feedback: Vec::new(),
            }),
            changed: AtomicWaker::new(),
            questions: Questions::live(),
            analytics: None,
        }
    }

    /// Sends an event. Returns its id.
    pub(crate) fn send(&self, reply: Reply) -> (String, oneshot::Receiver<Result<(), SendError>>) {
        let id = new_id();
        let sent = self.send_as(&id, reply);
        (id, sent)
    }

    /// Sends an event with this id.
    pub(super) fn send_as(
        &self,
        id: &str,
        reply: Reply,
    ) -> oneshot::Receiver<Result<(), SendError>> {
        self.send_event(&mut self.state(), id, reply, TextState::Fixed)
    }

    /// The forms whose answers the handler waits for.
    pub(crate) fn questions(&self) -> &Questions {
        &self.questions
    }

    /// Closes a form that the handler asked, if it is open. If `is_over`, the handler no longer needs the answer.
    pub(super) fn end_question(&self, form_event_id: &str, is_over: bool) {
        let draft = Draft::QuestionEnded {
            form_event_id: form_event_id.to_owned(),
            is_over,
        };
        // The result of the question shows if the change is stored.
        drop(self.push(&mut self.state(), draft));
    }

    /// Starts an event with a streamed text. The event is sent with the first piece. Returns its id.
    pub(crate) fn begin_text(&self, reply: Reply) -> String {
        let id = new_id();
        let mut state = self.state();
        if !matches!(state.mode, Mode::Closed) {
            let text = GrowingDraft {
                unsent: Some(reply),
                text: String::new(),
                is_stored: false,
                has_ended: false,
            };
            state.texts.insert(id.clone(), text);
        }
        id
    }

    fn send_event(
        &self,
        state: &mut OutboxState,
        id: &str,
        reply: Reply,
        text: TextState,
    ) -> oneshot::Receiver<Result<(), SendError>> {
        let draft = Draft::Event {
            id: id.to_owned(),
            run_id: state.run_id.clone(),
            reply: Box::new(reply),
            text,
        };
        self.push(state, draft)
    }

    /// Appends to a streamed text. Does nothing if the text has ended.
    pub(crate) fn grow(&self, event_id: &str, more: &str) {
        // Texts are cleaned before they are published, so that clients and the store get the same pieces.
        let more = cleaned(more.to_owned());
        let mut state = self.state();
        let state = &mut *state;
        let growing = state.texts.get_mut(event_id);
        let Some(growing) = growing.filter(|text| !text.has_ended && !more.is_empty()) else {
            return;
        };
        growing.text.push_str(&more);
        let is_stored = growing.is_stored;
        if let Some(reply) = growing.unsent.take() {
            // Callers wait for the end of the text, not for its beginning.
            drop(self.send_event(state, event_id, reply, TextState::Growing));
        }
        match &mut state.mode {
            Mode::Live => {
                match state.pieces.last_mut() {
                    Some(last) if last.event_id == event_id => last.text.push_str(&more),
                    _ => state.pieces.push(Piece {
                        event_id: event_id.to_owned(),
                        text: more,
                    }),
                }
                if is_stored {
                    self.changed.wake();
                }
            }
            Mode::Recording(drafts) => {
                if let Some((reply, _)) = event_of(drafts, event_id) {
                    let text = reply.as_text() + &more;
                    reply.content = Some(vec![ContentPart::text(text)]);
                }
            }
            Mode::Closed => {}
        }
    }

    /// Ends a streamed text. A text without pieces is not stored.
    pub(crate) fn end_text(&self, event_id: &str) -> oneshot::Receiver<Result<(), SendError>> {
        let mut state = self.state();
        let text = state.texts.get(event_id);
        if text.is_some_and(|text| text.unsent.is_some()) {
            state.texts.remove(event_id);
            return answered(Ok(()));
        }
        match state.mode {
            Mode::Live => {
                let text = match state.texts.get_mut(event_id) {
                    Some(growing) => {
                        growing.has_ended = true;
                        growing.text.clone()
                    }
                    None => String::new(),
                };
                let id = event_id.to_owned();
                self.push(&mut state, Draft::TextEnded { id, text })
            }
            Mode::Recording(_) => answered(Ok(())),
            Mode::Closed => answered(Err(SendError::turn_ended(
                "the turn has ended; its texts have ended with it",
            ))),
        }
    }

    /// Marks the event of a text as stored, so that pieces of the text may be published.
    pub(crate) fn mark_text_stored(&self, event_id: &str) {
        let mut state = self.state();
        if let Some(growing) = state.texts.get_mut(event_id) {
            growing.is_stored = true;
        }
    }

    /// Removes a text whose end is stored.
    pub(crate) fn forget_text(&self, event_id: &str) {
        let mut state = self.state();
        state.texts.remove(event_id);
        state.pieces.retain(|piece| piece.event_id != event_id);
    }

    /// Takes the pieces of texts whose events are stored.
    pub(crate) fn take_pieces(&self) -> Vec<Piece> {
        self.state().take_pieces()
    }

    /// Waits for a piece of a text whose event is stored.
    pub(crate) async fn has_pieces(&self) {
        self.until(|state| state.pieces.iter().any(|piece| state.may_publish(piece)))
            .await;
    }

    /// Changes the thread's own row.
    pub(crate) fn patch(&self, patch: ThreadPatch) -> oneshot::Receiver<Result<(), SendError>> {
        self.push(&mut self.state(), Draft::Thread(patch))
    }

    /// The analytics of the turn. `None` in unit tests.
    pub(crate) fn analytics(&self) -> Option<&TurnAnalytics> {
        self.analytics.as_ref()
    }

    /// Keeps an analytics event until the attempt ends. An event of the turn itself belongs to the open run.
    ///
    /// Nothing is written before the end. An event that was stored earlier would be stored again by the next attempt if
    /// the process died in between.
    pub(crate) fn track(
        &self,
        mut event: AnalyticsEvent,
        is_of_turn: bool,
    ) -> Result<(), SendError> {
        let mut state = self.state();
        if matches!(state.mode, Mode::Closed) {
            return Err(SendError::turn_ended(
                "the turn has ended; it tracks no events any more",
            ));
        }
        if is_of_turn {
            event.run_id.clone_from(&state.run_id);
        }
        let bytes = state.tracked_bytes + json_bytes(&event);
        if state.tracked.len() == MAX_TRACKED_EVENTS || bytes > MAX_TRACKED_BYTES {
            state.untracked += 1;
            let error = Arc::new(InvalidAnalyticsEvent::TooMany);
            return Err(SendError::refused(error));
        }
        state.tracked.push(event);
        state.tracked_bytes = bytes;
        Ok(())
    }

    /// The analytics events that were tracked so far.
    pub(crate) fn tracked(&self) -> Vec<AnalyticsEvent> {
        self.state().tracked.clone()
    }

    /// Keeps a feedback, in a unit test. It replaces the one on the same target.
    pub(crate) fn keep_feedback(&self, feedback: Feedback) {
        let mut state = self.state();
        state.feedback.retain(|kept| kept.target != feedback.target);
        state.feedback.push(feedback);
    }

    /// The feedback that was given in a unit test.
    pub(crate) fn feedback(&self) -> Vec<Feedback> {
        self.state().feedback.clone()
    }

    /// Reports the usage of a model call, which belongs to the open run.
    pub(crate) fn report_usage(&self, usage: Usage) -> oneshot::Receiver<Result<(), SendError>> {
        let mut state = self.state();
        let draft = Draft::Usage {
            id: new_id(),
            run_id: state.run_id.clone(),
            usage,
        };
        self.push(&mut state, draft)
    }

    /// Starts a run. Returns its id.
    pub(crate) fn start_run(&self) -> (String, oneshot::Receiver<Result<(), SendError>>) {
        let mut state = self.state();
        if !state.has_manual_runs {
            let reason = "the server starts and ends this agent's runs; to do it yourself, write `#[dooers::agent(run = \"manual\")]`";
            return (String::new(), answered(Err(SendError::run(reason))));
        }
        if state.run_id.is_some() {
            return (
                String::new(),
                answered(Err(SendError::run(
                    "a run is still open; call `run_end` before the next `run_start`",
                ))),
            );
        }
        let id = new_id();
        state.run_id = Some(id.clone());
        state.run_ids.push(id.clone());
        let draft = Draft::RunStarted { id: id.clone() };
        (id, self.push(&mut state, draft))
    }

    /// Ends the open run. Returns its id.
    pub(crate) fn end_run(
        &self,
        status: RunStatus,
        error: Option<String>,
    ) -> (String, oneshot::Receiver<Result<(), SendError>>) {
        let mut state = self.state();
        if !state.has_manual_runs {
            let reason = "the server starts and ends this agent's runs; to do it yourself, write `#[dooers::agent(run = \"manual\")]`";
            return (String::new(), answered(Err(SendError::run(reason))));
        }
        let Some(id) = state.run_id.take() else {
            return (
                String::new(),
                answered(Err(SendError::run(
                    "no run is open; call `run_start` before `run_end`",
                ))),
            );
        };
        let draft = Draft::RunEnded {
            id: id.clone(),
            status,
            error,
        };
        (id, self.push(&mut state, draft))
    }

    /// Returns the error of the first refused draft, even if no caller waited for it.
    pub(crate) fn check(&self) -> Result<(), SendError> {
        match &self.state().refused {
            Some(error) => Err(SendError::refused(Arc::clone(error) as _)),
            None => Ok(()),
        }
    }

    /// The ids of all runs of the turn, including ended ones.
    pub(crate) fn runs(&self) -> Vec<String> {
        self.state().run_ids.clone()
    }

    /// Takes all drafts in order, and the senders to notify when the drafts are stored.
    pub(crate) fn take(&self) -> (Vec<Draft>, Vec<StoredSender>) {
        split(std::mem::take(&mut self.state().pending))
    }

    /// Waits for a draft.
    pub(crate) async fn has_pending(&self) {
        self.until(|state| !state.pending.is_empty()).await;
    }

    async fn until(&self, is_so: impl Fn(&OutboxState) -> bool) {
        poll_fn(|context| {
            self.changed.register(context.waker());
            if is_so(&self.state()) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    /// Closes the outbox at the end of the turn. Returns the remains, and refuses all later drafts.
    pub(crate) fn close(&self) -> Rest {
        self.questions.close();
        let mut state = self.state();
        let pieces = state.take_pieces();
        let texts = std::mem::take(&mut state.texts).into_iter();
        let sent = texts.filter(|(_, text)| text.unsent.is_none());
        let ends = sent.map(|(id, growing)| Draft::TextEnded {
            id,
            text: growing.text,
        });
        let ends: Vec<_> = ends.collect();
        state.mode = Mode::Closed;
        let (mut drafts, waiting) = split(std::mem::take(&mut state.pending));
        drafts.extend(ends);
        if state.untracked > 0 {
            let (dropped, most) = (state.untracked, InvalidAnalyticsEvent::TooMany);
            tracing::warn!(target: "dooers::analytics", dropped, "analytics events of a turn were dropped: {most}");
        }
        Rest {
            drafts,
            waiting,
            pieces,
            run_id: state.run_id.take(),
            tracked: std::mem::take(&mut state.tracked),
        }
    }

    /// The drafts of a recording outbox.
    pub(crate) fn recorded(&self) -> Vec<Draft> {
        match &self.state().mode {
            Mode::Recording(drafts) => drafts.clone(),
            Mode::Live | Mode::Closed => Vec::new(),
        }
    }

    fn push(
        &self,
        state: &mut OutboxState,
        mut draft: Draft,
    ) -> oneshot::Receiver<Result<(), SendError>> {
        let admitted = draft.admit().map_err(ReplyError::from);
        if let Err(error) = admitted.and_then(|()| state.check(&draft)) {
            return refuse(state, error);
        }
        let (stored, receiver) = oneshot::channel();
        match &mut state.mode {
            Mode::Live => {
                state.pending.push(PendingDraft { draft, stored });
                self.changed.wake();
                receiver
            }
            Mode::Recording(drafts) => {
                drafts.push(draft);
                answered(Ok(()))
            }
            Mode::Closed => answered(Err(SendError::turn_ended(
                "the turn has ended; nothing can be sent any more",
            ))),
        }
    }

    fn state(&self) -> MutexGuard<'_, OutboxState> {
        // No code panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OutboxState {
    /// Refuses an event that clients cannot show, a form whose answers could not be sealed, and a usage beyond its limits.
    fn check(&self, draft: &Draft) -> Result<(), ReplyError> {
        let reply = match draft {
            Draft::Event { reply, .. } => reply,
            Draft::Usage { usage, .. } => return Ok(usage.check()?),
            _ => return Ok(()),
        };
        reply.check()?;
        let keys = self.answer_keys.as_ref();
        let checked = keys.map(|keys| keys.check_form(reply.kind, reply.data.as_ref()));
        checked.unwrap_or(Ok(())).map_err(ReplyError::NoKey)
    }

    /// Returns true if the event of this text is stored.
    fn may_publish(&self, piece: &Piece) -> bool {
        let growing = self.texts.get(&piece.event_id);
        growing.is_some_and(|growing| growing.is_stored)
    }

    fn take_pieces(&mut self) -> Vec<Piece> {
        let pieces = std::mem::take(&mut self.pieces);
        let (ready, held) = pieces
            .into_iter()
            .partition(|piece| self.may_publish(piece));
        self.pieces = held;
        ready
    }
}

/// Keeps the error for the end of the turn, because no caller may wait for the refused draft, and returns it as the
/// result.
fn refuse(state: &mut OutboxState, error: ReplyError) -> oneshot::Receiver<Result<(), SendError>> {
    let error = Arc::new(error);
    let answer = answered(Err(SendError::refused(Arc::clone(&error) as _)));
    state.refused.get_or_insert(error);
    answer
}

/// Returns the receiver of a result that is known already.
pub(super) fn answered(result: Result<(), SendError>) -> oneshot::Receiver<Result<(), SendError>> {
    let (sender, receiver) = oneshot::channel();
    // The receiver still exists, so sending cannot fail.
    let _ = sender.send(result);
    receiver
}
