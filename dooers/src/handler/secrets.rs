//! Sealed answers to the password fields of forms.
//!
//! Answers to password fields are never published, and they are stored only in sealed form. They are sealed before
//! they are passed to the store, which keeps them in the turn's row. The handler can therefore read them after a
//! restart, in a retry, and in another process with the same keys.

use crate::AgentError;
use crate::protocol::{EventType, password_fields};
use crate::settings::{Keyring, Sealed};
use crate::store::{AnswerSeal, Claim, KeyedDigest, NewMessage, Scope, SealedAnswer};
use serde_json::{Map, Value};
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The purpose of these secrets and hashes, which separates them from those of settings.
const PURPOSE: &str = "answer to a form";

/// The keys of a server that seal answers.
#[derive(Debug, Clone)]
pub(crate) struct AnswerKeys(Option<Keyring>);

impl AnswerKeys {
    pub(crate) fn new(keys: Option<Keyring>) -> Self {
        Self(keys)
    }

    /// Seals the answers in a message. The store decides which parts it keeps.
    pub(crate) fn seal(&self, scope: &Scope, message: &mut NewMessage) {
        let data = message.data.as_ref();
        let data = data.filter(|_| message.kind == EventType::FormResponse);
        message.seal = data.and_then(|data| {
            let place = AnswerPlace {
                agent: &scope.agent,
                worker_id: &scope.worker_id,
                thread_id: message.thread.id(),
                event_id: &message.event_id,
            };
            self.seal_of(&place, data)
        });
    }

    fn seal_of(&self, place: &AnswerPlace<'_>, data: &Value) -> Option<AnswerSeal> {
        let keys = self.0.as_ref()?;
        let values = data.get("values").and_then(Value::as_object);
        let values = Zeroizing::new(serde_json::to_string(&values).ok()?);
        let sealed = keys.seal_at(&place.parts(), &values)?;
        let digests = keys.digests(PURPOSE, canonical(data).as_bytes());
        let mut digests = digests.into_iter().map(|digested| KeyedDigest {
            key_id: digested.key_id,
            digest: digested.digest,
        });
        // The first key is the one that sealed the values.
        let digest = digests.next()?;
        Some(AnswerSeal {
            sealed: SealedAnswer {
                text: sealed.text,
                digest,
            },
            others: digests.collect(),
        })
    }

    /// Opens the sealed answers of a claimed turn's message.
    ///
    /// # Errors
    ///
    /// As [`open_answer`](Self::open_answer).
    pub(crate) fn open(&self, claim: &Claim) -> Result<AnswerSecrets, AgentError> {
        let scope = claim.thread.scope();
        let place = (claim.key.thread_id.as_str(), claim.key.event_id.as_str());
        self.open_answer(&scope, place, claim.sealed.as_ref())
    }

    /// Opens the sealed answers of the event with this thread and id.
    ///
    /// # Errors
    ///
    /// If the key is not in the keyring, or the row was changed.
    pub(crate) fn open_answer(
        &self,
        scope: &Scope,
        (thread_id, event_id): (&str, &str),
        sealed: Option<&SealedAnswer>,
    ) -> Result<AnswerSecrets, AgentError> {
        let Some(answer) = sealed else {
            return Ok(AnswerSecrets::default());
        };
        let place = AnswerPlace {
            agent: &scope.agent,
            worker_id: &scope.worker_id,
            thread_id,
            event_id,
        };
        let sealed = Sealed {
            key_id: answer.digest.key_id.clone(),
            text: answer.text.clone(),
        };
        let unknown = || crate::settings::UnsealError::UnknownKey(sealed.key_id.clone());
        let opened = match &self.0 {
            Some(keys) => keys.open_at(&place.parts(), &sealed),
            None => Err(unknown()),
        };
        match opened {
            Ok(values) => Ok(AnswerSecrets(Some(Arc::new(values)))),
            Err(error) => Err(AgentError::from(format!(
                "the answer to a form cannot be read: {error}"
            ))),
        }
    }

    /// Refuses a form with a password field if its answers could not be sealed.
    ///
    /// # Errors
    ///
    /// A text that names the field and `WORKER_SECRET_KEY`.
    pub(crate) fn check_form(&self, kind: EventType, data: Option<&Value>) -> Result<(), String> {
        let form = data.filter(|_| kind == EventType::Form && self.0.is_none());
        match form.map(password_fields).unwrap_or_default().first() {
            Some(name) => Err(format!(
                "the form has the password field `{name}`, and the server has no key to seal the answer with until the \
                 handler reads it; set WORKER_SECRET_KEY (`openssl rand -base64 32` makes a key), or give the field another \
                 type"
            )),
            None => Ok(()),
        }
    }
}

/// The place of an answer. A sealed answer can only be opened for the same place.
struct AnswerPlace<'a> {
    agent: &'a str,
    worker_id: &'a str,
    thread_id: &'a str,
    event_id: &'a str,
}

impl<'a> AnswerPlace<'a> {
    fn parts(&self) -> [&'a str; 5] {
        [
            PURPOSE,
            self.agent,
            self.worker_id,
            self.thread_id,
            self.event_id,
        ]
    }
}

/// Writes JSON in a form that is the same for equal values, independent of the order of members.
fn canonical(value: &Value) -> Zeroizing<String> {
    fn write(value: &Value, text: &mut String) {
        match value {
            Value::Array(items) => {
                text.push('[');
                for item in items {
                    write(item, text);
                    text.push(',');
                }
                text.push(']');
            }
            Value::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                members.sort_unstable_by_key(|(name, _)| *name);
                text.push('{');
                for (name, value) in members {
                    write(&Value::from(name.as_str()), text);
                    text.push(':');
                    write(value, text);
                    text.push(',');
                }
                text.push('}');
            }
            scalar => text.push_str(&scalar.to_string()),
        }
    }
    let mut text = Zeroizing::new(String::new());
    write(value, &mut text);
    text
}

/// The values of an opened answer, as JSON. `Debug` hides them.
#[derive(Clone, Default)]
pub(crate) struct AnswerSecrets(Option<Arc<Zeroizing<String>>>);

impl AnswerSecrets {
    /// The values by the names of their fields.
    pub(crate) fn values(&self) -> Map<String, Value> {
        let values = self.0.as_ref();
        let values = values.and_then(|values| serde_json::from_str(values).ok());
        values.unwrap_or_default()
    }
}

impl fmt::Debug for AnswerSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "[hidden]" } else { "none" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn canonical_json_ignores_the_order_of_members() {
        let one: Value =
            serde_json::from_str(r#"{"a": {"x": 1, "y": [2, 3]}, "b": null}"#).unwrap();
        let other: Value =
            serde_json::from_str(r#"{"b": null, "a": {"y": [2, 3], "x": 1}}"#).unwrap();
        assert_eq!(canonical(&one), canonical(&other));
        let different = [
            json!({"a": 1}),
            json!({"a": 1.0}),
            json!({"a": "1"}),
            json!({"a": [1]}),
            json!({"a": [[], 1]}),
            json!({"a": [[1]]}),
            json!({"a\":1,\"b": 1}),
            json!({"a": 1, "b": 1}),
        ];
        for (at, one) in different.iter().enumerate() {
            for other in &different[..at] {
                assert_ne!(canonical(one), canonical(other));
            }
        }
    }

    #[test]
    fn password_field_is_refused_without_a_key() {
        let form = json!({"elements": [{"name": "pin", "input_type": "password"}]});
        let none = AnswerKeys::new(None);
        let refusal = none.check_form(EventType::Form, Some(&form)).unwrap_err();
        assert!(
            refusal.contains("`pin`") && refusal.contains("WORKER_SECRET_KEY"),
            "{refusal}"
        );
        assert_eq!(none.check_form(EventType::Message, Some(&form)), Ok(()));
        let without = json!({"elements": [{"name": "pin", "input_type": "text"}]});
        assert_eq!(none.check_form(EventType::Form, Some(&without)), Ok(()));
        let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        let keys = AnswerKeys::new(Some(key.parse().unwrap()));
        assert_eq!(keys.check_form(EventType::Form, Some(&form)), Ok(()));
    }
}
