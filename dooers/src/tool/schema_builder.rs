//! The JSON Schema of the arguments of an annotated tool.

use super::missing::absent;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// The schema of the arguments, while the arguments are added in their order.
#[derive(Debug)]
pub struct SchemaBuilder {
    generator: SchemaGenerator,
    properties: Map<String, Value>,
    required: Vec<Value>,
    mistake: Option<String>,
}

impl SchemaBuilder {
    pub(super) fn new() -> Self {
        Self {
            generator: SchemaSettings::draft2020_12().into_generator(),
            properties: Map::new(),
            required: Vec::new(),
            mistake: None,
        }
    }

    /// Adds an argument of this type. Its description takes precedence over that of its type.
    pub(super) fn add<T>(&mut self, name: &str, description: &str, default: Option<&Value>)
    where
        T: DeserializeOwned + JsonSchema,
    {
        let mut schema = self.generator.subschema_for::<T>();
        let members = schema.ensure_object();
        if !description.is_empty() {
            members.insert("description".to_owned(), json!(description));
        }
        match default {
            Some(default) => {
                members.insert("default".to_owned(), default.clone());
                self.check_default::<T>(name, default);
            }
            None if absent::<T>().is_none() => self.required.push(json!(name)),
            None => {}
        }
        self.properties.insert(name.to_owned(), schema.to_value());
    }

    fn check_default<T: DeserializeOwned>(&mut self, name: &str, default: &Value) {
        if let Err(error) = T::deserialize(default) {
            let mistake = format!("the default of its argument `{name}` does not fit: {error}");
            self.mistake.get_or_insert(mistake);
        }
    }

    /// Returns the whole schema, and the first default that does not fit the type of its argument.
    pub(super) fn finish(mut self) -> (Value, Option<String>) {
        let mut schema = json!({"type": "object", "properties": self.properties});
        if !self.required.is_empty() {
            schema["required"] = Value::Array(self.required);
        }
        schema["additionalProperties"] = json!(false);
        let definitions = self.generator.take_definitions(true);
        if !definitions.is_empty() {
            schema["$defs"] = Value::Object(definitions);
        }
        (schema, self.mistake)
    }
}
