//! The struct that holds the settings of an agent.

use super::{Field, PatchError, SettingValue, SettingsSchema, SettingsValues};
use serde_json::Value;

/// The settings of an agent as a struct: see the derive macro of this name.
///
/// A handler takes the struct itself as an argument, and has the values of the moment.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the settings of an agent",
    label = "does not implement `WorkerSettings`",
    note = "write `#[derive(WorkerSettings)]` on the struct; a struct that is marked with `#[setting(group)]` is only a part of other settings"
)]
pub trait WorkerSettings: Default + Clone + Send + Sync + 'static {
    /// The fields and groups.
    fn schema() -> &'static SettingsSchema;

    /// The values, read field by field.
    fn read(values: &Reader<'_>) -> Self;

    /// Writes every field's value.
    fn write(&self, values: &mut SettingsValues);

    /// The struct of these values. A field without a value, or with one that does not fit, has its default.
    #[must_use]
    fn from_values(values: &SettingsValues) -> Self {
        Self::read(&Reader::new(Self::schema(), values))
    }

    /// The value of every field, secrets too: for the program, and not to be shown.
    #[must_use]
    fn to_values(&self) -> SettingsValues {
        let mut values = SettingsValues::default();
        self.write(&mut values);
        values
    }

    /// What the values must be, as a JSON Schema (draft 2020-12) of an object with a property for each field, those in
    /// groups beside the others. Internal fields are left out.
    #[must_use]
    fn json_schema() -> schemars::Schema {
        Self::schema().json_schema()
    }

    /// Changes one field, if the value is right for it. `null` restores the default.
    ///
    /// # Errors
    ///
    /// [`PatchError`], which says what is wrong and what the field takes. Nothing is changed then.
    fn apply_patch(&mut self, field_id: &str, value: Value) -> Result<(), PatchError> {
        let value = Self::schema().check(field_id, value)?;
        let mut values = self.to_values();
        values.insert(field_id, value);
        *self = Self::from_values(&values);
        Ok(())
    }
}

/// A struct of fields that can be a group of another struct's settings. The derive macro of
/// [`WorkerSettings`](macro@super::super::WorkerSettings) implements it for every struct that has no groups itself.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a group of settings",
    label = "not a group",
    note = "a group is a struct with `#[derive(WorkerSettings)]` that does not contain groups"
)]
pub trait SettingsGroup: Sized {
    /// The ids of the fields.
    const IDS: &'static [&'static str];

    /// The fields.
    fn fields() -> Vec<Field>;

    /// The values, read field by field.
    fn read(values: &Reader<'_>) -> Self;

    /// Writes every field's value.
    fn write(&self, values: &mut SettingsValues);
}

/// Reads typed values.
#[derive(Debug)]
pub struct Reader<'a> {
    schema: &'a SettingsSchema,
    values: &'a SettingsValues,
}

impl<'a> Reader<'a> {
    /// A reader of values that belong to this schema.
    #[must_use]
    pub fn new(schema: &'a SettingsSchema, values: &'a SettingsValues) -> Self {
        Self { schema, values }
    }

    /// The value of a field: the one that is there, if it fits, or else the default.
    ///
    /// # Panics
    ///
    /// If the schema has neither a default nor leave to have none for a field of this id and type. The derive macro
    /// sees to it that every schema has.
    #[must_use]
    pub fn value<T: SettingValue>(&self, field_id: &str) -> T {
        self.value_by(field_id, T::from_value)
    }

    #[expect(
        clippy::expect_used,
        reason = "the derive macro refuses a required field without a default that fits its type"
    )]
    pub(super) fn value_by<T>(&self, field_id: &str, from_value: fn(&Value) -> Option<T>) -> T {
        let field = self.schema.field(field_id);
        let stored = field.and_then(|field| {
            let value = self.values.set_value(field_id)?;
            from_value(&field.check(value.clone()).ok()?)
        });
        let default = || {
            let value = field.and_then(Field::default_value);
            from_value(value.unwrap_or(&Value::Null))
        };
        stored
            .or_else(default)
            .or_else(|| from_value(&field?.without_its_variable()?))
            .expect("the derive macro has checked the default against the type")
    }
}
