//! The steps of a number. They are counted in decimals: 0.3 is three steps of 0.1 in decimals, but not in binary.

use bigdecimal::{BigDecimal, Zero};

/// Maximum distance between a number and its step, in units in the last place of an `f64`.
const ULPS: f64 = 4.0;

/// Returns the step that a number means, counted from `from` or else from 0. `None` if the number is not on a step.
///
/// Sliders compute in binary and therefore miss a step by a little: `3 * 0.1` is 0.30000000000000004, and the `f32` of
/// 0.3 is 0.30000001192092896. Both mean 0.3.
pub(crate) fn meant(
    number: &BigDecimal,
    from: Option<&BigDecimal>,
    step: &BigDecimal,
) -> Option<BigDecimal> {
    if *step <= BigDecimal::zero() {
        return None;
    }
    let from = from.cloned().unwrap_or_else(BigDecimal::zero);
    let rest = (number - &from) % step;
    if rest.is_zero() {
        return Some(number.clone());
    }
    let towards_from = number - &rest;
    let nearest = if rest.abs() * 2 < *step {
        towards_from
    } else if rest > BigDecimal::zero() {
        towards_from + step
    } else {
        towards_from - step
    };
    let is_meant = is_near(number, &nearest)
        || is_single(number, &nearest)
        || is_near_from(number, &nearest, &from, step);
    is_meant.then_some(nearest)
}

/// The nearest `f64`, if it is finite.
fn float(number: &BigDecimal) -> Option<f64> {
    let float: f64 = number.to_string().parse().ok()?;
    Some(float).filter(|float| float.is_finite())
}

fn is_near(number: &BigDecimal, step: &BigDecimal) -> bool {
    let numbers = float(number).zip(float(step));
    numbers.is_some_and(|(number, step)| (number - step).abs() <= tolerance(step))
}

/// Returns true if the number is the `f32` of a step.
fn is_single(number: &BigDecimal, step: &BigDecimal) -> bool {
    let single = step.to_string().parse::<f32>();
    let single = single.ok().filter(|single| single.is_finite());
    single.is_some_and(|single| float(number) == Some(f64::from(single)))
}

/// Returns true if the distance to the nearest step is within the precision of `from`. A number that was computed as
/// `from + n * step` is only as exact as `from`, which can be much larger than the number: `-1.0 + 11.0 * 0.1` is
/// 0.10000000000000009. Numbers that are off by a quarter of a step or more are different numbers.
fn is_near_from(
    number: &BigDecimal,
    nearest: &BigDecimal,
    from: &BigDecimal,
    step: &BigDecimal,
) -> bool {
    let numbers = float(number).zip(float(nearest)).zip(float(from));
    let is_near = numbers
        .is_some_and(|((number, nearest), from)| (number - nearest).abs() <= tolerance(from));
    is_near && (number - nearest).abs() * 4 < *step
}

fn tolerance(around: f64) -> f64 {
    let around = around.abs();
    ULPS * (around.next_up().min(f64::MAX) - around)
}

#[cfg(test)]
mod tests {
    use super::{float, meant};
    use bigdecimal::BigDecimal;

    fn decimal(text: &str) -> BigDecimal {
        text.parse().expect("a decimal")
    }

    /// The step that a number means if it is written as its shortest decimal.
    fn step_of(number: f64, from: Option<&str>, step: &str) -> Option<f64> {
        let from = from.map(decimal);
        let step = meant(&decimal(&number.to_string()), from.as_ref(), &decimal(step))?;
        float(&step)
    }

    /// The number that is this many units in the last place away.
    fn away(number: f64, ulps: i32) -> f64 {
        let next = |number: f64| {
            if ulps < 0 {
                number.next_down()
            } else {
                number.next_up()
            }
        };
        (0..ulps.abs()).fold(number, |number, _| next(number))
    }

    #[test]
    fn number_near_a_step_means_the_step() {
        for step in [0.3, 1.1, 1e6, -0.7, -12345.6] {
            for ulps in -4..=4 {
                let number = away(step, ulps);
                assert_eq!(step_of(number, None, "0.1"), Some(step), "{number}");
            }
            for ulps in [-100, -9, 9, 100] {
                let number = away(step, ulps);
                assert_eq!(step_of(number, None, "0.1"), None, "{number}");
            }
        }
        assert_eq!(step_of(5e-324, None, "0.1"), Some(0.0));
        assert_eq!(step_of(1e-16, None, "0.1"), None);
    }

    #[test]
    fn single_precision_step_means_the_step() {
        for step in [0.1_f32, 0.3, 0.7, 1.9, -0.6, 1234.5] {
            let exact: f64 = step.to_string().parse().expect("a number");
            assert_eq!(step_of(step.into(), None, "0.1"), Some(exact));
            assert_eq!(step_of(step.next_up().into(), None, "0.1"), None);
            assert_eq!(step_of(step.next_down().into(), None, "0.1"), None);
        }
        assert_eq!(step_of(0.25, None, "0.1"), None);
    }

    #[test]
    fn number_is_as_exact_as_the_place_steps_count_from() {
        for step in 0..=20 {
            let number = -1.0 + f64::from(step) * 0.1;
            let exact = (f64::from(step) - 10.0) / 10.0;
            assert_eq!(step_of(number, Some("-1"), "0.1"), Some(exact), "{number}");
        }
        assert_eq!(step_of(0.15, Some("-1"), "0.1"), None);
        // At 1e15 an `f64` is exact to an eighth, which is more than a step.
        assert_eq!(step_of(0.15, Some("-1e15"), "0.1"), None);
        assert_eq!(step_of(0.15, Some("0.05"), "0.1"), Some(0.15));
    }

    #[test]
    fn numbers_at_the_ends_have_steps() {
        assert_eq!(step_of(f64::MAX, None, "1"), Some(f64::MAX));
        assert_eq!(step_of(1e300, None, "1e-300"), Some(1e300));
        assert_eq!(step_of(-1e300, None, "7"), Some(-1e300));
        assert_eq!(step_of(1.0, None, "0"), None);
        assert_eq!(step_of(1.0, None, "-1"), None);
    }
}
