//! A module with strict lints. The code of the macros passes them.
#![forbid(unsafe_code)]
#![deny(
    missing_docs,
    warnings,
    missing_debug_implementations,
    missing_copy_implementations,
    single_use_lifetimes,
    unreachable_pub,
    unused_qualifications,
    dead_code,
    clippy::all,
    clippy::pedantic,
    clippy::exhaustive_structs
)]

use dooers::prelude::*;

/// Answers a message.
///
/// # Errors
///
/// If the answer cannot be stored.
#[dooers::agent]
pub async fn support(request: WorkerRequest, mut response: WorkerResponse) -> Result<String> {
    response = response.author("Ada");
    response
        .text(format!("You said: {}", request.message))
        .await?;
    Ok(request.message)
}

/// An agent with another type name.
#[dooers::agent(type = Sales, default, run = "manual")]
pub async fn sales() {
    std::future::ready(()).await;
}

#[dooers::agent]
async fn only_registered() {
    std::future::ready(()).await;
}

/// An agent that awaits nothing.
#[dooers::agent]
pub async fn immediate(request: WorkerRequest) -> String {
    request.message
}

macro_rules! agent {
    ($name:ident) => {
        /// An agent of a macro.
        #[dooers::agent]
        pub async fn $name() {}
    };
}

agent!(generated);

/// An agent whose name is a keyword.
#[dooers::agent]
pub async fn r#match() {
    std::future::ready(()).await;
}
