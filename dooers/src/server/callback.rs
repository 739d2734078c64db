//! Callbacks of the program.

use crate::Result;
use crate::error::panic_text;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

type Function<T> = dyn Fn(T) -> BoxFuture<'static, Result<()>> + Send + Sync;

/// A callback of the program, which takes a `T`.
pub(super) struct Callback<T>(Arc<Function<T>>);

impl<T> Callback<T> {
    pub(super) fn new<F, R>(callback: F) -> Self
    where
        F: Fn(T) -> R + Send + Sync + 'static,
        R: Future<Output = Result<()>> + Send + 'static,
    {
        Self(Arc::new(move |value| Box::pin(callback(value))))
    }

    /// Calls the callback. A panic is returned as an error, whose text has the message of the panic.
    pub(super) async fn call(&self, value: T) -> Result<()> {
        // A panic of the closure before it returns its future is caught as well.
        let call = AssertUnwindSafe(async { (self.0)(value).await }).catch_unwind();
        let result = call.await;
        result.unwrap_or_else(|panic| Err(panic_text("the callback", panic).into()))
    }
}

impl<T> Clone for Callback<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Callback<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Callback(…)")
    }
}
