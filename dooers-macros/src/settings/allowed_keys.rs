//! Which options stand on which kind of setting.

use super::field_type::Kind;
use crate::diagnostic::Mistake;
use crate::options::Options;
use syn::Ident;

/// What can stand on which kind of setting: the options besides those that every setting has.
pub(super) struct Fit {
    /// "a number", in an error text.
    pub(super) name: &'static str,
    pub(super) keys: &'static [&'static str],
}

pub(super) const EVERYWHERE: &[&str] = &["label", "rename", "creator"];
pub(super) const ON_FIELDS: &[&str] = &[
    "internal",
    "readonly",
    "required",
    "user_editable",
    "validate",
];

/// What can stand on a setting of this kind.
pub(super) fn fit(kind: Kind, has_options: bool) -> Fit {
    let of = |name, keys| Fit { name, keys };
    match kind {
        Kind::Text if has_options => of("a text with `options`", &["default", "options"]),
        Kind::Text => of(
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
        Kind::Integer { .. } | Kind::Decimal { .. } => of(
            "a number",
            &["default", "placeholder", "min", "max", "step"],
        ),
        Kind::Checkbox => of("a `bool`", &["default"]),
        Kind::Secret => of(
            "a `Secret`",
            &[
                "default_env",
                "placeholder",
                "min_length",
                "max_length",
                "pattern",
            ],
        ),
        Kind::Email => of(
            "an `Email`",
            &[
                "default",
                "placeholder",
                "min_length",
                "max_length",
                "pattern",
            ],
        ),
        Kind::Date => of("a date", &["default", "placeholder"]),
        Kind::Image => of("an image", &["src", "width", "height"]),
        Kind::Named => of("an enum of choices", &["default"]),
    }
}

/// For whom an option is, in an error text.
fn fits(key: &str) -> &'static str {
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
pub(super) fn check_keys(options: &mut Options<'_>, what: &str, allowed: &[&[&str]]) {
    let is_allowed = |key: &Ident| {
        allowed
            .iter()
            .any(|keys| keys.iter().any(|known| key == known))
    };
    let wrong: Vec<Ident> = options
        .given()
        .filter(|key| !is_allowed(key))
        .cloned()
        .collect();
    for key in wrong {
        let name = key.to_string();
        let mistake = Mistake::KeyDoesNotFit {
            fits: fits(&name),
            key: name.clone(),
            what: what.to_owned(),
        };
        options.mistakes().add(&key, mistake);
        options.drop(&name);
    }
}
