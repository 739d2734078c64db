//! The data of a message as a type of the program.

use super::extract::FromTurn;
use super::invalid_data::InvalidData;
use super::{Turn, WorkerRequest};
use crate::AgentError;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The [`data`](WorkerRequest::data) of a message, deserialized. An argument of a handler.
///
/// Data that does not fit the type ends the turn before the handler starts, with an error that names the member. Take
/// `Result<Data<T>>` to handle the error, or `Data<Option<T>>` if a message may have no data.
///
/// ```
/// use dooers::prelude::*;
/// use dooers::{Agent, Turn};
///
/// #[derive(serde::Deserialize)]
/// struct Place {
///     city: String,
/// }
///
/// #[dooers::agent]
/// async fn weather(Data(place): Data<Place>) -> String {
///     format!("It is sunny in {}.", place.city)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let mut request = WorkerRequest::new("How is the weather?");
/// request.data = Some(serde_json::json!({"city": 7}));
/// let turn = Turn::new(request, WorkerResponse::recorder().0);
/// let error = Data::<Place>::from_turn(&turn).await.err().unwrap();
/// assert!(error.to_string().contains("`data.city`"), "{error}");
/// # Ok(())
/// # }
/// ```
// Exhaustive: handlers take it apart with a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Data<T>(pub T);

// The compiler lists at most eight types when it explains what an agent can take.
#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned> FromTurn for Data<T> {
    async fn from_turn(turn: &Turn) -> Result<Self, AgentError> {
        Ok(Self(typed_data(turn.request())?))
    }
}

fn typed_data<T: DeserializeOwned>(request: &WorkerRequest) -> Result<T, InvalidData> {
    match &request.data {
        Some(data) => serde_path_to_error::deserialize(data)
            .map_err(|error| InvalidData::at("data", &error, |_| true)),
        // A type such as `Option` accepts the absence of data.
        None => T::deserialize(Value::Null).map_err(|_| InvalidData::absent()),
    }
}
