//! The methods of [`Store`](crate::store::Store) that both SQL stores share.

/// Implements `Store` for a type with a `writer` and `readers`. The methods that differ between the databases follow
/// the types.
macro_rules! sql_store {
    ($store:ty, $reading:ty; $($own:tt)*) => {
        const _: () = {
            use $crate::protocol::{Run, Thread, ThreadEvent};
            use $crate::store::sql::{
                Begin, ClaimTurn, CreateThread, DeleteThread, EditThread, FinishTurn, Reading, ResumeTurn, RetryTurn,
                WriteTurn,
            };
            use $crate::store::{
                BeginOutcome, CatchUp, Change, Claim, Edited, EventPage, EventQuery, Feedback, FeedbackDay, FeedbackPeriod,
                FeedbackQuery, GivenFeedback, NewFeedback, NewMessage, PageLimit, Participant, Position, Retried, RunQuery,
                Scope, Snapshot, SnapshotFrom, ClaimOptions, Store, StoreError, ThreadCursor, ThreadDraft, ThreadEdit,
                ThreadPage, ThreadQuery, ThreadRecord, TitleSearch, TurnChange, TurnKey, TurnState, FinishOutcome,
                UsageQuery, UsageSum,
            };
            use chrono::{DateTime, Utc};
            use std::collections::{HashMap, HashSet};

            #[async_trait::async_trait]
            impl Store for $store {
                async fn begin_turn(
                    &self,
                    scope: &Scope,
                    message: NewMessage,
                    start: &ClaimOptions,
                ) -> Result<BeginOutcome, StoreError> {
                    let begin = Begin {
                        scope: scope.clone(),
                        new: message,
                        start: start.clone(),
                    };
                    self.writer.run(begin).await
                }

                async fn claim_turn(
                    &self,
                    scope: &Scope,
                    thread_id: &str,
                    start: &ClaimOptions,
                ) -> Result<Option<Claim>, StoreError> {
                    let claim = ClaimTurn {
                        scope: scope.clone(),
                        thread_id: thread_id.to_owned(),
                        start: start.clone(),
                    };
                    self.writer.run(claim).await
                }

                async fn resume_turn(&self, scope: &Scope, turn: &TurnKey) -> Result<Claim, StoreError> {
                    let resume = ResumeTurn {
                        scope: scope.clone(),
                        turn: turn.clone(),
                    };
                    self.writer.run(resume).await
                }

                async fn write_turn(
                    &self,
                    scope: &Scope,
                    turn: &TurnKey,
                    changes: Vec<TurnChange>,
                ) -> Result<Vec<Change>, StoreError> {
                    let write = WriteTurn {
                        scope: scope.clone(),
                        turn: turn.clone(),
                        changes,
                    };
                    self.writer.run(write).await
                }

                async fn finish_turn(
                    &self,
                    scope: &Scope,
                    turn: &TurnKey,
                    changes: Vec<TurnChange>,
                    next: Option<&ClaimOptions>,
                ) -> Result<FinishOutcome, StoreError> {
                    let finish = FinishTurn {
                        scope: scope.clone(),
                        turn: turn.clone(),
                        changes,
                        next: next.cloned(),
                    };
                    self.writer.run(finish).await
                }

                async fn retry_turn(
                    &self,
                    scope: &Scope,
                    turn: &TurnKey,
                    changes: Vec<TurnChange>,
                    not_before: DateTime<Utc>,
                ) -> Result<Retried, StoreError> {
                    let retry = RetryTurn {
                        scope: scope.clone(),
                        turn: turn.clone(),
                        changes,
                        not_before,
                    };
                    self.writer.run(retry).await
                }

                async fn turn_state(
                    &self,
                    scope: &Scope,
                    thread_id: &str,
                    event_id: &str,
                ) -> Result<TurnState, StoreError> {
                    let read = async |mut reading: Reading<'_, $reading>| {
                        reading.turn_state(scope, thread_id, event_id).await
                    };
                    self.readers.read("read the state of a turn", read).await
                }

                async fn thread(&self, scope: &Scope, thread_id: &str) -> Result<ThreadRecord, StoreError> {
                    let read =
                        async |mut reading: Reading<'_, $reading>| reading.thread(scope, thread_id).await;
                    let thread = self.readers.read("read a thread", read).await?;
                    Ok(thread.record)
                }

                async fn thread_rows(&self, thread_ids: &[String]) -> Result<Vec<ThreadRecord>, StoreError> {
                    let read =
                        async |mut reading: Reading<'_, $reading>| reading.thread_rows(thread_ids).await;
                    self.readers.read("read changed threads", read).await
                }

                async fn thread_revs(
                    &self,
                    thread_ids: &[String],
                ) -> Result<HashMap<String, u64>, StoreError> {
                    let read =
                        async |mut reading: Reading<'_, $reading>| reading.thread_revs(thread_ids).await;
                    self.readers.read("look for changed threads", read).await
                }

                async fn open_turns(
                    &self,
                    event_ids: &[String],
                ) -> Result<HashSet<String>, StoreError> {
                    let read =
                        async |mut reading: Reading<'_, $reading>| reading.open_turns(event_ids).await;
                    self.readers.read("look for turns", read).await
                }

                async fn threads(
                    &self,
                    scope: &Scope,
                    after: Option<&ThreadCursor>,
                    limit: PageLimit,
                ) -> Result<ThreadPage, StoreError> {
                    let read = async |mut reading: Reading<'_, $reading>| {
                        reading.threads(scope, after, limit).await
                    };
                    self.readers.read("list threads", read).await
                }

                async fn search_threads(
                    &self,
                    scope: &Scope,
                    search: &TitleSearch,
                    after: Option<&ThreadCursor>,
                    limit: PageLimit,
                ) -> Result<ThreadPage, StoreError> {
                    let read = async |mut reading: Reading<'_, $reading>| {
                        reading.search_threads(scope, search, after, limit).await
                    };
                    self.readers.read("search threads", read).await
                }

                async fn find_threads(
                    &self,
                    scope: &Scope,
                    query: &ThreadQuery,
                ) -> Result<Vec<Thread>, StoreError> {
                    let read = async |mut reading: Reading<'_, $reading>| {
                        reading.find_threads(scope, query).await
                    };
                    self.readers.read("find threads", read).await
                }

                async fn snapshot_for(
                    &self,
                    scope: &Scope,
                    reader: Option<&Participant>,
                    thread_id: &str,
                    from: &SnapshotFrom,
                    bytes: usize,
                ) -> Result<Snapshot, StoreError> {
                    let read = async |mut reading: Reading<'_, $reading>| {
                        reading.snapshot(scope, reader, thread_id, from, bytes).await
                    };
                    self.readers.read("read a thread", read).await
                }

                async fn events(
                    &self,
                    scope: &Scope,
                    thread_id: &str,
                    before_event_id: Option<&str>,
                    limit: PageLimit,
                ) -> Result<EventPage, StoreError> {
                    let read = async |mut reading: Reading<'_, $reading>| {
                        let page = reading.events(scope, thread_id, before_event_id, limit);
                        page.await
                    };
                    self.readers.read("list events", read).await
                }

                async fn find_events(
                    &self,
                    scope: &Scope,
                    thread_id: &str,
                    query: &EventQuery,
                ) -> Result<Vec<ThreadEvent>, StoreError> {
                    let read = async |mut reading: Reading<'_, $reading>| {
                        reading.find_events(scope, thread_id, query).await
                    };
                    self.readers.read("find events", read).await
                }

                async fn event(
                    &self,
                    scope: &Scope,
                    thread_id: &str,
                    event_id: &str,
                ) -> Result<ThreadEvent, StoreError> {
                    let read = async |mut reading: Reading<'_, $reading>| {
                        reading.event(scope, thread_id, event_id).await
                    };
                    self.readers.read("read an event", read).await
                }

                async fn find_runs(&self, scope: &Scope, query: &RunQuery) -> Result<Vec<Run>, StoreError> {
                    let read =
                        async |mut reading: Reading<'_, $reading>| reading.find_runs(scope, query).await;
                    self.readers.read("find runs", read).await
                }

                async fn run(&self, scope: &Scope, thread_id: &str, run_id: &str) -> Result<Run, StoreError> {
                    let read = async |mut reading: Reading<'_, $reading>| {
                        reading.run(scope, thread_id, run_id).await
                    };
                    self.readers.read("read a run", read).await
                }

                async fn catch_up(
                    &self,
                    scope: &Scope,
                    thread_id: &str,
                    position: &Position,
                    limit: PageLimit,
                ) -> Result<CatchUp, StoreError> {
                    let read = async |mut reading: Reading<'_, $reading>| {
                        let missed = reading.catch_up(scope, thread_id, position, limit);
                        missed.await
                    };
                    self.readers.read("read what changed", read).await
                }

                async fn find_feedback(
                    &self,
                    scope: &Scope,
                    query: &FeedbackQuery,
                ) -> Result<Vec<Feedback>, StoreError> {
                    let read = async |mut reading: Reading<'_, $reading>| {
                        reading.find_feedback(scope, query).await
                    };
                    self.readers.read("find feedback", read).await
                }

                async fn count_feedback(
                    &self,
                    scope: &Scope,
                    period: FeedbackPeriod,
                ) -> Result<Vec<FeedbackDay>, StoreError> {
                    let read = async |mut reading: Reading<'_, $reading>| {
                        reading.count_feedback(scope, period).await
                    };
                    self.readers.read("count feedback", read).await
                }

                async fn sum_usage(
                    &self,
                    scope: &Scope,
                    query: &UsageQuery,
                ) -> Result<Vec<UsageSum>, StoreError> {
                    let read =
                        async |mut reading: Reading<'_, $reading>| reading.sum_usage(scope, query).await;
                    self.readers.read("sum up usage", read).await
                }

                async fn has_usage(&self, usage_id: &str) -> Result<bool, StoreError> {
                    let read =
                        async |mut reading: Reading<'_, $reading>| reading.has_usage(usage_id).await;
                    self.readers.read("look for a usage", read).await
                }

                async fn create_thread(&self, scope: &Scope, draft: ThreadDraft) -> Result<Change, StoreError> {
                    let create = CreateThread {
                        scope: scope.clone(),
                        draft,
                    };
                    self.writer.run(create).await
                }

                async fn edit_thread(
                    &self,
                    scope: &Scope,
                    thread_id: &str,
                    edit: ThreadEdit,
                ) -> Result<Edited, StoreError> {
                    let edit = EditThread {
                        scope: scope.clone(),
                        thread_id: thread_id.to_owned(),
                        edit,
                    };
                    self.writer.run(edit).await
                }

                async fn delete_thread(&self, scope: &Scope, thread_id: &str) -> Result<Change, StoreError> {
                    let delete = DeleteThread {
                        scope: scope.clone(),
                        thread_id: thread_id.to_owned(),
                    };
                    self.writer.run(delete).await
                }

                async fn setting_keys(&self) -> Result<Vec<String>, StoreError> {
                    let read = async |mut reading: Reading<'_, $reading>| reading.setting_keys().await;
                    self.readers.read("read the settings' keys", read).await
                }

                async fn turn_keys(&self) -> Result<Vec<String>, StoreError> {
                    let read = async |mut reading: Reading<'_, $reading>| reading.turn_keys().await;
                    self.readers.read("read the turns' keys", read).await
                }

                $($own)*
            }
        };
    };
}

pub(crate) use sql_store;
