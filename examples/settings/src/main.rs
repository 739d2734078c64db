//! An agent with a setting of every kind, which an operator can change while it runs.
//!
//! Run with: `cargo run -p example-settings`. It prints the JSON Schema of its settings and listens on 127.0.0.1:8000,
//! or on the address in `WORKER_BIND`. `SUPPORT_API_KEY` sets the API key. `WORKER_SECRET_KEY` (created with
//! `openssl rand -base64 32`) seals the other secrets in `worker.db`.
//!
//! Open http://127.0.0.1:8000 and choose "Settings" in the panel on the right. A temperature of 12 is refused, and the
//! form says why. Other clients do the same with these frames:
//!
//! ```js
//! send("settings.subscribe", {});                                        // the form, with its values
//! send("settings.patch", { field_id: "temperature", value: 1.2 });       // changes one of them
//! send("settings.patch", { field_id: "temperature", value: 12 });        // is refused, and says why
//! ```

use dooers::prelude::*;
use dooers::settings::{Color, HttpUrl, NaiveTime, SettingsUpdate};
use std::time::Duration;

// The system's allocator does not return all freed memory. This matters for a server that runs for months.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The tone of the answers.
#[derive(Debug, Clone, SettingChoice)]
enum Tone {
    #[default]
    Friendly,
    Formal,
    #[setting(label = "As short as can be")]
    Terse,
}

/// Settings that an operator can change.
#[derive(Debug, Clone, WorkerSettings)]
#[setting(version = "1.0")]
struct SupportSettings {
    /// The model that answers.
    #[setting(default = "gpt-4o-mini", options("gpt-4o-mini" = "GPT-4o Mini", "gpt-4o" = "GPT-4o"))]
    model: String,
    /// The randomness of the answers.
    #[setting(min = 0.0, max = 2.0, step = 0.1, default = 0.7)]
    temperature: f64,
    /// The API key. Only the program sees it.
    #[setting(internal, default_env = "SUPPORT_API_KEY", min_length = 8)]
    api_key: Option<Secret>,
    /// The name of the agent.
    #[setting(
        default = "Ada",
        placeholder = "A first name",
        min_length = 1,
        max_length = 40
    )]
    name: String,
    /// The instructions for the model.
    #[setting(default = "Be kind.", rows = 6, max_length = 4000)]
    instructions: String,
    tone: Tone,
    /// The tones that a user can ask for.
    #[setting(default = [Tone::Friendly, Tone::Terse])]
    other_tones: Vec<Tone>,
    /// Words that an answer must not contain.
    banned_words: Vec<String>,
    /// Allows emoji in the answers.
    #[setting(default = false)]
    emoji: bool,
    /// The address for questions that the agent cannot answer.
    #[setting(default = "help@example.org")]
    contact: Email,
    /// The first day on which the agent answers.
    open_from: Option<NaiveDate>,
    /// The time of day at which the agent starts to answer.
    #[setting(default = "09:00")]
    opens_at: NaiveTime,
    /// The longest time that an answer may take.
    #[setting(default = Duration::from_secs(90))]
    patience: Duration,
    help_page: Option<HttpUrl>,
    #[setting(default = "#3366ff")]
    accent: Color,
    #[setting(src = "https://example.org/logo.png", width = 64, height = 64)]
    logo: ImageUrl,
    #[setting(default = "eu-1", readonly)]
    region: String,
    #[setting(group, label = "Limits", collapsible = "closed")]
    limits: Limits,
}

/// Limits.
#[derive(Debug, Clone, WorkerSettings)]
#[setting(group)]
struct Limits {
    /// The maximum number of words in an answer.
    #[setting(default = 200, min = 10, max = 1000, step = 10)]
    max_words: u16,
    /// The maximum cost per day, in cents. Only visible to owners and managers of the organization.
    #[setting(creator, default = 500, validate = affordable)]
    daily_budget: u32,
    /// The key of the search service.
    search_key: Option<Secret>,
}

fn affordable(cents: &u32) -> Result<(), String> {
    if *cents <= 10_000 {
        Ok(())
    } else {
        Err("a day may cost 10000 cents; ask for more".to_owned())
    }
}

/// Answers with its settings.
#[dooers::agent]
async fn support(request: WorkerRequest, settings: SupportSettings) -> String {
    let has_key = settings.limits.search_key.is_some() || settings.api_key.is_some();
    let emoji = if settings.emoji { " 🙂" } else { "" };
    format!(
        "{name} ({model} at {temperature}, {tone:?}, {words} words, {budget} cents, key: {has_key}) says: {message}{emoji}",
        name = settings.name,
        model = settings.model,
        temperature = settings.temperature,
        tone = settings.tone,
        words = settings.limits.max_words,
        budget = settings.limits.daily_budget,
        message = request.message,
    )
}

/// Prints changes that operators make.
async fn changed(update: SettingsUpdate) -> Result<()> {
    println!("{} is now {}", update.field_id, update.new);
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    // The log goes to stderr, because the program prints to stdout.
    tracing_subscriber::fmt()
        .with_env_filter(dooers::log_directives())
        .with_writer(std::io::stderr)
        .init();
    let schema = serde_json::to_string_pretty(&SupportSettings::json_schema())?;
    println!("{schema}");
    WorkerServer::new(WorkerConfig::from_env()?)
        .on_settings_updated(changed)
        .serve()
        .await?;
    Ok(())
}
