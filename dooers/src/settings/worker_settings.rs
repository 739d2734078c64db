//! The struct that contains the settings of an agent.

use super::{Field, PatchError, SettingValue, SettingsSchema, SettingsValues};
use serde_json::Value;

/// The settings of an agent as a struct. See the derive macro of the same name.
///
/// A handler that takes the struct as an argument gets the current values.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the settings of an agent",
    label = "does not implement `WorkerSettings`",
    note = "write `#[derive(WorkerSettings)]` on the struct; a struct that is marked with `#[setting(group)]` is only a part of other settings"
)]
pub trait WorkerSettings: Default + Clone + Send + Sync + 'static {
    /// The fields and groups.
    fn schema() -> &'static SettingsSchema;

    /// Reads the values field by field.
    fn read(values: &Reader<'_>) -> Self;

    /// Writes the value of every field.
    fn write(&self, values: &mut SettingsValues);

    /// Creates the struct from values. A field without a value, or with one that does not fit, has its default.
    #[must_use]
    fn from_values(values: &SettingsValues) -> Self {
        Self::read(&Reader::new(Self::schema(), values))
    }

    /// The value of every field, including secrets, which must not be shown to users.
    #[must_use]
    fn to_values(&self) -> SettingsValues {
        let mut values = SettingsValues::default();
        self.write(&mut values);
        values
    }

    /// The JSON Schema (draft 2020-12) of the values: an object with a property for each field. Fields in groups are
    /// properties of the same object. Internal fields are left out.
    #[must_use]
    fn json_schema() -> schemars::Schema {
        Self::schema().json_schema()
    }

    /// Changes one field if the value fits. `null` restores the default.
    ///
    /// # Errors
    ///
    /// [`PatchError`] if the field cannot be changed or the value does not fit. Nothing is changed then.
    fn apply_patch(&mut self, field_id: &str, value: Value) -> Result<(), PatchError> {
        let value = Self::schema().check(field_id, value)?;
        let mut values = self.to_values();
        values.insert(field_id, value);
        *self = Self::from_values(&values);
        Ok(())
    }
}

/// A struct whose fields can be a group of another struct's settings. The derive macro of
/// [`WorkerSettings`](macro@super::super::WorkerSettings) implements this trait for every struct without groups.
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

    /// Reads the values field by field.
    fn read(values: &Reader<'_>) -> Self;

    /// Writes the value of every field.
    fn write(&self, values: &mut SettingsValues);
}

/// A reader of typed values.
#[derive(Debug)]
pub struct Reader<'a> {
    schema: &'a SettingsSchema,
    values: &'a SettingsValues,
}

impl<'a> Reader<'a> {
    /// Creates a reader of values that belong to this schema.
    #[must_use]
    pub fn new(schema: &'a SettingsSchema, values: &'a SettingsValues) -> Self {
        Self { schema, values }
    }

    /// The value of a field: the stored value if it fits, or else the default.
    ///
    /// # Panics
    ///
    /// If the schema has no field with this id, or the field has no default of this type and is not optional. The
    /// derive macro makes sure that this does not happen.
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
