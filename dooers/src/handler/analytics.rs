//! Analytics events and feedback of handlers and programs.

use super::analytics_data::to_data;
use super::analytics_sink::AnalyticsSink;
use super::outbox::{Outbox, answered};
use super::sent::Sent;
use crate::error::SendError;
use crate::protocol::{
    AnalyticsEvent, FeedbackTarget, FeedbackValue, InvalidAnalyticsEvent, User, new_id, timestamp,
};
use crate::store::{Admitted, NewFeedback, Participant, Scope, Viewer};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde::Serialize;
use std::fmt;
use std::sync::Arc;

/// Tracks analytics events, and gives feedback on behalf of a user.
///
/// Any handler can take it as an argument. [`WorkerServer::analytics`](crate::WorkerServer::analytics) returns one for use
/// outside of a handler. The webhook, and clients that subscribed to the analytics of the worker, receive the events
/// beside those that the server records itself.
///
/// **In a handler**, tracked events belong to the turn: they name its thread, user, run and message. They are stored in
/// the transaction that ends the attempt, and published after it. A crash neither loses nor doubles them: if the process
/// dies before that transaction, none of them is stored, and the next attempt tracks its own. The events of an attempt
/// that fails or is cancelled are stored like its messages. An attempt tracks at most
/// [`MAX_TRACKED_EVENTS`](crate::protocol::MAX_TRACKED_EVENTS).
///
/// An event is neither stored nor published without a webhook or a subscriber, or if
/// [the configuration](crate::WorkerConfig::analytics) turns it off. Feedback is always stored.
///
/// ```
/// use dooers::prelude::*;
/// use serde_json::json;
///
/// #[dooers::agent]
/// async fn shop(request: WorkerRequest, analytics: WorkerAnalytics) -> Result<String> {
///     analytics.track("order.placed", json!({"items": 2, "total": "19.90"}));
///     if request.message.contains("thank you") {
///         analytics.like(&request.thread).await?;
///     }
///     Ok("Ordered.".to_owned())
/// }
/// ```
#[derive(Clone)]
pub struct WorkerAnalytics {
    place: Place,
    scope: Scope,
    participant: Participant,
    /// The thread of tracked events.
    thread_id: Option<String>,
    /// The message of tracked events, if they belong to the turn's own thread.
    event_id: Option<String>,
}

/// The place to which events and feedback go.
#[derive(Debug, Clone)]
enum Place {
    Turn(Arc<Outbox>),
    Server(Arc<dyn AnalyticsSink>),
}

impl WorkerAnalytics {
    /// The analytics of a turn. In a unit test, they have neither a worker nor a user.
    pub(super) fn of_turn(outbox: &Arc<Outbox>) -> Self {
        let place = Place::Turn(Arc::clone(outbox));
        match outbox.analytics() {
            Some(turn) => Self {
                place,
                scope: turn.scope.clone(),
                participant: turn.participant.clone(),
                thread_id: Some(turn.thread_id.clone()),
                event_id: Some(turn.event_id.clone()),
            },
            None => Self::within(
                place,
                Scope {
                    agent: String::new(),
                    worker_id: String::new(),
                    organization_id: String::new(),
                    workspace_id: String::new(),
                    viewer: Viewer::Everyone,
                },
            ),
        }
    }

    /// The analytics of a program in a scope. A scope of one user acts on behalf of this user.
    pub(crate) fn of_server(sink: Arc<dyn AnalyticsSink>, scope: Scope) -> Self {
        Self::within(Place::Server(sink), scope)
    }

    fn within(place: Place, scope: Scope) -> Self {
        let participant = match &scope.viewer {
            Viewer::Everyone => Participant::user(&User::new("")),
            Viewer::Only(participant) => participant.clone(),
        };
        Self {
            place,
            scope,
            participant,
            thread_id: None,
            event_id: None,
        }
    }

    /// Returns analytics that act on behalf of this user. The default is the sender of the message in a handler, and an
    /// anonymous user in a program.
    ///
    /// The user does not change which threads are visible.
    #[must_use]
    pub fn user(&self, user_id: impl Into<String>) -> Self {
        Self {
            participant: Participant::user(&User::new(user_id)),
            ..self.clone()
        }
    }

    /// Returns analytics whose events name this thread. They name neither a run nor a message.
    #[must_use]
    pub fn thread(&self, thread_id: impl Into<String>) -> Self {
        Self {
            thread_id: Some(thread_id.into()),
            event_id: None,
            ..self.clone()
        }
    }

    /// Tracks an event with data of any type that serde serializes. Pass `()` for an event without data.
    ///
    /// The event is tracked even if the result is not awaited. In a handler, the result is known at once, and the event is
    /// stored when the attempt ends. In a program, awaiting it waits until the event is stored.
    ///
    /// Awaiting returns an error if the event is refused or cannot be stored. The error is also logged, and does not fail the
    /// turn unless the handler returns it. The error of a refused event says which rule of
    /// [`InvalidAnalyticsEvent`](crate::protocol::InvalidAnalyticsEvent) is broken:
    ///
    /// * The name has 1 to 128 bytes, and is not the name of a [built-in event](crate::protocol::BuiltInEvent).
    /// * The data has at most 64 KiB as JSON, with texts as keys, and without NaN and infinite numbers. The macro
    ///   `serde_json::json!` turns such numbers into `null` before they arrive here.
    ///
    /// ```
    /// # use dooers::prelude::*;
    /// #[derive(serde::Serialize)]
    /// struct Order {
    ///     items: usize,
    ///     express: bool,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// let (response, sent) = WorkerResponse::recorder();
    /// let analytics = response.analytics();
    /// analytics.track("order.placed", Order { items: 2, express: false }).await?;
    /// assert_eq!(sent.tracked()[0].data.as_ref().unwrap()["items"], 2);
    ///
    /// let refused = analytics.track("order.weighed", f64::NAN).await.unwrap_err();
    /// assert!(refused.to_string().contains("NaN"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn track(&self, name: impl Into<String>, data: impl Serialize) -> Sent<()> {
        let stored = match self.event(name.into(), &data) {
            Ok(event) => match &self.place {
                Place::Turn(outbox) => answered(outbox.track(event, self.event_id.is_some())),
                Place::Server(sink) => sink.track(&self.scope, event),
            },
            Err(error) => {
                tracing::warn!(target: "dooers::analytics", %error, "an event was not tracked");
                answered(Err(SendError::refused(Arc::new(error))))
            }
        };
        Sent::new((), stored)
    }

    /// Likes an event, a run or a thread on behalf of the user. The feedback is stored when it is awaited.
    ///
    /// This is the same as the request `feedback` of a client: a user has one feedback on each target, another one
    /// replaces it, and the same one again changes nothing. It emits the event `feedback.like`.
    ///
    /// In a handler, the target is in a thread in which the sender of the message has written, such as the thread of the
    /// turn. An event that the handler itself sent must be stored before.
    ///
    /// ```
    /// # use dooers::prelude::*;
    /// #[dooers::agent]
    /// async fn poet(response: WorkerResponse, analytics: WorkerAnalytics) -> Result<()> {
    ///     let poem = response.text("Roses are red.").await?;
    ///     analytics.dislike(&poem).reason("It does not rhyme.").classification("style").await?;
    ///     Ok(())
    /// }
    /// ```
    pub fn like(&self, target: impl Into<FeedbackTarget>) -> GiveFeedback {
        self.feedback(target.into(), FeedbackValue::Like)
    }

    /// Dislikes an event, a run or a thread on behalf of the user: see [`like`](Self::like).
    pub fn dislike(&self, target: impl Into<FeedbackTarget>) -> GiveFeedback {
        self.feedback(target.into(), FeedbackValue::Dislike)
    }

    fn event(
        &self,
        name: String,
        data: &impl Serialize,
    ) -> Result<AnalyticsEvent, InvalidAnalyticsEvent> {
        let mut event = AnalyticsEvent::new(name, &self.scope.worker_id, timestamp::now());
        event.thread_id.clone_from(&self.thread_id);
        event.event_id.clone_from(&self.event_id);
        event.user_id = self.participant.user_id().map(str::to_owned);
        let data = to_data(data);
        // The name is checked first, because an event with a wrong name is known by it.
        event.admit()?;
        event.data = data?;
        event.admit()?;
        Ok(event)
    }

    fn feedback(&self, target: FeedbackTarget, value: FeedbackValue) -> GiveFeedback {
        GiveFeedback {
            analytics: self.clone(),
            given: NewFeedback {
                id: new_id(),
                target,
                user_id: self.participant.user_id().unwrap_or_default().to_owned(),
                participant: self.participant.clone(),
                value,
                reason: None,
                classification: None,
                at: timestamp::now(),
            },
        }
    }
}

impl fmt::Debug for WorkerAnalytics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerAnalytics")
            .field("scope", &self.scope)
            .field("participant", &self.participant)
            .field("thread_id", &self.thread_id)
            .finish_non_exhaustive()
    }
}

/// A feedback on an event, a run or a thread. Awaiting it stores the feedback.
///
/// Awaiting returns [`SendError`] if the feedback is not stored. Its
/// [`store_error`](SendError::store_error) is `NotFound` if there is no such target, or if it was removed. It
/// [is refused](SendError::is_refused) if a text is too long.
#[must_use = "the feedback is stored when it is awaited"]
pub struct GiveFeedback {
    analytics: WorkerAnalytics,
    given: NewFeedback,
}

impl GiveFeedback {
    /// Sets the explanation, of at most [`MAX_REASON_BYTES`](crate::protocol::MAX_REASON_BYTES).
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.given.reason = Some(reason.into());
        self
    }

    /// Sets the category, of at most [`MAX_CLASSIFICATION_BYTES`](crate::protocol::MAX_CLASSIFICATION_BYTES).
    pub fn classification(mut self, classification: impl Into<String>) -> Self {
        self.given.classification = Some(classification.into());
        self
    }

    async fn give(self) -> Result<(), SendError> {
        let WorkerAnalytics { place, scope, .. } = self.analytics;
        let given =
            Admitted::new(self.given).map_err(|refused| SendError::refused(Arc::new(refused)))?;
        let stored = match &place {
            Place::Server(sink) => sink.give_feedback(scope, given).await,
            Place::Turn(outbox) => match outbox.analytics() {
                Some(turn) => turn.sink.give_feedback(scope, given).await,
                None => {
                    let given = given.into_inner();
                    outbox.keep_feedback(given.replacing(None, ""));
                    Ok(())
                }
            },
        };
        stored.map_err(|error| SendError::store(&Arc::new(error)))
    }
}

impl IntoFuture for GiveFeedback {
    type Output = Result<(), SendError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        self.give().boxed()
    }
}

impl fmt::Debug for GiveFeedback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GiveFeedback")
            .field("target", &self.given.target)
            .field("value", &self.given.value)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::{FeedbackTarget, FeedbackValue, MAX_TRACKED_EVENTS};
    use crate::{EventId, WorkerResponse};
    use futures::FutureExt;
    use serde_json::json;

    #[test]
    fn tracked_event_is_kept_even_if_it_is_not_awaited() {
        let (response, sent) = WorkerResponse::recorder();
        let analytics = response.analytics();
        drop(analytics.track("a", json!({ "n": 1 })));
        let bobs = analytics.user("bob").thread("t");
        bobs.track("b", ()).now_or_never().unwrap().unwrap();
        let [a, b] = &sent.tracked()[..] else {
            panic!("{sent:?}");
        };
        assert_eq!(
            (&*a.event, &a.data, &a.user_id),
            ("a", &Some(json!({ "n": 1 })), &None)
        );
        assert_eq!(
            (b.user_id.as_deref(), b.thread_id.as_deref()),
            (Some("bob"), Some("t"))
        );
        assert_eq!(b.data, None);
    }

    #[test]
    fn refused_event_is_an_error_and_not_kept() {
        let (response, sent) = WorkerResponse::recorder();
        let analytics = response.analytics();
        let error = |name: &str, data: serde_json::Value| {
            let error = analytics
                .track(name, data)
                .now_or_never()
                .unwrap()
                .unwrap_err();
            assert!(error.is_refused());
            error.to_string()
        };
        assert!(error("tool.called", json!(1)).contains("choose another name"));
        assert!(error("a", json!("x".repeat(65 * 1024))).contains("65536"));
        assert!(error(&"n".repeat(129), json!(1)).contains("1 to 128 bytes"));
        let nan = analytics.track("a", [f64::NAN]).now_or_never().unwrap();
        assert!(nan.unwrap_err().to_string().starts_with("`data[0]` is NaN"));
        // The name is checked even if the data is refused as well.
        let both = analytics
            .track("run.finished", f64::NAN)
            .now_or_never()
            .unwrap();
        assert!(both.unwrap_err().to_string().contains("records itself"));
        assert!(sent.tracked().is_empty());
    }

    #[test]
    fn attempt_tracks_a_limited_number_of_events() {
        let (response, sent) = WorkerResponse::recorder();
        let analytics = response.analytics();
        for number in 0..MAX_TRACKED_EVENTS {
            drop(analytics.track("a", number));
        }
        let error = analytics.track("a", 0).now_or_never().unwrap().unwrap_err();
        assert!(error.to_string().contains("at most 1000 events"), "{error}");
        assert_eq!(sent.tracked().len(), MAX_TRACKED_EVENTS);

        let (response, sent) = WorkerResponse::recorder();
        let analytics = response.analytics();
        let large = "x".repeat(60 * 1024);
        let results = (0..70).map(|_| analytics.track("a", &large).now_or_never().unwrap());
        assert_eq!(results.filter(Result::is_ok).count(), 68);
        assert_eq!(sent.tracked().len(), 68);
    }

    #[tokio::test]
    async fn recorder_shows_the_last_feedback_on_each_target() {
        let (response, sent) = WorkerResponse::recorder();
        let analytics = response.analytics().user("ada");
        let target = EventId::from("e");
        analytics.like(&target).await.unwrap();
        let thread = FeedbackTarget::Thread("t".to_owned());
        analytics.like(thread).reason("").await.unwrap();
        analytics.dislike(&target).reason("dull\0").await.unwrap();
        let all = sent.feedback();
        let values: Vec<_> = all.iter().map(|feedback| feedback.value).collect();
        assert_eq!(values, [FeedbackValue::Like, FeedbackValue::Dislike]);
        assert_eq!(
            (&*all[1].user_id, all[1].reason.as_deref()),
            ("ada", Some("dull"))
        );
        assert_eq!(all[0].reason, None);
        let long = analytics
            .like(&target)
            .classification("x".repeat(129))
            .await;
        assert!(long.unwrap_err().is_refused());
    }
}
