#![doc = include_str!("../docs/testing.md")]
#![expect(
    clippy::panic,
    reason = "a test fails by panicking, also in its helpers"
)]

mod assertions;
mod builder;
mod client;
mod conversation;
mod message;
mod model;
mod patience;
mod script;
mod server;
mod settings;
mod show;
mod stream;
mod talking;
mod threads;
mod turn;
mod user;
mod wire;

pub use builder::TestServerBuilder;
pub use client::TestClient;
pub use conversation::Conversation;
pub use message::TestMessage;
pub use model::{FakeChunk, FakeModel, FakeModelError};
pub use script::FakeReply;
pub use server::TestServer;
pub use settings::ShownSettings;
pub use stream::TestStream;
pub use turn::{CalledTool, TestTurn};
pub use user::TestUser;
