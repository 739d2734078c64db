//! The options of a run.

use crate::DEFAULT_HISTORY_LIMIT;

/// Default of [`RunOptions::max_steps`].
pub const DEFAULT_MAX_STEPS: usize = 8;

/// Default of [`RunOptions::max_retries`].
pub const DEFAULT_MAX_RETRIES: u32 = 3;

/// The options of [`Tools::run`](crate::Tools::run).
///
/// ```
/// use dooers::model::RunOptions;
///
/// let options = RunOptions::new().system("You forecast the weather.").max_steps(4);
/// # drop(options);
/// ```
#[derive(Debug, Clone)]
#[must_use = "pass it to `Tools::run`"]
pub struct RunOptions {
    pub(super) system: Option<String>,
    pub(super) max_steps: usize,
    pub(super) history_limit: usize,
    pub(super) max_retries: u32,
}

impl RunOptions {
    /// Creates options without instructions for the model, with the defaults for everything else.
    pub fn new() -> Self {
        Self {
            system: None,
            max_steps: DEFAULT_MAX_STEPS,
            history_limit: DEFAULT_HISTORY_LIMIT,
            max_retries: DEFAULT_MAX_RETRIES,
        }
    }

    /// Sets the instructions for the model.
    pub fn system(mut self, text: impl Into<String>) -> Self {
        self.system = Some(text.into());
        self
    }

    /// Sets how often the model is asked, at most. Default: [`DEFAULT_MAX_STEPS`]. 0 counts as 1.
    ///
    /// If the last step calls tools, the tools are not called, because the model could not use their results. The run then
    /// ends with an error whose text users see.
    pub fn max_steps(mut self, steps: usize) -> Self {
        self.max_steps = steps.max(1);
        self
    }

    /// Sets the limit of the history that the model gets, as for [`MemoryQuery::limit`](crate::MemoryQuery::limit). Default:
    /// [`DEFAULT_HISTORY_LIMIT`]. The calls and results of the turn itself do not count.
    pub fn history_limit(mut self, events: usize) -> Self {
        self.history_limit = events;
        self
    }

    /// Sets how often a step is repeated after a [retryable](super::ModelError::is_retryable) error. Default: [`DEFAULT_MAX_RETRIES`].
    ///
    /// A step is only repeated if nothing of the model's answer has arrived yet. The waits between the attempts grow, and are
    /// at least as long as the model asks for. If it asks for more than 30 seconds, the step is not repeated.
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.max_retries = retries;
        self
    }
}

impl Default for RunOptions {
    fn default() -> Self {
        Self::new()
    }
}
