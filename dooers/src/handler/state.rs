//! State of the program that handlers can use.

use std::any::{Any, TypeId, type_name};
use std::collections::HashMap;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// A handler's argument for a value that the program passed to [`WorkerServer::state`](crate::WorkerServer::state).
/// Each turn gets a clone.
///
/// ```
/// use dooers::prelude::*;
///
/// #[derive(Clone)]
/// struct Database;
///
/// #[dooers::agent]
/// async fn support(State(database): State<Database>) {
///     let _ = database;
/// }
///
/// let server = WorkerServer::new(WorkerConfig::new()).state(Database);
/// ```
// Exhaustive: handlers destructure it, and it will always be one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct State<S>(pub S);

impl<S> Deref for State<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.0
    }
}

impl<S> DerefMut for State<S> {
    fn deref_mut(&mut self) -> &mut S {
        &mut self.0
    }
}

/// The states of a program, at most one of each type.
#[derive(Clone, Default)]
pub(crate) struct States(HashMap<TypeId, Given>);

/// A state and the name of its type.
#[derive(Clone)]
struct Given {
    of: &'static str,
    state: Arc<dyn Any + Send + Sync>,
}

impl States {
    pub(crate) fn insert<S: Any + Send + Sync>(&mut self, state: S) {
        let given = Given {
            of: type_name::<S>(),
            state: Arc::new(state),
        };
        self.0.insert(TypeId::of::<S>(), given);
    }

    pub(crate) fn has(&self, id: TypeId) -> bool {
        self.0.contains_key(&id)
    }

    pub(crate) fn get<S: Any + Clone>(&self) -> Option<S> {
        let given = self.0.get(&TypeId::of::<S>())?;
        given.state.downcast_ref().cloned()
    }

    /// The types of the states, in alphabetical order.
    pub(crate) fn types(&self) -> Vec<&'static str> {
        let mut types: Vec<_> = self.0.values().map(|given| given.of).collect();
        types.sort_unstable();
        types
    }
}

impl fmt::Debug for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("States").field(&self.0.len()).finish()
    }
}
