//! An argument of an annotated tool that the model chooses.
//!
//! Method lookup finds `and` if the type is `Send`. Otherwise it dereferences the argument and finds the `and` of [`NotSendValue`].
//! A type that is not `Send` therefore causes a single error, where the future of the function is boxed.

use super::argument_list::{And, Arguments, Refused};
use super::missing::absent;
use super::schema_builder::SchemaBuilder;
use crate::handler::Requirements;
use crate::text::split_at_bytes;
use crate::{AgentError, Turn};
use futures::future::BoxFuture;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use serde_path_to_error::Segment;
use std::marker::PhantomData;
use std::ops::Deref;

/// The longest path or reason in a text for the model, in bytes.
const MAX_PART: usize = 300;

/// Reads an argument of this name and with this default from the members that the model sent.
type Read<T> = fn(&str, Option<&Value>, &Map<String, Value>) -> Result<T, String>;

/// An argument that the model chooses.
#[derive(Debug)]
pub struct ValueArgument<T> {
    name: &'static str,
    description: &'static str,
    default: Option<Value>,
    describe: fn(&mut SchemaBuilder, &str, &str, Option<&Value>),
    read: Read<T>,
    not_send: NotSendValue<T>,
}

impl<T> ValueArgument<T> {
    pub(super) fn new(name: &'static str, description: &'static str) -> Self
    where
        T: DeserializeOwned + JsonSchema,
    {
        Self {
            name,
            description,
            default: None,
            describe: |schema, name, description, default| {
                schema.add::<T>(name, description, default);
            },
            read: read::<T>,
            not_send: NotSendValue(PhantomData),
        }
    }

    /// Sets the value of an argument that the model leaves out.
    #[must_use]
    pub fn with_default(mut self, default: Value) -> Self {
        self.default = Some(default);
        self
    }

    /// Adds the argument to the schema.
    fn describe(&self, schema: &mut SchemaBuilder) {
        (self.describe)(schema, self.name, self.description, self.default.as_ref());
    }

    /// Reads the argument. The error is a text for the model.
    fn read(&self, members: &Map<String, Value>) -> Result<T, String> {
        (self.read)(self.name, self.default.as_ref(), members)
    }
}

impl<T: Send> ValueArgument<T> {
    /// Puts the argument before the others.
    #[must_use]
    pub fn and<R: Arguments>(self, rest: R) -> And<Self, R> {
        And { first: self, rest }
    }
}

impl<T> Deref for ValueArgument<T> {
    type Target = NotSendValue<T>;

    fn deref(&self) -> &NotSendValue<T> {
        &self.not_send
    }
}

/// A value whose type is not `Send`.
#[derive(Debug)]
pub struct NotSendValue<T>(PhantomData<fn() -> T>);

impl<T: 'static> NotSendValue<T> {
    /// Replaces the arguments, because such a program does not compile.
    #[must_use]
    pub fn and<R: Arguments>(&self, _rest: R) -> Refused<(T, R::Chosen), (T, R::Values)> {
        Refused(PhantomData)
    }
}

impl<T: Send + 'static, R: Arguments> Arguments for And<ValueArgument<T>, R> {
    type Chosen = (T, R::Chosen);
    type Values = (T, R::Values);

    fn describe(&self, schema: &mut SchemaBuilder) {
        self.first.describe(schema);
        self.rest.describe(schema);
    }

    fn requires(&self, requirements: &mut Requirements) {
        self.rest.requires(requirements);
    }

    fn read(&self, members: &Map<String, Value>) -> Result<Self::Chosen, String> {
        let first = self.first.read(members)?;
        Ok((first, self.rest.read(members)?))
    }

    fn create<'a>(
        &'a self,
        members: &'a Map<String, Value>,
        turn: &'a Turn,
    ) -> BoxFuture<'a, Result<Self::Values, AgentError>> {
        Box::pin(async move {
            let first = self.first.read(members).map_err(AgentError::public)?;
            Ok((first, self.rest.create(members, turn).await?))
        })
    }
}

/// Reads an argument from the members that the model sent.
fn read<T: DeserializeOwned>(
    name: &str,
    default: Option<&Value>,
    members: &Map<String, Value>,
) -> Result<T, String> {
    match members.get(name).or(default) {
        Some(value) => {
            serde_path_to_error::deserialize(value).map_err(|error| misfit(name, value, &error))
        }
        None => absent().ok_or_else(|| format!("the argument `{name}` is missing")),
    }
}

/// Describes a value that does not fit the type of its argument. The text does not quote the value, which can be secret.
fn misfit(
    name: &str,
    mut value: &Value,
    error: &serde_path_to_error::Error<serde_json::Error>,
) -> String {
    let mut member = name.to_owned();
    for segment in error.path() {
        match segment {
            Segment::Seq { index } => {
                member.push_str(&format!("[{index}]"));
                value = value.get(*index).unwrap_or(&Value::Null);
            }
            Segment::Map { key } => {
                member.push_str(&format!(".{key}"));
                value = value.get(key.as_str()).unwrap_or(&Value::Null);
            }
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    let (member, _) = split_at_bytes(&member, MAX_PART);
    let reason = masked(&error.inner().to_string(), value);
    let (shown, rest) = split_at_bytes(&reason, MAX_PART);
    let end = if rest.is_empty() { "" } else { "…" };
    format!("the argument `{member}` does not fit: {shown}{end}")
}

/// Replaces a value in an error of serde, which quotes it.
fn masked(reason: &str, value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return reason.to_owned(),
    };
    reason
        .replace(&format!("{text:?}"), "\"…\"")
        .replace(&format!("`{text}`"), "`…`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn members(value: &Value) -> &Map<String, Value> {
        value.as_object().unwrap()
    }

    #[test]
    fn left_out_argument_has_its_default() {
        let unit = ValueArgument::<String>::new("unit", "").with_default(json!("celsius"));
        for (given, expected) in [
            (json!({}), "celsius"),
            (json!({"unit": "kelvin"}), "kelvin"),
        ] {
            assert_eq!(unit.read(members(&given)).unwrap(), expected);
        }
        let optional = ValueArgument::<Option<u8>>::new("count", "").with_default(json!(3));
        assert_eq!(optional.read(members(&json!({}))), Ok(Some(3)));
        assert_eq!(optional.read(members(&json!({"count": null}))), Ok(None));
        let optional = ValueArgument::<Option<u8>>::new("count", "");
        assert_eq!(optional.read(members(&json!({}))), Ok(None));
    }

    #[test]
    fn misfit_names_the_member() {
        let counts = ValueArgument::<Vec<u8>>::new("counts", "");
        let error = counts
            .read(members(&json!({"counts": [1, "two"]})))
            .unwrap_err();
        assert!(
            error.starts_with("the argument `counts[1]` does not fit: invalid type"),
            "{error}"
        );
        let error = counts.read(members(&json!({}))).unwrap_err();
        assert_eq!(error, "the argument `counts` is missing");
    }

    /// A type that refuses each text, with an error that contains it.
    #[derive(Debug, serde::Deserialize, JsonSchema)]
    #[serde(try_from = "String")]
    struct Never;

    impl TryFrom<String> for Never {
        type Error = String;

        fn try_from(text: String) -> Result<Self, String> {
            Err(format!("not {text}"))
        }
    }

    #[test]
    fn misfit_is_short_and_quotes_no_value() {
        let never = ValueArgument::<Never>::new("never", "");
        let long = "x".repeat(1 << 20);
        let error = never.read(members(&json!({"never": long}))).unwrap_err();
        assert!(error.len() < 400 && error.ends_with('…'), "{error}");
        let days = ValueArgument::<Vec<u8>>::new("days", "");
        for secret in [json!("a \"secret\""), json!(4711)] {
            let given = json!({"days": [secret]});
            let error = days.read(members(&given)).unwrap_err();
            assert!(error.contains("days[0]") && error.contains('…'), "{error}");
            assert!(
                !error.contains("secret") && !error.contains("4711"),
                "{error}"
            );
        }
    }
}
