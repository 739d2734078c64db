//! Tests of the macros as their users see them. The cases are under `tests/ui`.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// This case is in the library, because the compiler requires docs in libraries only.
#[path = "../tests/ui/agent/pass/strict.rs"]
pub mod strict;

/// The same for tools.
#[path = "../tests/ui/tool/pass/strict.rs"]
pub mod strict_tools;

/// Returns the output of a future that is ready at once.
///
/// # Panics
///
/// If the future is pending.
pub fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        #[expect(clippy::panic, reason = "a test that fails")]
        Poll::Pending => panic!("the future is pending"),
    }
}
