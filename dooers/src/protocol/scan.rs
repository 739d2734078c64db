//! A check of a frame's bytes before the frame is parsed.
//!
//! A parser that skips unneeded members does not refuse what they contain: nesting that would exhaust a later
//! recursive parser, broken escapes, and half of a surrogate pair, which a text cannot represent. The check does not
//! change anything, because removing one escape from a text can turn the characters around it into another escape.

use super::ErrorBody;
use memchr::memchr2;

/// Maximum nesting depth of objects and arrays.
const MAX_DEPTH: usize = 128;

/// The number of digits of the shortest integer that may not fit in 64 bits.
const LONG_INTEGER: usize = 19;

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scan {
    /// True if the frame may contain an integer that does not fit in 64 bits.
    pub(super) has_long_integer: bool,
}

/// Checks the nesting and the strings of a JSON text. The parser checks the rest of the grammar.
pub(super) fn scan(text: &str) -> Result<Scan, ErrorBody> {
    let bytes = text.as_bytes();
    let mut has_long_integer = false;
    let mut depth = 0usize;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let begin = at;
        at += 1;
        match byte {
            b'"' => at = end_of_string(bytes, at)?,
            b'{' | b'[' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(ErrorBody::invalid_frame(format!(
                        "the frame is nested deeper than {MAX_DEPTH} levels"
                    )));
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'0'..=b'9' => {
                while bytes.get(at).is_some_and(u8::is_ascii_digit) {
                    at += 1;
                }
                let goes_on = matches!(bytes.get(at), Some(b'.' | b'e' | b'E'));
                has_long_integer |= !goes_on && at - begin >= LONG_INTEGER;
            }
            _ => {}
        }
    }
    Ok(Scan { has_long_integer })
}

/// Returns the position after the closing quotation mark of a string, and checks the escapes of the string. `at` is
/// the position after the opening quotation mark.
pub(super) fn end_of_string(bytes: &[u8], mut at: usize) -> Result<usize, ErrorBody> {
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += found;
        if bytes[at] == b'"' {
            return Ok(at + 1);
        }
        at += escape_length(bytes, at)?;
    }
    // The parser refuses a string without an end.
    Ok(bytes.len())
}

/// The length of the escape that starts at `at`. A surrogate pair counts as one escape.
fn escape_length(bytes: &[u8], at: usize) -> Result<usize, ErrorBody> {
    match bytes.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => return Ok(2),
        Some(b'u') => {}
        _ => return Err(broken_escape()),
    }
    match escaped_unit(bytes, at) {
        None => Err(broken_escape()),
        Some(0xD800..=0xDBFF) => match escaped_unit(bytes, at + 6) {
            Some(0xDC00..=0xDFFF) => Ok(12),
            _ => Err(lone_surrogate()),
        },
        Some(0xDC00..=0xDFFF) => Err(lone_surrogate()),
        Some(_) => Ok(6),
    }
}

/// The UTF-16 unit of the `\uXXXX` that starts at `at`.
fn escaped_unit(bytes: &[u8], at: usize) -> Option<u32> {
    let escape = bytes.get(at..at + 6)?;
    if !escape.starts_with(b"\\u") {
        return None;
    }
    // `from_str_radix` is not used, because it accepts a sign, which is not valid JSON.
    escape[2..].iter().try_fold(0, |unit, byte| {
        Some(unit * 16 + char::from(*byte).to_digit(16)?)
    })
}

fn broken_escape() -> ErrorBody {
    ErrorBody::invalid_frame(
        "a text contains an invalid escape; `\\` must be followed by one of `\"\\/bfnrt`, or by `u` and four hexadecimal digits",
    )
}

fn lone_surrogate() -> ErrorBody {
    ErrorBody::invalid_frame("a text contains half of a surrogate pair, which is not a character")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_ok(text: &str) -> bool {
        scan(text).is_ok()
    }

    #[test]
    fn nesting_is_accepted_up_to_128_levels() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(is_ok(&nested(128)));
        assert!(!is_ok(&nested(129)));
        assert!(!is_ok(&"[".repeat(100_000)));
        assert!(is_ok(r#"["[[[[", "\"[["]"#));
    }

    #[test]
    fn lone_surrogate_is_refused() {
        assert!(is_ok(r#""\ud83d\ude00""#));
        assert!(!is_ok(r#""\ud83d""#));
        assert!(!is_ok(r#""\ud83dx""#));
        assert!(!is_ok(r#""\ude00\ud83d""#));
        assert!(is_ok(r#""\\ud83d""#));
    }

    #[test]
    fn broken_escape_is_refused_at_any_position() {
        for broken in [
            r"\u00\u000000",
            r"\u0\u0000000",
            r"\u+000",
            r"\u00g0",
            r"\x41",
            r"\u",
            "\\\u{e4}",
        ] {
            for text in [
                format!("\"{broken}\""),
                format!("{{\"{broken}\": 1}}"),
                format!("\"{broken}"),
            ] {
                assert!(!is_ok(&text), "{text}");
            }
        }
        assert!(is_ok(r#"["\"\\\/\b\f\n\r\t\u0000\uFFFF\uabcd"]"#));
    }

    #[test]
    fn long_integer_is_found_outside_of_strings() {
        let has_long = |text: &str| scan(text).unwrap().has_long_integer;
        assert!(has_long("[1, -9223372036854775809]"));
        assert!(has_long(r#"{"a":10000000000000000000}"#));
        assert!(!has_long(
            r#"{"10000000000000000000":"10000000000000000000"}"#
        ));
        assert!(!has_long("[123456789012345678, 10000000000000000000e1]"));
        assert!(!has_long("[10000000000000000000.5]"));
    }
}
