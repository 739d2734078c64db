//! Lists in settings. A list is a text with one item per line, because no field of the wire takes several values.

use super::Field;
use super::{SettingChoice, SettingValue};
use serde_json::Value;

/// The items of a list: the lines of the text without surrounding white space. Blank lines are not items.
pub(super) fn items(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|item| !item.is_empty())
}

/// The list as it is stored. `None` if an item is not one of the options. Of equal options, the first is kept.
pub(super) fn meant(text: &str, options: &[(String, String)]) -> Option<String> {
    let mut kept: Vec<&str> = Vec::new();
    for item in items(text) {
        if options.is_empty() {
            kept.push(item);
        } else if !options.iter().any(|(option, _)| option == item) {
            return None;
        } else if !kept.contains(&item) {
            kept.push(item);
        }
    }
    Some(kept.join("\n"))
}

/// Writes a list. An item that one line cannot hold gives a JSON array, which the field refuses.
fn written<'a>(list: impl Iterator<Item = &'a str> + Clone) -> Value {
    let is_line = |item: &str| items(item).eq([item]);
    if list.clone().all(is_line) {
        list.collect::<Vec<_>>().join("\n").into()
    } else {
        list.collect()
    }
}

impl SettingValue for Vec<String> {
    const DEFAULT: Option<&'static str> = Some("");

    fn field(id: &str) -> Field {
        Field::list(id)
    }

    fn from_value(value: &Value) -> Option<Self> {
        Some(items(value.as_str()?).map(str::to_owned).collect())
    }

    fn to_value(&self) -> Value {
        written(self.iter().map(String::as_str))
    }
}

#[diagnostic::do_not_recommend]
impl<T: SettingChoice> SettingValue for Vec<T> {
    const DEFAULT: Option<&'static str> = Some("");

    fn field(id: &str) -> Field {
        Field::choices(id, T::CHOICES.iter().copied())
    }

    fn from_value(value: &Value) -> Option<Self> {
        items(value.as_str()?).map(T::choose).collect()
    }

    fn to_value(&self) -> Value {
        written(self.iter().map(T::choice))
    }
}
