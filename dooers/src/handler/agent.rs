//! The trait `Agent`, and the registry of annotated agents.

use super::agent_fn::{AgentFn, AgentFuture};
use super::agent_part::AgentPart;
use super::agent_place::AgentPlace;
use super::annotated::{Handler, refused};
use super::interned::interned;
use super::requirements::Requirements;
use super::{Turn, TurnPolicy};
use crate::settings::SettingsSchema;
use crate::store::OnBusy;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

/// An agent: one async function that answers messages.
///
/// [`#[dooers::agent]`](macro@crate::agent) implements it for a type with the name of the function.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an agent",
    label = "not created by `#[dooers::agent]`",
    note = "annotate an async function with `#[dooers::agent]` and use the name of that function here"
)]
pub trait Agent: 'static {
    /// The name, the description and the handler of the agent.
    const DEFINITION: AgentDefinition;
}

/// The name, the description, the options and the handler of an agent.
///
/// [`#[dooers::agent]`](macro@crate::agent) defines an agent at compile time, and [`from_fn`](Self::from_fn) at run
/// time. The methods `with_…` change the options of both, for
/// [`WorkerServer::agent_with`](crate::WorkerServer::agent_with) and
/// [`WorkerServer::add_agent`](crate::WorkerServer::add_agent). The server checks the values when it starts.
#[derive(Clone)]
pub struct AgentDefinition {
    name: &'static str,
    description: &'static str,
    is_default: bool,
    has_manual_runs: bool,
    private_threads: Option<bool>,
    policy: TurnPolicy,
    call: Call,
    schema: Option<Arc<SettingsSchema>>,
    /// The part of an annotated function.
    annotated_part: Option<fn() -> Arc<dyn AgentPart>>,
    /// The part that is used.
    part: Option<Arc<dyn AgentPart>>,
    place: AgentPlace,
}

/// The handler of an agent.
#[derive(Clone)]
enum Call {
    /// The handler of an annotated function.
    Annotated(fn() -> Handler),
    /// A handler that was made at run time.
    Made {
        call: Arc<dyn Fn(Turn) -> AgentFuture + Send + Sync>,
        requires: fn(&mut Requirements),
    },
}

impl AgentDefinition {
    /// Creates an agent with this name, description and handler. Generated code calls it.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(
        name: &'static str,
        description: &'static str,
        handler: fn() -> Handler,
    ) -> Self {
        Self {
            name,
            description,
            is_default: false,
            has_manual_runs: false,
            private_threads: None,
            policy: TurnPolicy::DEFAULT,
            call: Call::Annotated(handler),
            schema: None,
            annotated_part: None,
            part: None,
            place: AgentPlace::UNKNOWN,
        }
    }

    /// The definition of this agent, with its type. Generated code names it.
    #[doc(hidden)]
    #[must_use]
    pub fn of<A: Agent>() -> Self {
        let mut definition = A::DEFINITION;
        definition.place = AgentPlace::of::<A>();
        definition
    }

    /// Makes an agent at run time, from a function or closure that takes the same arguments and returns the same types as
    /// an annotated function.
    ///
    /// The name is a part of the agent's URL: 1 to 64 ASCII letters, digits, `-`, `_`, `.` and `~`, and unique among the
    /// agents of the server. Names and descriptions are kept until the process ends. Conversations belong to the name, so an
    /// agent must have the same name at the next start.
    ///
    /// ```
    /// use dooers::prelude::*;
    /// use dooers::{AgentDefinition, Database};
    /// use std::time::Duration;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// let mut server = WorkerServer::new(WorkerConfig::new().database(Database::Memory));
    /// // For example from a file.
    /// for (name, greeting) in [("english", "Hello"), ("french", "Bonjour")] {
    ///     let greet = move |request: WorkerRequest| async move {
    ///         format!("{greeting}, {}!", request.message)
    ///     };
    ///     let agent = AgentDefinition::from_fn(name, greet)
    ///         .with_description(format!("Says {greeting}."))
    ///         .with_timeout(Duration::from_secs(90));
    ///     server = server.add_agent(agent);
    /// }
    ///
    /// let turn = server.dispatch_to("french").worker("w1").message("Ada").send().await?;
    /// assert_eq!(turn.text().await?, "Bonjour, Ada!");
    /// # server.close().await;
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    #[must_use]
    pub fn from_fn<F, Arguments>(name: impl Into<String>, function: F) -> Self
    where
        F: AgentFn<Arguments>,
        Arguments: 'static,
    {
        // The handler is replaced below.
        let made = Self::new(interned(name.into()), "", refused);
        let function = Arc::new(function);
        let call = move |turn| F::call(Arc::clone(&function), turn);
        Self {
            call: Call::Made {
                call: Arc::new(call),
                requires: F::requires,
            },
            place: AgentPlace::Made(Location::caller()),
            ..made
        }
    }

    /// Sets the description.
    #[must_use]
    pub fn with_description(mut self, description: impl Into<String>) -> Self {
        self.description = interned(description.into());
        self
    }

    /// Makes the agent the default: if a server has several agents, it serves this one at `/ws`.
    #[must_use]
    pub const fn with_default(mut self) -> Self {
        self.is_default = true;
        self
    }

    /// Lets the handler start and end its runs itself, with
    /// [`run_start`](crate::WorkerResponse::run_start) and [`run_end`](crate::WorkerResponse::run_end).
    #[must_use]
    pub const fn with_manual_runs(mut self) -> Self {
        self.has_manual_runs = true;
        self
    }

    /// Sets whether the threads of the agent are private: visible only to users who have written in them. This takes
    /// precedence over [`WorkerConfig::private_threads`](crate::WorkerConfig::private_threads), which applies to all
    /// other agents.
    ///
    /// ```
    /// use dooers::prelude::*;
    /// use dooers::{AgentDefinition, Database};
    ///
    /// /// Answers anyone in the team.
    /// #[dooers::agent]
    /// async fn team(request: WorkerRequest) -> String {
    ///     format!("The team asks: {}", request.message)
    /// }
    ///
    /// let diary = AgentDefinition::from_fn("diary", async |request: WorkerRequest| request.message);
    /// let config = WorkerConfig::new().database(Database::Memory).private_threads(true);
    /// let server = WorkerServer::new(config)
    ///     .add_agent(diary) // private, by the configuration
    ///     .agent_with::<team>(|agent| agent.with_private_threads(false));
    /// ```
    #[must_use]
    pub const fn with_private_threads(mut self, private: bool) -> Self {
        self.private_threads = Some(private);
        self
    }

    /// Sets the maximum duration of each attempt: more than zero, and at most 24 hours.
    #[must_use]
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.policy.timeout = Some(timeout);
        self
    }

    /// Removes the maximum duration of attempts.
    #[must_use]
    pub const fn without_timeout(mut self) -> Self {
        self.policy.timeout = None;
        self
    }

    /// Sets how often a failed turn is retried, at most 100 times.
    #[must_use]
    pub const fn with_retries(mut self, retries: u32) -> Self {
        self.policy.retries = retries;
        self
    }

    /// Sets the treatment of messages that arrive while another turn of their thread is running. A queue has room for 1 to
    /// 10,000 messages.
    #[must_use]
    pub const fn when_busy(mut self, on_busy: OnBusy) -> Self {
        self.policy.on_busy = on_busy;
        self
    }

    /// Sets the schema of settings whose fields are known only at run time. The handler takes
    /// [`SettingsValues`](crate::settings::SettingsValues). A handler that takes a struct with
    /// `#[derive(WorkerSettings)]` needs no schema.
    ///
    /// A schema that [`WorkerServer::settings_schema`](crate::WorkerServer::settings_schema) sets for the agent takes
    /// precedence.
    #[must_use]
    pub fn with_settings_schema(mut self, schema: SettingsSchema) -> Self {
        self.schema = Some(Arc::new(schema));
        self
    }

    /// Adds the part of an annotated function. Generated code calls it.
    #[doc(hidden)]
    #[must_use]
    pub const fn with_annotated_part(mut self, part: fn() -> Arc<dyn AgentPart>) -> Self {
        self.annotated_part = Some(part);
        self
    }

    /// Replaces the part.
    #[cfg(feature = "tools")]
    pub(crate) fn set_part(&mut self, part: Arc<dyn AgentPart>) {
        self.part = Some(part);
    }

    /// The name, which is unique among the agents of a server.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The description, from the doc comment of the function.
    #[must_use]
    pub const fn description(&self) -> &'static str {
        self.description
    }

    /// Returns true if the agent is the default, which is served at `/ws`.
    #[must_use]
    pub const fn is_default(&self) -> bool {
        self.is_default
    }

    /// Returns true if the handler starts and ends its runs itself.
    #[must_use]
    pub const fn has_manual_runs(&self) -> bool {
        self.has_manual_runs
    }

    /// The option for private threads. `None` if the configuration of the server decides.
    #[must_use]
    pub const fn private_threads(&self) -> Option<bool> {
        self.private_threads
    }

    /// The policy for the turns of the agent.
    #[must_use]
    pub const fn policy(&self) -> TurnPolicy {
        self.policy
    }

    /// The requirements of the agent's arguments, and of its tools.
    #[must_use]
    pub fn requirements(&self) -> Requirements {
        let mut requirements = Requirements::default();
        match &self.call {
            Call::Annotated(handler) => handler().requires(&mut requirements),
            Call::Made { requires, .. } => requires(&mut requirements),
        }
        if let Some(part) = self.part() {
            part.requires(&mut requirements);
        }
        requirements
    }

    /// Calls the handler with one turn.
    #[doc(hidden)]
    #[must_use]
    pub fn call(&self, turn: Turn) -> AgentFuture {
        let turn = match self.part() {
            Some(part) => part.prepare(turn),
            None => turn,
        };
        match &self.call {
            Call::Annotated(handler) => handler().call(turn),
            Call::Made { call, .. } => call(turn),
        }
    }

    /// The schema of settings that was built by hand.
    pub(crate) fn settings_schema(&self) -> Option<&Arc<SettingsSchema>> {
        self.schema.as_ref()
    }

    /// The part, if the agent has one.
    pub(crate) fn part(&self) -> Option<Arc<dyn AgentPart>> {
        let made = self.part.clone();
        made.or_else(|| self.annotated_part.map(|make| make()))
    }

    /// Makes the part of an annotated function, so that it is not made for each turn.
    pub(crate) fn make_part(&mut self) {
        self.part = self.part();
    }

    /// Replaces the policy.
    pub(crate) fn set_policy(&mut self, policy: TurnPolicy) {
        self.policy = policy;
    }

    /// Replaces the option for private threads. `None` leaves it to the configuration.
    pub(crate) fn set_private_threads(&mut self, private: Option<bool>) {
        self.private_threads = private;
    }

    /// The place in the program that defines the agent.
    pub(crate) fn place(&self) -> AgentPlace {
        self.place
    }
}

impl fmt::Debug for AgentDefinition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentDefinition")
            .field("name", &self.name)
            .field("description", &self.description)
            .field("is_default", &self.is_default)
            .field("has_manual_runs", &self.has_manual_runs)
            .field("private_threads", &self.private_threads)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// An entry in the registry of annotated agents: the function that returns the definition.
///
/// A definition instead of a function would be evaluated at compile time, for each agent.
#[derive(Debug)]
pub struct Registered(pub fn() -> AgentDefinition);

inventory::collect!(Registered);

/// All annotated agents that are linked into the program, ordered by name.
pub(crate) fn annotated() -> Vec<AgentDefinition> {
    let mut agents: Vec<_> = inventory::iter::<Registered>
        .into_iter()
        .map(|registered| (registered.0)())
        .collect();
    agents.sort_by_key(|agent| agent.name);
    agents
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers nothing.
    #[crate::agent(name = "of-the-unit-test", crate = crate)]
    async fn quiet() {}

    #[test]
    fn annotated_function_is_registered() {
        let is_quiet = |agent: &AgentDefinition| agent.name() == quiet::DEFINITION.name();
        let found = annotated().into_iter().find(is_quiet).unwrap();
        assert_eq!(found.description(), "Answers nothing.");
    }
}
