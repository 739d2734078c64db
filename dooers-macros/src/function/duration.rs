//! Durations in options, such as `90s` and `1m30s`.

use bigdecimal::{BigDecimal, ToPrimitive, Zero};

/// The units and their milliseconds, from the largest.
const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// The spellings of the units that suggestions accept, and their milliseconds.
const UNIT_ALIASES: [(&[&str], u64); 5] = [
    (&["d", "day", "days"], 24 * 3_600_000),
    (&["h", "hr", "hrs", "hour", "hours"], 3_600_000),
    (&["m", "min", "mins", "minute", "minutes"], 60_000),
    (&["s", "sec", "secs", "second", "seconds"], 1_000),
    (&["ms", "msec", "millis", "millisecond", "milliseconds"], 1),
];

/// The reason why a text is not a duration.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum DurationError {
    /// A number without a unit.
    MissingUnit,
    /// A unit that does not exist.
    UnknownUnit(String),
    /// A number with a fraction.
    Fraction,
    /// Any other error.
    Malformed,
}

/// Parses a duration into milliseconds: integers, each with a unit, in any order. A duration that does not fit a `u64`
/// becomes `u64::MAX`.
pub(super) fn parse_millis(text: &str) -> Result<u64, DurationError> {
    let mut sum = 0_u64;
    for Component { number, unit } in components(text).ok_or(DurationError::Malformed)? {
        if unit.is_empty() {
            return Err(DurationError::MissingUnit);
        }
        let known = UNITS.iter().find(|(name, _)| *name == unit);
        let (_, in_ms) = known.ok_or_else(|| DurationError::UnknownUnit(unit.to_owned()))?;
        if number.contains('.') {
            return Err(DurationError::Fraction);
        }
        // The number consists of digits, so that it can only be too large.
        let number = number.parse().unwrap_or(u64::MAX);
        sum = sum.saturating_add(number.saturating_mul(*in_ms));
    }
    Ok(sum)
}

/// Suggests the duration that the user most likely meant. It is positive and at most `max` milliseconds.
pub(super) fn suggest_duration(text: &str, max: u64) -> Option<String> {
    let components = components(text)?;
    // A number without a unit means seconds, or milliseconds if that would be too long.
    [1_000, 1].into_iter().find_map(|alone| {
        let mut corrected = String::new();
        let mut without_unit = Some(alone);
        for Component { number, unit } in &components {
            let in_ms = if unit.is_empty() {
                without_unit?
            } else {
                unit_millis(unit)?
            };
            corrected += &in_largest_unit(number, in_ms)?;
            // In `1m30`, the second number has the next smaller unit.
            let mut smaller = UNITS.iter().map(|(_, in_ms)| *in_ms);
            without_unit = smaller.find(|smaller| *smaller < in_ms);
        }
        let is_valid = parse_millis(&corrected).is_ok_and(|ms| (1..=max).contains(&ms));
        is_valid.then_some(corrected)
    })
}

/// A number and its unit, which may be empty.
struct Component<'a> {
    number: &'a str,
    unit: &'a str,
}

/// Splits a text into numbers and units. `None` if it contains anything else.
fn components(text: &str) -> Option<Vec<Component<'_>>> {
    let mut components = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (number, after) = split_while(rest, |character| {
            character.is_ascii_digit() || character == '.'
        });
        if number.is_empty() {
            return None;
        }
        let (unit, after) = split_while(after.trim_start(), char::is_alphabetic);
        components.push(Component { number, unit });
        rest = after.trim_start();
    }
    (!components.is_empty()).then_some(components)
}

/// Splits a text after the leading characters that belong together.
fn split_while(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|character| !belongs(character));
    text.split_at(end.unwrap_or(text.len()))
}

/// Returns the milliseconds of a unit in any of its spellings.
fn unit_millis(unit: &str) -> Option<u64> {
    let unit = unit.to_lowercase();
    let unit = UNIT_ALIASES
        .iter()
        .find(|(aliases, _)| aliases.contains(&unit.as_str()));
    unit.map(|(_, in_ms)| *in_ms)
}

/// Converts a number of a unit to an integer of the largest unit that is not larger. `None` if it is not an integer in
/// any of these units.
fn in_largest_unit(number: &str, in_ms: u64) -> Option<String> {
    let total = number.parse::<BigDecimal>().ok()? * BigDecimal::from(in_ms);
    let mut units = UNITS.iter().filter(|(_, smaller)| *smaller <= in_ms);
    units.find_map(|(name, smaller)| {
        let smaller = BigDecimal::from(*smaller);
        let is_whole = (&total % &smaller).is_zero();
        let count = is_whole.then(|| (&total / smaller).to_u64()).flatten()?;
        Some(format!("{count}{name}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 24 * 3_600_000;

    #[test]
    fn duration_components_are_added_up() {
        for (text, expected) in [
            ("250ms", 250),
            ("90s", 90_000),
            ("90 s", 90_000),
            ("5m", 300_000),
            ("2h", 7_200_000),
            ("1m30s", 90_000),
            (" 1h 2m 3s 4ms ", 3_723_004),
            ("0s", 0),
            ("9999999999999999999h", u64::MAX),
            ("99999999999999999999h", u64::MAX),
            ("18446744073709551615ms1ms", u64::MAX),
        ] {
            assert_eq!(parse_millis(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn invalid_duration_is_refused_with_its_reason() {
        let unit = |unit: &str| DurationError::UnknownUnit(unit.to_owned());
        for (text, expected) in [
            ("90", DurationError::MissingUnit),
            ("1m30", DurationError::MissingUnit),
            ("1.5", DurationError::MissingUnit),
            ("90 seconds", unit("seconds")),
            ("90S", unit("S")),
            ("1d", unit("d")),
            ("5µs", unit("µs")),
            ("1.5s", DurationError::Fraction),
            ("1..5s", DurationError::Fraction),
            ("", DurationError::Malformed),
            (" ", DurationError::Malformed),
            ("s", DurationError::Malformed),
            ("-1s", DurationError::Malformed),
            ("1m,30s", DurationError::Malformed),
            ("1s s", DurationError::Malformed),
            ("٣s", DurationError::Malformed),
        ] {
            assert_eq!(parse_millis(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn suggestion_corrects_units_and_fractions() {
        for (text, expected) in [
            ("90", "90s"),
            ("86400", "86400s"),
            ("90000", "90000ms"),
            ("1m30", "1m30s"),
            ("1h30", "1h30m"),
            ("1s500", "1s500ms"),
            ("90S", "90s"),
            ("90 seconds", "90s"),
            ("5 minutes", "5m"),
            ("1 Hour 30 min", "1h30m"),
            ("1d", "24h"),
            ("0.5d", "12h"),
            ("1.5h", "90m"),
            ("1.5s", "1500ms"),
            ("0.25", "250ms"),
        ] {
            assert_eq!(
                suggest_duration(text, DAY).as_deref(),
                Some(expected),
                "{text}"
            );
        }
    }

    #[test]
    fn suggestion_is_none_if_it_would_be_invalid() {
        for text in [
            "",
            "0",
            "0 seconds",
            "2 days",
            "100000000",
            "99999999999999999999 hours",
            "0.0001s",
            "1..5s",
            ".s",
            "5µs",
            "1ms5",
            "-5s",
            "soon",
        ] {
            assert_eq!(suggest_duration(text, DAY), None, "{text}");
        }
    }
}
