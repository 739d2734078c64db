//! The JSON Schema of a tool's arguments.

use super::misfit::misfits;
use super::strict::strict;
use jsonschema::Validator;
use jsonschema::paths::LocationSegment;
use serde_json::{Map, Value};
use std::fmt;
use std::sync::OnceLock;

/// Maximum number of passes that remove `null` from arguments. Each pass can reveal another `null`.
const MOST_REMOVALS: usize = 3;

/// The JSON Schema of a tool's arguments. It is compiled once.
pub(super) struct ArgumentSchema {
    given: Value,
    validator: OnceLock<Result<Validator, String>>,
    strict: OnceLock<Result<Value, String>>,
}

impl ArgumentSchema {
    pub(super) fn new(given: Value) -> Self {
        Self {
            given,
            validator: OnceLock::new(),
            strict: OnceLock::new(),
        }
    }

    /// The schema as the program gave it.
    pub(super) fn given(&self) -> &Value {
        &self.given
    }

    /// The schema for providers.
    pub(super) fn plain(&self) -> Value {
        let mut schema = self.given.clone();
        if let Some(members) = schema.as_object_mut() {
            members.shift_remove("$schema");
            // Some providers refuse an object schema without properties.
            let properties = members.entry("properties");
            properties.or_insert_with(|| Value::Object(Map::new()));
        }
        schema
    }

    /// The schema by the rules of OpenAI's strict schemas, or the reason why it cannot be strict.
    pub(super) fn strict(&self) -> Result<&Value, &str> {
        let strict = self.strict.get_or_init(|| strict(&self.plain()));
        strict.as_ref().map_err(String::as_str)
    }

    /// The reason why the schema cannot be used.
    pub(super) fn mistake(&self) -> Option<String> {
        if self.given["type"] != "object" {
            return Some(
                "its schema is not an object schema; `type` must be `object`, because arguments have names".to_owned(),
            );
        }
        self.validator().err().map(str::to_owned)
    }

    fn validator(&self) -> Result<&Validator, &str> {
        let compile = || {
            let compiled = jsonschema::validator_for(&self.given);
            compiled.map_err(|error| {
                let place = error.schema_path().as_str().to_owned();
                format!("its schema is invalid at `{place}`: {error}")
            })
        };
        let validator = self.validator.get_or_init(compile);
        validator.as_ref().map_err(String::as_str)
    }

    /// Checks arguments. A `null` that does not fit counts as a missing member, because models write `null` for arguments
    /// that they leave out.
    ///
    /// # Errors
    ///
    /// The members that do not fit and the reasons, for the model. The text contains no value of the arguments.
    pub(super) fn check(&self, arguments: &mut Value) -> Result<(), String> {
        let validator = self.validator().map_err(str::to_owned)?;
        for _ in 0..MOST_REMOVALS {
            if validator.is_valid(arguments) {
                return Ok(());
            }
            let nulls = wrong_nulls(validator, arguments);
            if nulls.is_empty() {
                break;
            }
            nulls.iter().for_each(|path| remove(arguments, path));
        }
        let misfits = misfits(validator.iter_errors(arguments), &self.given);
        misfits.map_or(Ok(()), Err)
    }
}

impl fmt::Debug for ArgumentSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ArgumentSchema").field(&self.given).finish()
    }
}

/// The path of a member of an object: the pointer of the object, and the name.
type MemberPath = (String, String);

/// The members that are `null` and do not fit.
fn wrong_nulls(validator: &Validator, arguments: &Value) -> Vec<MemberPath> {
    let errors = validator.iter_errors(arguments);
    let nulls = errors.filter(|error| error.instance().is_null());
    let member = |error: jsonschema::ValidationError<'_>| {
        let path = error.instance_path();
        let name = match path.iter().last()? {
            LocationSegment::Property(name) => name.into_owned(),
            LocationSegment::Index(_) => return None,
        };
        let (object, _) = path.as_str().rsplit_once('/')?;
        Some((object.to_owned(), name))
    };
    nulls.filter_map(member).collect()
}

fn remove(arguments: &mut Value, (object, name): &MemberPath) {
    let object = arguments.pointer_mut(object);
    if let Some(members) = object.and_then(Value::as_object_mut) {
        members.shift_remove(name);
    }
}
