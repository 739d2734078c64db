//! Which options stand on which kind of setting.

use super::field_type::FieldKind;
use crate::diagnostic::Diagnostic;
use crate::options::Options;
use syn::Ident;

/// What can stand on which kind of setting: the options besides those that every setting has.
pub(super) struct AllowedKeys {
    /// "a number", in an error text.
    pub(super) subject: &'static str,
    pub(super) keys: &'static [&'static str],
}

pub(super) const ON_ALL_ITEMS: &[&str] = &["label", "rename", "creator"];
pub(super) const ON_ALL_FIELDS: &[&str] = &[
    "internal",
    "readonly",
    "required",
    "user_editable",
    "validate",
];

/// What can stand on a setting of this kind.
pub(super) fn allowed_keys(kind: FieldKind, has_options: bool) -> AllowedKeys {
    let of = |subject, keys| AllowedKeys { subject, keys };
    match kind {
        FieldKind::Text if has_options => of("a text with `options`", &["default", "options"]),
        FieldKind::Text => of(
            "a text",
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
        FieldKind::Date => of("a date", &["default", "placeholder"]),
        FieldKind::Image => of("an image", &["src", "width", "height"]),
        FieldKind::Unresolved => of("an enum of choices", &["default"]),
    }
}

/// For whom an option is, in an error text.
fn applies_to(key: &str) -> &'static str {
    match key {
        "min" | "max" | "step" => "numbers",
        "rows" | "options" => "a `String`",
        "min_length" | "max_length" | "pattern" => "a `String`, a `Secret` or an `Email`",
        "placeholder" => "texts, numbers and dates",
        "src" | "width" | "height" => "an `ImageUrl`",
        "collapsible" => "a group",
        "default_env" => "a `Secret`",
        "default" => "texts, numbers, `bool`, enums, `Email` and dates",
        _ => "single settings",
    }
}

/// Refuses the options that do not stand on this.
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
        let diagnostic = Diagnostic::OptionNotAllowed {
            applies_to: applies_to(&name),
            key: name.clone(),
            subject: subject.to_owned(),
        };
        options.diagnostics().add(&key, diagnostic);
        options.discard(&name);
    }
}
