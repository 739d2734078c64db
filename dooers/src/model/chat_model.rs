//! The trait of models.

use super::{Delta, ModelError, ModelRequest};
use crate::HistoryFormat;
use crate::tool::ToolFormat;
use futures::stream::BoxStream;
use std::sync::Arc;

/// A model that answers in a stream and can call tools.
///
/// [`Tools::run`](crate::Tools::run) asks it again and again until it answers without a call. A client of a provider
/// implements this trait; `dooers::model::OpenAi` (feature `openai`) and `dooers::testing::FakeModel` (feature `testing`) do.
///
/// The methods are called in the order in which they are listed, once for each step. A `&M`, a `Box<M>` and an `Arc<M>` of a
/// model are models, too, so a program can keep an `Arc<dyn ChatModel>` in its state.
///
/// ```
/// use dooers::model::{ChatModel, Delta, ModelError, ModelRequest};
/// use dooers::tool::ToolFormat;
/// use dooers::HistoryFormat;
/// use futures::stream::{self, BoxStream, StreamExt};
///
/// /// A model that repeats the last message.
/// struct Parrot;
///
/// impl ChatModel for Parrot {
///     fn history_format(&self) -> HistoryFormat {
///         HistoryFormat::OpenAi
///     }
///
///     fn tool_format(&self) -> ToolFormat {
///         ToolFormat::OpenAi
///     }
///
///     fn stream(&self, request: ModelRequest) -> BoxStream<'_, Result<Delta, ModelError>> {
///         let last = request.history.last().and_then(|message| message["content"].as_str());
///         let text = last.unwrap_or("…").to_owned();
///         stream::iter([Ok(Delta::Text(text))]).boxed()
///     }
/// }
/// ```
pub trait ChatModel: Send + Sync {
    /// The format of the messages in [`ModelRequest::history`].
    fn history_format(&self) -> HistoryFormat;

    /// The format of the definitions in [`ModelRequest::tools`].
    fn tool_format(&self) -> ToolFormat;

    /// Asks the model. Nothing is sent before the stream is polled, and dropping the stream ends the request.
    ///
    /// The stream ends after the whole answer, or with the first error. An answer that breaks off must end with an error,
    /// because the caller takes everything before a regular end for the whole answer.
    fn stream(&self, request: ModelRequest) -> BoxStream<'_, Result<Delta, ModelError>>;
}

/// Implements the trait for a pointer to a model.
macro_rules! chat_model_for {
    ($pointer:ty) => {
        impl<M: ChatModel + ?Sized> ChatModel for $pointer {
            fn history_format(&self) -> HistoryFormat {
                (**self).history_format()
            }

            fn tool_format(&self) -> ToolFormat {
                (**self).tool_format()
            }

            fn stream(&self, request: ModelRequest) -> BoxStream<'_, Result<Delta, ModelError>> {
                (**self).stream(request)
            }
        }
    };
}

chat_model_for!(&M);
chat_model_for!(Box<M>);
chat_model_for!(Arc<M>);
