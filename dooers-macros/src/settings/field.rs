//! What a field of a struct says about its setting.

use super::allowed_keys::{EVERYWHERE, ON_FIELDS, check_keys, fit};
use super::default::{checkbox, choice, default_env, image, refuse_default};
use super::field_type::{Kind, Shape, shape};
use super::model::check_id;
use super::number::number;
use super::text::{choices, formatted, lengths, text};
use super::{format, options_of};
use crate::attributes::description;
use crate::diagnostic::{Mistake, Mistakes};
use crate::options::{Options, Table};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Field, Ident, LitStr, Path, Type};

const TABLE: Table = Table {
    of: "#[setting]",
    options: &[
        ("label", "label = \"…\""),
        ("default", "default = …"),
        ("default_env", "default_env = \"VARIABLE\""),
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
        ("required", "required"),
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

/// The options that give a setting a value before anybody sets one.
const DEFAULTS: [&str; 3] = ["default", "default_env", "src"];

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
        /// The type, if its name says nothing to the macro.
        named: Option<Box<Named>>,
    },
}

/// A type whose name says nothing to the macro: an enum of choices, or a struct of settings that is not marked as a group.
/// Only the compiler can see which.
pub(super) struct Named {
    /// The type, without the `Option` around it.
    ty: Type,
    is_optional: bool,
    /// `true` if the default is missing that an enum of choices needs.
    lacks_default: bool,
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

    pub(super) fn lacks_default(&self) -> bool {
        let What::Field { named, .. } = &self.what else {
            return false;
        };
        named.as_ref().is_some_and(|named| named.lacks_default)
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
    let ty = written(&field.ty);
    let Some(shape) = shape(&field.ty) else {
        let mistake = Mistake::NotASetting { ty };
        options.mistakes().add(&field.ty, mistake);
        return None;
    };
    let has_default = DEFAULTS.iter().any(|key| options.has(key));
    let lacks_default = !has_default && !shape.is_optional;
    let is_named = shape.kind == Kind::Named;
    if is_named && !has_default && refuse_collapsible(options, &ty) {
        return None;
    }
    if shape.kind == Kind::Secret {
        refuse_default(options);
    }
    let fit = fit(shape.kind, options.has("options"));
    // Of a name the macro does not know what it is.
    let what = if is_named {
        format!("`{ty}`")
    } else {
        fit.name.to_owned()
    };
    check_keys(options, &what, &[EVERYWHERE, ON_FIELDS, fit.keys]);
    if lacks_default && !is_named {
        let mistake = match shape.kind {
            Kind::Secret => Mistake::RequiredSecret,
            Kind::Image => Mistake::ImageWithoutSource,
            _ => Mistake::RequiredWithoutDefault,
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
            default_env(options, setters);
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
    let named = is_named.then(|| {
        Box::new(Named {
            ty: shape.ty.clone(),
            is_optional: shape.is_optional,
            lacks_default,
        })
    });
    Some(What::Field {
        validate,
        default,
        named,
    })
}

/// A type as its author wrote it.
fn written(ty: &Type) -> String {
    let ty = ty.to_token_stream().to_string();
    ty.replace(" <", "<")
        .replace("< ", "<")
        .replace(" >", ">")
        .replace(" ,", ",")
        .replace("& ", "&")
        .replace(" :: ", "::")
}

/// Whether `collapsible` says that this is meant to be a group, which it does not say itself.
fn refuse_collapsible(options: &mut Options<'_>, ty: &str) -> bool {
    let given = options.given().find(|key| *key == "collapsible").cloned();
    if let Some(key) = &given {
        let ty = ty.to_owned();
        options
            .mistakes()
            .add(key, Mistake::CollapsibleWithoutGroup { ty });
    }
    given.is_some()
}

fn visibility(
    shape: &Shape<'_>,
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
    if options.flag("required") {
        setters.push(quote!(.required()));
    }
    if let Some(user_editable) = options.boolean("user_editable") {
        setters.push(quote!(.user_editable(#user_editable)));
    }
}

impl ToTokens for Item {
    /// The typed constant by which generated code reaches the field: the one place that asks for its type's trait.
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let (ty, id) = (&self.ty, &self.id);
        let typed = match &self.what {
            What::Group => quote_spanned!(ty.span()=> __settings::typed_group::<#ty>(#id)),
            What::Field { named: None, .. } => {
                quote_spanned!(ty.span()=> __settings::typed::<#ty>(#id))
            }
            What::Field {
                named: Some(named), ..
            } => {
                let ty = &named.ty;
                let of = if named.is_optional {
                    quote!(optional)
                } else {
                    quote!(named)
                };
                quote_spanned!(ty.span()=> __settings::#of::<#ty>(#id))
            }
        };
        tokens.extend(typed);
    }
}
