//! Reads of feedback.

use super::Stop;
use super::list_parameters::{spanned, stored};
use super::read::{Parameter, ReadTransaction, Reading, parameters};
use super::rows::{self, Columns, RowError, WholeThread};
use crate::protocol::timestamp;
use crate::store::snapshot_window::ShownEvents;
use crate::store::{
    Feedback, FeedbackDay, FeedbackPeriod, FeedbackQuery, Order, Participant, Scope, ShownFeedback,
};

/// The microseconds of a day.
const DAY: i64 = 86_400_000_000;

impl<T: ReadTransaction> Reading<'_, T> {
    /// Returns the feedback of a reader on the events that a snapshot shows.
    pub(super) async fn feedback_shown(
        &mut self,
        thread: &WholeThread,
        shown: &ShownEvents,
        reader: &Participant,
    ) -> Result<Vec<ShownFeedback>, Stop> {
        let (sql, values) = (
            &self.sql.feedback_shown,
            parameters![thread.pk, shown.begin, shown.end, reader.as_str()],
        );
        let feedback = |row: &T::Row| {
            Ok(ShownFeedback {
                event_id: row.text(0)?.to_owned(),
                value: row.name(1)?,
            })
        };
        self.every(sql, values, feedback).await
    }

    /// Returns the feedback of a scope that matches a query.
    pub(crate) async fn find_feedback(
        &mut self,
        scope: &Scope,
        looked_for: &FeedbackQuery,
    ) -> Result<Vec<Feedback>, Stop> {
        let span = looked_for.span();
        let (sql, pk) = match &looked_for.thread_id {
            Some(thread_id) => {
                let pk = self.thread(scope, thread_id).await?.pk;
                let sql = match span.order {
                    Order::NewestFirst => &self.sql.newest_feedback_of_thread,
                    Order::OldestFirst => &self.sql.oldest_feedback_of_thread,
                };
                (sql, pk)
            }
            None => {
                let Some(scope_pk) = self.scope_pk(scope).await? else {
                    return Ok(Vec::new());
                };
                let sql = match span.order {
                    Order::NewestFirst => &self.sql.newest_feedback,
                    Order::OldestFirst => &self.sql.oldest_feedback,
                };
                (sql, scope_pk)
            }
        };
        let mut values = spanned(pk, &span, looked_for.limit);
        let target_type = looked_for.target_type.map(|kind| kind.as_str().to_owned());
        let value = looked_for.value.map(|value| value.as_str().to_owned());
        values.extend(parameters![
            target_type,
            value,
            looked_for.user_id.clone(),
            stored(scope.viewer.participant()),
        ]);
        self.every(sql, values, |row| rows::feedback(row, row.text(9)?))
            .await
    }

    /// Counts the feedback of a scope by day.
    pub(crate) async fn count_feedback(
        &mut self,
        scope: &Scope,
        period: FeedbackPeriod,
    ) -> Result<Vec<FeedbackDay>, Stop> {
        let Some(scope_pk) = self.scope_pk(scope).await? else {
            return Ok(Vec::new());
        };
        let span = period.span();
        let values = vec![
            Parameter::from(scope_pk),
            Parameter::Time(span.behind.at),
            Parameter::Time(span.end),
            Parameter::from(stored(scope.viewer.participant())),
        ];
        let day = |row: &T::Row| -> Result<FeedbackDay, RowError> {
            Ok(FeedbackDay {
                agent: scope.agent.clone(),
                day: timestamp::from_micros(row.number(0)? * DAY).date_naive(),
                likes: row.count(1)?,
                dislikes: row.count(2)?,
            })
        };
        self.every(&self.sql.feedback_days, values, day).await
    }
}
