//! The usage that turns report.

use super::rows::{Rows, ThreadRows};
use super::thread::OpenThread;
use crate::protocol::ModelUsage;
use crate::store::usage::UsageRow;
use crate::store::{Change, ClaimOptions, NewMessage, Scope, StoreError, TurnChange};
use std::time::Duration;

/// Refuses a message if a limit of usage is reached.
///
/// If several limits are reached, the refusal names the one that ends last.
pub(super) fn check_limits<S: Rows>(
    rows: &S,
    scope: &Scope,
    new: &NewMessage,
    start: &ClaimOptions,
) -> Result<(), S::Error> {
    let mut reached: Option<(Duration, StoreError)> = None;
    for limit in &*start.limits {
        let owner = limit.owner(scope, &new.user.user_id);
        let spent = rows.spent(&owner, &limit.period.days(start.at))?;
        let left = limit.period.left(start.at);
        let is_last = reached.as_ref().is_none_or(|(latest, _)| left > *latest);
        if is_last && limit.is_reached(&spent) {
            reached = Some((left, limit.refusal(start.at)));
        }
    }
    match reached {
        Some((_, refusal)) => Err(refusal.into()),
        None => Ok(()),
    }
}

/// Adds the usage that a turn reports to the ledger.
pub(super) fn record_usage<S: Rows>(
    rows: &mut S,
    scope: &Scope,
    thread_id: &str,
    changes: &[TurnChange],
) -> Result<(), S::Error> {
    let used = changes.iter().filter_map(|change| match change {
        TurnChange::Usage(used) => Some(UsageRow {
            scope: scope.of_everyone(),
            thread_id: thread_id.to_owned(),
            used: (**used).clone(),
        }),
        _ => None,
    });
    let used: Vec<_> = used.collect();
    if used.is_empty() {
        return Ok(());
    }
    rows.insert_usage(used)
}

/// The usage that a turn reports in one operation, by run.
#[derive(Debug, Default)]
pub(super) struct ReportedUsage<'c>(Vec<(&'c str, Vec<ModelUsage>)>);

impl<'c> ReportedUsage<'c> {
    pub(super) fn of(changes: &'c [TurnChange]) -> Self {
        let mut reported = Self::default();
        for change in changes {
            let TurnChange::Usage(used) = change else {
                continue;
            };
            let Some(run_id) = used.run_id.as_deref() else {
                continue;
            };
            let runs = &mut reported.0;
            let known = runs.iter().position(|(known, _)| *known == run_id);
            let at = known.unwrap_or_else(|| {
                runs.push((run_id, Vec::new()));
                runs.len() - 1
            });
            ModelUsage::from(&used.usage).add_to(&mut runs[at].1);
        }
        reported
    }

    /// Takes the usage of a run.
    pub(super) fn take(&mut self, run_id: &str) -> Vec<ModelUsage> {
        let known = self.0.iter().position(|(known, _)| *known == run_id);
        known.map_or_else(Vec::new, |at| self.0.swap_remove(at).1)
    }
}

impl<R: ThreadRows> OpenThread<R> {
    /// Adds usage to the sums of its runs.
    pub(super) fn add_usage(
        &mut self,
        reported: ReportedUsage<'_>,
    ) -> Result<Vec<Change>, R::Error> {
        let mut changes = Vec::new();
        for (run_id, usage) in reported.0 {
            // The program may have removed the run.
            let Some(mut run) = self.rows.run(run_id)? else {
                continue;
            };
            usage.iter().for_each(|usage| usage.add_to(&mut run.usage));
            changes.push(self.update_run(run)?);
        }
        Ok(changes)
    }
}
