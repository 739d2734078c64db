//! The environment variables of the limits of usage.

use super::config_error::ConfigError;
use super::env::Environment;
use crate::store::usage_limit::{
    InvalidUsageAmount, UsageAmount, UsageLimit, UsageLimitScope, UsagePeriod,
};
use std::str::FromStr;

/// The variables of the limits of usage.
const USAGE_LIMITS: [(&str, UsageLimitScope, UsagePeriod); 6] = [
    (
        "WORKER_USAGE_LIMIT_USER_DAY",
        UsageLimitScope::User,
        UsagePeriod::Day,
    ),
    (
        "WORKER_USAGE_LIMIT_USER_MONTH",
        UsageLimitScope::User,
        UsagePeriod::Month,
    ),
    (
        "WORKER_USAGE_LIMIT_ORGANIZATION_DAY",
        UsageLimitScope::Organization,
        UsagePeriod::Day,
    ),
    (
        "WORKER_USAGE_LIMIT_ORGANIZATION_MONTH",
        UsageLimitScope::Organization,
        UsagePeriod::Month,
    ),
    (
        "WORKER_USAGE_LIMIT_WORKER_DAY",
        UsageLimitScope::Worker,
        UsagePeriod::Day,
    ),
    (
        "WORKER_USAGE_LIMIT_WORKER_MONTH",
        UsageLimitScope::Worker,
        UsagePeriod::Month,
    ),
];

/// Reads the limits of usage from their variables.
pub(super) fn usage_limits(env: &Environment<'_>) -> Result<Vec<UsageLimit>, ConfigError> {
    let mut limits = Vec::new();
    for (variable, scope, period) in USAGE_LIMITS {
        let mut amounts = UsageAmounts::default();
        env.list(variable, &mut amounts)?;
        let of_amount = |amount| UsageLimit::new(scope, period, amount);
        limits.extend(amounts.0.into_iter().map(of_amount));
    }
    Ok(limits)
}

/// The amounts in a variable, separated by commas.
#[derive(Default)]
struct UsageAmounts(Vec<UsageAmount>);

impl FromStr for UsageAmounts {
    type Err = InvalidUsageAmount;

    fn from_str(list: &str) -> Result<Self, InvalidUsageAmount> {
        let amounts = list.split(',').map(str::parse);
        Ok(Self(amounts.collect::<Result<_, _>>()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str, value: &str) -> Result<Vec<UsageLimit>, ConfigError> {
        let variables = |variable: &str| (variable == name).then(|| value.into());
        usage_limits(&Environment::new(&variables))
    }

    #[test]
    fn usage_limits_are_read_from_their_variables() {
        let limits = with("WORKER_USAGE_LIMIT_USER_DAY", "200000 tokens, 2.50 USD").unwrap();
        let limit = |amount: &str| {
            let amount = amount.parse().unwrap();
            UsageLimit::new(UsageLimitScope::User, UsagePeriod::Day, amount)
        };
        let expected = [limit("200000 tokens"), limit("2.50 USD")];
        assert_eq!(limits, expected);
        for (variable, scope, period) in USAGE_LIMITS {
            let limits = with(variable, "5 EUR").unwrap();
            let [limit] = &limits[..] else {
                panic!("{limits:?}");
            };
            assert_eq!((limit.scope, limit.period), (scope, period));
        }
        let error = with("WORKER_USAGE_LIMIT_WORKER_MONTH", "5 EUR,").unwrap_err();
        assert_eq!(
            error.to_string(),
            "WORKER_USAGE_LIMIT_WORKER_MONTH is `5 EUR,`; write a number and its unit, which is `tokens` or a currency code \
             of ISO 4217, such as `200000 tokens` or `250.00 USD`"
        );
    }
}
