//! Agents with settings.

use dooers::prelude::*;
use dooers::settings::NaiveDate;

/// The writing style of an agent.
#[derive(Debug, Clone, PartialEq, SettingChoice)]
pub(crate) enum Tone {
    Friendly,
    VeryFormal,
}

/// One field of every kind.
#[derive(Debug, Clone, WorkerSettings)]
#[setting(version = "2.1")]
pub(crate) struct Every {
    /// The name of the agent.
    #[setting(
        required,
        default = "hello",
        min_length = 2,
        max_length = 8,
        pattern = "^[a-zäöü]+$"
    )]
    pub(crate) name: String,
    pub(crate) note: Option<String>,
    #[setting(default = "", rows = 4, max_length = 20)]
    pub(crate) prompt: String,
    #[setting(default = "small", options("small" = "Small", "large" = "Large"))]
    pub(crate) model: String,
    #[setting(default = Tone::Friendly)]
    pub(crate) tone: Tone,
    #[setting(default = 5, min = 5, max = 105, step = 10)]
    pub(crate) whole: u8,
    pub(crate) large: Option<u64>,
    #[setting(default = -3)]
    pub(crate) signed: i64,
    #[setting(default = 0.5, min = 0.0, max = 2.0, step = 0.1)]
    pub(crate) decimal: f64,
    pub(crate) narrow: Option<f32>,
    #[setting(default = false)]
    pub(crate) check: bool,
    #[setting(min_length = 4)]
    pub(crate) key: Option<Secret>,
    #[setting(default = "ada@example.org")]
    pub(crate) address: Email,
    #[setting(default = "2026-02-11")]
    pub(crate) day: NaiveDate,
    #[setting(src = "https://example.org/logo.png", width = 64, height = 32)]
    pub(crate) logo: ImageUrl,
    #[setting(default = 2, validate = even)]
    pub(crate) even: i32,
    #[setting(group, label = "More", collapsible = "closed")]
    pub(crate) more: More,
}

/// Fields of every visibility.
#[derive(Debug, Clone, WorkerSettings)]
#[setting(group)]
pub(crate) struct More {
    #[setting(default = "fixed", readonly)]
    pub(crate) fixed: String,
    #[setting(default = "creators only", user_editable = false)]
    pub(crate) guarded: String,
    #[setting(creator, default = 10)]
    pub(crate) budget: u32,
    #[setting(internal)]
    pub(crate) trace: Option<String>,
}

fn even(number: &i32) -> Result<(), String> {
    if number % 2 == 0 {
        Ok(())
    } else {
        Err(format!("{number} is odd, and only even numbers are nice"))
    }
}

/// Replies with its settings.
#[dooers::agent]
pub(crate) async fn every(settings: Every) -> String {
    format!("{settings:?}")
}

/// Settings of a few fields.
#[derive(Debug, Clone, PartialEq, WorkerSettings)]
pub(crate) struct Few {
    #[setting(default = 1)]
    pub(crate) first: u32,
    #[setting(default = 2)]
    pub(crate) second: u32,
    pub(crate) key: Option<Secret>,
    #[setting(default = "fixed", readonly)]
    pub(crate) fixed: String,
}

/// Updates a counter and replies with it.
#[dooers::agent]
pub(crate) async fn few(settings: Settings<Few>) -> Result<String> {
    settings.set(|few| few.first += 1).await?;
    let few = settings.get().await?;
    Ok(few.first.to_string())
}

/// An agent without settings.
#[dooers::agent]
pub(crate) async fn none() {}
