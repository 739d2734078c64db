//! What kind of setting a type is.

use syn::{GenericArgument, PathArguments, Type};

/// What kind of setting a type is. The macro knows types by their names.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Text,
    Integer {
        least: i128,
        most: i128,
    },
    Decimal {
        least: f64,
        most: f64,
    },
    Checkbox,
    Secret,
    Email,
    Date,
    Image,
    /// Any other name: an enum of choices, or a group.
    Named,
}

/// A field's type, without the `Option` around it.
pub(super) struct Shape<'a> {
    pub(super) ty: &'a Type,
    pub(super) kind: Kind,
    pub(super) is_optional: bool,
}

/// The kind of a type. Without one it is no type of a setting.
pub(super) fn shape(ty: &Type) -> Option<Shape<'_>> {
    let inner = inside_option(ty);
    let (ty, is_optional) = (inner.unwrap_or(ty), inner.is_some());
    Some(Shape {
        ty,
        kind: kind(ty)?,
        is_optional,
    })
}

fn inside_option(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ungrouped(ty) else {
        return None;
    };
    let last = path.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    match arguments.args.first()? {
        GenericArgument::Type(inner) if last.ident == "Option" && arguments.args.len() == 1 => {
            Some(inner)
        }
        _ => None,
    }
}

fn kind(ty: &Type) -> Option<Kind> {
    let Type::Path(path) = ungrouped(ty) else {
        return None;
    };
    let last = path.path.segments.last()?;
    if path.qself.is_some() || !last.arguments.is_none() {
        return None;
    }
    let name = last.ident.to_string();
    let integer = |least: i128, most: i128| Some(Kind::Integer { least, most });
    match name.as_str() {
        "String" => Some(Kind::Text),
        "bool" => Some(Kind::Checkbox),
        "i8" => integer(i8::MIN.into(), i8::MAX.into()),
        "i16" => integer(i16::MIN.into(), i16::MAX.into()),
        "i32" => integer(i32::MIN.into(), i32::MAX.into()),
        "i64" | "isize" => integer(i64::MIN.into(), i64::MAX.into()),
        "u8" => integer(0, u8::MAX.into()),
        "u16" => integer(0, u16::MAX.into()),
        "u32" => integer(0, u32::MAX.into()),
        "u64" | "usize" => integer(0, u64::MAX.into()),
        "f32" => Some(Kind::Decimal {
            least: f32::MIN.into(),
            most: f32::MAX.into(),
        }),
        "f64" => Some(Kind::Decimal {
            least: f64::MIN,
            most: f64::MAX,
        }),
        "Secret" => Some(Kind::Secret),
        "Email" => Some(Kind::Email),
        "NaiveDate" => Some(Kind::Date),
        "ImageUrl" => Some(Kind::Image),
        "i128" | "u128" | "char" | "str" => None,
        _ => Some(Kind::Named),
    }
}

/// The type without the invisible groups that `macro_rules!` puts around its fragments.
fn ungrouped(mut ty: &Type) -> &Type {
    while let Type::Group(group) = ty {
        ty = &group.elem;
    }
    ty
}
