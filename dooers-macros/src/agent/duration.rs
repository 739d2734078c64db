//! Durations as they are written in an option: `90s`, `1m30s`.

use bigdecimal::{BigDecimal, ToPrimitive, Zero};

/// The units, from the largest, with their milliseconds.
const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// What people write for a unit, with its milliseconds.
const UNIT_ALIASES: [(&[&str], u64); 5] = [
    (&["d", "day", "days"], 24 * 3_600_000),
    (&["h", "hr", "hrs", "hour", "hours"], 3_600_000),
    (&["m", "min", "mins", "minute", "minutes"], 60_000),
    (&["s", "sec", "secs", "second", "seconds"], 1_000),
    (&["ms", "msec", "millis", "millisecond", "milliseconds"], 1),
];

/// Why a text is no duration.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum DurationError {
    /// A number has no unit.
    MissingUnit,
    /// This is no unit.
    UnknownUnit(String),
    /// A number has decimals.
    Fraction,
    /// Anything else.
    Malformed,
}

/// The milliseconds of a duration: whole numbers, each with one of the units, in any order. What a `u64` cannot hold
/// is its largest value.
pub(crate) fn parse_millis(text: &str) -> Result<u64, DurationError> {
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
        // Nothing but digits: it can only be too large.
        let number = number.parse().unwrap_or(u64::MAX);
        sum = sum.saturating_add(number.saturating_mul(*in_ms));
    }
    Ok(sum)
}

/// The duration that was probably meant, at most this long.
pub(crate) fn suggest_duration(text: &str, max: u64) -> Option<String> {
    let components = components(text)?;
    // A number alone is seconds, or milliseconds where that would be too long.
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
            // In `1m30` the second number is of the next smaller unit.
            let mut smaller = UNITS.iter().map(|(_, in_ms)| *in_ms);
            without_unit = smaller.find(|smaller| *smaller < in_ms);
        }
        let is_valid = parse_millis(&corrected).is_ok_and(|ms| (1..=max).contains(&ms));
        is_valid.then_some(corrected)
    })
}

/// A number and what is written behind it, which may be nothing.
struct Component<'a> {
    number: &'a str,
    unit: &'a str,
}

/// The numbers and units of a text that consists of them.
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

/// What the text begins with, and what is behind it.
fn split_while(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|character| !belongs(character));
    text.split_at(end.unwrap_or(text.len()))
}

/// The milliseconds of a unit, however it is spelt.
fn unit_millis(unit: &str) -> Option<u64> {
    let unit = unit.to_lowercase();
    let unit = UNIT_ALIASES
        .iter()
        .find(|(aliases, _)| aliases.contains(&unit.as_str()));
    unit.map(|(_, in_ms)| *in_ms)
}

/// So many of a unit, as a whole number of the largest unit that it is a whole number of and that is not larger.
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
    fn whole_numbers_with_units_are_added_up() {
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
    fn anything_else_is_no_duration() {
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
    fn what_was_meant_is_guessed() {
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
    fn no_guess_is_a_mistake_again() {
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
