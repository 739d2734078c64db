//! One quota.

use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

/// One quota of [`Quotas`](crate::Quotas): a number, or none.
///
/// Its text and its JSON are a number from 1, or `off`.
///
/// ```
/// use dooers::Quota;
///
/// assert_eq!("60".parse(), Ok(Quota::at_most(60)));
/// assert_eq!("off".parse(), Ok(Quota::Off));
/// assert!("0".parse::<Quota>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Quota {
    /// No limit.
    Off,
    /// At most this number is accepted.
    AtMost(NonZeroU32),
}

/// A text that is not a [`Quota`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it must be a whole number from 1 to 4294967295, or `off`")]
#[non_exhaustive]
pub struct InvalidQuota;

/// The text of a quota that is off.
const OFF: &str = "off";

impl Quota {
    /// Creates a quota of this number. 0 counts as 1.
    #[must_use]
    pub const fn at_most(number: u32) -> Self {
        match NonZeroU32::new(number) {
            Some(number) => Self::AtMost(number),
            None => Self::AtMost(NonZeroU32::MIN),
        }
    }

    /// The number. `None` without a limit.
    pub(crate) fn number(self) -> Option<u32> {
        match self {
            Self::Off => None,
            Self::AtMost(number) => Some(number.get()),
        }
    }
}

impl From<u32> for Quota {
    fn from(number: u32) -> Self {
        Self::at_most(number)
    }
}

impl FromStr for Quota {
    type Err = InvalidQuota;

    fn from_str(text: &str) -> Result<Self, InvalidQuota> {
        if text == OFF {
            return Ok(Self::Off);
        }
        text.parse().map(Self::AtMost).map_err(|_| InvalidQuota)
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str(OFF),
            Self::AtMost(number) => number.fmt(f),
        }
    }
}

impl Serialize for Quota {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Off => serializer.serialize_str(OFF),
            Self::AtMost(number) => number.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Quota {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const EXPECTED: &str = "a whole number from 1 to 4294967295, or \"off\"";
        #[derive(Deserialize)]
        #[serde(
            untagged,
            expecting = "expected a whole number from 1 to 4294967295, or \"off\""
        )]
        enum Written {
            Number(NonZeroU32),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Number(number) => Ok(Self::AtMost(number)),
            Written::Text(text) if text == OFF => Ok(Self::Off),
            Written::Text(text) => Err(D::Error::invalid_value(Unexpected::Str(&text), &EXPECTED)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_a_number_or_off() {
        for (json, quota) in [("60", Quota::at_most(60)), ("\"off\"", Quota::Off)] {
            assert_eq!(serde_json::to_string(&quota).unwrap(), json);
            assert_eq!(serde_json::from_str::<Quota>(json).unwrap(), quota);
            assert_eq!(json.trim_matches('"'), quota.to_string());
        }
        for json in [
            "0",
            "-1",
            "1.5",
            "4294967296",
            "\"60\"",
            "\"\"",
            "null",
            "true",
        ] {
            let error = serde_json::from_str::<Quota>(json).expect_err(json);
            assert!(
                error.to_string().contains("from 1 to 4294967295"),
                "{error}"
            );
        }
        for text in ["0", "-1", "1.5", "Off", "", " 1"] {
            assert_eq!(text.parse::<Quota>(), Err(InvalidQuota), "{text}");
        }
    }
}
