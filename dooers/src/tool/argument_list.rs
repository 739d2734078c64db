//! The list of the arguments of an annotated tool.

use super::schema_builder::SchemaBuilder;
use crate::handler::Requirements;
use crate::{AgentError, Turn};
use futures::future::BoxFuture;
use serde_json::{Map, Value};
use std::future::{pending, ready};
use std::marker::PhantomData;

/// The arguments of a function, in their order. `()` stands for none.
pub trait Arguments: Send + Sync + 'static {
    /// The values that the model chooses: `(A, (B, ()))` for two of them.
    type Chosen: 'static;

    /// The values of all arguments.
    type Values: 'static;

    /// Adds the arguments to the schema.
    fn describe(&self, schema: &mut SchemaBuilder);

    /// Adds the requirements of the context.
    fn requires(&self, requirements: &mut Requirements);

    /// Reads the values that the model chose. The error is a text for the model.
    ///
    /// # Errors
    ///
    /// The first argument that is missing or does not fit its type.
    fn read(&self, members: &Map<String, Value>) -> Result<Self::Chosen, String>;

    /// Creates all values, one after the other.
    fn create<'a>(
        &'a self,
        members: &'a Map<String, Value>,
        turn: &'a Turn,
    ) -> BoxFuture<'a, Result<Self::Values, AgentError>>;
}

impl Arguments for () {
    type Chosen = ();
    type Values = ();

    fn describe(&self, _schema: &mut SchemaBuilder) {}

    fn requires(&self, _requirements: &mut Requirements) {}

    fn read(&self, _members: &Map<String, Value>) -> Result<(), String> {
        Ok(())
    }

    fn create<'a>(
        &'a self,
        _members: &'a Map<String, Value>,
        _turn: &'a Turn,
    ) -> BoxFuture<'a, Result<(), AgentError>> {
        Box::pin(ready(Ok(())))
    }
}

/// An argument and those after it.
#[derive(Debug)]
pub struct And<F, R> {
    pub(super) first: F,
    pub(super) rest: R,
}

/// Arguments in a program that does not compile. They are never created.
#[derive(Debug)]
pub struct Refused<C, V>(pub(super) PhantomData<fn() -> (C, V)>);

impl<C: 'static, V: 'static> Arguments for Refused<C, V> {
    type Chosen = C;
    type Values = V;

    fn describe(&self, _schema: &mut SchemaBuilder) {}

    fn requires(&self, _requirements: &mut Requirements) {}

    fn read(&self, _members: &Map<String, Value>) -> Result<C, String> {
        Err(String::new())
    }

    fn create<'a>(
        &'a self,
        _members: &'a Map<String, Value>,
        _turn: &'a Turn,
    ) -> BoxFuture<'a, Result<V, AgentError>> {
        Box::pin(pending())
    }
}
