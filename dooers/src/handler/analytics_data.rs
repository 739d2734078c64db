//! The data of tracked events as JSON.

use crate::protocol::InvalidAnalyticsEvent;
use serde::Serialize;
use serde::ser::{
    Error as _, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use serde_json::{Error, Value};

/// Converts the data of an event to JSON. `None` if the data is `null`.
///
/// `serde_json` writes NaN as `null`, and numbers in place of names as texts. Both would change the data without an error,
/// so they are refused.
pub(super) fn to_data(data: &impl Serialize) -> Result<Option<Value>, InvalidAnalyticsEvent> {
    let checked = serde_path_to_error::serialize(data, Checker);
    checked.map_err(|error| {
        let path = error.path().to_string();
        let member = match path.as_str() {
            "." => "data".to_owned(),
            index if index.starts_with('[') => format!("data{index}"),
            path => format!("data.{path}"),
        };
        InvalidAnalyticsEvent::Data(format!("`{member}` {}", error.into_inner()))
    })?;
    let value = serde_json::to_value(data)
        .map_err(|error| InvalidAnalyticsEvent::Data(format!("`data` is not JSON: {error}")))?;
    Ok(Some(value).filter(|value| !value.is_null()))
}

/// A serializer that writes nothing, and refuses values that JSON does not have.
#[derive(Clone, Copy)]
struct Checker;

fn check_finite(number: f64) -> Result<(), Error> {
    if number.is_finite() {
        return Ok(());
    }
    Err(Error::custom(
        "is NaN or infinite, which JSON cannot express; leave it out, or send it as a text",
    ))
}

/// Refuses a key that is not a text in JSON.
fn check_key<K: Serialize + ?Sized>(key: &K) -> Result<(), Error> {
    if matches!(serde_json::to_value(key), Ok(Value::String(_))) {
        return Ok(());
    }
    Err(Error::custom(
        "has a key that is not a text, and the names of JSON members are texts; convert the keys to texts",
    ))
}

macro_rules! accept {
    ($($name:ident($($of:ty),*);)*) => {$(
        fn $name(self, $(_: $of),*) -> Result<(), Error> {
            Ok(())
        }
    )*};
}

macro_rules! enter {
    ($($name:ident($($of:ty),*);)*) => {$(
        fn $name(self, $(_: $of),*) -> Result<Self, Error> {
            Ok(self)
        }
    )*};
}

impl Serializer for Checker {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    accept! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_i128(i128);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_u128(u128);
        serialize_char(char);
        serialize_str(&str);
        serialize_bytes(&[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(&'static str);
        serialize_unit_variant(&'static str, u32, &'static str);
    }

    enter! {
        serialize_seq(Option<usize>);
        serialize_tuple(usize);
        serialize_tuple_struct(&'static str, usize);
        serialize_tuple_variant(&'static str, u32, &'static str, usize);
        serialize_map(Option<usize>);
        serialize_struct(&'static str, usize);
        serialize_struct_variant(&'static str, u32, &'static str, usize);
    }

    fn serialize_f32(self, number: f32) -> Result<(), Error> {
        check_finite(number.into())
    }

    fn serialize_f64(self, number: f64) -> Result<(), Error> {
        check_finite(number)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }
}

macro_rules! check_parts {
    ($($of:ident $name:ident($($key:ty)?);)*) => {$(
        impl $of for Checker {
            type Ok = ();
            type Error = Error;

            fn $name<T: Serialize + ?Sized>(
                &mut self,
                $(_: $key,)?
                value: &T,
            ) -> Result<(), Error> {
                value.serialize(*self)
            }

            fn end(self) -> Result<(), Error> {
                Ok(())
            }
        }
    )*};
}

check_parts! {
    SerializeSeq serialize_element();
    SerializeTuple serialize_element();
    SerializeTupleStruct serialize_field();
    SerializeTupleVariant serialize_field();
    SerializeStruct serialize_field(&'static str);
    SerializeStructVariant serialize_field(&'static str);
}

impl SerializeMap for Checker {
    type Ok = ();
    type Error = Error;

    fn serialize_key<K: Serialize + ?Sized>(&mut self, key: &K) -> Result<(), Error> {
        check_key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(*self)
    }

    fn end(self) -> Result<(), Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::collections::BTreeMap;

    #[derive(Serialize)]
    enum Size {
        Small,
        Exact { width: f32 },
    }

    #[derive(Serialize)]
    struct Order<T> {
        total: T,
        note: Option<&'static str>,
    }

    fn error(data: &impl Serialize) -> String {
        to_data(data).unwrap_err().to_string()
    }

    #[test]
    fn data_is_the_json_of_the_value() {
        let order = Order {
            total: (1.5, -0.0, u64::MAX, 'é'),
            note: None,
        };
        let json = json!({ "total": [1.5, -0.0, u64::MAX, "é"], "note": null });
        assert_eq!(to_data(&order).unwrap(), Some(json));
        let by_size = BTreeMap::from([("s", Size::Small), ("e", Size::Exact { width: 2.0 })]);
        let json = json!({ "s": "Small", "e": { "Exact": { "width": 2.0 } } });
        assert_eq!(to_data(&by_size).unwrap(), Some(json));
        assert_eq!(to_data(&()).unwrap(), None);
        assert_eq!(to_data(&json!(null)).unwrap(), None);
    }

    #[test]
    fn numbers_that_json_does_not_have_are_refused() {
        let order = |total| Order { total, note: None };
        let text = error(&order(Some(f64::NAN)));
        assert!(
            text.starts_with("`data.total` is NaN or infinite"),
            "{text}"
        );
        let text = error(&[1.0, f64::NEG_INFINITY]);
        assert!(text.starts_with("`data[1]` is"), "{text}");
        let width = Size::Exact {
            width: f32::INFINITY,
        };
        assert!(error(&width).contains("width"), "{}", error(&width));
        assert!(error(&f64::NAN).starts_with("`data` is NaN"));
        assert!(error(&i128::MAX).starts_with("`data` is not JSON"));
    }

    #[test]
    fn keys_that_are_not_texts_are_refused() {
        assert!(error(&BTreeMap::from([(1, "a")])).starts_with("`data` has a key"));
        assert!(error(&BTreeMap::from([(true, 1)])).contains("convert the keys"));
        assert!(error(&BTreeMap::from([((1, 2), 1)])).contains("convert the keys"));
        let inner = Order {
            total: BTreeMap::from([(2_u8, 1)]),
            note: None,
        };
        assert!(error(&inner).starts_with("`data.total` has a key"));
        assert!(to_data(&BTreeMap::from([('x', 1)])).is_ok());
    }
}
