//! Turns that the program starts by itself, without a socket.

mod error;
mod event;
mod message;
mod stream;
mod turn_filter;

pub use error::{DispatchError, HandlerError, HandlerErrorKind};
pub use event::DispatchEvent;
pub use message::Dispatch;
pub use stream::DispatchStream;
