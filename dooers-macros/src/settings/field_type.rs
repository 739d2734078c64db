//! The kinds of setting, by the types of their fields.

use crate::syntax::{generic_argument, peel_type};
use syn::Type;

/// The kind of a setting. The macro recognizes types by their names.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum FieldKind {
    Text,
    Integer {
        min: i128,
        max: i128,
    },
    Decimal {
        min: f64,
        max: f64,
    },
    Checkbox,
    Secret,
    Email,
    Date,
    Image,
    /// A text with a format.
    Formatted(Format),
    /// A `Vec` of texts, or of an enum of choices.
    List {
        is_choice: bool,
    },
    /// Any other name: an enum of choices or a group.
    Unresolved,
}

/// A format of texts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Format {
    Duration,
    Time,
    Url,
    Color,
}

/// The type of a field, without the `Option` around it.
pub(super) struct FieldType<'a> {
    pub(super) ty: &'a Type,
    pub(super) kind: FieldKind,
    pub(super) is_optional: bool,
}

/// Classifies the type of a field. `None` if it cannot be the type of a setting.
pub(super) fn classify(ty: &Type) -> Option<FieldType<'_>> {
    let inner = generic_argument(ty, "Option");
    let (ty, is_optional) = (inner.unwrap_or(ty), inner.is_some());
    Some(FieldType {
        ty,
        kind: kind_of(ty)?,
        is_optional,
    })
}

fn kind_of(ty: &Type) -> Option<FieldKind> {
    let Type::Path(path) = peel_type(ty) else {
        return None;
    };
    let last = path.path.segments.last()?;
    if let Some(item) = generic_argument(ty, "Vec") {
        return match kind_of(item)? {
            FieldKind::Text => Some(FieldKind::List { is_choice: false }),
            FieldKind::Unresolved => Some(FieldKind::List { is_choice: true }),
            _ => None,
        };
    }
    if path.qself.is_some() || !last.arguments.is_none() {
        return None;
    }
    let name = last.ident.to_string();
    let integer = |min: i128, max: i128| Some(FieldKind::Integer { min, max });
    match name.as_str() {
        "String" => Some(FieldKind::Text),
        "bool" => Some(FieldKind::Checkbox),
        "i8" => integer(i8::MIN.into(), i8::MAX.into()),
        "i16" => integer(i16::MIN.into(), i16::MAX.into()),
        "i32" => integer(i32::MIN.into(), i32::MAX.into()),
        "i64" | "isize" => integer(i64::MIN.into(), i64::MAX.into()),
        "u8" => integer(0, u8::MAX.into()),
        "u16" => integer(0, u16::MAX.into()),
        "u32" => integer(0, u32::MAX.into()),
        "u64" | "usize" => integer(0, u64::MAX.into()),
        "f32" => Some(FieldKind::Decimal {
            min: f32::MIN.into(),
            max: f32::MAX.into(),
        }),
        "f64" => Some(FieldKind::Decimal {
            min: f64::MIN,
            max: f64::MAX,
        }),
        "Secret" => Some(FieldKind::Secret),
        "Email" => Some(FieldKind::Email),
        "NaiveDate" => Some(FieldKind::Date),
        "ImageUrl" => Some(FieldKind::Image),
        "Duration" => Some(FieldKind::Formatted(Format::Duration)),
        "NaiveTime" => Some(FieldKind::Formatted(Format::Time)),
        "HttpUrl" => Some(FieldKind::Formatted(Format::Url)),
        "Color" => Some(FieldKind::Formatted(Format::Color)),
        "i128" | "u128" | "char" | "str" => None,
        _ => Some(FieldKind::Unresolved),
    }
}
