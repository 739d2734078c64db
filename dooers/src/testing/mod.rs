#![doc = include_str!("../docs/testing.md")]
#![expect(
    clippy::panic,
    reason = "a test fails by panicking, also in its helpers"
)]

mod assertions;
mod builder;
#[cfg(feature = "tools")]
mod chat_model;
mod client;
mod conversation;
mod fake_chunk;
mod feedback;
mod message;
mod model;
mod render;
mod script;
mod send;
mod server;
mod settings;
mod stream;
mod threads;
mod timeout;
mod turn;
mod user;
mod wire;

pub use crate::broker::BrokerFaults;
pub use builder::TestServerBuilder;
pub use client::TestClient;
pub use conversation::Conversation;
pub use fake_chunk::{FakeChunk, FakeModelError};
pub use message::TestMessage;
pub use model::FakeModel;
pub use script::FakeReply;
pub use server::TestServer;
pub use settings::SettingsView;
pub use stream::TestStream;
pub use turn::{CalledTool, TestTurn};
pub use user::TestUser;
