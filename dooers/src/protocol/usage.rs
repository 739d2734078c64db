//! The usage of model calls.

use iso_currency::Currency;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Maximum of each number of tokens of one call, and of the units of its cost.
///
/// The limit keeps every sum of usage exact in 64 bits.
pub const MAX_USAGE: u32 = 1_000_000_000;

/// Maximum number of decimal places of a cost.
pub const MAX_COST_PLACES: u32 = 12;

/// Maximum length of a model's name, in bytes.
pub const MAX_MODEL_LEN: usize = 128;

/// The tokens and the cost of one call of a model.
///
/// ```
/// use dooers::protocol::Usage;
///
/// let usage = Usage::new("gpt-4o-mini").input_tokens(1_200).output_tokens(80);
/// assert_eq!(usage.check(), Ok(()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// The name of the model, 1 to 128 bytes.
    pub model: String,
    /// The tokens that the model read, including those that came from a cache.
    pub input_tokens: u64,
    /// The tokens that the model wrote.
    pub output_tokens: u64,
    /// The part of `input_tokens` that the provider read from its cache.
    pub cached_tokens: u64,
    /// The price of the call, if it is known.
    pub cost: Option<Cost>,
}

/// An amount of money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Cost {
    /// The amount, with at most 12 decimal places. A text in JSON.
    #[serde(with = "super::model_usage::amount")]
    pub amount: Decimal,
    /// The currency, as an ISO 4217 code in upper case, such as `USD`.
    pub currency: String,
}

/// The reason why a usage cannot be recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UsageError {
    /// The name of the model is empty, too long, or contains a control character.
    #[error(
        "a model's name has 1 to {MAX_MODEL_LEN} bytes and no control characters; pass the name that the provider uses"
    )]
    Model,
    /// A number of tokens is too large.
    #[error(
        "`{member}` is {tokens}, and one call has at most {MAX_USAGE} tokens; report each call on its own"
    )]
    Tokens {
        /// The member.
        member: &'static str,
        /// Its value.
        tokens: u64,
    },
    /// More tokens came from the cache than were read.
    #[error(
        "`cached_tokens` is {cached}, and `input_tokens` is only {input}; cached tokens are a part of the input, so add them to `input_tokens`"
    )]
    Cached {
        /// The cached tokens.
        cached: u64,
        /// The tokens that the model read.
        input: u64,
    },
    /// The cost is negative or too large.
    #[error(
        "the cost of a call is {amount}, and must be from 0 to {MAX_USAGE}; report credits outside of the usage"
    )]
    Amount {
        /// The amount.
        amount: Decimal,
    },
    /// The cost has too many decimal places.
    #[error(
        "the cost {amount} has more than {MAX_COST_PLACES} decimal places, so it cannot be stored exactly; round it with `round_dp({MAX_COST_PLACES})`"
    )]
    Places {
        /// The amount.
        amount: Decimal,
    },
    /// The currency is not an ISO 4217 code.
    #[error(
        "`{currency}` is not a currency code of ISO 4217; write it in upper case, such as `USD`"
    )]
    Currency {
        /// The code.
        currency: String,
    },
}

impl Usage {
    /// Creates the usage of a call of this model, without tokens and without a cost.
    #[must_use]
    pub fn new(model: impl Into<String>) -> Self {
        Self {
            model: model.into(),
            input_tokens: 0,
            output_tokens: 0,
            cached_tokens: 0,
            cost: None,
        }
    }

    /// Sets the tokens that the model read, including those that came from a cache.
    #[must_use]
    pub fn input_tokens(mut self, tokens: u64) -> Self {
        self.input_tokens = tokens;
        self
    }

    /// Sets the tokens that the model wrote.
    #[must_use]
    pub fn output_tokens(mut self, tokens: u64) -> Self {
        self.output_tokens = tokens;
        self
    }

    /// Sets the part of the input tokens that the provider read from its cache.
    #[must_use]
    pub fn cached_tokens(mut self, tokens: u64) -> Self {
        self.cached_tokens = tokens;
        self
    }

    /// Sets the price of the call.
    #[must_use]
    pub fn cost(mut self, amount: Decimal, currency: impl Into<String>) -> Self {
        let currency = currency.into();
        self.cost = Some(Cost { amount, currency });
        self
    }

    /// Checks that the usage can be recorded.
    ///
    /// # Errors
    ///
    /// [`UsageError`] if a member is outside of its limits.
    pub fn check(&self) -> Result<(), UsageError> {
        let is_named = (1..=MAX_MODEL_LEN).contains(&self.model.len());
        if !is_named || self.model.contains(char::is_control) {
            return Err(UsageError::Model);
        }
        for (member, tokens) in [
            ("input_tokens", self.input_tokens),
            ("output_tokens", self.output_tokens),
        ] {
            if tokens > MAX_USAGE.into() {
                return Err(UsageError::Tokens { member, tokens });
            }
        }
        let (cached, input) = (self.cached_tokens, self.input_tokens);
        if cached > input {
            return Err(UsageError::Cached { cached, input });
        }
        self.cost.as_ref().map_or(Ok(()), Cost::check)
    }
}

impl Cost {
    pub(crate) fn check(&self) -> Result<(), UsageError> {
        let amount = self.amount;
        if amount < Decimal::ZERO || amount > Decimal::from(MAX_USAGE) {
            return Err(UsageError::Amount { amount });
        }
        if amount.normalize().scale() > MAX_COST_PLACES {
            return Err(UsageError::Places { amount });
        }
        if Currency::from_code(&self.currency).is_none() {
            let currency = self.currency.clone();
            return Err(UsageError::Currency { currency });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn costing(amount: &str, currency: &str) -> Result<(), UsageError> {
        let amount = amount.parse().unwrap();
        Usage::new("m").cost(amount, currency).check()
    }

    #[test]
    fn cost_is_exact_and_within_its_limits() {
        for amount in [
            "0",
            "-0",
            "0.000000000001",
            "1.5000000000000000",
            "1000000000",
        ] {
            assert_eq!(costing(amount, "USD"), Ok(()), "{amount}");
        }
        for amount in ["-0.01", "1000000000.01", "79228162514264337593543950335"] {
            let refused = costing(amount, "EUR");
            assert!(
                matches!(refused, Err(UsageError::Amount { .. })),
                "{amount}"
            );
        }
        let refused = costing("0.0000000000001", "USD");
        assert!(matches!(refused, Err(UsageError::Places { .. })));
        for not_a_number in ["NaN", "inf", "-inf", ""] {
            assert!(not_a_number.parse::<Decimal>().is_err(), "{not_a_number}");
        }
    }

    #[test]
    fn unknown_currency_is_refused() {
        for currency in ["", "usd", "US", "USDT", "ZZZ", "U\0D", "€"] {
            let refused = costing("1", currency);
            assert!(
                matches!(refused, Err(UsageError::Currency { .. })),
                "{currency}"
            );
        }
    }

    #[test]
    fn tokens_and_model_are_limited() {
        let most = u64::from(MAX_USAGE);
        let usage = Usage::new("m").input_tokens(most).output_tokens(most);
        assert_eq!(usage.clone().cached_tokens(most).check(), Ok(()));
        assert!(usage.input_tokens(most + 1).check().is_err());
        assert!(Usage::new("m").output_tokens(u64::MAX).check().is_err());
        assert!(Usage::new("m").cached_tokens(1).check().is_err());
        for model in ["", "a\0b", "a\nb", &"m".repeat(129)] {
            assert_eq!(Usage::new(model).check(), Err(UsageError::Model));
        }
        assert_eq!(Usage::new("m".repeat(128)).check(), Ok(()));
    }
}
