//! Defaults of secrets from environment variables.

use super::{Field, Secret, SettingsSchema, SettingsValues, check};
use serde_json::Value;
use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;

type Lookup = dyn Fn(&str) -> Option<OsString> + Send + Sync;

/// The source of the variables that `default_env` names: the environment, or a function of the program.
#[derive(Clone)]
pub(crate) struct Variables(Arc<Lookup>);

/// The reason why a variable cannot be the default of a secret. The value is not shown.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadVariable {
    pub(crate) field_id: String,
    pub(crate) variable: String,
    pub(crate) problem: String,
}

impl Variables {
    /// Uses a function of the program as the source of variables.
    pub(crate) fn by(lookup: impl Fn(&str) -> Option<Secret> + Send + Sync + 'static) -> Self {
        let lookup = move |name: &str| lookup(name).map(|secret| secret.expose().into());
        Self(Arc::new(lookup))
    }

    /// The value of a field's variable, which is checked like a patch. An empty variable counts as not set.
    fn value_of(&self, field: &Field, variable: &str) -> Result<Option<Value>, String> {
        let value = (self.0)(variable).filter(|value| !value.is_empty());
        let Some(value) = value else {
            return if field.optional {
                Ok(None)
            } else {
                Err(
                    "it is not set; set it, or make the setting optional (`Option<Secret>`)"
                        .to_owned(),
                )
            };
        };
        let text = value.into_string();
        let text = text.map_err(|_| "its value is not UTF-8 text".to_owned())?;
        let value = Value::from(text);
        match check::hidden_problem(field, &value) {
            Some(problem) => Err(format!("its value does not fit: {problem}")),
            None => Ok(Some(value)),
        }
    }
}

impl Default for Variables {
    fn default() -> Self {
        Self(Arc::new(|name| std::env::var_os(name)))
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Variables(…)")
    }
}

impl Field {
    /// The placeholder for a secret that must have a value. It is used without a server, because only servers read
    /// variables.
    pub(super) fn without_its_variable(&self) -> Option<Value> {
        let needs_variable = self.default_env_variable().is_some() && !self.optional;
        needs_variable.then(|| Value::from(""))
    }
}

impl SettingsSchema {
    /// The placeholders for all secrets that must have a value.
    pub(super) fn without_variables(&self) -> SettingsValues {
        let empty = |field: &Field| Some((field.id().to_owned(), field.without_its_variable()?));
        self.fields().filter_map(empty).collect()
    }

    /// Reads all variables that fields name with `default_env`.
    pub(crate) fn read(&self, variables: &Variables) -> Result<SettingsValues, BadVariable> {
        let mut values = SettingsValues::default();
        for field in self.fields() {
            let Some(variable) = field.default_env_variable() else {
                continue;
            };
            let value = variables.value_of(field, variable);
            let value = value.map_err(|problem| BadVariable {
                field_id: field.id().to_owned(),
                variable: variable.to_owned(),
                problem,
            })?;
            if let Some(value) = value {
                values.insert(field.id(), value);
            }
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStringExt;

    fn read(field: Field, value: Option<&'static [u8]>) -> Result<Option<Value>, String> {
        let schema = SettingsSchema::builder().field(field).build().unwrap();
        let lookup = move |name: &str| {
            assert_eq!(name, "KEY");
            value.map(|value| OsString::from_vec(value.to_vec()))
        };
        match schema.read(&Variables(Arc::new(lookup))) {
            Ok(mut values) => Ok(values.remove("key")),
            Err(bad) => {
                assert_eq!(
                    (bad.field_id.as_str(), bad.variable.as_str()),
                    ("key", "KEY")
                );
                Err(bad.problem)
            }
        }
    }

    #[test]
    fn unset_or_empty_variable_has_no_value() {
        let field = || Field::password("key").default_env("KEY");
        for unset in [None, Some(&b""[..])] {
            assert_eq!(read(field().optional(), unset), Ok(None));
            let problem = read(field(), unset).unwrap_err();
            assert!(problem.starts_with("it is not set; set it"), "{problem}");
        }
    }

    #[test]
    fn value_of_a_variable_is_not_trimmed() {
        let field = Field::password("key").default_env("KEY");
        let value = read(field, Some(" hush\n".as_bytes()));
        assert_eq!(value, Ok(Some(Value::from(" hush\n"))));
    }

    #[test]
    fn value_that_does_not_fit_is_not_shown() {
        let field = || Field::password("key").default_env("KEY");
        let echo = |secret: &Secret| Err(format!("{} is wrong", secret.expose()));
        for (field, value, expected) in [
            (
                field().min_length(8),
                &b"hush"[..],
                "its value does not fit: it takes a text of at least 8 characters",
            ),
            (
                field().optional().pattern("^sk-"),
                &b"hush"[..],
                "its value does not fit: it takes a text that matches `^sk-`",
            ),
            (
                field().validate(echo),
                &b"hush"[..],
                "its value does not fit: it does not pass the setting's own check (`validate`)",
            ),
            (field(), &b"hush\xff"[..], "its value is not UTF-8 text"),
        ] {
            assert_eq!(read(field, Some(value)).unwrap_err(), expected);
        }
    }
}
