//! Why a server does not start.

use crate::store::StoreError;
use std::io;
use std::net::SocketAddr;

/// Why a server does not start, or stopped by itself. Each text says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// There is nothing to serve.
    #[error(
        "there is no agent to serve: put `#[dooers::agent]` on an async function, or name one from a library with `.agent::<…>()`"
    )]
    NoAgent,
    /// Two agents have one name.
    #[error(
        "two agents are named `{0}`: give one of them another name with `#[dooers::agent(name = \"…\")]`, or choose with `.agent::<…>()` which to serve"
    )]
    SameName(&'static str),
    /// Two agents are the default one.
    #[error(
        "the agents `{0}` and `{1}` are both marked `#[dooers::agent(default)]`: `/ws` can lead to one only"
    )]
    TwoDefaults(&'static str, &'static str),
    /// The arguments of an agent are, or give, settings of two types.
    #[error(
        "the agent `{agent}` takes settings of two types, `{one}` and `{other}`: an agent has one; make one of them a group of the other with `#[setting(group)]`"
    )]
    TwoSettings {
        /// The agent.
        agent: &'static str,
        /// One type.
        one: &'static str,
        /// The other type.
        other: &'static str,
    },
    /// An agent takes settings as values, and nobody says which there are.
    #[error(
        "the agent `{0}` takes `SettingsValues`, but it has no settings: describe them with `.settings_schema::<{0}>(schema)`, or take a struct with `#[derive(WorkerSettings)]`"
    )]
    NoSettings(&'static str),
    /// An agent has settings of a type and of a schema that was built by hand.
    #[error(
        "the agent `{agent}` takes its settings as `{of}`, so it cannot have a schema that was built by hand as well; leave out `.settings_schema::<{agent}>(..)`, or take `SettingsValues`"
    )]
    SettingsByHand {
        /// The agent.
        agent: &'static str,
        /// The type.
        of: &'static str,
    },
    /// No served agent has settings of this type, or several have.
    #[error(
        "{found} of the agents that are served have settings of the type `{of}`, and one must; name the agent with `settings_of`"
    )]
    SettingsOwner {
        /// The type.
        of: &'static str,
        /// How many.
        found: usize,
    },
    /// The program did not give a state that an agent takes.
    #[error(
        "the agent `{agent}` takes `State<{of}>`, and the server was given no such state; give it with `.state(..)`"
    )]
    NoState {
        /// The agent.
        agent: &'static str,
        /// The type of the state.
        of: &'static str,
    },
    /// A secret setting cannot have the value of its environment variable: see
    /// [`Field::default_env`](crate::settings::Field::default_env).
    #[error(
        "the setting `{field_id}` of `{of}` needs the environment variable `{variable}`: {problem}"
    )]
    SecretVariable {
        /// The struct of the settings, or the agent whose schema was built by hand.
        of: &'static str,
        /// The field.
        field_id: String,
        /// The variable.
        variable: String,
        /// The reason, which does not show the value.
        problem: String,
    },
    /// Stored secrets cannot be opened.
    #[error(
        "secret settings in the database are sealed with the key `{0}`, which is not in WORKER_SECRET_KEY: add that key to the list, behind the one that seals"
    )]
    SecretKey(String),
    /// Stored answers to forms cannot be opened.
    #[error(
        "the answer to a form that waits for its handler is sealed with the key `{0}`, which is not in WORKER_SECRET_KEY: add that key to the list, behind the one that seals"
    )]
    AnswerKey(String),
    /// The address is not to be had.
    #[error("cannot listen on {address}: {hint}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What to do.
        hint: &'static str,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// It was closed before.
    #[error("the server was closed; make a new one with `WorkerServer::new`")]
    Closed,
    /// The listener failed.
    #[error("the listener failed")]
    Listen(#[source] io::Error),
    /// The signals that stop the program cannot be taken.
    #[error("the signals that stop the program cannot be taken")]
    Signals(#[source] io::Error),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ServerError {
    pub(crate) fn bind(address: SocketAddr, source: io::Error) -> Self {
        let hint = match source.kind() {
            io::ErrorKind::AddrInUse => {
                "another program listens there; stop it, or set WORKER_BIND to another address, such as 127.0.0.1:8001"
            }
            io::ErrorKind::AddrNotAvailable => {
                "this machine has no such address; set WORKER_BIND to one that it has, such as 127.0.0.1:8000"
            }
            io::ErrorKind::PermissionDenied => {
                "ports below 1024 need a privilege; set WORKER_BIND to a higher one, such as 127.0.0.1:8000"
            }
            _ => "set WORKER_BIND to another address, such as 127.0.0.1:8000",
        };
        Self::Bind {
            address,
            hint,
            source,
        }
    }
}
