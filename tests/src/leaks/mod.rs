//! Planted secrets, and the search for them in everything that a server shows, stores or logs.

mod evidence;
mod exception;
mod secrets;

pub use evidence::{Channel, Evidence, logged};
pub use exception::Exception;
pub use secrets::Secrets;
