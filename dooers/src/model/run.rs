//! The loop: asks a model, calls the tools that it wants, and asks again.

use super::answer::{Answer, WholeAnswer};
use super::{ChatModel, Completion, ModelError, ModelRequest, RunOptions};
use crate::back_off::BackOff;
use crate::{AgentError, Tools, WorkerMemory, WorkerResponse};
use std::error::Error;
use std::time::Duration;
use tokio::time::sleep;

/// The waits before a step is repeated.
const BACK_OFF: BackOff = BackOff {
    first: Duration::from_millis(500),
    longest: Duration::from_secs(8),
    longest_asked: Duration::from_secs(30),
};

impl Tools {
    /// Asks a model, calls the tools that it wants, and asks it again with their results, until it answers without a call.
    ///
    /// Each step reads the history from the memory, in the model's format. The text of the step is streamed into a
    /// message, its reasoning into another one. The tools are called by [`call_all`](Self::call_all), which stores the calls and
    /// their results, so the next step has them in its history. The usage that the model reports is
    /// [recorded](WorkerResponse::usage).
    ///
    /// The set must belong to the turn, as the `Tools` argument of a handler does. A set without tools is a plain conversation.
    ///
    /// ```
    /// use dooers::model::{ChatModel, RunOptions};
    /// use dooers::prelude::*;
    /// use std::sync::Arc;
    ///
    /// /// Tells the time in a city.
    /// #[dooers::tool]
    /// async fn clock(city: String) -> String {
    ///     format!("It is noon in {city}.")
    /// }
    ///
    /// #[dooers::agent(tools(clock))]
    /// async fn helper(
    ///     tools: Tools,
    ///     memory: WorkerMemory,
    ///     response: WorkerResponse,
    ///     State(model): State<Arc<dyn ChatModel>>,
    /// ) -> Result<()> {
    ///     let options = RunOptions::new().system("Answer in one sentence.");
    ///     tools.run(&model, &memory, &response, options).await?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # What can go wrong
    ///
    /// | the model | outcome |
    /// |---|---|
    /// | fails with a [retryable](ModelError::is_retryable) error before anything of its answer has arrived | The step is repeated, see [`RunOptions::max_retries`]. Then the error is [`AgentError::retryable`]. |
    /// | fails later | The text so far stays, calls that were not complete are forgotten, and the error is returned. It is retryable if the model's error is. |
    /// | answers with nothing | As if it failed with a retryable error. After a step with calls it counts as an answer, because a model may write everything before its calls. |
    /// | calls a tool in a wrong way | The tool's result says so, and the model can correct itself. |
    /// | still calls tools in the last of [`RunOptions::max_steps`] | A [public](AgentError::public) error. These tools are not called. |
    ///
    /// The future can be dropped at any time, as a cancelled turn does. The text so far stays, and the usage so far is recorded.
    ///
    /// # Errors
    ///
    /// The error of the model, see above, and errors of the database.
    pub async fn run(
        &self,
        model: &dyn ChatModel,
        memory: &WorkerMemory,
        response: &WorkerResponse,
        options: RunOptions,
    ) -> Result<Completion, AgentError> {
        let mut completion = Completion::default();
        let mut last_step = options.max_steps;
        loop {
            let history = memory.history(model.history_format());
            let request = ModelRequest {
                history: history.limit(options.history_limit).await?,
                tools: self.definitions(model.tool_format()),
                system: options.system.clone(),
            };
            let may_be_empty = completion.steps > 0;
            let answer = ask(model, request, response, &options, may_be_empty).await?;
            completion.steps += 1;
            completion.usage.extend(answer.usage);
            if answer.calls.is_empty() {
                completion.text = answer.text;
                completion.event_id = answer.event_id;
                return Ok(completion);
            }
            last_step -= 1;
            if last_step == 0 {
                return Err(too_many_steps(options.max_steps));
            }
            self.call_all(answer.calls).await?;
        }
    }
}

/// Asks the model until it answers or must not be asked again.
async fn ask(
    model: &dyn ChatModel,
    request: ModelRequest,
    response: &WorkerResponse,
    options: &RunOptions,
    may_be_empty: bool,
) -> Result<WholeAnswer, AgentError> {
    let mut attempt = 1;
    loop {
        let mut answer = Answer::new(response);
        let read = answer.read(model.stream(request.clone())).await;
        let error = match read {
            Ok(()) if may_be_empty || answer.has_content() => return answer.finish().await,
            Ok(()) => ModelError::retryable("the model answered with nothing"),
            Err(error) => error,
        };
        let may_repeat = attempt <= options.max_retries && !answer.has_begun();
        let wait = BACK_OFF.wait(attempt, error.retry_after());
        let is_too_long = error.retry_after().is_some_and(|asked| asked > wait);
        if !may_repeat || is_too_long || !error.is_retryable() {
            return Err(error.into_agent_error());
        }
        drop(answer);
        tracing::warn!(target: "dooers::model", error = &error as &dyn Error, attempt, ?wait, "the model did not answer; asking again after the wait");
        sleep(wait).await;
        attempt += 1;
    }
}

fn too_many_steps(max_steps: usize) -> AgentError {
    let times = if max_steps == 1 { "time" } else { "times" };
    AgentError::public(format!(
        "I used tools {max_steps} {times} and still have no answer. Please ask for less at once."
    ))
}
