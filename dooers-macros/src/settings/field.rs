//! What a field of a struct says about its setting.

use super::kind::{Kind, Shape, shape};
use super::model::check_id;
use super::{format, options_of, pattern};
use crate::attributes::description;
use crate::literal::Literal;
use crate::mistake::{Mistake, Mistakes};
use crate::options::{Options, Table, ungrouped};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use std::collections::HashSet;
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, Field, Ident, Lit, LitStr, Path, Type};

const TABLE: Table = Table {
    of: "#[setting]",
    options: &[
        ("label", "label = \"…\""),
        ("default", "default = …"),
        ("placeholder", "placeholder = \"…\""),
        ("min", "min = 0"),
        ("max", "max = 1"),
        ("step", "step = 0.1"),
        ("rows", "rows = 4"),
        ("options", "options(\"value\" = \"Label\")"),
        ("min_length", "min_length = 1"),
        ("max_length", "max_length = 80"),
        ("pattern", "pattern = \"…\""),
        ("validate", "validate = path"),
        ("readonly", "readonly"),
        ("internal", "internal"),
        ("creator", "creator"),
        ("user_editable", "user_editable = false"),
        ("src", "src = \"…\""),
        ("width", "width = 64"),
        ("height", "height = 64"),
        ("rename", "rename = \"…\""),
        ("group", "group"),
        ("collapsible", "collapsible = \"open\""),
    ],
};

/// A setting or a group, as it is to be generated.
pub(super) struct Item {
    pub(super) ident: Ident,
    pub(super) ty: Type,
    pub(super) id: String,
    pub(super) renamed: Option<LitStr>,
    pub(super) description: Vec<Expr>,
    /// The calls that complete it.
    pub(super) setters: Vec<TokenStream>,
    pub(super) what: What,
}

/// Which of the two it is.
pub(super) enum What {
    Group,
    Field {
        /// The user's own check.
        validate: Option<Path>,
        /// The default of an enum of choices, to be checked by the compiler.
        default: Option<ChoiceDefault>,
    },
}

/// The default of an enum of choices.
pub(super) enum ChoiceDefault {
    /// `"friendly"`.
    Value(LitStr),
    /// `Tone::Friendly`.
    Variant(Box<Expr>),
}

impl Item {
    pub(super) fn is_group(&self) -> bool {
        matches!(self.what, What::Group)
    }
}

/// What can stand on which kind of setting: the options besides those that every setting has.
struct Fit {
    /// "a number", in an error text.
    name: &'static str,
    keys: &'static [&'static str],
}

const EVERYWHERE: &[&str] = &["label", "rename", "creator"];
const ON_FIELDS: &[&str] = &["internal", "readonly", "user_editable", "validate"];

fn fit(kind: Kind, has_options: bool) -> Fit {
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
            &["placeholder", "min_length", "max_length", "pattern"],
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
        "default" => "texts, numbers, `bool`, enums, `Email` and dates",
        _ => "single settings",
    }
}

/// Checks a field. None if it is so wrong that nothing can be said about it.
pub(super) fn item(field: &Field, mistakes: &mut Mistakes) -> Option<Item> {
    let ident = field.ident.clone()?;
    let tokens = options_of(&field.attrs, mistakes);
    let mut options = Options::parse(tokens, &TABLE, mistakes);
    let is_group = options.flag("group");
    let renamed = options.text("rename");
    let id = check_id(renamed.as_ref(), &ident, options.mistakes());
    let mut setters = Vec::new();
    if let Some(label) = options.text("label") {
        setters.push(quote!(.label(#label)));
    }
    let what = if is_group {
        group(field, &mut options, &mut setters)?
    } else {
        single(field, &ident, &mut options, &mut setters)?
    };
    Some(Item {
        ident,
        ty: field.ty.clone(),
        id,
        renamed,
        description: description(&field.attrs),
        setters,
        what,
    })
}

/// Refuses the options that do not stand on this.
fn check_keys(options: &mut Options<'_>, what: &'static str, allowed: &[&[&str]]) {
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
            what,
        };
        options.mistakes().add(&key, mistake);
        options.drop(&name);
    }
}

fn group(field: &Field, options: &mut Options<'_>, setters: &mut Vec<TokenStream>) -> Option<What> {
    check_keys(options, "a group", &[EVERYWHERE, &["collapsible"]]);
    if options.flag("creator") {
        setters.push(quote!(.creator()));
    }
    if let Some(value) = options.text("collapsible") {
        match value.value().as_str() {
            "open" => setters.push(quote!(.collapsible(__dooers::settings::Collapsible::Open))),
            "closed" => setters.push(quote!(.collapsible(__dooers::settings::Collapsible::Closed))),
            other => {
                let mistake = Mistake::NoSuchCollapsible {
                    value: other.to_owned(),
                };
                options.mistakes().add(&value, mistake);
            }
        }
    }
    let ty = field.ty.to_token_stream().to_string().replace(' ', "");
    match shape(&field.ty) {
        Some(Shape {
            kind: Kind::Named,
            is_optional: false,
            ..
        }) => Some(What::Group),
        Some(Shape {
            is_optional: true, ..
        }) => {
            options.mistakes().add(&field.ty, Mistake::OptionalGroup);
            None
        }
        _ => {
            options
                .mistakes()
                .add(&field.ty, Mistake::GroupIsAType { ty });
            None
        }
    }
}

fn single(
    field: &Field,
    ident: &Ident,
    options: &mut Options<'_>,
    setters: &mut Vec<TokenStream>,
) -> Option<What> {
    let Some(shape) = shape(&field.ty) else {
        let ty = field.ty.to_token_stream().to_string();
        let ty = ty
            .replace(" <", "<")
            .replace("< ", "<")
            .replace(" >", ">")
            .replace(" ,", ",")
            .replace("& ", "&")
            .replace(" :: ", "::");
        options
            .mistakes()
            .add(&field.ty, Mistake::NotASetting { ty });
        return None;
    };
    let fit = fit(shape.kind, options.has("options"));
    check_keys(options, fit.name, &[EVERYWHERE, ON_FIELDS, fit.keys]);
    let has_default = options.has("default") || options.has("src");
    if !has_default && !shape.is_optional {
        let mistake = match shape.kind {
            Kind::Secret => Mistake::RequiredSecret,
            Kind::Image => Mistake::ImageWithoutSource,
            kind => Mistake::RequiredWithoutDefault {
                is_named: kind == Kind::Named,
            },
        };
        let place: &dyn ToTokens = if shape.kind == Kind::Secret {
            &field.ty
        } else {
            ident
        };
        options.mistakes().add(place, mistake);
    }
    visibility(&shape, has_default, options, setters);
    let default = match shape.kind {
        Kind::Text => {
            let options_given = choices(options, setters);
            text(options, setters, options_given.as_deref());
            None
        }
        Kind::Secret => {
            lengths(options, setters);
            None
        }
        Kind::Email => {
            let bounds = lengths(options, setters);
            formatted(
                options,
                setters,
                ("mail address", "ada@example.org"),
                format::is_email,
                bounds,
            );
            None
        }
        Kind::Date => {
            formatted(
                options,
                setters,
                ("date", "2026-02-11"),
                format::is_date,
                (None, None),
            );
            None
        }
        Kind::Integer { .. } | Kind::Decimal { .. } => {
            number(&shape, &field.ty, options, setters);
            None
        }
        Kind::Checkbox => {
            checkbox(options, setters);
            None
        }
        Kind::Image => {
            image(options, setters);
            None
        }
        Kind::Named => choice(options),
    };
    if let Some(placeholder) = options.text("placeholder") {
        setters.push(quote!(.placeholder(#placeholder)));
    }
    let validate = options.path("validate");
    Some(What::Field { validate, default })
}

fn visibility(
    shape: &Shape,
    has_default: bool,
    options: &mut Options<'_>,
    setters: &mut Vec<TokenStream>,
) {
    let internal = options.given().find(|key| *key == "internal").cloned();
    let is_creator = options.flag("creator");
    if options.flag("internal") {
        setters.push(quote!(.internal()));
        if is_creator {
            options.mistakes().add(internal, Mistake::TwoVisibilities);
        }
    } else if is_creator {
        setters.push(quote!(.creator()));
    }
    let readonly = options.given().find(|key| *key == "readonly").cloned();
    if options.flag("readonly") {
        setters.push(quote!(.readonly()));
        if shape.is_optional && !has_default {
            options
                .mistakes()
                .add(readonly, Mistake::ReadonlyWithoutDefault);
        }
    }
    if let Some(user_editable) = options.boolean("user_editable") {
        setters.push(quote!(.user_editable(#user_editable)));
    }
}

/// What `options(…)` gives: the values.
fn choices(options: &mut Options<'_>, setters: &mut Vec<TokenStream>) -> Option<Vec<String>> {
    let (key, pairs) = options.pairs("options")?;
    if pairs.is_empty() {
        options.mistakes().add(&key, Mistake::NoOptions);
    }
    let mut values = HashSet::new();
    for (value, _) in &pairs {
        if !values.insert(value.value()) {
            let value_text = value.value();
            options
                .mistakes()
                .add(value, Mistake::SameOption { value: value_text });
        }
    }
    let pair = pairs.iter().map(|(value, label)| quote!((#value, #label)));
    setters.push(quote!(.options([#(#pair),*])));
    Some(pairs.iter().map(|(value, _)| value.value()).collect())
}

type Lengths = (Option<u32>, Option<u32>);

/// `min_length`, `max_length` and `pattern`.
fn lengths(options: &mut Options<'_>, setters: &mut Vec<TokenStream>) -> Lengths {
    let min = options.count("min_length");
    let max = options.count("max_length");
    if let (Some((min, written)), Some((max, _))) = (&min, &max)
        && min > max
    {
        options.mistakes().add(written, Mistake::MinLengthAboveMax);
    }
    let (min, max) = (min.map(|(min, _)| min), max.map(|(max, _)| max));
    setters.extend(min.map(|min| quote!(.min_length(#min))));
    setters.extend(max.map(|max| quote!(.max_length(#max))));
    if let Some(pattern) = options.text("pattern") {
        match pattern::translated(&pattern.value()) {
            Ok(_) => setters.push(quote!(.pattern(#pattern))),
            Err(error) => options.mistakes().add(&pattern, Mistake::Pattern { error }),
        }
    }
    (min, max)
}

fn check_length(default: &LitStr, (min, max): Lengths, mistakes: &mut Mistakes) {
    let length = default.value().chars().count();
    let is_right = min.is_none_or(|min| length >= min as usize)
        && max.is_none_or(|max| length <= max as usize);
    if !is_right {
        let mistake = Mistake::DefaultLength {
            length,
            least: min.unwrap_or(0).to_string(),
            most: max.map_or_else(|| "any number".to_owned(), |max| max.to_string()),
        };
        mistakes.add(default, mistake);
    }
}

fn text(options: &mut Options<'_>, setters: &mut Vec<TokenStream>, choices: Option<&[String]>) {
    if let Some((rows, _)) = options.count("rows") {
        setters.push(quote!(.rows(#rows)));
    }
    let bounds = lengths(options, setters);
    let Some(default) = text_default(options, "a text in quotes", "default = \"…\"") else {
        return;
    };
    check_length(&default, bounds, options.mistakes());
    if let Some(choices) = choices
        && !choices.is_empty()
        && !choices.contains(&default.value())
    {
        let quoted: Vec<_> = choices.iter().map(|choice| format!("`{choice}`")).collect();
        let mistake = Mistake::DefaultNoOption {
            options: quoted.join(", "),
        };
        options.mistakes().add(&default, mistake);
    }
    setters.push(quote!(.default(#default)));
}

fn formatted(
    options: &mut Options<'_>,
    setters: &mut Vec<TokenStream>,
    (what, usage): (&'static str, &'static str),
    is_right: fn(&str) -> bool,
    bounds: Lengths,
) {
    let Some(default) = text_default(options, "a text in quotes", "default = \"…\"") else {
        return;
    };
    if is_right(&default.value()) {
        check_length(&default, bounds, options.mistakes());
        setters.push(quote!(.default(#default)));
    } else {
        options
            .mistakes()
            .add(&default, Mistake::DefaultFormat { what, usage });
    }
}

fn text_default(
    options: &mut Options<'_>,
    what: &'static str,
    usage: &'static str,
) -> Option<LitStr> {
    match default(options)? {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Some(text),
        other => {
            options
                .mistakes()
                .add(other, Mistake::DefaultType { what, usage });
            None
        }
    }
}

/// The default as it is written. `None` is said to be none.
fn default(options: &mut Options<'_>) -> Option<Expr> {
    let written = options.expression("default")?;
    let written = ungrouped(&written).clone();
    if let Expr::Path(path) = &written
        && path.path.is_ident("None")
    {
        options.mistakes().add(written, Mistake::DefaultNone);
        return None;
    }
    Some(written)
}

fn number(shape: &Shape, ty: &Type, options: &mut Options<'_>, setters: &mut Vec<TokenStream>) {
    let min = bound("min", shape, ty, options);
    let max = bound("max", shape, ty, options);
    let step = options.number("step").filter(|step| {
        let mistake = match shape.kind {
            Kind::Integer { .. } if !step.is_whole() => Mistake::BoundType {
                key: "step".to_owned(),
            },
            _ if !step.is_positive() => Mistake::StepNotPositive,
            _ => return true,
        };
        options.mistakes().add(&step.written, mistake);
        false
    });
    if let (Some(min), Some(max)) = (&min, &max)
        && min.compare(max).is_gt()
    {
        options.mistakes().add(&min.written, Mistake::MinAboveMax);
    } else if let (Some(step), Some(max)) = (&step, &max)
        && !max.is_on_a_step(min.as_ref(), step)
    {
        options
            .mistakes()
            .add(&step.written, Mistake::StepDoesNotDivide);
    }
    for (name, literal) in [("min", &min), ("max", &max), ("step", &step)] {
        let setter = Ident::new(name, proc_macro2::Span::mixed_site());
        setters.extend(literal.as_ref().map(|literal| quote!(.#setter(#literal))));
    }
    let Some(written) = default(options) else {
        return;
    };
    let is_integer = matches!(shape.kind, Kind::Integer { .. });
    let literal = Literal::of(&written).filter(|literal| literal.is_whole() || !is_integer);
    let Some(literal) = literal else {
        let (what, usage) = if is_integer {
            ("a whole number", "default = 1")
        } else {
            ("a number", "default = 0.5")
        };
        options
            .mistakes()
            .add(written, Mistake::DefaultType { what, usage });
        return;
    };
    let is_large_enough = min.as_ref().is_none_or(|min| literal.compare(min).is_ge());
    let is_small_enough = max.as_ref().is_none_or(|max| literal.compare(max).is_le());
    let wrong = if !is_large_enough || !is_small_enough || !is_held(shape.kind, &literal) {
        let (least, most) = limits(shape.kind);
        let written = |bound: &Option<Literal>, limit: String| {
            let bound = bound.as_ref();
            bound.map_or(limit, |bound| {
                bound
                    .written
                    .to_token_stream()
                    .to_string()
                    .replace("- ", "-")
            })
        };
        Some(Mistake::DefaultOutOfRange {
            least: written(&min, least),
            most: written(&max, most),
        })
    } else {
        let off = step
            .as_ref()
            .filter(|step| !literal.is_on_a_step(min.as_ref(), step));
        off.map(|step| Mistake::DefaultNotOnAStep {
            step: step.written.to_token_stream().to_string(),
        })
    };
    match wrong {
        Some(mistake) => options.mistakes().add(&literal.written, mistake),
        None => setters.push(quote!(.default(#literal))),
    }
}

fn bound(key: &str, shape: &Shape, ty: &Type, options: &mut Options<'_>) -> Option<Literal> {
    let literal = options.number(key)?;
    let key = key.to_owned();
    let mistake = match shape.kind {
        Kind::Integer { .. } if !literal.is_whole() => Mistake::BoundType { key },
        kind if !is_held(kind, &literal) => Mistake::BoundOutOfType {
            key,
            ty: ty.to_token_stream().to_string().replace(' ', ""),
        },
        _ => return Some(literal),
    };
    options.mistakes().add(&literal.written, mistake);
    None
}

fn is_held(kind: Kind, literal: &Literal) -> bool {
    match kind {
        Kind::Integer { least, most } => literal
            .whole
            .is_some_and(|whole| (least..=most).contains(&whole)),
        Kind::Decimal { least, most } => literal.is_within(least, most),
        _ => true,
    }
}

fn limits(kind: Kind) -> (String, String) {
    match kind {
        Kind::Integer { least, most } => (least.to_string(), most.to_string()),
        _ => ("any number".to_owned(), "any number".to_owned()),
    }
}

fn checkbox(options: &mut Options<'_>, setters: &mut Vec<TokenStream>) {
    match default(options) {
        Some(Expr::Lit(ExprLit {
            lit: Lit::Bool(value),
            ..
        })) => {
            setters.push(quote!(.default(#value)));
        }
        Some(other) => {
            let mistake = Mistake::DefaultType {
                what: "`true` or `false`",
                usage: "default = true",
            };
            options.mistakes().add(other, mistake);
        }
        None => {}
    }
}

fn image(options: &mut Options<'_>, setters: &mut Vec<TokenStream>) {
    if let Some(src) = options.text("src") {
        setters.push(quote!(.src(#src)));
    }
    if let Some((width, _)) = options.count("width") {
        setters.push(quote!(.width(#width)));
    }
    if let Some((height, _)) = options.count("height") {
        setters.push(quote!(.height(#height)));
    }
}

fn choice(options: &mut Options<'_>) -> Option<ChoiceDefault> {
    match default(options)? {
        Expr::Lit(ExprLit {
            lit: Lit::Str(value),
            ..
        }) => Some(ChoiceDefault::Value(value)),
        variant @ Expr::Path(_) => Some(ChoiceDefault::Variant(Box::new(variant))),
        other => {
            let mistake = Mistake::DefaultType {
                what: "a variant, or its value in quotes",
                usage: "default = \"…\"",
            };
            options.mistakes().add(other, mistake);
            None
        }
    }
}

impl ToTokens for Item {
    /// The typed constant by which generated code reaches the field: the one place that asks for its type's trait.
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let (ty, id) = (&self.ty, &self.id);
        let typed = match self.what {
            What::Group => quote_spanned!(ty.span()=> __settings::typed_group::<#ty>(#id)),
            What::Field { .. } => quote_spanned!(ty.span()=> __settings::typed::<#ty>(#id)),
        };
        tokens.extend(typed);
    }
}
