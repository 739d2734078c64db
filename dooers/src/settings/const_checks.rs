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
/// Always.
pub const fn refuse_without_default<T>(_field: &super::generated::TypedField<T>) {
    panic!(
        "this setting needs a default, as it must have a value before anyone sets one; write `#[setting(default = …)]`, or make it an `Option`"
    );
}

/// Rejects a default that is not a choice. Only evaluated at compile time.
///
/// # Panics
///
/// If the default is not in `choices`.
pub const fn assert_choice(choices: &[(&str, &str)], default: &str) {
    let mut listed = ConstText::new();
    let mut at = 0;
    while at < choices.len() {
        let (value, _) = choices[at];
        if is_same(value, default) {
            return;
        }
        let comma = if at == 0 { "`" } else { ", `" };
        listed = listed.with(comma).with(value).with("`");
        at += 1;
    }
    let text = ConstText::new()
        .with("the default `")
        .with(default)
        .with("` is not one of the choices; write one of ")
        .with(listed.as_str());
    panic!("{}", text.as_str());
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

    const fn as_str(&self) -> &str {
        let (text, _) = self.bytes.split_at(self.length);
        match std::str::from_utf8(text) {
            Ok(text) => text,
            // The bytes are whole texts, so they are always valid UTF-8.
            Err(_) => "",
        }
    }
}
