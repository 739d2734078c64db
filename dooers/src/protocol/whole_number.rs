//! Whole numbers, in every notation of JSON.
//!
//! JSON has one type of number: `10`, `10.0` and `1e1` are equal. Every member for a whole number accepts all of these
//! notations.

use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer};
use serde_json::Number;
use std::any::type_name;

/// Converts a JSON number to a whole number. `None` if it has a fraction. A number that does not fit in 128 bits
/// becomes the nearest one that fits.
pub(crate) fn whole(number: &Number) -> Option<i128> {
    if let Some(whole) = number.as_i128() {
        return Some(whole);
    }
    let decimal = number.as_f64()?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the number has no fraction, and the cast saturates"
    )]
    let whole = decimal as i128;
    (decimal.fract() == 0.0).then_some(whole)
}

/// Deserializes a member for a whole number.
pub(super) fn required<'de, D, T>(input: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<i128>,
{
    converted(&Number::deserialize(input)?)
}

/// Deserializes an optional member for a whole number. The member also needs `#[serde(default)]`.
pub(super) fn optional<'de, D, T>(input: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<i128>,
{
    let number = Option::<Number>::deserialize(input)?;
    number.as_ref().map(converted).transpose()
}

fn converted<T: TryFrom<i128>, E: Error>(number: &Number) -> Result<T, E> {
    let Some(whole) = whole(number) else {
        return Err(E::custom(format_args!("`{number}` is not a whole number")));
    };
    let given = format!("`{number}`");
    T::try_from(whole).map_err(|_| E::invalid_value(Unexpected::Other(&given), &type_name::<T>()))
}

#[cfg(test)]
mod tests {
    use crate::protocol::{ContentPart, FormElement, FormInput, ThreadEvent};
    use proptest::prelude::*;
    use serde::Deserialize;
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    #[derive(Debug, PartialEq, Deserialize)]
    struct Member {
        #[serde(deserialize_with = "super::required")]
        count: u64,
        #[serde(default, deserialize_with = "super::optional")]
        small: Option<u32>,
    }

    fn member(text: &str) -> Result<Member, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn whole_number_is_accepted_in_any_notation() {
        for (notation, count) in [
            ("10", 10),
            ("10.0", 10),
            ("1e1", 10),
            ("1E+1", 10),
            ("100e-1", 10),
            ("-0", 0),
            ("-0.0", 0),
            ("0e9", 0),
            ("9007199254740993", 9_007_199_254_740_993),
            ("18446744073709551615", u64::MAX),
        ] {
            let text = format!(r#"{{"count":{notation},"small":null}}"#);
            let expected = Member { count, small: None };
            assert_eq!(member(&text), Ok(expected), "{notation}");
        }
        let small = member(r#"{"count":1,"small":4e0}"#);
        assert_eq!(small.unwrap().small, Some(4));
    }

    #[test]
    fn fraction_or_overflow_is_refused() {
        for (text, problem) in [
            (r#"{"count":1.5}"#, "`1.5` is not a whole number"),
            (r#"{"count":1e-3}"#, "`0.001` is not a whole number"),
            (r#"{"count":-1}"#, "invalid value: `-1`, expected u64"),
            (r#"{"count":1e20}"#, "invalid value: `1e+20`, expected u64"),
            (
                r#"{"count":1,"small":4294967296}"#,
                "invalid value: `4294967296`, expected u32",
            ),
            (r#"{"count":"1"}"#, "invalid type: string \"1\""),
            (r#"{"count":null}"#, "invalid type: null"),
            (r#"{}"#, "missing field `count`"),
        ] {
            let error = member(text).unwrap_err();
            assert!(error.starts_with(problem), "{text}: {error}");
        }
    }

    /// Deserializes a value after replacing this member with a floating-point number.
    fn read<T: DeserializeOwned>(mut value: Value, member: &str, number: f64) -> T {
        value[member] = json!(number);
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn wire_types_accept_every_notation() {
        let document = json!({"type": "document", "filename": "a.txt"});
        let part: ContentPart = read(document, "size_bytes", 1024.0);
        let ContentPart::Document { size_bytes, .. } = part else {
            panic!("{part:?}");
        };
        assert_eq!(size_bytes, Some(1024));

        let mut element =
            serde_json::to_value(FormElement::from(FormElement::text("a", "A"))).unwrap();
        element["type"] = json!("textarea_input");
        element["rows"] = json!(4.0);
        let element: FormElement = read(element, "order", 3.0);
        assert_eq!(element.order, Some(3));
        let FormInput::TextareaInput { rows, .. } = element.input else {
            panic!("{element:?}");
        };
        assert_eq!(rows, Some(4));

        let event = json!({"id": "e", "thread_id": "t", "run_id": null, "type": "message", "actor": "assistant",
            "author": null, "created_at": "2026-02-11T05:49:09.123456Z", "delta_seq": 2.0});
        let event: ThreadEvent = read(event, "seq", 7.0);
        assert_eq!((event.seq, event.delta_seq), (7, Some(2)));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn notations_of_one_number_are_equal(count in 0_u64..(1 << 53)) {
            for text in [
                format!(r#"{{"count":{count}}}"#),
                format!(r#"{{"count":{count}.0}}"#),
                format!(r#"{{"count":{count}e0}}"#),
                format!(r#"{{"count":{count}0e-1}}"#),
            ] {
                prop_assert_eq!(member(&text), Ok(Member { count, small: None }), "{}", text);
            }
            let fraction = format!(r#"{{"count":{}.5}}"#, count >> 2);
            prop_assert!(member(&fraction).is_err());
        }
    }
}
