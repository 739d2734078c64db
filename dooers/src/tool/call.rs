//! The calls that a model asks for.

use super::approval_form::{Decision, ask};
use super::arguments::parse;
use super::open_call::OpenCall;
use super::run::{FAILED, log, run};
use super::tools::shown_name;
use super::{DynamicTool, ToolEffect, ToolRequest, ToolResult, Tools};
use crate::error::panic_text;
use crate::handler::{IdsGuard, ToolCall};
use crate::{AgentError, Turn};
use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::Value;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Maximum number of calls that run side by side.
const SIDE_BY_SIDE: usize = 16;

/// The result of a call that a person refused.
const REFUSED: &str = "a person refused this call; do not repeat it unless they ask for it";

/// The result of a call that nobody approved in time.
const EXPIRED: &str = "nobody approved this call in time, so it was refused";

impl Tools {
    /// Runs one call that a model asks for: see [`call_all`](Self::call_all).
    ///
    /// # Errors
    ///
    /// The same as for [`call_all`](Self::call_all).
    pub async fn call(
        &self,
        id: impl Into<String>,
        name: impl Into<String>,
        arguments: &str,
    ) -> Result<ToolResult, AgentError> {
        let request = ToolRequest::new(id, name, arguments);
        let mut results = self.run_all(vec![request]).await?;
        // There is one result for each request.
        results.pop().ok_or_else(|| "a call has no result".into())
    }

    /// Runs the calls that a model asks for, and returns their results in the order of the calls.
    ///
    /// * All calls are stored at once, as `tool.call`, before the first one runs. A model that reads the history sees
    ///   them as parallel calls. Each result is stored when it is known, as `tool.result`.
    /// * Calls of tools that only [read](ToolEffect::Read) run side by side, up to 16 at a time. A call of a tool that may
    ///   write runs alone: it waits for the calls before it, and those after it wait for its end.
    /// * The arguments are checked against the schema of the tool. A `null` that the schema does not allow counts as a
    ///   missing argument, because models write it for arguments that they leave out.
    /// * A call that needs an [approval](super::Approval) sends a form and waits for the answer.
    ///
    /// Everything that a model can do wrong is a result with [`is_error`](ToolResult::is_error), by which the model can
    /// correct itself: a tool that does not exist, arguments that are no JSON, too long (256 KiB), nested deeper than 119
    /// levels or do not fit the schema, and a call that a person refused. The same is true of a tool that returns an error,
    /// panics, takes too long, or returns more than 512 KiB. The model gets the
    /// [public text](AgentError::public_text) of an error, or `the tool failed`. The log contains the error in full.
    ///
    /// An id that is empty, that was used before in the thread, or that some provider does not accept, is replaced.
    /// [`ToolResult::id`] is the id under which the call is stored.
    ///
    /// If the future is dropped, for example because the turn is cancelled, the calls that have not ended get a result that
    /// says so.
    ///
    /// # Errors
    ///
    /// The error that ends the turn: the set is not [bound](Self::for_turn) to a turn, or an event cannot be stored.
    pub async fn call_all(
        &self,
        calls: impl IntoIterator<Item = ToolRequest>,
    ) -> Result<Vec<ToolResult>, AgentError> {
        self.run_all(calls.into_iter().collect()).await
    }

    async fn run_all(&self, requests: Vec<ToolRequest>) -> Result<Vec<ToolResult>, AgentError> {
        let Some(turn) = self.bound.as_deref() else {
            return Err(
                "these tools are not bound to a turn: take `Tools` as an argument of the handler, or call `for_turn`"
                    .into(),
            );
        };
        let mut ids = turn.call_ids().await?;
        let requests = requests.into_iter();
        let prepared: Vec<_> = requests
            .map(|request| self.prepare(request, &mut ids))
            .collect();
        drop(ids);
        let response = turn.response();
        let mut pending = Vec::with_capacity(prepared.len());
        let mut stored = Vec::with_capacity(prepared.len());
        for Prepared { call, plan } in prepared {
            let (id, name) = (call.id().to_owned(), call.name().to_owned());
            let (open, sent) = OpenCall::send(response, call);
            stored.push(sent);
            pending.push(Pending {
                id,
                name,
                plan,
                open,
            });
        }
        for sent in stored {
            sent.await?;
        }
        let mut results = Vec::with_capacity(pending.len());
        let mut left = pending.into_iter().peekable();
        while let Some(first) = left.next() {
            let mut group = vec![first];
            while group[0].is_read()
                && let Some(next) = left.next_if(Pending::is_read)
            {
                group.push(next);
            }
            let running = stream::iter(group.into_iter().map(|call| self.finish(turn, call)));
            let ended: Vec<_> = running.buffered(SIDE_BY_SIDE).try_collect().await?;
            results.extend(ended);
        }
        Ok(results)
    }

    /// Finds the tool and checks the arguments.
    fn prepare(&self, request: ToolRequest, ids: &mut IdsGuard<'_>) -> Prepared {
        let id = ids.unique(request.id);
        let parsed = parse(&request.arguments);
        let found = self.find(&request.name).cloned();
        let name = match &found {
            Ok(tool) => tool.name().to_owned(),
            Err(_) => shown_name(&request.name).to_owned(),
        };
        let (shown, plan) = match (found, parsed) {
            (Err(unknown), Ok(arguments)) => (arguments, Plan::Refused(unknown)),
            (Err(text), Err(unusable)) => (unusable.shown, Plan::Refused(text)),
            (Ok(_), Err(unusable)) => (unusable.shown, Plan::Refused(unusable.text)),
            (Ok(tool), Ok(arguments)) => {
                let mut checked = arguments.clone();
                let plan = match tool.arguments().check(&mut checked) {
                    Ok(()) => Plan::Run(tool, checked),
                    Err(text) => Plan::Refused(text),
                };
                (arguments, plan)
            }
        };
        Prepared {
            call: ToolCall::new(id, name, shown),
            plan,
        }
    }

    /// Runs one call and stores its result.
    async fn finish(&self, turn: &Turn, call: Pending) -> Result<ToolResult, AgentError> {
        let Pending {
            id,
            name,
            plan,
            mut open,
        } = call;
        let outcome = match plan {
            Plan::Refused(text) => Err(text),
            Plan::Run(tool, arguments) => match self.approve(turn, &id, &tool, &arguments).await? {
                Ok(()) => {
                    open.start();
                    run(&tool, turn, arguments).await
                }
                Err(text) => Err(text),
            },
        };
        let result = ToolResult::new(id, name, outcome);
        if let Some(stored) = open.close(result.value().clone()) {
            stored.await?;
        }
        Ok(result)
    }

    /// Asks for the approval of a call, if the call needs one. The inner error is a text for the model.
    async fn approve(
        &self,
        turn: &Turn,
        call_id: &str,
        tool: &DynamicTool,
        arguments: &Value,
    ) -> Result<Result<(), String>, AgentError> {
        let needs_approval = || tool.approval().is_needed(arguments);
        let is_needed = match catch_unwind(AssertUnwindSafe(needs_approval)) {
            Ok(is_needed) => is_needed,
            Err(panic) => {
                log(tool, turn, &panic_text("the approval", panic));
                return Ok(Err(FAILED.to_owned()));
            }
        };
        if !is_needed {
            return Ok(Ok(()));
        }
        let response = turn.response();
        let decision = ask(response, call_id, tool, arguments, &self.approvals).await?;
        Ok(match decision {
            Decision::Approved => Ok(()),
            Decision::Refused => Err(REFUSED.to_owned()),
            Decision::Expired => Err(EXPIRED.to_owned()),
        })
    }
}

/// A call with an id, whose arguments were checked.
struct Prepared {
    call: ToolCall,
    plan: Plan,
}

/// A call that was sent.
struct Pending {
    id: String,
    name: String,
    plan: Plan,
    open: OpenCall,
}

/// The next step of a call.
enum Plan {
    /// The tool runs with these arguments.
    Run(DynamicTool, Value),
    /// The model made a mistake. The text is the result.
    Refused(String),
}

impl Pending {
    /// Returns true if the call may run beside others.
    fn is_read(&self) -> bool {
        match &self.plan {
            Plan::Run(tool, _) => tool.effect() == ToolEffect::Read,
            Plan::Refused(_) => true,
        }
    }
}
