//! The names of fields and variants as values: `rename`, `rename_all` and the attributes of serde with these names.

use crate::attributes::attributes_named;
use crate::diagnostic::Diagnostic;
use crate::options::Options;
use syn::{Attribute, LitStr, Token};

/// The cases that `rename_all` accepts.
const CASES: [(&str, Case); 8] = [
    ("lowercase", Case::Lower),
    ("UPPERCASE", Case::Upper),
    ("PascalCase", Case::Pascal),
    ("camelCase", Case::Camel),
    ("snake_case", Case::Snake),
    ("SCREAMING_SNAKE_CASE", Case::ScreamingSnake),
    ("kebab-case", Case::Kebab),
    ("SCREAMING-KEBAB-CASE", Case::ScreamingKebab),
];

/// A case of `rename_all`. The results are the same as those of serde.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Case {
    Lower,
    Upper,
    Pascal,
    Camel,
    Snake,
    ScreamingSnake,
    Kebab,
    ScreamingKebab,
}

impl Case {
    fn named(name: &str) -> Option<Self> {
        let case = CASES.iter().find(|(known, _)| *known == name);
        case.map(|(_, case)| *case)
    }

    /// Renames a field, whose name is in snake case.
    pub(crate) fn of_field(self, field: &str) -> String {
        match self {
            Self::Lower | Self::Snake => field.to_owned(),
            Self::Upper | Self::ScreamingSnake => field.to_ascii_uppercase(),
            Self::Pascal => pascal(field),
            Self::Camel => uncapitalized(&pascal(field)),
            Self::Kebab => field.replace('_', "-"),
            Self::ScreamingKebab => field.to_ascii_uppercase().replace('_', "-"),
        }
    }

    /// Renames a variant, whose name is in Pascal case.
    pub(crate) fn of_variant(self, variant: &str) -> String {
        match self {
            Self::Lower => variant.to_ascii_lowercase(),
            Self::Upper => variant.to_ascii_uppercase(),
            Self::Pascal => variant.to_owned(),
            Self::Camel => uncapitalized(variant),
            Self::Snake => snake(variant),
            Self::ScreamingSnake => snake(variant).to_ascii_uppercase(),
            Self::Kebab => snake(variant).replace('_', "-"),
            Self::ScreamingKebab => snake(variant).to_ascii_uppercase().replace('_', "-"),
        }
    }
}

fn pascal(field: &str) -> String {
    let mut name = String::new();
    let mut is_first = true;
    for letter in field.chars() {
        if letter == '_' {
            is_first = true;
        } else if is_first {
            name.push(letter.to_ascii_uppercase());
            is_first = false;
        } else {
            name.push(letter);
        }
    }
    name
}

fn snake(variant: &str) -> String {
    let mut name = String::new();
    for (at, letter) in variant.char_indices() {
        if at > 0 && letter.is_uppercase() {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

fn uncapitalized(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| {
        std::iter::once(first.to_ascii_lowercase())
            .chain(letters)
            .collect()
    })
}

/// Reads `rename_all` of a struct or an enum. Without it, the `rename_all` of serde applies.
pub(crate) fn rename_all(attributes: &[Attribute], options: &mut Options<'_>) -> Option<Case> {
    if options.contains("rename_all") {
        let name = options.string("rename_all")?;
        let case = Case::named(&name.value());
        if case.is_none() {
            options.report(
                &name,
                Diagnostic::UnknownCase {
                    value: name.value(),
                    cases: cases(),
                },
            );
        }
        return case;
    }
    // serde reports a case that it does not know.
    serde_name(attributes, "rename_all", options).and_then(|name| Case::named(&name.value()))
}

fn cases() -> String {
    let quoted = CASES.map(|(name, _)| format!("`\"{name}\"`"));
    quoted.join(", ")
}

/// Reads `rename` of a field or a variant. Without it, the `rename` of serde applies.
pub(crate) fn renamed(attributes: &[Attribute], options: &mut Options<'_>) -> Option<LitStr> {
    if options.contains("rename") {
        return options.string("rename");
    }
    serde_name(attributes, "rename", options)
}

/// Reads a name from `#[serde(key = "…")]`. Reports different names for the two directions.
fn serde_name(
    attributes: &[Attribute],
    key: &'static str,
    options: &mut Options<'_>,
) -> Option<LitStr> {
    let mut found = None;
    for attribute in attributes_named(attributes, "serde") {
        // serde reports syntax that it does not accept.
        let _ = attribute.parse_nested_meta(|meta| {
            let is_wanted = meta.path.is_ident(key);
            if is_wanted && meta.input.peek(syn::token::Paren) {
                options.report(&meta.path, Diagnostic::TwoSerdeNames { key });
            }
            if meta.input.peek(Token![=]) {
                let value: syn::Expr = meta.value()?.parse()?;
                if is_wanted {
                    found = crate::syntax::as_string(&value).cloned();
                }
            } else if meta.input.peek(syn::token::Paren) {
                meta.input.parse::<proc_macro2::Group>()?;
            }
            Ok(())
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{CASES, Case};

    #[test]
    fn case_renames_as_serde_does() {
        let renamed = |rename: fn(Case, &str) -> String, name: &str| {
            CASES.map(|(_, case)| rename(case, name)).join(" ")
        };
        assert_eq!(
            renamed(Case::of_field, "max_tokens"),
            "max_tokens MAX_TOKENS MaxTokens maxTokens max_tokens MAX_TOKENS max-tokens MAX-TOKENS"
        );
        assert_eq!(
            renamed(Case::of_variant, "VeryHTTP"),
            "veryhttp VERYHTTP VeryHTTP veryHTTP very_h_t_t_p VERY_H_T_T_P very-h-t-t-p VERY-H-T-T-P"
        );
    }
}
