//! Agents of a crate that knows `dooers` by another name.

use runtime::prelude::*;

/// Named relatively.
///
/// # Errors
///
/// None.
#[runtime::agent(crate = runtime)]
pub async fn relative(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    response.text(request.message);
    Ok(())
}

/// Named absolutely.
#[runtime::agent(crate = ::runtime)]
pub async fn absolute() {}

/// Where a library passes it on.
pub mod facade {
    pub use runtime as inner;
}

/// Named by a path.
#[runtime::agent(crate = crate::facade::inner)]
pub async fn passed_on() {}
