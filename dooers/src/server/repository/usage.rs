//! The usage of model calls in a [`Repository`].

use super::target::Target;
use super::{Repository, RepositoryError};
use crate::store::{Scope, UsageQuery, UsageSum};
use chrono::{DateTime, Utc};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::fmt;

/// Methods for usage.
impl Repository {
    /// Sums up the usage that handlers reported in the scope, also in threads that were deleted in the meantime.
    ///
    /// A scope of one user covers only the usage for this user's messages. By default there is one sum of everything.
    /// [`by`](UsageSummary::by) divides it by thread, user, model or day. Every sum names the agent and the organization of
    /// the scope. Groups without usage are left out. The number of sums is not limited, so limit the period if you divide
    /// the usage of a large scope by thread or user.
    ///
    /// ```
    /// # use dooers::prelude::*;
    /// # use dooers::repository::{Repository, Scope, UsageGroup};
    /// # async fn f(repository: Repository, scope: Scope) -> Result<()> {
    /// let sums = repository.usage(&scope).by(UsageGroup::Day).by(UsageGroup::Model).await?;
    /// for sum in sums {
    ///     println!("{:?} {:?}: {} calls, {:?}", sum.day, sum.model, sum.calls, sum.costs);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Awaiting it returns the sums, ordered by thread, user, model and day, or an error of the store.
    pub fn usage(&self, scope: &Scope) -> UsageSummary {
        UsageSummary {
            place: self.place(scope),
            query: UsageQuery::default(),
        }
    }
}

/// A property by which [`UsageSummary::by`] divides usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum UsageGroup {
    /// The thread.
    Thread,
    /// The user whose message was answered. All anonymous users are one group.
    User,
    /// The model.
    Model,
    /// The day of the report, in UTC.
    Day,
}

/// The builder of sums of usage. Awaiting it sums up the usage.
#[must_use = "nothing is summed up until it is awaited"]
pub struct UsageSummary {
    place: Target,
    query: UsageQuery,
}

impl UsageSummary {
    /// Divides the sums by one more property.
    pub fn by(mut self, group: UsageGroup) -> Self {
        match group {
            UsageGroup::Thread => self.query.by_thread = true,
            UsageGroup::User => self.query.by_user = true,
            UsageGroup::Model => self.query.by_model = true,
            UsageGroup::Day => self.query.by_day = true,
        }
        self
    }

    /// Sums up only usage in this thread, which may be deleted.
    pub fn thread(mut self, thread_id: impl Into<String>) -> Self {
        self.query.thread_id = Some(thread_id.into());
        self
    }

    /// Sums up only usage for messages of this user. The empty id stands for all anonymous users.
    pub fn user(mut self, user_id: impl Into<String>) -> Self {
        self.query.user_id = Some(user_id.into());
        self
    }

    /// Sums up only usage of this model.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.query.model = Some(model.into());
        self
    }

    /// Sums up only usage that was reported at this time or later.
    pub fn since(mut self, at: DateTime<Utc>) -> Self {
        self.query.since = Some(at);
        self
    }

    /// Sums up only usage that was reported before this time.
    pub fn before(mut self, at: DateTime<Utc>) -> Self {
        self.query.before = Some(at);
        self
    }
}

impl IntoFuture for UsageSummary {
    type Output = Result<Vec<UsageSum>, RepositoryError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        async move {
            let (server, scope) = self.place.open()?;
            Ok(server.store.sum_usage(scope, &self.query).await?)
        }
        .boxed()
    }
}

impl fmt::Debug for UsageSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UsageSummary")
            .field("scope", &self.place)
            .field("query", &self.query)
            .finish_non_exhaustive()
    }
}
