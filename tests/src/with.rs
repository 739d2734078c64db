//! A macro that copies values of `dooers` and changes some of their fields.

/// Evaluates a struct expression with a base, such as `with!(User { user_name: None, ..base })`.
///
/// The compiler refuses the expression itself outside of `dooers`, because the types are `#[non_exhaustive]`.
#[macro_export]
macro_rules! with {
    ($type:ident { $($field:ident $(: $value:expr)?,)+ ..$base:expr }) => {{
        let mut changed: $type = $base;
        $(changed.$field = $crate::with!(@value $field $($value)?);)+
        changed
    }};
    (@value $field:ident) => { $field };
    (@value $field:ident $value:expr) => { $value };
}
