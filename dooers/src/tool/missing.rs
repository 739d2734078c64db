//! The absence of a value.

use serde::de::value::Error;
use serde::de::{Deserializer, Error as _, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};

/// Returns the value that a type has if it is absent: `None` for an `Option`. Returns nothing for types that need a value.
///
/// The type itself decides, as for a missing field of a struct. A type alias of `Option` is therefore optional, too.
pub(super) fn absent<'de, T: Deserialize<'de>>() -> Option<T> {
    T::deserialize(Missing).ok()
}

/// A value that is not there.
struct Missing;

impl<'de> Deserializer<'de> for Missing {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("the value is missing"))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_none()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct
        seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::absent;
    use serde::Deserialize;
    use serde_json::Value;

    type Maybe<T> = Option<T>;

    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Wrapped(Option<u8>);

    #[test]
    fn option_is_absent_and_other_types_are_not() {
        assert_eq!(absent::<Option<u8>>(), Some(None));
        assert_eq!(absent::<Maybe<Option<u8>>>(), Some(None));
        assert!(absent::<Wrapped>().is_some_and(|wrapped| wrapped.0.is_none()));
        assert!(absent::<u8>().is_none());
        assert!(absent::<()>().is_none());
        assert!(absent::<Value>().is_none());
        assert!(absent::<Vec<u8>>().is_none());
    }
}
