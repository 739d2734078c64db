//! JSON as PostgreSQL keeps it.
//!
//! `jsonb` keeps numbers as decimals. What was `1e16` would come back as `10000000000000000`, which is another number to
//! whoever tells integers from fractions. A decimal keeps its places behind the point, so fractions are written with one.
//! And neither `jsonb` nor `text` can hold U+0000, which the server does not give to a store.

use serde::Serialize;
use serde_json::ser::Formatter;
use std::io::{self, Write};

/// A value as text that comes back from `jsonb` as the same value.
pub(super) fn to_jsonb<T: Serialize + ?Sized>(value: &T) -> Result<String, serde_json::Error> {
    let mut text = Vec::with_capacity(128);
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, Fractions);
    value.serialize(&mut serializer)?;
    String::from_utf8(text).map_err(serde::ser::Error::custom)
}

/// The same of a value that may be missing.
pub(super) fn to_optional_jsonb<T: Serialize>(
    value: Option<&T>,
) -> Result<Option<String>, serde_json::Error> {
    value.map(to_jsonb).transpose()
}

/// Whether the database can have this text. What has an id that it cannot have is not there.
pub(super) fn is_storable(text: &str) -> bool {
    !text.contains('\0')
}

/// Writes every fraction with a point.
struct Fractions;

impl Formatter for Fractions {
    fn write_f64<W: Write + ?Sized>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        if value.fract() == 0.0 {
            write!(writer, "{value:.1}")
        } else {
            write!(writer, "{value:e}")
        }
    }

    fn write_f32<W: Write + ?Sized>(&mut self, writer: &mut W, value: f32) -> io::Result<()> {
        self.write_f64(writer, value.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_fraction_has_a_point_or_stays_below_one() {
        let written = |value: f64| to_jsonb(&value).unwrap();
        assert_eq!(written(1.0), "1.0");
        assert_eq!(written(1e16), "10000000000000000.0");
        assert_eq!(written(-1e21), "-1000000000000000000000.0");
        assert_eq!(written(0.1), "1e-1");
        assert_eq!(
            to_jsonb(&json!([1, u64::MAX, null])).unwrap(),
            "[1,18446744073709551615,null]"
        );
    }
}
