//! The place in the program that defines an agent.

use std::any::{TypeId, type_name};
use std::fmt;
use std::panic::Location;

/// The place in the program that defines an agent, for error texts.
#[derive(Debug, Clone, Copy)]
pub(crate) enum AgentPlace {
    /// The type of an annotated function, which has the function's path.
    Annotated(fn() -> AgentType),
    /// The call that made the agent at run time.
    Made(&'static Location<'static>),
}

/// A type that implements [`Agent`](super::Agent), and its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AgentType {
    id: TypeId,
    path: &'static str,
}

impl AgentPlace {
    /// The place of a definition whose type is not known yet.
    pub(super) const UNKNOWN: Self = Self::of::<()>();

    pub(super) const fn of<A: 'static>() -> Self {
        Self::Annotated(|| AgentType {
            id: TypeId::of::<A>(),
            path: type_name::<A>(),
        })
    }

    /// Returns true if the agent was made at run time.
    pub(crate) fn is_made(self) -> bool {
        matches!(self, Self::Made(_))
    }

    /// Returns true if both are the same annotated function.
    pub(crate) fn is_same_function(self, other: Self) -> bool {
        match (self, other) {
            (Self::Annotated(one), Self::Annotated(other)) => one() == other(),
            _ => false,
        }
    }
}

impl fmt::Display for AgentPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Annotated(of) => {
                let path = of().path;
                let module = path.rsplit_once("::").map_or("", |(module, _)| module);
                write!(f, "one in `{module}`")
            }
            Self::Made(place) => write!(f, "one made at {place}"),
        }
    }
}
