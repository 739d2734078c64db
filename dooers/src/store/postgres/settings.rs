//! The settings of workers. They do not belong to a thread, so they are not written by the [writer](crate::store::postgres::write::writer).
//!
//! A statement whose answer was lost is not repeated, because it could overwrite a later change. The stored values show
//! if it was executed. For the same reason, a statement does nothing after its time, see [`Readers::execute_once`].

use super::statements::Statements;
use crate::store::postgres::connect::error::into_store_error;
use crate::store::postgres::connect::statement::query;
use crate::store::postgres::read::readers::{PgReading, Readers};
use crate::store::sql::{Columns, Reading, RowError};
use crate::store::{StoreError, StoredSetting, WorkerKey};
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// The `updated_at` of each field.
type Times = HashMap<String, DateTime<Utc>>;

/// Reads all stored settings of a worker.
pub(super) async fn read(
    readers: &Readers,
    worker: &WorkerKey,
) -> Result<Vec<StoredSetting>, StoreError> {
    let read = async |mut reading: Reading<'_, PgReading>| reading.settings(worker).await;
    readers.read("read the settings", read).await
}

/// Reads the versions of the settings of these workers.
pub(super) async fn versions(
    readers: &Readers,
    workers: &[WorkerKey],
) -> Result<HashMap<WorkerKey, u64>, StoreError> {
    const WHAT: &str = "compare settings";
    let read = |sql: &Statements| {
        let agents = workers.iter().map(|worker| worker.agent.clone());
        let ids = workers.iter().map(|worker| worker.worker_id.clone());
        query(&sql.own.setting_versions)
            .bind(agents.collect::<Vec<_>>())
            .bind(ids.collect::<Vec<_>>())
    };
    let rows = readers.execute(WHAT, read).await?;
    let versions = rows.iter().map(|row| {
        let worker = WorkerKey {
            agent: row.text(0)?.to_owned(),
            worker_id: row.text(1)?.to_owned(),
        };
        Ok((worker, row.number(2)?.cast_unsigned()))
    });
    let versions = versions.collect::<Result<_, RowError>>();
    versions.map_err(|error| into_store_error(error, WHAT))
}

/// Stores these settings. Returns their `updated_at`.
pub(super) async fn put(
    readers: &Readers,
    worker: &WorkerKey,
    settings: Vec<StoredSetting>,
) -> Result<Vec<DateTime<Utc>>, StoreError> {
    const WHAT: &str = "store settings";
    if settings.is_empty() {
        return Ok(Vec::new());
    }
    let values = settings
        .iter()
        .map(|setting| serde_json::to_string(&setting.value));
    let values: Vec<_> = values
        .collect::<Result<_, _>>()
        .map_err(|error| into_store_error(error.into(), WHAT))?;
    let put = |sql: &Statements, last: DateTime<Utc>| {
        let fields = settings.iter().map(|setting| setting.field_id.clone());
        let keys = settings.iter().map(|setting| setting.key_id.clone());
        let at = settings.iter().map(|setting| setting.updated_at);
        query(&sql.own.put_settings)
            .bind(worker.agent.clone())
            .bind(worker.worker_id.clone())
            .bind(fields.collect::<Vec<_>>())
            .bind(values.clone())
            .bind(keys.collect::<Vec<_>>())
            .bind(at.collect::<Vec<_>>())
            .bind(last)
    };
    let times: Times = match readers.execute_once(WHAT, put).await {
        Ok(rows) => {
            let stored = rows
                .iter()
                .map(|row| Ok((row.text(0)?.to_owned(), row.time(1)?)));
            let stored = stored.collect::<Result<_, RowError>>();
            stored.map_err(|error| into_store_error(error, WHAT))?
        }
        Err(lost @ StoreError::Unavailable { .. }) => {
            let now = read(readers, worker).await?;
            times_if_stored(&settings, now).ok_or(lost)?
        }
        Err(error) => return Err(error),
    };
    let time = |setting: &StoredSetting| {
        let at = times.get(&setting.field_id).copied();
        at.ok_or_else(|| into_store_error("a stored setting is missing".into(), WHAT))
    };
    settings.iter().map(time).collect()
}

/// Returns `None` if one of the settings differs from the stored one.
fn times_if_stored(put: &[StoredSetting], now: Vec<StoredSetting>) -> Option<Times> {
    let is_stored = |put: &StoredSetting| {
        now.iter().any(|now| {
            let is_field = now.field_id == put.field_id;
            is_field && now.value == put.value && now.key_id == put.key_id
        })
    };
    let are_stored = put.iter().all(is_stored);
    let times = now.into_iter().map(|now| (now.field_id, now.updated_at));
    are_stored.then(|| times.collect())
}

/// Removes a setting, if it exists.
pub(super) async fn remove(
    readers: &Readers,
    worker: &WorkerKey,
    field_id: &str,
) -> Result<(), StoreError> {
    let remove = |sql: &Statements, last: DateTime<Utc>| {
        query(&sql.own.remove_setting)
            .bind(worker.agent.clone())
            .bind(worker.worker_id.clone())
            .bind(field_id.to_owned())
            .bind(last)
    };
    let removed = readers.execute_once("remove a setting", remove).await;
    let Err(lost @ StoreError::Unavailable { .. }) = removed else {
        return removed.map(drop);
    };
    let now = read(readers, worker).await?;
    let is_there = now.iter().any(|now| now.field_id == field_id);
    if is_there { Err(lost) } else { Ok(()) }
}
