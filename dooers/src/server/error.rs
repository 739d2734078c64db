//! The error of a server.

use super::bind_address::BindAddress;
use super::config_error::ConfigError;
#[cfg(feature = "nats")]
use crate::broker::InvalidNatsOptions;
use crate::store::StoreError;
use std::io;
use std::net::SocketAddr;

/// An error of a server: it cannot start, or it has stopped. Each text states what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// No agent to serve.
    #[error(
        "there is no agent to serve: put `#[dooers::agent]` on an async function, name one from a library with `.agent::<…>()`, or add one that is made at run time with `.add_agent(…)`"
    )]
    NoAgent,
    /// Two agents with the same name.
    #[error(
        "two agents are named `{name}`, {one} and {other}: give one of them another name, with `#[dooers::agent(name = \"…\")]` or in `AgentDefinition::from_fn`, or name the agents to serve with `.agent::<…>()`"
    )]
    #[non_exhaustive]
    SameName {
        /// The name.
        name: &'static str,
        /// One of them: the module of its function, or the file, line and column that made it.
        one: String,
        /// The other one.
        other: String,
    },
    /// A broker that does not fit the database.
    #[error(
        "the broker `{0}` needs a PostgreSQL database, but the server has another store: choose PostgreSQL, or set WORKER_BROKER=none"
    )]
    Broker(&'static str),
    /// Options with which no NATS server can be reached.
    #[cfg(feature = "nats")]
    #[error("the options of the broker `nats` are not usable")]
    NatsOptions(#[from] InvalidNatsOptions),
    /// An agent that the program named twice.
    #[error(
        "the agent `{0}` is registered twice: remove one of the two calls of `.agent::<…>()` and `.agent_with::<…>(…)` for it; each of them serves the agent"
    )]
    AgentTwice(&'static str),
    /// Two states of one type.
    #[error(
        "the server has two states of the type `{0}`, but an agent finds its state by the type alone: remove one call of `.state(..)`, or wrap one of the values in a type of its own"
    )]
    StateTwice(&'static str),
    /// Two schemas for one agent.
    #[error(
        "the agent `{0}` has two schemas that were built by hand, but it can have only one: remove one call of `.settings_schema(..)` for it"
    )]
    SchemaTwice(&'static str),
    /// Settings with a mistake that the compiler cannot find, such as a default that the field's own `pattern` or
    /// `validate` refuses.
    #[error("the settings `{of}` cannot be used: {problem}")]
    #[non_exhaustive]
    InvalidSettings {
        /// The type of the settings.
        of: &'static str,
        /// The fields and the reasons.
        problem: String,
    },
    /// Two agents that are marked as the default.
    #[error(
        "the agents `{0}` and `{1}` are both marked as the default, but `/ws` can lead to one only: remove `#[dooers::agent(default)]` or `.with_default()` from one of them"
    )]
    TwoDefaults(&'static str, &'static str),
    /// An agent that was made or changed at run time and breaks a rule.
    #[error("the agent `{agent}` cannot be served: {problem}")]
    #[non_exhaustive]
    InvalidAgent {
        /// The name of the agent.
        agent: String,
        /// The rule, and the way out.
        problem: String,
    },
    /// An agent whose arguments use settings of two types.
    #[error(
        "the agent `{agent}` takes settings of two types, `{one}` and `{other}`: an agent has settings of one type; make one of them a group of the other with `#[setting(group)]`"
    )]
    TwoSettings {
        /// The agent.
        agent: &'static str,
        /// One type.
        one: &'static str,
        /// The other type.
        other: &'static str,
    },
    /// An agent that takes settings as values, but for which no settings are described.
    #[error(
        "the agent `{0}` takes `SettingsValues`, but it has no settings: describe them with `.settings_schema::<…>(schema)`, where `…` is the type of the agent, or with `AgentDefinition::with_settings_schema`, or take a struct with `#[derive(WorkerSettings)]`"
    )]
    NoSettings(&'static str),
    /// An agent with both a settings type and a schema that was built by hand.
    #[error(
        "the agent `{agent}` takes its settings as `{of}`, so it cannot have a schema that was built by hand as well; leave out `.settings_schema(..)` or `.with_settings_schema(..)` for this agent, or take `SettingsValues` instead of `{of}`"
    )]
    SettingsByHand {
        /// The agent.
        agent: &'static str,
        /// The type.
        of: &'static str,
    },
    /// An agent that was named to find its settings, and that is not served or has no settings of this type.
    #[error(
        "the server serves no agent `{agent}` with settings of the type `{of}`: correct the name, or let the agent take `{of}` or `Settings<{of}>`"
    )]
    #[non_exhaustive]
    SettingsOfAgent {
        /// The name.
        agent: String,
        /// The type.
        of: &'static str,
    },
    /// None or several of the served agents have settings of this type.
    #[error(
        "{found} of the served agents have settings of the type `{of}`, but exactly one must have them; name the agent with `settings_of`"
    )]
    SettingsOwner {
        /// The type.
        of: &'static str,
        /// The number of served agents with settings of this type.
        found: usize,
    },
    /// A state that an agent takes and that the program did not add.
    #[error(
        "the agent `{agent}` takes `State<{of}>`, but the server has no state of this type, {}; add it with `.state(..)`",
        given_states(.given)
    )]
    #[non_exhaustive]
    NoState {
        /// The agent.
        agent: &'static str,
        /// The type of the state.
        of: &'static str,
        /// The types of the states that the server has.
        given: Vec<&'static str>,
    },
    /// A secret setting whose environment variable cannot be used; see
    /// [`Field::default_env`](crate::settings::Field::default_env).
    #[error(
        "the setting `{field_id}` of `{of}` needs the environment variable `{variable}`: {problem}"
    )]
    SecretVariable {
        /// The struct of the settings, or the agent whose schema was built by hand.
        of: &'static str,
        /// The id of the field.
        field_id: String,
        /// The name of the variable.
        variable: String,
        /// The reason, which does not show the value.
        problem: String,
    },
    /// Stored secrets that are sealed with an unknown key.
    #[error(
        "secret settings in the database are sealed with the key `{0}`, which is not in WORKER_SECRET_KEY: add that key to the list, after the first key"
    )]
    SecretKey(String),
    /// Stored answers to forms that are sealed with an unknown key.
    #[error(
        "the answer to a form whose turn has not ended is sealed with the key `{0}`, which is not in WORKER_SECRET_KEY: add that key to the list, after the first key"
    )]
    AnswerKey(String),
    /// An address on which the server cannot listen.
    #[error("cannot listen on {address}: {hint}")]
    Bind {
        /// The address.
        address: BindAddress,
        /// The way out.
        hint: &'static str,
        /// The error of the system.
        #[source]
        source: io::Error,
    },
    /// An address that other machines can reach, although the server believes its clients.
    #[error(
        "other machines can reach {0}, and without an authenticator every client can read the conversations of every user: set one with `WorkerServer::authenticator(..)`, WORKER_JWT_… or WORKER_TOKENS_FILE, listen on a loopback address such as 127.0.0.1:8000, or allow this with WORKER_ALLOW_OPEN=true or `WorkerConfig::allow_open_on_any_address()`"
    )]
    OpenAddress(SocketAddr),
    /// The pages of every origin may use the server, although it believes its clients.
    #[error(
        "pages of every origin are allowed, and without an authenticator every page that a user visits can read the conversations of every user: list the origins of your pages instead of `*` in WORKER_ALLOWED_ORIGINS, set an authenticator with `WorkerServer::authenticator(..)`, WORKER_JWT_… or WORKER_TOKENS_FILE, or allow this with WORKER_ALLOW_OPEN=true or `WorkerConfig::allow_open_on_any_address()`"
    )]
    OpenToEveryPage,
    /// An authenticator of the program, and another one that a variable selects.
    #[error(
        "the program sets an authenticator with `WorkerServer::authenticator(..)`, and WORKER_JWT_…, WORKER_TOKENS_FILE or WORKER_AUTH_WEBHOOK_URL selects another one, but a server has one: unset the variable, or remove the call"
    )]
    TwoAuthenticators,
    /// A server that stopped because a newer program has migrated its database, whose tables no longer fit this program.
    #[error("the server has stopped: {0}")]
    Overtaken(String),
    /// A server that was already closed.
    #[error("the server was closed; create a new one with `WorkerServer::new`")]
    Closed,
    /// A handle of a turn that belongs to no server.
    #[error(
        "this handle belongs to no server, because `TurnServer::detached` created it; in a test that needs a server, use \
         the handle that `WorkerServer::turn_server` returns"
    )]
    Detached,
    /// An error of the listener.
    #[error("the listener failed")]
    Listen(#[source] io::Error),
    /// Signal handlers that could not be installed.
    #[error("the handlers of the signals that stop the program cannot be installed")]
    Signals(#[source] io::Error),
    /// A variable with a value that is not allowed.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An error of the store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Lists the states that a server has, for an error text.
fn given_states(given: &[&'static str]) -> String {
    match given {
        [] => "and no other state either".to_owned(),
        given => format!("only `{}`", given.join("`, `")),
    }
}
