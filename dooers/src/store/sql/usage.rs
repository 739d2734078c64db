//! The ledger of usage in a database.

use super::Stop;
use super::list_parameters::stored_time;
use super::read::{Parameter, ReadTransaction, Reading, parameters};
use super::rows::{Columns, RowError};
use crate::store::usage::{DayTotal, GroupPart, sums_of};
use crate::store::{Scope, UsageQuery, UsageSum};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// The number of picos in a unit.
const PICOS: i64 = 1_000_000_000_000;

/// The divisor that splits picos into two parts, whose sums over many rows fit into 64 bits.
const MILLION: i64 = 1_000_000;

/// Returns the columns of an amount: its units and its picos. An amount that is checked fits exactly.
pub(crate) fn amount_columns(amount: Decimal) -> (i64, i64) {
    let units = amount.trunc();
    let picos = (amount - units) * Decimal::from(PICOS);
    (
        units.to_i64().unwrap_or(i64::MAX),
        picos.to_i64().unwrap_or_default(),
    )
}

/// Returns the amount of these units and picos.
pub(crate) fn amount_of(units: i64, picos: i64) -> Decimal {
    let picos = i128::from(units) * i128::from(PICOS) + i128::from(picos);
    let amount = Decimal::try_from_i128_with_scale(picos, 12);
    amount.unwrap_or(Decimal::MAX).normalize()
}

/// Reads a total from its tokens, units and picos, which begin at a column.
pub(crate) fn day_total(row: &impl Columns, at: usize) -> Result<DayTotal, RowError> {
    Ok(DayTotal {
        tokens: row.count(at)?,
        amount: amount_of(row.number(at + 1)?, row.number(at + 2)?),
    })
}

impl<T: ReadTransaction> Reading<'_, T> {
    /// Sums up the usage of a scope that a query covers.
    pub(crate) async fn sum_usage(
        &mut self,
        scope: &Scope,
        query: &UsageQuery,
    ) -> Result<Vec<UsageSum>, Stop> {
        let Some(user) = query.visible_user(scope) else {
            return Ok(Vec::new());
        };
        let Some(scope_pk) = self.scope_pk(scope).await? else {
            return Ok(Vec::new());
        };
        let groups = [query.by_thread, query.by_user, query.by_model, query.by_day];
        let mut values = vec![
            Parameter::from(scope_pk),
            Parameter::Time(stored_time(query.since, i64::MIN)),
            Parameter::Time(stored_time(query.before, i64::MAX)),
        ];
        values.extend(groups.map(|is_group| Parameter::Number(is_group.into())));
        values.extend(parameters![
            query.thread_id.clone(),
            user.map(str::to_owned),
            query.model.clone(),
        ]);
        let parts = self.every(&self.sql.usage_sums, values, part).await?;
        Ok(sums_of(scope, parts))
    }

    pub(crate) async fn has_usage(&mut self, usage_id: &str) -> Result<bool, Stop> {
        let values = parameters![usage_id];
        let found = self.first(&self.sql.has_usage, values, |_| Ok(()));
        Ok(found.await?.is_some())
    }
}

fn part(row: &impl Columns) -> Result<GroupPart, RowError> {
    let (millions, picos) = (row.number(10)?, row.number(11)?);
    let fraction = i128::from(millions) * i128::from(MILLION) + i128::from(picos);
    let carried = fraction / i128::from(PICOS);
    let units = row.number(9)?.saturating_add(i64::try_from(carried)?);
    let picos = i64::try_from(fraction % i128::from(PICOS))?;
    Ok(GroupPart {
        key: (
            row.optional_string(0)?,
            row.optional_string(1)?,
            row.optional_string(2)?,
            row.optional_number(3)?,
        ),
        currency: row.text(4)?.to_owned(),
        calls: row.count(5)?,
        input_tokens: row.count(6)?,
        output_tokens: row.count(7)?,
        cached_tokens: row.count(8)?,
        amount: amount_of(units, picos),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amount_survives_its_columns() {
        for (text, columns) in [
            ("0", (0, 0)),
            ("0.000000000001", (0, 1)),
            ("0.999999999999", (0, 999_999_999_999)),
            ("1000000000", (1_000_000_000, 0)),
            ("123.450", (123, 450_000_000_000)),
        ] {
            let amount: Decimal = text.parse().unwrap();
            assert_eq!(amount_columns(amount), columns, "{text}");
            let (units, picos) = columns;
            assert_eq!(amount_of(units, picos), amount);
        }
    }
}
