//! The handler of an annotated function: its arguments, the call of the function and the conversion of its return value.
//!
//! Every annotated function repeats the generated code that describes its handler. The code therefore contains no `async`
//! block and few items: they would be most of the time that rustc needs to check an agent.

use super::agent_fn::AgentFuture;
use super::reply::{Answer, IntoReply};
use super::requirements::Requirements;
use super::{FromTurn, Turn};
use crate::AgentError;
use futures::future::BoxFuture;
use std::fmt;
use std::future::{pending, ready};
use std::marker::PhantomData;
use std::ops::Deref;

/// The handler of an annotated function, for one call.
pub struct Handler(Box<dyn Handle>);

impl Handler {
    /// Creates the arguments, calls the function and converts its return value.
    pub(super) fn call(self, turn: Turn) -> AgentFuture {
        self.0.call(turn)
    }

    /// Adds the requirements of the arguments.
    pub(super) fn requires(&self, requirements: &mut Requirements) {
        self.0.requires(requirements);
    }
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handler").finish_non_exhaustive()
    }
}

trait Handle {
    fn call(self: Box<Self>, turn: Turn) -> AgentFuture;
    fn requires(&self, requirements: &mut Requirements);
}

/// The boxed future of an annotated function. This is the only place that requires the future to be `Send`.
pub type Handled<R> = BoxFuture<'static, R>;

/// Makes the handler of a function from its arguments, from its call, and from the conversion of its return value.
#[must_use]
pub fn handler<A, R>(
    arguments: A,
    function: fn(A::Values) -> Handled<R>,
    into_reply: fn(R) -> Result<Answer, AgentError>,
) -> Handler
where
    A: Arguments,
    R: 'static,
{
    Handler(Box::new(Parts {
        arguments,
        function,
        into_reply,
    }))
}

/// A replacement for the handler of an agent that the macro refused. It is never called, because such a program does
/// not compile.
#[must_use]
pub fn refused() -> Handler {
    handler((), |()| Box::pin(ready(())), IntoReply::into_reply)
}

/// The parts of a handler.
struct Parts<A: Arguments, R> {
    arguments: A,
    function: fn(A::Values) -> Handled<R>,
    into_reply: fn(R) -> Result<Answer, AgentError>,
}

impl<A: Arguments, R: 'static> Handle for Parts<A, R> {
    fn call(self: Box<Self>, turn: Turn) -> AgentFuture {
        Box::pin(async move {
            // The values need not be `Send`, because none is kept during the call.
            let values = self.arguments.create(&turn).await?;
            let handled = (self.function)(values);
            (self.into_reply)(handled.await)
        })
    }

    fn requires(&self, requirements: &mut Requirements) {
        self.arguments.requires(requirements);
    }
}

/// All types. Generated code names the type of an argument as `<T as AnyType>`, because rustc treats a type that does not
/// exist differently in the list of generic arguments.
pub trait AnyType: Sized {
    /// The argument of this type. A type that is not an argument causes its only error here.
    #[must_use]
    fn argument() -> Argument<Self>
    where
        Self: FromTurn + 'static,
    {
        Argument {
            create: |turn| Box::pin(Self::from_turn(turn)),
            requires: Self::requires,
            not_send: NotSend(PhantomData),
        }
    }
}

impl<T> AnyType for T {}

/// An argument of a function.
///
/// Method lookup finds [`and`](Self::and) if the type is `Send`. Otherwise it dereferences the argument and finds
/// [`NotSend::and`]. A type that is not `Send` therefore causes a single error, where the future of the function becomes a
/// [`Handled`].
#[derive(Debug)]
pub struct Argument<T> {
    create: for<'a> fn(&'a Turn) -> BoxFuture<'a, Result<T, AgentError>>,
    requires: fn(&mut Requirements),
    not_send: NotSend<T>,
}

impl<T: Send> Argument<T> {
    /// Puts the argument before the others.
    #[must_use]
    pub fn and<R: Arguments>(self, rest: R) -> And<T, R> {
        And { first: self, rest }
    }
}

impl<T> Deref for Argument<T> {
    type Target = NotSend<T>;

    fn deref(&self) -> &NotSend<T> {
        &self.not_send
    }
}

/// An argument whose type is not `Send`.
#[derive(Debug)]
pub struct NotSend<T>(PhantomData<fn() -> T>);

impl<T: 'static> NotSend<T> {
    /// Replaces the arguments, because such a program does not compile.
    #[must_use]
    pub fn and<R: Arguments>(&self, _rest: R) -> Refused<(T, R::Values)> {
        Refused(PhantomData)
    }
}

/// The arguments of a function, in their order. `()` stands for none.
pub trait Arguments: Send + 'static {
    /// The values: `(A, (B, ()))` for two arguments.
    type Values: 'static;

    /// Creates the values, one after the other.
    fn create(self, turn: &Turn) -> BoxFuture<'_, Result<Self::Values, AgentError>>;

    /// Adds the requirements of the arguments.
    fn requires(&self, requirements: &mut Requirements);
}

impl Arguments for () {
    type Values = ();

    fn create(self, _turn: &Turn) -> BoxFuture<'_, Result<(), AgentError>> {
        Box::pin(ready(Ok(())))
    }

    fn requires(&self, _requirements: &mut Requirements) {}
}

/// An argument and those after it.
#[derive(Debug)]
pub struct And<T, R> {
    first: Argument<T>,
    rest: R,
}

impl<T: Send + 'static, R: Arguments> Arguments for And<T, R> {
    type Values = (T, R::Values);

    fn create(self, turn: &Turn) -> BoxFuture<'_, Result<Self::Values, AgentError>> {
        Box::pin(async move {
            let first = (self.first.create)(turn).await?;
            Ok((first, self.rest.create(turn).await?))
        })
    }

    fn requires(&self, requirements: &mut Requirements) {
        (self.first.requires)(requirements);
        self.rest.requires(requirements);
    }
}

/// Arguments in a program that does not compile. They are never created.
#[derive(Debug)]
pub struct Refused<V>(PhantomData<fn() -> V>);

impl<V: 'static> Arguments for Refused<V> {
    type Values = V;

    fn create(self, _turn: &Turn) -> BoxFuture<'_, Result<V, AgentError>> {
        Box::pin(pending())
    }

    fn requires(&self, _requirements: &mut Requirements) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{State, WorkerRequest, WorkerResponse};

    /// Sends its number when it is created. The number 0 is an error.
    struct Numbered<const NUMBER: u8>;

    impl<const NUMBER: u8> FromTurn for Numbered<NUMBER> {
        async fn from_turn(turn: &Turn) -> Result<Self, AgentError> {
            if NUMBER == 0 {
                return Err(AgentError::public("zero"));
            }
            tokio::task::yield_now().await;
            turn.response().text(NUMBER.to_string()).await?;
            Ok(Self)
        }
    }

    async fn texts_of(handler: Handler) -> (Vec<String>, bool) {
        let (response, sent) = WorkerResponse::recorder();
        let turn = Turn::new(WorkerRequest::new("go"), response);
        let is_ok = handler.call(turn).await.is_ok();
        (sent.texts(), is_ok)
    }

    #[tokio::test]
    async fn arguments_are_created_in_their_order() {
        let arguments = Numbered::<1>::argument()
            .and(Numbered::<2>::argument().and(Numbered::<3>::argument().and(())));
        let handler = handler(
            arguments,
            |(Numbered, (Numbered, (Numbered, ())))| Box::pin(ready("done")),
            IntoReply::into_reply,
        );
        let texts = ["1", "2", "3"].map(str::to_owned).to_vec();
        assert_eq!(texts_of(handler).await, (texts, true));
    }

    #[tokio::test]
    async fn failed_argument_ends_the_turn_before_the_next() {
        let arguments = Numbered::<1>::argument()
            .and(Numbered::<0>::argument().and(Numbered::<3>::argument().and(())));
        let handler = handler(
            arguments,
            |(_, (_, _))| Box::pin(ready(())),
            IntoReply::into_reply,
        );
        assert_eq!(texts_of(handler).await, (vec!["1".to_owned()], false));
    }

    #[test]
    fn requirements_of_all_arguments_are_added() {
        let arguments = State::<u8>::argument()
            .and(WorkerRequest::argument().and(State::<u16>::argument().and(())));
        let handler = handler(arguments, |_| Box::pin(ready(())), IntoReply::into_reply);
        let mut requirements = Requirements::default();
        handler.requires(&mut requirements);
        let names: Vec<_> = requirements
            .states()
            .iter()
            .map(|state| state.name)
            .collect();
        assert_eq!(names, ["u8", "u16"]);
    }
}
