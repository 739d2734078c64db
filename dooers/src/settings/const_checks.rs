//! Compile-time checks that involve other structs and enums, which the macro cannot see.
#![expect(
    clippy::panic,
    reason = "it is how the evaluation of constants reports an error"
)]

/// Rejects a group if the id of one of its fields is also used outside of the group. Only evaluated at compile time.
///
/// # Panics
///
/// If an id of the group is in one of the lists.
pub const fn assert_distinct(lists: &[&[&str]], group: &[&str]) {
    let mut at = 0;
    while at < group.len() {
        let mut list = 0;
        while list < lists.len() {
            if contains(lists[list], group[at]) {
                let text = ConstText::new()
                    .with("the group has a setting `")
                    .with(group[at])
                    .with("`, but another setting outside of the group has the same id, and a setting is changed by its id alone; give one of them another id with `#[setting(rename = \"…\")]`");
                panic!("{}", text.as_str());
            }
            list += 1;
        }
        at += 1;
    }
}

/// Rejects an enum of choices without a default. Only evaluated at compile time.
///
/// # Panics
///
/// If the enum has no variant that is marked `#[default]`.
pub const fn require_default<T: 'static>(field: &super::generated::TypedField<T>) {
    let choices = field.choices();
    // An enum with errors has an empty value. A missing default should not be an error too.
    let is_refused = !choices.is_empty() && choices[0].0.is_empty();
    assert!(
        is_refused || field.has_default(),
        "this setting needs a default, as it must have a value before anyone sets one; write `#[setting(default = …)]`, mark a variant of an enum with `#[default]`, or make the setting an `Option`"
    );
}

/// Rejects a default that is not a duration. Only evaluated at compile time.
///
/// # Panics
///
/// If the default is not a duration.
pub const fn assert_duration(default: &str) {
    assert!(
        super::formats::nanoseconds(default).is_some(),
        "the default is not a duration; write it as in `default = \"1m30s\"`"
    );
}

/// Rejects a default that is not a time of day. Only evaluated at compile time.
///
/// # Panics
///
/// If the default is not a time of day.
pub const fn assert_time(default: &str) {
    assert!(
        super::formats::is_time(default),
        "the default is not a time of day; write it as in `default = \"09:30\"`"
    );
}

/// Rejects a default that is not an address without user name and password. Only evaluated at compile time.
///
/// # Panics
///
/// If the default is not an address without user name and password.
pub const fn assert_http_url(default: &str) {
    assert!(
        super::formats::is_http_url(default),
        "the default is not the address of a web page, which starts with `http://` or `https://` and has no user name and password; write it as in `default = \"https://example.org/\"`"
    );
}

/// Rejects a default that is not a color. Only evaluated at compile time.
///
/// # Panics
///
/// If the default is not a color.
pub const fn assert_color(default: &str) {
    assert!(
        super::formats::is_color(default),
        "the default is not a color; write it as in `default = \"#ff8000\"`"
    );
}

/// Rejects a default that is not a choice. Only evaluated at compile time.
///
/// # Panics
///
/// If the default is not in `choices`.
pub const fn assert_choice(choices: &[(&str, &str)], default: &str, ty: &str) {
    let mut at = 0;
    while at < choices.len() {
        // An enum with errors has an empty value. Its default should not be an error too.
        if choices[at].0.is_empty() || is_same(choices[at].0, default) {
            return;
        }
        at += 1;
    }
    refuse_other_type(choices, ty);
    let text = ConstText::new()
        .with("the default `")
        .with(default)
        .with("` is not one of the choices; write one of ")
        .with_values(choices, ("`", "`"));
    panic!("{}", text.as_str());
}

/// Rejects a default that is neither a variant nor a string, on a type that the macro takes for an enum of choices.
/// Only evaluated at compile time.
///
/// # Panics
///
/// Always.
pub const fn refuse_default(choices: &[(&str, &str)], ty: &str) {
    if !choices.is_empty() && choices[0].0.is_empty() {
        // The enum has errors itself.
        return;
    }
    refuse_other_type(choices, ty);
    let text = ConstText::new()
        .with("the default of `")
        .with(ty)
        .with("` must be one of its variants, or the value of one in quotes; write one of ")
        .with_values(choices, ("`\"", "\"`"));
    panic!("{}", text.as_str());
}

/// Rejects a type that is not an enum of choices, but a setting: an alias of another type.
const fn refuse_other_type(choices: &[(&str, &str)], ty: &str) {
    if choices.is_empty() {
        let text = ConstText::new()
            .with("the macro knows types by their names, and takes `")
            .with(ty)
            .with("` for an enum of choices, but it is another type; write the type itself, such as `u8` or `String`, instead of an alias");
        panic!("{}", text.as_str());
    }
}

/// Rejects a default that is out of range or not on a step. Only evaluated at compile time.
///
/// # Panics
///
/// If the default is not valid.
pub const fn assert_integer(
    default: i128,
    (min, max): (i128, i128),
    range: &str,
    (from, step): (i128, i128),
    step_text: &str,
) {
    if default < min || default > max {
        refuse_number(range);
    }
    if (default - from) % step != 0 {
        let text = ConstText::new()
            .with("the default is not on a step, as steps of ")
            .with(step_text)
            .with(" are counted from `min`, or from 0 without `min`; change the default, `min` or `step`");
        panic!("{}", text.as_str());
    }
}

/// Rejects a default that is out of range. Only evaluated at compile time.
///
/// # Panics
///
/// If the default is out of range, or not a finite number.
pub const fn assert_decimal(default: f64, (min, max): (f64, f64), range: &str) {
    if !(default >= min && default <= max) {
        refuse_number(range);
    }
}

const fn refuse_number(range: &str) {
    let text = ConstText::new()
        .with("the default is out of range, as this setting takes numbers ")
        .with(range)
        .with("; change the default or the bounds");
    panic!("{}", text.as_str());
}

/// Rejects a default that is too short or too long. Only evaluated at compile time.
///
/// # Panics
///
/// If the number of characters is out of range.
pub const fn assert_length(default: &str, (min, max): (u32, u32), range: &str) {
    let bytes = default.as_bytes();
    let (mut length, mut at) = (0_u32, 0);
    while at < bytes.len() {
        // Each character has one byte that is not a continuation byte.
        if bytes[at] & 0b1100_0000 != 0b1000_0000 {
            length += 1;
        }
        at += 1;
    }
    if length < min || length > max {
        let text = ConstText::new()
            .with("the length of the default is out of range, as it must be ")
            .with(range)
            .with("; change the default or the bounds");
        panic!("{}", text.as_str());
    }
}

/// Rejects a default that is not one of the options. Only evaluated at compile time.
///
/// # Panics
///
/// If the default is not in the list.
pub const fn assert_listed(default: &str, listed: &[&str], values: &str) {
    if !contains(listed, default) {
        let text = ConstText::new()
            .with("the default is not one of the options; write one of ")
            .with(values);
        panic!("{}", text.as_str());
    }
}

const fn contains(list: &[&str], wanted: &str) -> bool {
    let mut at = 0;
    while at < list.len() {
        if is_same(list[at], wanted) {
            return true;
        }
        at += 1;
    }
    false
}

const fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut at = 0;
    if one.len() != other.len() {
        return false;
    }
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// A text that is built at compile time, where nothing can be allocated. Parts that do not fit are left out.
struct ConstText {
    bytes: [u8; 1024],
    length: usize,
}

impl ConstText {
    const fn new() -> Self {
        Self {
            bytes: [0; 1024],
            length: 0,
        }
    }

    const fn with(mut self, text: &str) -> Self {
        let text = text.as_bytes();
        if self.length + text.len() > self.bytes.len() {
            return self;
        }
        let mut at = 0;
        while at < text.len() {
            self.bytes[self.length] = text[at];
            self.length += 1;
            at += 1;
        }
        self
    }

    /// Adds the values of choices, separated by commas, each between these two texts.
    const fn with_values(
        mut self,
        choices: &[(&str, &str)],
        (before, after): (&str, &str),
    ) -> Self {
        let mut at = 0;
        while at < choices.len() {
            let comma = if at == 0 { "" } else { ", " };
            let (value, _) = choices[at];
            self = self.with(comma).with(before).with(value).with(after);
            at += 1;
        }
        self
    }

    const fn as_str(&self) -> &str {
        let (text, _) = self.bytes.split_at(self.length);
        match std::str::from_utf8(text) {
            Ok(text) => text,
            // The bytes are whole texts, so they are always valid UTF-8.
            Err(_) => "",
        }
    }
}
