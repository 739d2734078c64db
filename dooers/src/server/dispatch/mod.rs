//! Messages that the program sends without a socket, and the turns that answer them.

mod error;
mod event;
mod message;
mod stream;
mod turn_filter;

pub use error::{DispatchError, HandlerError, HandlerErrorKind};
pub use event::DispatchEvent;
pub use message::Dispatch;
pub use stream::DispatchStream;
