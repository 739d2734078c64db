//! A look at a frame's bytes before they are parsed.
//!
//! A parser that skips what it does not need also skips what must be refused: nesting that would exhaust a
//! later, recursive parser, and half a surrogate pair, which no text can hold.

use super::ErrorBody;
use std::borrow::Cow;

/// Objects and arrays may stand in each other this many times.
const MAX_DEPTH: usize = 128;

/// Checks nesting and surrogates, and removes every escaped U+0000 from the strings of a JSON text.
///
/// The rest of the grammar is left to the parser.
pub(super) fn checked(text: &str) -> Result<Cow<'_, str>, ErrorBody> {
    let bytes = text.as_bytes();
    let mut depth = 0usize;
    let mut in_string = false;
    let mut nuls = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(ErrorBody::invalid_frame(format!(
                        "the frame is nested deeper than {MAX_DEPTH} levels"
                    )));
                }
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            b'\\' if in_string => {
                let unit = escaped_unit(bytes, at);
                match unit {
                    Some(0) => {
                        nuls.push(at);
                        at += 6;
                    }
                    Some(0xD800..=0xDBFF) => match escaped_unit(bytes, at + 6) {
                        Some(0xDC00..=0xDFFF) => at += 12,
                        _ => return Err(lone_surrogate()),
                    },
                    Some(0xDC00..=0xDFFF) => return Err(lone_surrogate()),
                    Some(_) => at += 6,
                    None => at += 2,
                }
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    if nuls.is_empty() {
        return Ok(Cow::Borrowed(text));
    }
    let mut clean = String::with_capacity(text.len());
    let mut from = 0;
    for nul in nuls {
        clean.push_str(&text[from..nul]);
        from = nul + 6;
    }
    clean.push_str(&text[from..]);
    Ok(Cow::Owned(clean))
}

/// The UTF-16 unit of a `\uXXXX` that begins here.
fn escaped_unit(bytes: &[u8], at: usize) -> Option<u32> {
    let escape = bytes.get(at..at + 6)?;
    if !escape.starts_with(b"\\u") {
        return None;
    }
    // Digit by digit: `from_str_radix` would take a sign, which makes the text no JSON.
    escape[2..].iter().try_fold(0, |unit, byte| {
        Some(unit * 16 + char::from(*byte).to_digit(16)?)
    })
}

fn lone_surrogate() -> ErrorBody {
    ErrorBody::invalid_frame("a text holds half of a surrogate pair, which is no character")
}

/// Removes U+0000 from a text that did not come through a frame.
pub(crate) fn strip_nul(text: String) -> String {
    if text.contains('\0') {
        text.replace('\0', "")
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_of_128_passes_and_of_129_does_not() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(checked(&nested(128)).is_ok());
        assert!(checked(&nested(129)).is_err());
        assert!(checked(&"[".repeat(100_000)).is_err());
        assert!(checked(r#"["[[[[", "\"[["]"#).is_ok());
    }

    #[test]
    fn a_lone_surrogate_is_refused_and_a_pair_is_not() {
        assert!(checked(r#""\ud83d\ude00""#).is_ok());
        assert!(checked(r#""\ud83d""#).is_err());
        assert!(checked(r#""\ud83dx""#).is_err());
        assert!(checked(r#""\ude00\ud83d""#).is_err());
        assert!(checked(r#""\\ud83d""#).is_ok());
    }

    #[test]
    fn an_escaped_nul_is_removed_and_an_escaped_backslash_is_not() {
        assert_eq!(checked(r#""a\u0000b""#).unwrap(), r#""ab""#);
        assert_eq!(checked(r#""a\\u0000b""#).unwrap(), r#""a\\u0000b""#);
        assert_eq!(checked(r#""\u0000\u0000""#).unwrap(), r#""""#);
        assert_eq!(checked(r#""\u+000""#).unwrap(), r#""\u+000""#);
    }
}
