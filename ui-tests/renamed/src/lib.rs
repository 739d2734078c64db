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

/// How it sounds.
#[derive(Debug, Clone, runtime::SettingChoice)]
#[setting(crate = runtime)]
pub enum Tone {
    /// Nicely.
    Warm,
}

/// Settings.
#[derive(Debug, Clone, runtime::WorkerSettings)]
#[setting(crate = ::runtime)]
pub struct Tuning {
    /// How it sounds.
    #[setting(default = "warm")]
    pub tone: Tone,
    /// The rest.
    #[setting(group)]
    pub more: More,
}

/// The rest of the settings.
#[derive(Debug, Clone, runtime::WorkerSettings)]
#[setting(crate = crate::facade::inner, group)]
pub struct More {
    /// How much of it.
    #[setting(default = 3)]
    pub size: u8,
}
