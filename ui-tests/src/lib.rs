//! What the macros accept and refuse, as their users see it. The cases are under `tests/ui`.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// Here and not in a test, as the compiler asks for docs in libraries only.
#[path = "../tests/ui/agent/pass/strict.rs"]
pub mod strict;

/// What a future comes to that never has to wait.
///
/// # Panics
///
/// Where it has to.
pub fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        #[expect(clippy::panic, reason = "a test that fails")]
        Poll::Pending => panic!("the future had to wait"),
    }
}
