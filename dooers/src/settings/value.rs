//! The types that a setting can have.

use super::{Color, Email, Field, HttpUrl, ImageUrl, Secret, formats};
use crate::protocol::whole;
use chrono::{NaiveDate, NaiveTime};
use serde_json::{Number, Value};
use std::time::Duration;

/// A type that a setting can have.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the type of a setting",
    label = "not the type of a setting",
    note = "a setting is a `String`, a `bool`, an integer of up to 64 bits, `f32`, `f64`, `Email`, `NaiveDate`, `NaiveTime`, `Duration`, `HttpUrl`, `Color`, `ImageUrl`, `Secret`, an enum with `#[derive(SettingChoice)]`, an `Option` of any of these, or a `Vec` of `String` or of such an enum; mark a struct of settings with `#[setting(group)]`"
)]
pub trait SettingValue: Sized + Send + Sync + 'static {
    /// The choices if the type is a [`SettingChoice`]: values and labels.
    const CHOICES: &'static [(&'static str, &'static str)] = &[];

    /// The default of a field that has no other. An `Option` ignores it.
    const DEFAULT: Option<&'static str> = None;

    /// Creates a field of this type: its kind, its bounds and options, and whether it may have no value.
    fn field(id: &str) -> Field;

    /// Converts a JSON value that has been checked. `None` for a value of another type.
    fn from_value(value: &Value) -> Option<Self>;

    /// Converts the value to JSON.
    fn to_value(&self) -> Value;

    /// A number that distinguishes this value from an equal one that is assigned later. `None` if assigning an equal
    /// value is not a change.
    ///
    /// Only [`Secret`] has such a number: a secret that is set to the same text is sealed again with the newest key. A
    /// type that wraps a `Secret` returns the number of that secret.
    fn assignment(&self) -> Option<u64> {
        None
    }
}

/// An enum of choices for a setting. See the derive macro of the same name.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the type of a setting",
    label = "not the type of a setting",
    note = "an enum of choices needs `#[derive(SettingChoice)]`"
)]
pub trait SettingChoice: Sized + Send + Sync + 'static {
    /// The values and their labels, in the order of the variants.
    const CHOICES: &'static [(&'static str, &'static str)];

    /// The value of the variant that is marked `#[default]`.
    const DEFAULT: Option<&'static str> = None;

    /// The variant for a value.
    fn choose(value: &str) -> Option<Self>;

    /// The value of the variant.
    fn choice(&self) -> &'static str;
}

#[diagnostic::do_not_recommend]
impl<T: SettingChoice> SettingValue for T {
    const CHOICES: &'static [(&'static str, &'static str)] = T::CHOICES;
    const DEFAULT: Option<&'static str> = T::DEFAULT;

    fn field(id: &str) -> Field {
        Field::select(id, T::CHOICES.iter().copied())
    }

    fn from_value(value: &Value) -> Option<Self> {
        T::choose(value.as_str()?)
    }

    fn to_value(&self) -> Value {
        Value::from(self.choice())
    }
}

impl SettingValue for String {
    fn field(id: &str) -> Field {
        Field::text(id)
    }

    fn from_value(value: &Value) -> Option<Self> {
        Some(value.as_str()?.to_owned())
    }

    fn to_value(&self) -> Value {
        Value::from(self.as_str())
    }
}

impl SettingValue for bool {
    fn field(id: &str) -> Field {
        Field::checkbox(id)
    }

    fn from_value(value: &Value) -> Option<Self> {
        value.as_bool()
    }

    fn to_value(&self) -> Value {
        Value::from(*self)
    }
}

impl SettingValue for Secret {
    fn field(id: &str) -> Field {
        Field::password(id)
    }

    fn from_value(value: &Value) -> Option<Self> {
        Some(Self::new(value.as_str()?))
    }

    fn to_value(&self) -> Value {
        Value::from(self.expose())
    }

    fn assignment(&self) -> Option<u64> {
        Some(self.assignment())
    }
}

impl SettingValue for Email {
    fn field(id: &str) -> Field {
        Field::email(id)
    }

    fn from_value(value: &Value) -> Option<Self> {
        Self::parse(value.as_str()?).ok()
    }

    fn to_value(&self) -> Value {
        Value::from(self.as_str())
    }
}

impl SettingValue for NaiveDate {
    fn field(id: &str) -> Field {
        Field::date(id)
    }

    fn from_value(value: &Value) -> Option<Self> {
        crate::protocol::date(value.as_str()?)
    }

    fn to_value(&self) -> Value {
        Value::from(self.format("%Y-%m-%d").to_string())
    }
}

impl SettingValue for NaiveTime {
    fn field(id: &str) -> Field {
        Field::time(id)
    }

    fn from_value(value: &Value) -> Option<Self> {
        let text = value.as_str().filter(|text| formats::is_time(text))?;
        let with_seconds = Self::parse_from_str(text, "%H:%M:%S");
        with_seconds
            .or_else(|_| Self::parse_from_str(text, "%H:%M"))
            .ok()
    }

    /// Writes the time without fractions of a second.
    fn to_value(&self) -> Value {
        let time = self.format("%H:%M:%S").to_string();
        Value::from(formats::time_text(&time))
    }
}

impl SettingValue for Duration {
    fn field(id: &str) -> Field {
        Field::duration(id)
    }

    fn from_value(value: &Value) -> Option<Self> {
        let nanoseconds = formats::nanoseconds(value.as_str()?)?;
        let second = Self::from_secs(1).as_nanos();
        let seconds = u64::try_from(nanoseconds / second).ok()?;
        let nanoseconds = u32::try_from(nanoseconds % second).ok()?;
        Some(Self::new(seconds, nanoseconds))
    }

    fn to_value(&self) -> Value {
        Value::from(formats::duration_text(self.as_nanos()))
    }
}

impl SettingValue for HttpUrl {
    fn field(id: &str) -> Field {
        Field::url(id)
    }

    fn from_value(value: &Value) -> Option<Self> {
        Self::parse(value.as_str()?).ok()
    }

    fn to_value(&self) -> Value {
        Value::from(self.as_str())
    }
}

impl SettingValue for Color {
    fn field(id: &str) -> Field {
        Field::color(id)
    }

    fn from_value(value: &Value) -> Option<Self> {
        Self::parse(value.as_str()?).ok()
    }

    fn to_value(&self) -> Value {
        Value::from(self.as_str())
    }
}

impl SettingValue for ImageUrl {
    fn field(id: &str) -> Field {
        Field::image(id)
    }

    fn from_value(value: &Value) -> Option<Self> {
        Some(Self::new(value.as_str()?))
    }

    fn to_value(&self) -> Value {
        Value::from(self.as_str())
    }
}

impl<T: SettingValue> SettingValue for Option<T> {
    const CHOICES: &'static [(&'static str, &'static str)] = T::CHOICES;

    fn field(id: &str) -> Field {
        T::field(id).optional()
    }

    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            value => T::from_value(value).map(Some),
        }
    }

    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::to_value)
    }

    fn assignment(&self) -> Option<u64> {
        self.as_ref().and_then(T::assignment)
    }
}

macro_rules! integers {
    ($($integer:ty)+) => {$(
        impl SettingValue for $integer {
            fn field(id: &str) -> Field {
                Field::integer(id).within(<$integer>::MIN, <$integer>::MAX)
            }

            fn from_value(value: &Value) -> Option<Self> {
                <$integer>::try_from(whole(value.as_number()?)?).ok()
            }

            fn to_value(&self) -> Value {
                Value::from(*self)
            }
        }
    )+};
}

integers!(i8 i16 i32 i64 isize u8 u16 u32 u64 usize);

impl SettingValue for f64 {
    fn field(id: &str) -> Field {
        Field::number(id)
    }

    fn from_value(value: &Value) -> Option<Self> {
        value.as_f64()
    }

    fn to_value(&self) -> Value {
        number(*self)
    }
}

impl SettingValue for f32 {
    fn field(id: &str) -> Field {
        Field::number(id).within(f64::from(Self::MIN), f64::from(Self::MAX))
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "a setting of this type has this precision"
    )]
    fn from_value(value: &Value) -> Option<Self> {
        Some(value.as_f64()? as Self)
    }

    fn to_value(&self) -> Value {
        // The shortest decimal is used, so that 0.7 does not become 0.699999988079071.
        number(self.to_string().parse().unwrap_or(f64::NAN))
    }
}

/// A number as JSON. JSON has no infinity and NaN, so they become texts, which the field refuses. (`null` would
/// restore the default.)
fn number(number: f64) -> Value {
    Number::from_f64(number).map_or_else(|| Value::from(number.to_string()), Value::Number)
}
