//! The sums of usage that a run shows.

use super::usage::{Cost, Usage};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Maximum number of models that a run lists by name.
pub const MAX_RUN_MODELS: usize = 20;

/// The name under which a run sums up the usage of all models after the first [`MAX_RUN_MODELS`].
pub const OTHER_MODELS: &str = "(other)";

/// The usage of one model in a run: the sums of all its calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModelUsage {
    /// The name of the model, or [`OTHER_MODELS`].
    pub model: String,
    /// The tokens that the model read, including those that came from a cache.
    pub input_tokens: u64,
    /// The tokens that the model wrote.
    pub output_tokens: u64,
    /// The part of `input_tokens` that the provider read from its cache.
    pub cached_tokens: u64,
    /// The costs, one for each currency. Calls without a known cost are not included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub costs: Vec<Cost>,
}

impl From<&Usage> for ModelUsage {
    fn from(usage: &Usage) -> Self {
        let mut sum = Self::empty(&usage.model);
        sum.input_tokens = usage.input_tokens;
        sum.output_tokens = usage.output_tokens;
        sum.cached_tokens = usage.cached_tokens;
        sum.costs.add_costs(&usage.cost);
        sum
    }
}

impl ModelUsage {
    fn empty(model: &str) -> Self {
        Self {
            model: model.to_owned(),
            input_tokens: 0,
            output_tokens: 0,
            cached_tokens: 0,
            costs: Vec::new(),
        }
    }

    /// Adds a usage to the sums of a run.
    pub(crate) fn add_to(&self, sums: &mut Vec<Self>) {
        let named = sums.iter().filter(|sum| sum.model != OTHER_MODELS).count();
        let find = |sums: &[Self], model: &str| sums.iter().position(|sum| sum.model == model);
        let model = match find(sums, &self.model) {
            None if named >= MAX_RUN_MODELS => OTHER_MODELS,
            _ => &self.model,
        };
        let at = find(sums, model).unwrap_or_else(|| {
            sums.push(Self::empty(model));
            sums.len() - 1
        });
        let sum = &mut sums[at];
        sum.input_tokens = sum.input_tokens.saturating_add(self.input_tokens);
        sum.output_tokens = sum.output_tokens.saturating_add(self.output_tokens);
        sum.cached_tokens = sum.cached_tokens.saturating_add(self.cached_tokens);
        sum.costs.add_costs(&self.costs);
    }
}

/// A list with one cost for each currency.
pub(crate) trait Costs {
    /// Adds costs to those of the same currency.
    fn add_costs<'c>(&mut self, more: impl IntoIterator<Item = &'c Cost>);
}

impl Costs for Vec<Cost> {
    fn add_costs<'c>(&mut self, more: impl IntoIterator<Item = &'c Cost>) {
        for Cost { amount, currency } in more {
            match self.iter_mut().find(|cost| cost.currency == *currency) {
                Some(cost) => cost.amount = cost.amount.saturating_add(*amount).normalize(),
                None => self.push(Cost {
                    amount: amount.normalize(),
                    currency: currency.clone(),
                }),
            }
        }
    }
}

/// Amounts on the wire: decimals as texts, because JSON numbers are often read as binary floats.
pub(super) mod amount {
    use super::{Decimal, Deserialize, Deserializer, Serialize, Serializer};
    use serde::de::Error;

    pub(in super::super) fn serialize<S: Serializer>(
        amount: &Decimal,
        output: S,
    ) -> Result<S::Ok, S::Error> {
        amount.normalize().to_string().serialize(output)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        input: D,
    ) -> Result<Decimal, D::Error> {
        let text = String::deserialize(input)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(model: &str, amount: Option<&str>) -> ModelUsage {
        let usage = Usage::new(model).input_tokens(10).output_tokens(1);
        let amount = amount.map(|amount| amount.parse().unwrap());
        ModelUsage::from(&amount.map_or(usage.clone(), |amount| usage.cost(amount, "USD")))
    }

    #[test]
    fn calls_of_a_model_add_up_exactly() {
        let mut sums = Vec::new();
        for amount in [Some("0.1"), Some("0.2"), None, Some("0.000000000001")] {
            used("m", amount).add_to(&mut sums);
        }
        let [sum] = &sums[..] else { panic!("{sums:?}") };
        assert_eq!((sum.input_tokens, sum.output_tokens), (40, 4));
        assert_eq!(sum.costs[0].amount.to_string(), "0.300000000001");
        let json = serde_json::to_string(sum).unwrap();
        assert!(json.contains(r#"[{"amount":"0.300000000001","currency":"USD"}]"#));
        assert_eq!(serde_json::from_str::<ModelUsage>(&json).unwrap(), *sum);
    }

    #[test]
    fn sums_of_many_models_are_bounded() {
        let mut sums = Vec::new();
        for number in 0..3 * MAX_RUN_MODELS {
            used(&format!("m{number}"), None).add_to(&mut sums);
            used("m0", None).add_to(&mut sums);
        }
        assert_eq!(sums.len(), MAX_RUN_MODELS + 1);
        let total: u64 = sums.iter().map(|sum| sum.input_tokens).sum();
        assert_eq!(total, 6 * 10 * MAX_RUN_MODELS as u64);
        let other = sums.last().unwrap();
        assert_eq!(
            (&*other.model, other.output_tokens),
            (OTHER_MODELS, 2 * MAX_RUN_MODELS as u64)
        );
    }
}
