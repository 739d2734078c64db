//! An argument of an annotated tool that is created from the turn.
//!
//! Method lookup finds `and` if the type is `Send`. Otherwise it dereferences the argument and finds the `and` of [`NotSendContext`].
//! A type that is not `Send` therefore causes a single error, where the future of the function is boxed.

use super::argument_list::{And, Arguments, Refused};
use super::schema_builder::SchemaBuilder;
use crate::handler::Requirements;
use crate::{AgentError, FromTurn, Turn};
use futures::future::BoxFuture;
use serde_json::{Map, Value};
use std::marker::PhantomData;
use std::ops::Deref;

/// An argument that is created from the turn.
#[derive(Debug)]
pub struct ContextArgument<T> {
    create: for<'a> fn(&'a Turn) -> BoxFuture<'a, Result<T, AgentError>>,
    requires: fn(&mut Requirements),
    not_send: NotSendContext<T>,
}

impl<T: FromTurn + 'static> ContextArgument<T> {
    pub(super) fn new() -> Self {
        Self {
            create: |turn| Box::pin(T::from_turn(turn)),
            requires: T::requires,
            not_send: NotSendContext(PhantomData),
        }
    }
}

impl<T> ContextArgument<T> {
    /// Creates the argument.
    fn create<'a>(&self, turn: &'a Turn) -> BoxFuture<'a, Result<T, AgentError>> {
        (self.create)(turn)
    }

    /// Adds the requirements of the argument.
    fn requires(&self, requirements: &mut Requirements) {
        (self.requires)(requirements);
    }
}

impl<T: Send> ContextArgument<T> {
    /// Puts the argument before the others.
    #[must_use]
    pub fn and<R: Arguments>(self, rest: R) -> And<Self, R> {
        And { first: self, rest }
    }
}

impl<T> Deref for ContextArgument<T> {
    type Target = NotSendContext<T>;

    fn deref(&self) -> &NotSendContext<T> {
        &self.not_send
    }
}

/// A context whose type is not `Send`.
#[derive(Debug)]
pub struct NotSendContext<T>(PhantomData<fn() -> T>);

impl<T: 'static> NotSendContext<T> {
    /// Replaces the arguments, because such a program does not compile.
    #[must_use]
    pub fn and<R: Arguments>(&self, _rest: R) -> Refused<R::Chosen, (T, R::Values)> {
        Refused(PhantomData)
    }
}

impl<T: Send + 'static, R: Arguments> Arguments for And<ContextArgument<T>, R> {
    type Chosen = R::Chosen;
    type Values = (T, R::Values);

    fn describe(&self, schema: &mut SchemaBuilder) {
        self.rest.describe(schema);
    }

    fn requires(&self, requirements: &mut Requirements) {
        self.first.requires(requirements);
        self.rest.requires(requirements);
    }

    fn read(&self, members: &Map<String, Value>) -> Result<Self::Chosen, String> {
        self.rest.read(members)
    }

    fn create<'a>(
        &'a self,
        members: &'a Map<String, Value>,
        turn: &'a Turn,
    ) -> BoxFuture<'a, Result<Self::Values, AgentError>> {
        Box::pin(async move {
            let first = self.first.create(turn).await?;
            Ok((first, self.rest.create(members, turn).await?))
        })
    }
}
