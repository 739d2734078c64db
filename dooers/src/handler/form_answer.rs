//! The answers to a form as a type of the program.

use super::answer_values::AnswerValues;
use super::extract::FromTurn;
use super::invalid_data::InvalidData;
use super::{FormResponse, Turn};
use crate::AgentError;
use serde::de::DeserializeOwned;

/// The answers to a form, deserialized. An argument of a handler.
///
/// The names of the type's members are the names of the form's elements. Answers that do not fit the type end the turn
/// before the handler starts, with an error that names the member. [`FormResponse::parse`] describes how answers are
/// read. An agent with several forms of different types calls it itself.
///
/// ```
/// use dooers::prelude::*;
///
/// #[derive(serde::Deserialize)]
/// struct Order {
///     name: String,
///     count: u32,
///     note: Option<String>,
/// }
///
/// #[dooers::agent]
/// async fn pizzeria(order: FormAnswer<Order>) -> Reply {
///     match order {
///         FormAnswer::Submitted(Order { name, count, .. }) => {
///             Reply::text(format!("{count} pizzas for {name}."))
///         }
///         FormAnswer::Cancelled => Reply::text("Maybe tomorrow."),
///         FormAnswer::NotAnswered => Reply::form(
///             &Form::new("What would you like?")
///                 .element(FormElement::text("name", "Your name").required())
///                 .element(FormElement::number("count", "How many?").required())
///                 .element(FormElement::textarea("note", "Anything else?")),
///         ),
///     }
/// }
/// ```
// Exhaustive: a handler must deal with every case, and a form can only be answered, cancelled or neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormAnswer<T> {
    /// The user submitted the form with these answers.
    Submitted(T),
    /// The user cancelled the form.
    Cancelled,
    /// The message does not answer a form.
    NotAnswered,
}

// The compiler lists at most eight types when it explains what an agent can take.
#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned> FromTurn for FormAnswer<T> {
    async fn from_turn(turn: &Turn) -> Result<Self, AgentError> {
        Ok(match turn.request().form() {
            None => Self::NotAnswered,
            Some(answer) if answer.cancelled => Self::Cancelled,
            Some(answer) => Self::Submitted(answer.parse()?),
        })
    }
}

impl FormResponse {
    /// Deserializes the answers. The names of the type's members are the names of the form's elements.
    ///
    /// * An element without an answer is absent, also if the client sent `""`, `null` or an empty list for it. Its
    ///   member needs the type `Option` or `#[serde(default)]`.
    /// * A number is read from a number or from a text, because clients may send either.
    /// * A list is read from a list or from a single answer.
    ///
    /// Members with `#[serde(flatten)]` and untagged enums get numbers and lists as the client sent them.
    ///
    /// ```
    /// use dooers::prelude::*;
    /// use serde_json::json;
    ///
    /// #[derive(Debug, PartialEq, serde::Deserialize)]
    /// struct Order {
    ///     count: u32,
    ///     #[serde(default)]
    ///     extras: Vec<String>,
    ///     note: Option<String>,
    /// }
    ///
    /// let values = json!({"count": "2", "extras": "olives", "note": ""});
    /// let answer = WorkerRequest::form_response("form-1", values).form().unwrap();
    /// let extras = vec!["olives".to_owned()];
    /// assert_eq!(answer.parse(), Ok(Order { count: 2, extras, note: None }));
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidData`] if an answer does not fit the type. The answers to a cancelled form are empty.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, InvalidData> {
        let may_show = |name: Option<&str>| match name {
            Some(name) => !self.hidden.iter().any(|hidden| hidden == name),
            None => self.hidden.is_empty(),
        };
        serde_path_to_error::deserialize(AnswerValues(&self.values))
            .map_err(|error| InvalidData::at("values", &error, may_show))
    }
}
