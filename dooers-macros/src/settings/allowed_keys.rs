//! The options that each kind of setting allows.

use super::field_type::{FieldKind, Format};
use crate::diagnostic::Diagnostic;
use crate::options::Options;
use syn::Ident;

/// The options of a kind of setting, without those that all settings allow.
pub(super) struct AllowedKeys {
    /// The name of the kind in an error text, such as "a number".
    pub(super) subject: &'static str,
    pub(super) keys: &'static [&'static str],
}

/// The name of a list in an error text.
const LIST: &str = "a list";

/// The options that settings and groups allow.
pub(super) const ON_ALL_ITEMS: &[&str] = &["label", "rename", "creator"];
/// The options that all settings allow.
pub(super) const ON_ALL_FIELDS: &[&str] = &[
    "internal",
    "readonly",
    "required",
    "user_editable",
    "validate",
];

/// Returns the options of a kind of setting.
pub(super) fn allowed_keys(kind: FieldKind, has_options: bool) -> AllowedKeys {
    let of = |subject, keys| AllowedKeys { subject, keys };
    match kind {
        FieldKind::Text if has_options => of("a `String` with `options`", &["default", "options"]),
        FieldKind::Text => of(
            "a `String`",
            &[
                "default",
                "placeholder",
                "rows",
                "options",
                "min_length",
                "max_length",
                "pattern",
            ],
        ),
        FieldKind::Integer { .. } | FieldKind::Decimal { .. } => of(
            "a number",
            &["default", "placeholder", "min", "max", "step"],
        ),
        FieldKind::Checkbox => of("a `bool`", &["default"]),
        FieldKind::Secret => of(
            "a `Secret`",
            &[
                "default_env",
                "placeholder",
                "min_length",
                "max_length",
                "pattern",
            ],
        ),
        FieldKind::Email => of(
            "an `Email`",
            &[
                "default",
                "placeholder",
                "min_length",
                "max_length",
                "pattern",
            ],
        ),
        FieldKind::Date => of("a `NaiveDate`", &["default", "placeholder"]),
        FieldKind::Formatted(format) => {
            let subject = match format {
                Format::Duration => "a `Duration`",
                Format::Time => "a `NaiveTime`",
                Format::Url => "an `HttpUrl`",
                Format::Color => "a `Color`",
            };
            of(subject, &["default", "placeholder"])
        }
        FieldKind::List { .. } => of(LIST, &["default", "placeholder", "rows"]),
        FieldKind::Image => of("an `ImageUrl`", &["src", "width", "height"]),
        FieldKind::Unresolved => of("an enum of choices", &["default"]),
    }
}

/// Names the settings that allow an option, for an error text.
fn applies_to(key: &str) -> &'static str {
    match key {
        "min" | "max" | "step" => "numbers",
        "rows" => "a `String` without `options`, or a list",
        "options" => "a `String`",
        "min_length" | "max_length" | "pattern" => {
            "a `String` without `options`, a `Secret` or an `Email`"
        }
        "placeholder" => {
            "a `String` without `options`, a `Secret`, an `Email`, a number, a `NaiveDate`, a `NaiveTime`, a `Duration`, an `HttpUrl`, a `Color` or a list"
        }
        "src" | "width" | "height" => "an `ImageUrl`",
        "collapsible" => "groups",
        "default_env" => "a `Secret`",
        "default" => {
            "a `String`, an `Email`, a number, a `bool`, an enum of choices, a `NaiveDate`, a `NaiveTime`, a `Duration`, an `HttpUrl`, a `Color` or a list"
        }
        _ => "single settings",
    }
}

/// Reports and removes the options that are not allowed.
pub(super) fn check_keys(options: &mut Options<'_>, subject: &str, allowed: &[&[&str]]) {
    let is_allowed = |key: &Ident| {
        allowed
            .iter()
            .any(|keys| keys.iter().any(|known| key == known))
    };
    let refused: Vec<Ident> = options
        .keys()
        .filter(|key| !is_allowed(key))
        .cloned()
        .collect();
    for key in refused {
        let name = key.to_string();
        let diagnostic = if name == "options" && subject == LIST {
            Diagnostic::OptionsOfAList
        } else {
            Diagnostic::OptionNotAllowed {
                applies_to: applies_to(&name),
                key: name.clone(),
                subject: subject.to_owned(),
            }
        };
        options.report(&key, diagnostic);
        options.discard(&name);
    }
}
