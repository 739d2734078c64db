//! Tests with numbers that were computed in binary and the steps that they mean.

use super::{Field, SettingsSchema};
use bigdecimal::BigDecimal;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A field of numbers with steps, and the exact numbers on the steps.
#[derive(Debug, Clone)]
struct Steps {
    step: &'static str,
    from: &'static str,
    /// True if `from` is the minimum of the field, and not only the start of the steps.
    has_min: bool,
}

impl Steps {
    fn field(&self) -> Field {
        let field = Field::number("f").step(number(self.step));
        if self.has_min {
            field.min(number(self.from))
        } else {
            field
        }
    }

    /// The number after this many steps.
    fn exact(&self, steps: i64) -> f64 {
        let [step, from] = [self.step, self.from].map(decimal);
        float(&(from + step * BigDecimal::from(steps)))
    }

    /// Returns true if the `f32` of this step is closer to it than to another step. In decimals, because 1000042.4375 is
    /// exactly between 1000042.437 and 1000042.438, whose `f32` it is, and in binary it seems to be closer to one of them.
    fn are_apart_in_single(&self, exact: f64) -> bool {
        let [single, exact] = [single(exact), exact].map(|number| decimal(&number.to_string()));
        (single - exact).abs() * 2 < decimal(self.step)
    }

    fn step(&self) -> f64 {
        float(&decimal(self.step))
    }
}

fn decimal(text: &str) -> BigDecimal {
    text.parse().unwrap()
}

fn number(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn float(decimal: &BigDecimal) -> f64 {
    decimal.to_string().parse().unwrap()
}

/// The number that is this many units in the last place away.
fn away(number: f64, ulps: i32) -> f64 {
    let next = if ulps < 0 {
        f64::next_down
    } else {
        f64::next_up
    };
    (0..ulps.abs()).fold(number, |number, _| next(number))
}

#[expect(clippy::cast_possible_truncation, reason = "a client computes so")]
fn single(number: f64) -> f64 {
    f64::from(number as f32)
}

fn steps() -> impl Strategy<Value = Steps> {
    let step = prop::sample::select(vec![
        "0.1", "0.05", "0.25", "1e-3", "0.3", "0.7", "1", "5", "12.5",
    ]);
    let from = prop::sample::select(vec![
        "0", "0.05", "0.7", "-1", "-0.3", "5", "-12.5", "1000000",
    ]);
    (step, prop::option::of(from)).prop_map(|(step, from)| Steps {
        step,
        from: from.unwrap_or("0"),
        has_min: from.is_some(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn number_near_a_step_is_stored_as_the_step(
        steps in steps(),
        count in prop_oneof![0_i64..50, 0_i64..100_000, Just(1 << 33)],
        is_below in any::<bool>(),
        ulps in -4_i32..=4,
    ) {
        let count = if is_below && !steps.has_min { -count } else { count };
        let (field, exact) = (steps.field(), steps.exact(count));
        let stored = json!(exact);
        prop_assert_eq!(field.check(json!(away(exact, ulps))), Ok(stored.clone()));
        if steps.are_apart_in_single(exact) {
            prop_assert_eq!(field.check(json!(single(exact))), Ok(stored.clone()));
        }
        prop_assert_eq!(field.check(stored.clone()), Ok(stored));
    }

    #[test]
    fn slider_reaches_every_step(steps in steps(), count in 0_i32..1_000) {
        let from = float(&decimal(steps.from));
        let given = from + f64::from(count) * steps.step();
        let exact = json!(steps.exact(count.into()));
        prop_assert_eq!(steps.field().check(json!(given)), Ok(exact), "{}", given);
    }

    #[test]
    fn number_between_steps_is_refused(
        steps in steps(),
        count in 0_i64..100_000,
        part in prop_oneof![0.001_f64..0.999, Just(0.5), Just(0.333)],
    ) {
        let given = steps.exact(count) + part * steps.step();
        // A number with few digits can by chance be the `f32` of a step.
        prop_assume!(given != single(given));
        prop_assert!(steps.field().check(json!(given)).is_err(), "{}", given);
    }

    #[test]
    fn bounds_hold_for_the_exact_step(steps in steps(), count in 1_i64..1_000, ulps in -4_i32..=4) {
        let (min, max) = (steps.exact(0), steps.exact(count));
        let field = steps.field().min(number(steps.from)).max(json!(max));
        for bound in [min, max] {
            prop_assert_eq!(field.check(json!(away(bound, ulps))), Ok(json!(bound)));
            if steps.are_apart_in_single(bound) {
                prop_assert_eq!(field.check(json!(single(bound))), Ok(json!(bound)));
            }
        }
        for outside in [steps.exact(-1), steps.exact(count + 1)] {
            prop_assert!(field.check(json!(outside)).is_err());
        }
    }

    #[test]
    fn whole_number_between_steps_is_refused(count in 0..i64::MAX / 10, rest in 1_i64..10) {
        let field = Field::integer("f").step(10);
        let exact = count * 10;
        prop_assert_eq!(field.check(json!(exact)), Ok(json!(exact)));
        prop_assert!(field.check(json!(exact + rest)).is_err());
    }
}

#[test]
fn single_between_two_steps_is_not_apart() {
    let steps = Steps {
        step: "1e-3",
        from: "1000000",
        has_min: true,
    };
    assert!(!steps.are_apart_in_single(1_000_042.437));
    assert!(!steps.are_apart_in_single(1_000_000.062));
    assert!(steps.are_apart_in_single(1_000_000.5));
}

#[test]
fn whole_number_field_takes_a_computed_step() {
    let field = Field::integer("f").min(5).max(105).step(10);
    for (given, stored) in [
        (json!(15), 15),
        (json!(15.0), 15),
        (json!(1.5e1), 15),
        (json!(14.999_999_999_999_998), 15),
        (json!(105.000_000_000_000_01), 105),
    ] {
        assert_eq!(field.check(given.clone()), Ok(json!(stored)), "{given}");
    }
    for wrong in [
        json!(14.9),
        json!(16),
        json!(115),
        json!(4.999),
        json!(1e300),
    ] {
        assert!(field.check(wrong.clone()).is_err(), "{wrong}");
    }
    // Without steps, the number cannot mean another one.
    let free = Field::integer("f");
    assert!(free.check(json!(15.000_000_000_000_002)).is_err());
}

#[test]
fn number_that_is_exact_keeps_its_notation() {
    let field = Field::number("f").step(number("0.1"));
    for text in ["2", "2.0", "2e0", "0.30", "-0.0"] {
        let given = number(text);
        assert_eq!(field.check(given.clone()), Ok(given), "{text}");
    }
}

#[test]
fn check_of_the_program_gets_the_exact_step() {
    let at_most = |number: &f64| {
        if *number <= 0.3 {
            Ok(())
        } else {
            Err(format!("{number} is above 0.3"))
        }
    };
    let field = Field::number("f").step(number("0.1")).validate(at_most);
    assert_eq!(field.check(json!(0.1 + 0.2)), Ok(json!(0.3)));
    let text = field.check(json!(0.25)).unwrap_err().to_string();
    assert!(
        text.starts_with("`f` cannot be 0.25; it takes a number in steps"),
        "{text}"
    );
}

#[test]
fn schema_by_hand_has_exact_numbers() {
    let computed = Field::number("f")
        .min(json!(0.7_f32))
        .max(0.1 * 17.0)
        .step(number("0.1"))
        .default(0.1 * 12.0);
    let schema = SettingsSchema::builder().field(computed).build().unwrap();
    let field = schema.field("f").unwrap();
    let shown = [&field.min, &field.max].map(|bound| bound.as_ref().unwrap().to_string());
    assert_eq!(shown, ["0.7", "1.7"]);
    assert_eq!(field.default_value(), Some(&json!(1.2)));

    let wrong = Field::number("f").step(number("0.1"));
    for wrong in [
        wrong.clone().default(0.25),
        wrong.clone().optional().min(0).max(1.05),
    ] {
        assert!(SettingsSchema::builder().field(wrong).build().is_err());
    }
}
