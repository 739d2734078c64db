//! The feedback of users in a [`Repository`].

use super::list::{FindError, Part, Sealed};
use super::{List, Listed, Repository, RepositoryError};
use crate::protocol::{FeedbackTargetType, FeedbackValue};
use crate::server::server_state::ServerState;
use crate::store::{
    Feedback, FeedbackCursor, FeedbackDay, FeedbackPeriod, FeedbackQuery, Scope, Store,
};
use chrono::{DateTime, Utc};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::fmt;
use std::sync::Arc;

/// Methods for feedback.
impl Repository {
    /// Lists the feedback of users in the scope, the one that was changed last first.
    ///
    /// A user has at most one feedback on each event, run and thread. It is removed with its thread, and when
    /// [`remove_event`](Self::remove_event) or [`remove_run`](Self::remove_run) removes its target.
    ///
    /// ```
    /// # use dooers::prelude::*;
    /// # use dooers::protocol::FeedbackValue;
    /// # use dooers::repository::{Repository, Scope};
    /// # async fn f(repository: Repository, scope: Scope) -> Result<()> {
    /// let page = repository.feedback(&scope).value(FeedbackValue::Dislike).limit(20).await?;
    /// for feedback in &page.items {
    ///     println!("{}: {:?} {:?}", feedback.user_id, feedback.target, feedback.reason);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn feedback(&self, scope: &Scope) -> List<FeedbackList> {
        self.list(scope, FeedbackList(FeedbackQuery::newest(0)))
    }

    /// Counts the feedback of users in the scope by agent and day, the oldest day first.
    ///
    /// A day is one of UTC. Each feedback counts on the day on which it was last changed. Days without feedback are left
    /// out.
    ///
    /// ```
    /// # use dooers::prelude::*;
    /// # use dooers::repository::{Repository, Scope};
    /// # async fn f(repository: Repository, scope: Scope) -> Result<()> {
    /// for day in repository.feedback_summary(&scope).await? {
    ///     println!("{} {}: {} likes, {} dislikes", day.agent, day.day, day.likes, day.dislikes);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Awaiting it returns the days, or an error of the store.
    pub fn feedback_summary(&self, scope: &Scope) -> FeedbackSummary {
        FeedbackSummary {
            server: Arc::clone(&self.server),
            scope: scope.clone(),
            period: FeedbackPeriod::default(),
        }
    }
}

/// The feedback of a scope, ordered by its last change.
#[derive(Debug, Clone)]
pub struct FeedbackList(FeedbackQuery);

impl List<FeedbackList> {
    /// Lists only feedback on targets of this type.
    pub fn target_type(mut self, target_type: FeedbackTargetType) -> Self {
        self.listed.0.target_type = Some(target_type);
        self
    }

    /// Lists only likes, or only dislikes.
    pub fn value(mut self, value: FeedbackValue) -> Self {
        self.listed.0.value = Some(value);
        self
    }

    /// Lists only feedback on this thread, and on its events and runs.
    pub fn thread(mut self, thread_id: impl Into<String>) -> Self {
        self.listed.0.thread_id = Some(thread_id.into());
        self
    }

    /// Lists only feedback of this user. The empty id stands for all anonymous users.
    pub fn user(mut self, user_id: impl Into<String>) -> Self {
        self.listed.0.user_id = Some(user_id.into());
        self
    }

    /// Lists only feedback that was last changed at this time or later.
    pub fn since(mut self, at: DateTime<Utc>) -> Self {
        self.listed.0.since = Some(at);
        self
    }

    /// Lists only feedback that was last changed before this time.
    pub fn before(mut self, at: DateTime<Utc>) -> Self {
        self.listed.0.before = Some(at);
        self
    }
}

impl Sealed for FeedbackList {}

impl Listed for FeedbackList {
    type Item = Feedback;

    fn find<'a>(
        &'a self,
        store: &'a dyn Store,
        scope: &'a Scope,
        part: Part<'a>,
    ) -> BoxFuture<'a, Result<Vec<Feedback>, FindError>> {
        async move {
            let query = FeedbackQuery {
                order: part.order,
                after: part.after.map(str::parse).transpose()?,
                limit: part.limit,
                ..self.0.clone()
            };
            Ok(store.find_feedback(scope, &query).await?)
        }
        .boxed()
    }

    fn cursor(feedback: &Feedback) -> String {
        FeedbackCursor {
            updated_at: feedback.updated_at,
            id: feedback.id.clone(),
        }
        .to_string()
    }
}

/// The builder of a summary of feedback. Awaiting it counts the feedback.
#[must_use = "nothing is counted until it is awaited"]
pub struct FeedbackSummary {
    server: Arc<ServerState>,
    scope: Scope,
    period: FeedbackPeriod,
}

impl FeedbackSummary {
    /// Counts only feedback that was last changed at this time or later.
    pub fn since(mut self, at: DateTime<Utc>) -> Self {
        self.period.since = Some(at);
        self
    }

    /// Counts only feedback that was last changed before this time.
    pub fn before(mut self, at: DateTime<Utc>) -> Self {
        self.period.before = Some(at);
        self
    }
}

impl IntoFuture for FeedbackSummary {
    type Output = Result<Vec<FeedbackDay>, RepositoryError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        async move {
            let store = &self.server.store;
            Ok(store.count_feedback(&self.scope, self.period).await?)
        }
        .boxed()
    }
}

impl fmt::Debug for FeedbackSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FeedbackSummary")
            .field("scope", &self.scope)
            .field("period", &self.period)
            .finish_non_exhaustive()
    }
}
