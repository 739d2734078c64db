//! The check of a schema: when it is built by hand, or when a server with a struct of settings starts. The derive macro
//! finds most of the mistakes at compile time, but it cannot call `validate`.

use super::check::{compare, meant_number};
use super::{Field, FieldKind, SettingsItem};
use std::collections::HashSet;

pub(super) fn mistakes(items: &[SettingsItem]) -> Vec<String> {
    let mut found = Vec::new();
    let mut ids = HashSet::new();
    for item in items {
        if let SettingsItem::Group(group) = item
            && !ids.insert(group.id.as_str())
        {
            found.push(format!("there are two settings `{}`", group.id));
        }
        for field in item.fields() {
            if !ids.insert(&field.id) {
                found.push(format!("there are two settings `{}`", field.id));
            }
            let mistakes = mistakes_of(field).into_iter();
            found.extend(mistakes.map(|mistake| format!("`{}`: {mistake}", field.id)));
        }
    }
    found
}

fn mistakes_of(field: &Field) -> Vec<String> {
    let mut found = Vec::new();
    let mut wrong = |is_wrong: bool, text: &str| {
        if is_wrong {
            found.push(text.to_owned());
        }
    };
    wrong(
        field.id.is_empty() || field.id.len() > crate::protocol::MAX_CLIENT_ID_BYTES,
        "an id has 1 to 128 bytes",
    );
    let default = field.default.as_ref().and_then(|default| default.as_str());
    let texts = [Some(&*field.id), Some(&*field.label), default]
        .into_iter()
        .chain([field.description.as_deref(), field.placeholder.as_deref()])
        .flatten();
    let options = field.options.iter();
    let mut texts = texts.chain(options.flat_map(|(value, label)| [&**value, &**label]));
    wrong(
        texts.any(|text| text.contains('\0')),
        "one of its texts contains U+0000, which is not allowed; remove it",
    );
    let is_text = matches!(
        field.kind,
        FieldKind::Text | FieldKind::Textarea | FieldKind::Password | FieldKind::Email
    );
    let is_number = field.kind == FieldKind::Number;
    wrong(
        !is_number && (field.min.is_some() || field.max.is_some() || field.step.is_some()),
        "only a number has `min`, `max` and `step`",
    );
    wrong(
        !is_text && (field.min_length.is_some() || field.max_length.is_some()),
        "only a text has `min_length` and `max_length`",
    );
    wrong(
        !is_text && field.pattern.is_some(),
        "only a text has a `pattern`",
    );
    wrong(
        field.kind != FieldKind::Image && (field.width.is_some() || field.height.is_some()),
        "only an image has `width` and `height`",
    );
    wrong(
        field.rows.is_some() && !matches!(field.kind, FieldKind::Textarea | FieldKind::List),
        "only a text or a list has `rows`",
    );
    wrong(
        field.is_secret() && !field.optional && !field.begins_with_a_value(),
        "a password needs an initial value; name an environment variable with `default_env`, or make it `optional`",
    );
    wrong(
        field.is_secret() && field.default.is_some(),
        "a password cannot have a `default`, as a value in the program would not be secret; name an environment variable with `default_env`",
    );
    wrong(
        !field.is_secret() && field.default_env.is_some(),
        "only a password has `default_env`",
    );
    let variable = field.default_env.as_deref();
    wrong(
        variable.is_some_and(|name| name.is_empty() || name.contains(['=', '\0'])),
        "the name in `default_env` cannot be the name of an environment variable",
    );
    wrong(
        !field.optional && !field.begins_with_a_value() && !field.is_secret(),
        "a setting needs an initial value; give it a `default`, or make it `optional`",
    );
    wrong(
        field.readonly && !field.begins_with_a_value() && field.kind != FieldKind::Image,
        "a readonly setting needs a default, as it can never get another value",
    );
    let options: Vec<_> = field.options.iter().map(|(value, _)| value).collect();
    let distinct: HashSet<_> = options.iter().collect();
    wrong(
        field.kind == FieldKind::Select && options.is_empty(),
        "there is nothing to select; add options",
    );
    wrong(
        field.kind == FieldKind::List
            && options
                .iter()
                .any(|value| !super::list::items(value).eq([value.as_str()])),
        "one of its options cannot be a line of text; remove line breaks and white space around it",
    );
    wrong(
        distinct.len() < options.len(),
        "two of its options have the same value",
    );
    let is_reversed =
        |min: &Option<u32>, max: &Option<u32>| min.zip(*max).is_some_and(|(min, max)| min > max);
    wrong(
        is_reversed(&field.min_length, &field.max_length),
        "`min_length` is larger than `max_length`",
    );
    let bounds = field.min.as_ref().zip(field.max.as_ref());
    wrong(
        bounds.is_some_and(|(min, max)| compare(min, max).is_gt()),
        "`min` is larger than `max`",
    );
    let zero = 0.into();
    let is_positive = field
        .step
        .as_ref()
        .is_none_or(|step| compare(step, &zero).is_gt());
    wrong(!is_positive, "`step` must be larger than 0");
    let max = field.max.as_ref();
    let divides = max.is_none_or(|max| meant_number(field, max).is_some());
    wrong(
        is_positive && field.step.is_some() && !divides,
        "`step` does not divide the range from `min` to `max`",
    );
    let pattern = field.pattern.as_ref();
    if let Some(Err(error)) = pattern.map(|pattern| &pattern.compiled) {
        wrong(true, &format!("its pattern cannot be used: {error}"));
    } else if let Some(default) = &field.default
        && let Err(error) = field.check(default.clone())
    {
        wrong(true, &format!("its default does not fit: {error}"));
    }
    found
}
