//! The ledger of usage: its rows, its totals, and queries for it.

use super::Scope;
use super::scope::Viewer;
use crate::protocol::{Cost, Costs, Usage};
use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// The seconds of a day.
const DAY: i64 = 86_400;

/// A usage that a turn reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnUsage {
    /// The unique id.
    pub id: String,
    /// The run during which the usage was reported.
    pub run_id: Option<String>,
    /// The user whose message the turn answers. Empty for an anonymous user.
    pub user_id: String,
    /// The tokens and the cost.
    pub usage: Usage,
    /// The time of the report.
    pub at: DateTime<Utc>,
}

/// A row of the ledger. It outlives its thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UsageRow {
    /// The scope of the thread, for all viewers.
    pub(crate) scope: Scope,
    pub(crate) thread_id: String,
    pub(crate) used: TurnUsage,
}

impl UsageRow {
    /// Returns the day of the report.
    pub(crate) fn day(&self) -> i64 {
        day_of(self.used.at)
    }

    /// Returns the currency of the cost. Empty if the cost is unknown.
    pub(crate) fn currency(&self) -> &str {
        let cost = self.used.usage.cost.as_ref();
        cost.map_or("", |cost| &cost.currency)
    }

    /// Returns the amount of the cost. Zero if the cost is unknown.
    pub(crate) fn amount(&self) -> Decimal {
        let cost = self.used.usage.cost.as_ref();
        cost.map_or(Decimal::ZERO, |cost| cost.amount)
    }

    /// Returns the tokens that count towards limits.
    pub(crate) fn tokens(&self) -> u64 {
        self.used.usage.input_tokens + self.used.usage.output_tokens
    }

    /// Returns the owners whose totals contain the row.
    fn owners(&self) -> [UsageOwner; 3] {
        [
            UsageOwner::Organization(self.scope.organization_id.clone()),
            UsageOwner::User {
                organization_id: self.scope.organization_id.clone(),
                user_id: self.used.user_id.clone(),
            },
            UsageOwner::Worker(self.scope.worker_id.clone()),
        ]
    }
}

/// Returns the number of days from 1970 to a time, in UTC.
pub(crate) fn day_of(at: DateTime<Utc>) -> i64 {
    at.timestamp().div_euclid(DAY)
}

/// Returns the date of a number of days since 1970.
pub(crate) fn date_of(day: i64) -> NaiveDate {
    let start = DateTime::from_timestamp(day.saturating_mul(DAY), 0);
    start.unwrap_or_default().date_naive()
}

/// An owner of totals.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum UsageOwner {
    Organization(String),
    User {
        organization_id: String,
        user_id: String,
    },
    Worker(String),
}

impl UsageOwner {
    /// Returns the columns by which databases find the owner: its type, its id, and the user.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) fn columns(&self) -> [&str; 3] {
        match self {
            Self::Organization(id) => ["organization", id, ""],
            Self::User {
                organization_id,
                user_id,
            } => ["user", organization_id, user_id],
            Self::Worker(id) => ["worker", id, ""],
        }
    }
}

/// The tokens and the cost of a day, in one currency.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct DayTotal {
    pub(crate) tokens: u64,
    pub(crate) amount: Decimal,
}

impl DayTotal {
    fn add(&mut self, more: &Self) {
        self.tokens = self.tokens.saturating_add(more.tokens);
        self.amount = self.amount.saturating_add(more.amount);
    }
}

/// Totals by owner, day and currency.
#[derive(Debug, Default)]
pub(crate) struct UsageTotals(BTreeMap<(UsageOwner, i64, String), DayTotal>);

impl UsageTotals {
    /// Returns the totals of these rows.
    #[cfg(feature = "sqlite")]
    pub(crate) fn of(rows: &[UsageRow]) -> Self {
        let mut totals = Self::default();
        rows.iter().for_each(|row| totals.add(row));
        totals
    }

    /// Adds a row.
    pub(crate) fn add(&mut self, row: &UsageRow) {
        for owner in row.owners() {
            let key = (owner, row.day(), row.currency().to_owned());
            self.0.entry(key).or_default().add(&DayTotal {
                tokens: row.tokens(),
                amount: row.amount(),
            });
        }
    }

    /// Sets the total that was read from a database.
    #[cfg(feature = "postgres")]
    pub(crate) fn set(&mut self, owner: UsageOwner, day: i64, currency: String, total: DayTotal) {
        self.0.insert((owner, day, currency), total);
    }

    /// Returns the sum of an owner's totals.
    pub(crate) fn spent(&self, owner: &UsageOwner, days: &RangeInclusive<i64>) -> Spent {
        let begin = (owner.clone(), *days.start(), String::new());
        let mut spent = Spent::default();
        let totals = self.0.range(begin..);
        let in_range = |(of, day, _): &(UsageOwner, i64, String)| of == owner && day <= days.end();
        for ((.., currency), total) in totals.take_while(|(key, _)| in_range(key)) {
            spent.add(currency, total);
        }
        spent
    }

    #[cfg(feature = "sqlite")]
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&UsageOwner, i64, &str, &DayTotal)> {
        let totals = self.0.iter();
        totals.map(|((owner, day, currency), total)| (owner, *day, &**currency, total))
    }
}

/// The usage of an owner in a period.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Spent {
    pub(crate) tokens: u64,
    amounts: BTreeMap<String, Decimal>,
}

impl Spent {
    /// Adds a total in this currency.
    pub(crate) fn add(&mut self, currency: &str, total: &DayTotal) {
        self.tokens = self.tokens.saturating_add(total.tokens);
        let amount = self.amounts.entry(currency.to_owned()).or_default();
        *amount = amount.saturating_add(total.amount);
    }

    /// Returns the cost in a currency.
    pub(crate) fn amount(&self, currency: &str) -> Decimal {
        self.amounts.get(currency).copied().unwrap_or_default()
    }
}

/// A query for sums of a scope's usage.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UsageQuery {
    /// Only usage in this thread, which may be deleted.
    pub thread_id: Option<String>,
    /// Only usage for messages of this user.
    pub user_id: Option<String>,
    /// Only usage of this model.
    pub model: Option<String>,
    /// Only usage that was reported at this time or later.
    pub since: Option<DateTime<Utc>>,
    /// Only usage that was reported before this time.
    pub before: Option<DateTime<Utc>>,
    /// `true` for one sum per thread.
    pub by_thread: bool,
    /// `true` for one sum per user.
    pub by_user: bool,
    /// `true` for one sum per model.
    pub by_model: bool,
    /// `true` for one sum per day.
    pub by_day: bool,
}

impl UsageQuery {
    /// Returns the user whose usage the query sums up. `Some(None)` stands for all users, and `None` for no user:
    /// with private threads, a viewer sees only the usage for its own messages.
    pub(crate) fn visible_user<'q>(&'q self, scope: &'q Scope) -> Option<Option<&'q str>> {
        let asked = self.user_id.as_deref();
        match &scope.viewer {
            Viewer::Everyone => Some(asked),
            Viewer::Only(viewer) => {
                let own = viewer.user_id()?;
                asked.is_none_or(|asked| asked == own).then_some(Some(own))
            }
        }
    }
}

/// A sum of usage.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UsageSum {
    /// The agent's name.
    pub agent: String,
    /// The id of the organization.
    pub organization_id: String,
    /// The thread, if there is one sum per thread. The thread may be deleted.
    pub thread_id: Option<String>,
    /// The user, if there is one sum per user. Empty for all anonymous users together.
    pub user_id: Option<String>,
    /// The model, if there is one sum per model.
    pub model: Option<String>,
    /// The day in UTC, if there is one sum per day.
    pub day: Option<NaiveDate>,
    /// The number of reported calls.
    pub calls: u64,
    /// The tokens that models read, including those that came from a cache.
    pub input_tokens: u64,
    /// The tokens that models wrote.
    pub output_tokens: u64,
    /// The part of `input_tokens` that came from a cache.
    pub cached_tokens: u64,
    /// The costs, one for each currency, ordered by currency. Calls without a known cost are not included.
    pub costs: Vec<Cost>,
}

/// The thread, user, model and day of a sum, as far as a query distinguishes them.
type GroupKey = (Option<String>, Option<String>, Option<String>, Option<i64>);

/// The usage of a group in one currency.
#[derive(Debug, Default)]
pub(crate) struct GroupPart {
    pub(crate) key: GroupKey,
    /// Empty for calls without a known cost.
    pub(crate) currency: String,
    pub(crate) calls: u64,
    pub(crate) input_tokens: u64,
    pub(crate) output_tokens: u64,
    pub(crate) cached_tokens: u64,
    pub(crate) amount: Decimal,
}

impl GroupPart {
    /// Returns the part of one row.
    pub(crate) fn of(row: &UsageRow, query: &UsageQuery) -> Self {
        let (used, usage) = (&row.used, &row.used.usage);
        let key = (
            query.by_thread.then(|| row.thread_id.clone()),
            query.by_user.then(|| used.user_id.clone()),
            query.by_model.then(|| usage.model.clone()),
            query.by_day.then(|| row.day()),
        );
        Self {
            key,
            currency: row.currency().to_owned(),
            calls: 1,
            input_tokens: usage.input_tokens,
            output_tokens: usage.output_tokens,
            cached_tokens: usage.cached_tokens,
            amount: row.amount(),
        }
    }
}

/// Combines parts to sums, ordered by thread, user, model and day.
pub(crate) fn sums_of(scope: &Scope, parts: impl IntoIterator<Item = GroupPart>) -> Vec<UsageSum> {
    let mut sums: BTreeMap<GroupKey, UsageSum> = BTreeMap::new();
    for part in parts {
        let sum = sums.entry(part.key).or_insert_with_key(|key| {
            let (thread_id, user_id, model, day) = key.clone();
            UsageSum {
                agent: scope.agent.clone(),
                organization_id: scope.organization_id.clone(),
                thread_id,
                user_id,
                model,
                day: day.map(date_of),
                calls: 0,
                input_tokens: 0,
                output_tokens: 0,
                cached_tokens: 0,
                costs: Vec::new(),
            }
        });
        sum.calls += part.calls;
        sum.input_tokens = sum.input_tokens.saturating_add(part.input_tokens);
        sum.output_tokens = sum.output_tokens.saturating_add(part.output_tokens);
        sum.cached_tokens = sum.cached_tokens.saturating_add(part.cached_tokens);
        if !part.currency.is_empty() {
            sum.costs.add_costs([&Cost {
                amount: part.amount,
                currency: part.currency,
            }]);
        }
    }
    let sorted = |mut sum: UsageSum| {
        sum.costs
            .sort_by(|one, other| one.currency.cmp(&other.currency));
        sum
    };
    sums.into_values().map(sorted).collect()
}
