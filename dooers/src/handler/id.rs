//! The ids of what a handler sent.

use crate::protocol::FeedbackTarget;
use serde::{Deserialize, Serialize};
use std::borrow::Borrow;
use std::fmt;

/// Creates a type for ids. It converts from and to a text, but it is not a text, so that a handler cannot return it as
/// its answer by mistake.
macro_rules! id {
    ($(#[$docs:meta])* $name:ident) => {
        $(#[$docs])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The id as a text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                // Respects a width, as the `Display` of a text does.
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.0 == *other
            }
        }

        impl PartialEq<String> for $name {
            fn eq(&self, other: &String) -> bool {
                self.0 == *other
            }
        }

        impl From<String> for $name {
            fn from(id: String) -> Self {
                Self(id)
            }
        }

        impl From<&str> for $name {
            fn from(id: &str) -> Self {
                Self(id.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}

impl From<&EventId> for FeedbackTarget {
    fn from(id: &EventId) -> Self {
        Self::Event(id.0.clone())
    }
}

impl From<&RunId> for FeedbackTarget {
    fn from(id: &RunId) -> Self {
        Self::Run(id.0.clone())
    }
}

id! {
    /// The id of an event.
    ///
    /// It is not a reply. A handler that has sent its answer and has nothing to add ends with `Ok(())`.
    ///
    /// ```
    /// use dooers::prelude::*;
    ///
    /// #[dooers::agent]
    /// async fn greeter(response: WorkerResponse) -> Result<()> {
    ///     let id = response.text("Hello!").await?;
    ///     println!("stored as {id}");
    ///     Ok(())
    /// }
    /// ```
    EventId
}

id! {
    /// The id of a run, for agents with `run = "manual"`. It is not a reply.
    ///
    /// ```
    /// use dooers::prelude::*;
    ///
    /// #[dooers::agent(run = "manual")]
    /// async fn worker(response: WorkerResponse) -> Result<()> {
    ///     let started = response.run_start().await?;
    ///     let ended = response.run_end(Ok(())).await?;
    ///     assert_eq!(started, ended);
    ///     Ok(())
    /// }
    /// ```
    RunId
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn id_converts_from_and_to_a_text() {
        let id = EventId::from("e1");
        assert_eq!(id, EventId::from("e1".to_owned()));
        assert_eq!((id.as_str(), id.as_ref()), ("e1", "e1"));
        assert_eq!(format!("{id:>4}|"), "  e1|");
        assert_eq!(id, "e1".to_owned());
        assert_eq!(HashMap::from([(id.clone(), 1)]).get("e1"), Some(&1));
        assert_eq!(String::from(id), "e1");
    }

    #[test]
    fn id_is_a_text_in_json() {
        let id = RunId::from("r1");
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, r#""r1""#);
        assert_eq!(serde_json::from_str::<RunId>(&json).unwrap(), id);
    }
}
