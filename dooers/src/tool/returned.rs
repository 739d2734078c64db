//! The conversion of the return value of an annotated tool.
//!
//! A tool can return a [`HandlerOutput`], and any type that implements `Serialize`. One trait cannot cover both, because a
//! `Result` can implement `Serialize`, too. Method lookup finds the right `converter` instead: that of [`Returned`] for the
//! former, otherwise those of [`Fallible`] and [`Plain`], to which it dereferences.

use super::{HandlerOutput, IntoToolOutput, ToolOutput};
use crate::AgentError;
use std::marker::PhantomData;
use std::ops::Deref;

/// The conversion of a return value of this type.
pub(super) type Converter<T> = fn(T) -> Result<ToolOutput, AgentError>;

/// All types. Generated code names the type of a return value as `<T as AnyReturn>`, as for
/// [`AnyArgument`](super::argument::AnyArgument).
pub trait AnyReturn: Sized {
    /// A return value of this type.
    #[must_use]
    fn returned() -> Returned<Self> {
        Returned(Fallible(Plain(PhantomData)))
    }
}

impl<T> AnyReturn for T {}

/// A return value of the type of this value, for types without a name.
#[must_use]
pub fn returned<T>(_value: &T) -> Returned<T> {
    T::returned()
}

/// A return value.
#[derive(Debug)]
pub struct Returned<T>(Fallible<T>);

impl<T> Deref for Returned<T> {
    type Target = Fallible<T>;

    fn deref(&self) -> &Fallible<T> {
        &self.0
    }
}

impl<T: HandlerOutput> Returned<T> {
    /// Converts the value as the trait does.
    #[must_use]
    pub fn converter(&self) -> Converter<T> {
        T::into_handler_output
    }
}

/// A return value whose type does not implement [`HandlerOutput`].
#[derive(Debug)]
pub struct Fallible<T>(Plain<T>);

impl<T> Deref for Fallible<T> {
    type Target = Plain<T>;

    fn deref(&self) -> &Plain<T> {
        &self.0
    }
}

impl<T, E> Fallible<Result<T, E>> {
    /// Converts the value, or the error to that of the call.
    #[must_use]
    pub fn converter(&self) -> Converter<Result<T, E>>
    where
        T: IntoToolOutput,
        E: ToolError,
    {
        |result| result.map_err(E::into_error)?.into_output()
    }
}

/// A return value that is not a `Result` either.
#[derive(Debug)]
pub struct Plain<T>(PhantomData<fn() -> T>);

impl<T> Plain<T> {
    /// Converts the value.
    #[must_use]
    pub fn converter(&self) -> Converter<T>
    where
        T: IntoToolOutput,
    {
        T::into_output
    }
}

/// A type that converts into [`AgentError`]. It is a trait of its own so that the compiler can explain why a type does not
/// convert.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of a tool",
    label = "does not convert into `AgentError`",
    note = "a string converts into `AgentError`, and so does any type that implements `std::error::Error`, `Send`, `Sync` and `'static`",
    note = "instead of `Box<dyn Error>`, write `Box<dyn Error + Send + Sync>`, or return `dooers::Result`"
)]
pub trait ToolError {
    /// Converts the error.
    fn into_error(self) -> AgentError;
}

#[diagnostic::do_not_recommend]
impl<E: Into<AgentError>> ToolError for E {
    fn into_error(self) -> AgentError {
        self.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::ContentPart;
    use serde_json::json;

    #[test]
    fn result_is_never_serialized() {
        let converter = <Result<u8, String>>::returned().converter();
        assert_eq!(converter(Ok(7)).unwrap(), ToolOutput::json(7));
        assert_eq!(
            converter(Err("no".to_owned())).unwrap_err().to_string(),
            "no"
        );
        let converter = <Result<ToolOutput, std::io::Error>>::returned().converter();
        let text = ToolOutput::text("yes");
        assert_eq!(converter(Ok(text.clone())).unwrap(), text);
    }

    #[test]
    fn parts_are_joined_if_they_are_texts() {
        let parts = || vec![ContentPart::text("one"), ContentPart::text("two")];
        let joined = ToolOutput::parts(parts());
        let converter = <Vec<ContentPart>>::returned().converter();
        assert_eq!(converter(parts()).unwrap(), joined);
        let converter = <Result<Vec<ContentPart>, AgentError>>::returned().converter();
        assert_eq!(converter(Ok(parts())).unwrap(), joined);
    }

    #[test]
    fn plain_value_is_serialized() {
        assert_eq!(
            <()>::returned().converter()(()).unwrap().into_value(),
            json!(null)
        );
        let converter = <Option<&'static str>>::returned().converter();
        assert_eq!(converter(Some("text")).unwrap(), ToolOutput::text("text"));
        let opaque = returned(&[1, 2]).converter();
        assert_eq!(opaque([1, 2]).unwrap(), ToolOutput::json(json!([1, 2])));
    }
}
