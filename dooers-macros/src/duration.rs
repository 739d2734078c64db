//! Durations as they are written in an option: `90s`, `1m30s`.

/// The units, from the largest, with their milliseconds.
const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Why a text is no duration.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotADuration {
    /// A number without a unit, and nothing else.
    NoUnit(u64),
    /// Anything else.
    Other,
}

/// The milliseconds of a duration: whole numbers, each with one of the units, in any order.
pub(crate) fn milliseconds(text: &str) -> Result<u64, NotADuration> {
    if let Ok(number) = text.trim().parse() {
        return Err(NotADuration::NoUnit(number));
    }
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(NotADuration::Other);
    }
    let mut sum = 0_u64;
    while !rest.is_empty() {
        let (number, behind) = split(rest, |character| character.is_ascii_digit());
        let (unit, behind) = split(behind, char::is_alphabetic);
        let (_, in_ms) = UNITS
            .iter()
            .find(|(name, _)| *name == unit)
            .ok_or(NotADuration::Other)?;
        let number: u64 = number.parse().map_err(|_| NotADuration::Other)?;
        let part = number.saturating_mul(*in_ms);
        sum = sum.saturating_add(part);
        rest = behind.trim_start();
    }
    Ok(sum)
}

/// What the text begins with, and what is behind it.
fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(
        text.find(|character| !belongs(character))
            .unwrap_or(text.len()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_with_units_are_added_up() {
        for (text, expected) in [
            ("250ms", 250),
            ("90s", 90_000),
            ("5m", 300_000),
            ("2h", 7_200_000),
            ("1m30s", 90_000),
            (" 1h 2m 3s 4ms ", 3_723_004),
            ("0s", 0),
            ("9999999999999999999h", u64::MAX),
        ] {
            assert_eq!(milliseconds(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn anything_else_is_no_duration() {
        assert_eq!(milliseconds("90"), Err(NotADuration::NoUnit(90)));
        for text in [
            "",
            " ",
            "s",
            "90 seconds",
            "1.5s",
            "-1s",
            "90S",
            "1m30",
            "1m,30s",
            "٣s",
            "99999999999999999999h",
        ] {
            assert_eq!(milliseconds(text), Err(NotADuration::Other), "{text}");
        }
    }
}
