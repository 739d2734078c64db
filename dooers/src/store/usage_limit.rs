//! Limits of usage.

use super::usage::{Spent, UsageOwner, date_of, day_of};
use super::{Scope, StoreError};
use crate::protocol::{Cost, UsageError};
use chrono::{DateTime, Datelike, Months, NaiveDate, Utc};
use rust_decimal::Decimal;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

/// A limit of the usage that handlers report: when it is reached, messages are refused until the period ends.
///
/// [`WorkerConfig::usage_limit`](crate::WorkerConfig::usage_limit) sets a limit, and so do the variables
/// `WORKER_USAGE_LIMIT_…`. A client's message is refused as `RATE_LIMITED`, and a message of the program as
/// [`DispatchError::RateLimited`](crate::DispatchError::RateLimited).
///
/// The limit is checked before a turn starts. Turns that have started continue, and so do messages that were accepted
/// before. The usage can therefore exceed the limit by what is in flight at that moment. The usage is in the database, so the
/// processes that share a database have the limit in common.
///
/// The user and organization of a client are those of its [`Identity`](crate::auth::Identity), which the authenticator
/// returns. Without an authenticator, clients state them themselves.
///
/// ```
/// use dooers::{UsageAmount, UsageLimit, UsageLimitScope, UsagePeriod, WorkerConfig};
///
/// # fn f() -> Result<(), Box<dyn std::error::Error>> {
/// let config = WorkerConfig::new()
///     .usage_limit(UsageLimit::new(
///         UsageLimitScope::User,
///         UsagePeriod::Day,
///         UsageAmount::Tokens(200_000),
///     ))
///     .usage_limit(UsageLimit::new(
///         UsageLimitScope::Organization,
///         UsagePeriod::Month,
///         "250.00 USD".parse()?,
///     ));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UsageLimit {
    /// The part of all usage that counts.
    pub scope: UsageLimitScope,
    /// The period after which the usage counts from zero again.
    pub period: UsagePeriod,
    /// The amount from which messages are refused.
    pub amount: UsageAmount,
}

/// The part of all usage that counts towards a [`UsageLimit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UsageLimitScope {
    /// The usage for messages of one user of an organization, with all agents and workers. All anonymous users of an
    /// organization count together.
    User,
    /// The usage of one organization, with all agents and workers.
    Organization,
    /// The usage of one worker, in all organizations. Workers of different agents with the same id count together.
    Worker,
}

/// A period of a [`UsageLimit`], in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UsagePeriod {
    /// A day from midnight to midnight.
    Day,
    /// A calendar month.
    Month,
}

/// The amount of a [`UsageLimit`].
///
/// Parsed from a number and a unit: `200000 tokens`, or the code of a currency as in `250.00 USD`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum UsageAmount {
    /// A number of input and output tokens. Cached tokens are a part of the input tokens.
    Tokens(u64),
    /// A cost in one currency. Usage without a cost, or with a cost in another currency, does not count.
    Cost(Cost),
}

/// A text that is not a [`UsageAmount`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "write a number and its unit, which is `tokens` or a currency code of ISO 4217, such as `200000 tokens` or `250.00 USD`"
)]
#[non_exhaustive]
pub struct InvalidUsageAmount;

impl UsageLimit {
    /// Creates a limit.
    #[must_use]
    pub fn new(scope: UsageLimitScope, period: UsagePeriod, amount: UsageAmount) -> Self {
        Self {
            scope,
            period,
            amount,
        }
    }

    /// Returns the owner whose usage counts for a message.
    pub(crate) fn owner(&self, scope: &Scope, user_id: &str) -> UsageOwner {
        match self.scope {
            UsageLimitScope::User => UsageOwner::User {
                organization_id: scope.organization_id.clone(),
                user_id: user_id.to_owned(),
            },
            UsageLimitScope::Organization => {
                UsageOwner::Organization(scope.organization_id.clone())
            }
            UsageLimitScope::Worker => UsageOwner::Worker(scope.worker_id.clone()),
        }
    }

    /// Returns `true` if this usage reaches the limit.
    pub(crate) fn is_reached(&self, spent: &Spent) -> bool {
        match &self.amount {
            UsageAmount::Tokens(limit) => spent.tokens >= *limit,
            UsageAmount::Cost(limit) => spent.amount(&limit.currency) >= limit.amount,
        }
    }

    /// Returns the refusal of a message at this time.
    pub(crate) fn refusal(&self, at: DateTime<Utc>) -> StoreError {
        let whose = match self.scope {
            UsageLimitScope::User => "this user",
            UsageLimitScope::Organization => "this organization",
            UsageLimitScope::Worker => "this worker",
        };
        let when = match self.period {
            UsagePeriod::Day => "day",
            UsagePeriod::Month => "month",
        };
        StoreError::RateLimited {
            text: format!(
                "the usage limit of {whose} for this {when} is reached; send the message again when the next {when} begins (UTC)"
            ),
            retry_after: self.period.left(at),
        }
    }
}

impl UsagePeriod {
    /// Returns the first day of the period that contains a day, and the first day of the next period.
    fn bounds(self, day: NaiveDate) -> (NaiveDate, NaiveDate) {
        let (first, months) = match self {
            Self::Day => return (day, day.succ_opt().unwrap_or(day)),
            Self::Month => (day.with_day(1).unwrap_or(day), Months::new(1)),
        };
        (first, first.checked_add_months(months).unwrap_or(day))
    }

    /// Returns the days of the period that contains a time, as days since 1970.
    pub(crate) fn days(self, at: DateTime<Utc>) -> RangeInclusive<i64> {
        let (first, next) = self.bounds(date_of(day_of(at)));
        let day = |date: NaiveDate| day_of(date.and_time(chrono::NaiveTime::MIN).and_utc());
        day(first)..=day(next) - 1
    }

    /// Returns the time until the period ends.
    pub(crate) fn left(self, at: DateTime<Utc>) -> Duration {
        let (_, next) = self.bounds(date_of(day_of(at)));
        let end = next.and_time(chrono::NaiveTime::MIN).and_utc();
        (end - at).to_std().unwrap_or_default()
    }
}

impl UsageAmount {
    /// Creates the amount of a cost.
    ///
    /// # Errors
    ///
    /// [`UsageError`] if the amount or the currency is not one of a [`Cost`].
    pub fn cost(amount: Decimal, currency: impl Into<String>) -> Result<Self, UsageError> {
        let currency = currency.into();
        let cost = Cost { amount, currency };
        cost.check()?;
        Ok(Self::Cost(cost))
    }
}

impl FromStr for UsageAmount {
    type Err = InvalidUsageAmount;

    fn from_str(text: &str) -> Result<Self, InvalidUsageAmount> {
        let (number, unit) = text.trim().split_once(' ').ok_or(InvalidUsageAmount)?;
        let unit = unit.trim_start();
        if unit == "tokens" {
            let tokens = number.parse().map_err(|_| InvalidUsageAmount)?;
            return Ok(Self::Tokens(tokens));
        }
        let amount = number.parse().map_err(|_| InvalidUsageAmount)?;
        Self::cost(amount, unit).map_err(|_| InvalidUsageAmount)
    }
}

impl fmt::Display for UsageAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tokens(tokens) => write!(f, "{tokens} tokens"),
            Self::Cost(cost) => write!(f, "{} {}", cost.amount, cost.currency),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn period_ends_at_midnight_or_with_the_month() {
        for (period, at, days, seconds) in [
            (UsagePeriod::Day, "1970-01-02T00:00:00Z", 1..=1, 86_400),
            (UsagePeriod::Day, "1970-01-02T23:59:59Z", 1..=1, 1),
            (UsagePeriod::Month, "1970-01-31T23:59:58Z", 0..=30, 2),
            (
                UsagePeriod::Month,
                "1972-02-29T00:00:00Z",
                761..=789,
                86_400,
            ),
            (
                UsagePeriod::Month,
                "1972-12-31T12:00:00Z",
                1065..=1095,
                43_200,
            ),
        ] {
            assert_eq!(period.days(time(at)), days, "{at}");
            assert_eq!(period.left(time(at)), Duration::from_secs(seconds), "{at}");
        }
        let before = time("1970-01-01T00:00:00Z") - chrono::TimeDelta::microseconds(1);
        assert_eq!(UsagePeriod::Day.left(before), Duration::from_micros(1));
        assert_eq!(UsagePeriod::Day.days(before), -1..=-1);
        for extreme in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
            for period in [UsagePeriod::Day, UsagePeriod::Month] {
                assert!(period.days(extreme).start().abs() > 1_000_000);
                assert!(period.left(extreme) <= Duration::from_secs(31 * 86_400));
            }
        }
    }

    #[test]
    fn amount_is_a_number_and_its_unit() {
        for (text, shown) in [
            ("200000 tokens", "200000 tokens"),
            (" 0  tokens ", "0 tokens"),
            ("250.00 USD", "250.00 USD"),
            ("0.5 EUR", "0.5 EUR"),
        ] {
            assert_eq!(text.parse::<UsageAmount>().unwrap().to_string(), shown);
        }
        for text in [
            "",
            "5",
            "tokens",
            "5 token",
            "-1 tokens",
            "1.5 tokens",
            "5 usd",
            "USD 5",
            "5 XX",
            "-5 USD",
            "5,00 USD",
            "NaN USD",
            "99999999999999999999 tokens",
            "5 USD per day",
            "0.0000000000001 USD",
        ] {
            assert_eq!(
                text.parse::<UsageAmount>(),
                Err(InvalidUsageAmount),
                "{text}"
            );
        }
    }
}
