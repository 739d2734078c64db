//! Integers in a JSON text that are larger than the parser can represent.
//!
//! The parser converts an integer that does not fit in 64 bits to a floating-point number, and silently drops digits.
//! An account number, for example, would become a different number.

use super::ErrorBody;
use super::scan::end_of_string;
use std::fmt::Write;

/// Maximum length of a path in an error, in characters.
const SHOWN: usize = 200;

/// A step on the path from the outermost value to a number.
#[derive(Debug)]
enum PathStep<'a> {
    Index(usize),
    Name(&'a str),
}

/// Refuses integers that would be rounded: integers that do not fit in 64 bits, unless they are the shortest notation
/// of a floating-point number. JavaScript, for example, writes 1e20 as `100000000000000000000`.
///
/// `text` is valid JSON. `member` is the name of the member that contains it, for the error.
pub(super) fn check_integers(member: &str, text: &str) -> Result<(), ErrorBody> {
    let bytes = text.as_bytes();
    let mut path = Vec::new();
    let mut is_name = false;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let begin = at;
        at += 1;
        match byte {
            b'"' => {
                at = end_of_string(bytes, at)?;
                if let Some(PathStep::Name(name)) = path.last_mut().filter(|_| is_name) {
                    *name = &text[begin + 1..at - 1];
                    is_name = false;
                }
            }
            b'{' => {
                path.push(PathStep::Name(""));
                is_name = true;
            }
            b'[' => path.push(PathStep::Index(0)),
            b'}' | b']' => {
                path.pop();
                is_name = false;
            }
            b',' => match path.last_mut() {
                Some(PathStep::Index(index)) => *index += 1,
                Some(PathStep::Name(_)) => is_name = true,
                None => {}
            },
            b'-' | b'0'..=b'9' => {
                while bytes.get(at).is_some_and(is_of_number) {
                    at += 1;
                }
                if !is_kept(&text[begin..at]) {
                    return Err(rounded(member, &path));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn is_of_number(byte: &u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')
}

/// Returns true if the parser keeps the number unchanged, or if the number is not an integer.
fn is_kept(number: &str) -> bool {
    let is_integer = !number.contains(['.', 'e', 'E']);
    !is_integer
        || number.parse::<i64>().is_ok()
        || number.parse::<u64>().is_ok()
        || number
            .parse::<f64>()
            .is_ok_and(|fraction| fraction.to_string() == number)
}

/// The refusal. It does not show the digits, because they may be an answer to a password field.
fn rounded(member: &str, path: &[PathStep<'_>]) -> ErrorBody {
    let mut place = member.to_owned();
    for step in path {
        // Writing to a `String` cannot fail.
        let _ = match step {
            PathStep::Index(index) => write!(place, "[{index}]"),
            PathStep::Name(name) => write!(place, ".{name}"),
        };
    }
    ErrorBody::invalid_payload(format!(
        "`{}` is an integer that does not fit in 64 bits and would be rounded; send it as a text",
        shortened(&place),
    ))
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place_of_rounded(text: &str) -> Option<String> {
        let error = check_integers("data", text).err()?;
        let place = error.message.split('`').nth(1).unwrap();
        Some(place.to_owned())
    }

    #[test]
    fn integer_beyond_64_bits_is_refused_with_its_path() {
        for (text, place) in [
            ("18446744073709551616", "data"),
            ("-9223372036854775809", "data"),
            ("[0,[18446744073709551616]]", "data[1][0]"),
            (
                r#"{"a":[{"b":1},{"c":36893488147419103233}]}"#,
                "data.a[1].c",
            ),
            (r#"{"a\"b":{"x":{}},"":100000000000000000001}"#, "data."),
            (r#"[{"a":"b"},"c",36893488147419103233]"#, "data[2]"),
            (r#"{"a":["x","y"],"b":36893488147419103233}"#, "data.b"),
        ] {
            assert_eq!(place_of_rounded(text).as_deref(), Some(place), "{text}");
        }
    }

    #[test]
    fn number_that_is_not_rounded_is_accepted() {
        for text in [
            "18446744073709551615",
            "-9223372036854775808",
            "-0",
            "100000000000000000000",
            "-100000000000000000000",
            "123456789012345680000",
            "1e400",
            "36893488147419103233.0",
            "36893488147419103233e0",
            r#"{"36893488147419103233":"36893488147419103233"}"#,
        ] {
            assert_eq!(place_of_rounded(text), None, "{text}");
        }
        assert_eq!(place_of_rounded(&format!("1{}", "0".repeat(308))), None);
    }

    #[test]
    fn refusal_does_not_show_the_digits() {
        let error = check_integers("data", r#"{"pin":36893488147419103233}"#).unwrap_err();
        assert_eq!(
            error.message,
            "`data.pin` is an integer that does not fit in 64 bits and would be rounded; send it as a text"
        );
    }

    #[test]
    fn error_of_a_long_path_is_short() {
        let deep = format!(
            r#"{}{{"{}":1{}}}{}"#,
            "[".repeat(100),
            "n".repeat(10_000),
            "7".repeat(300),
            "]".repeat(100)
        );
        let error = check_integers("data", &deep).unwrap_err();
        assert!(error.message.len() < 600, "{}", error.message);
    }
}
