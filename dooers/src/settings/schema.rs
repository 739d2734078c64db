//! The schema of an agent's settings.

use super::SchemaError;
use super::schema_check::mistakes;
use super::{Field, Group, PatchError, SettingsItem, SettingsValues, Visibility};
use crate::protocol::Audience;
use serde_json::Value;
use std::collections::HashMap;

/// The schema of an agent's settings, in the order in which a form shows them.
#[derive(Debug, Clone)]
pub struct SettingsSchema {
    version: String,
    items: Vec<SettingsItem>,
    /// The index of each field's item, and for a field in a group also its index there.
    places: HashMap<String, (usize, Option<usize>)>,
}

impl SettingsSchema {
    /// Creates a builder, for settings whose fields are known only at run time.
    pub fn builder() -> SettingsSchemaBuilder {
        SettingsSchemaBuilder {
            version: "1.0".to_owned(),
            items: Vec::new(),
        }
    }

    /// Creates a schema of these items. The derive macro has checked them, or [`SettingsSchemaBuilder::build`] checks
    /// them.
    pub(crate) fn of(version: String, mut items: Vec<SettingsItem>) -> Self {
        let fields = items.iter_mut().flat_map(SettingsItem::fields_mut);
        fields.for_each(super::check::activate);
        let mut places = HashMap::new();
        for (at, item) in items.iter().enumerate() {
            let is_group = matches!(item, SettingsItem::Group(_));
            for (within, field) in item.fields().iter().enumerate() {
                places.insert(field.id.clone(), (at, is_group.then_some(within)));
            }
        }
        Self {
            version,
            items,
            places,
        }
    }

    /// Checks everything that the compiler cannot check in a struct of settings: above all, that each field accepts its
    /// own default. A schema that was built by hand is checked in the same way.
    pub(crate) fn check_fields(&self) -> Result<(), SchemaError> {
        match mistakes(&self.items) {
            mistakes if mistakes.is_empty() => Ok(()),
            mistakes => Err(SchemaError(mistakes)),
        }
    }

    /// The version, which the author of the agent chooses.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The fields and groups.
    #[must_use]
    pub fn items(&self) -> &[SettingsItem] {
        &self.items
    }

    /// All fields, including those in groups.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.items.iter().flat_map(SettingsItem::fields)
    }

    /// The field with this id.
    #[must_use]
    pub fn field(&self, field_id: &str) -> Option<&Field> {
        let (at, within) = *self.places.get(field_id)?;
        self.items.get(at)?.fields().get(within.unwrap_or(0))
    }

    /// The defaults of all fields that have one.
    #[must_use]
    pub fn defaults(&self) -> SettingsValues {
        let default = |field: &Field| Some((field.id.clone(), field.default.clone()?));
        self.fields().filter_map(default).collect()
    }

    /// Checks a change of a field to this value, and returns the value as it must be stored.
    ///
    /// # Errors
    ///
    /// [`PatchError`] if the field cannot be changed or the value does not fit.
    pub fn check(&self, field_id: &str, value: Value) -> Result<Value, PatchError> {
        self.check_for(Audience::Creator, field_id, value)
    }

    /// Checks a change on behalf of this audience.
    pub(crate) fn check_for(
        &self,
        audience: Audience,
        field_id: &str,
        value: Value,
    ) -> Result<Value, PatchError> {
        let field = self.field(field_id);
        let field = field.ok_or_else(|| PatchError::NotFound(field_id.to_owned()))?;
        if field.visibility == Visibility::Internal {
            return Err(PatchError::Internal(field_id.to_owned()));
        }
        if !field.is_seen_by(audience) {
            return Err(PatchError::NotFound(field_id.to_owned()));
        }
        if field.readonly || (audience == Audience::User && !field.user_editable) {
            return Err(PatchError::Readonly(field_id.to_owned()));
        }
        Ok(field.check(value)?)
    }
}

/// A builder of a [`SettingsSchema`].
#[derive(Debug, Clone)]
#[must_use]
pub struct SettingsSchemaBuilder {
    version: String,
    items: Vec<SettingsItem>,
}

impl SettingsSchemaBuilder {
    /// Sets the version. The default is `1.0`.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// Adds a field.
    pub fn field(mut self, field: Field) -> Self {
        self.items.push(field.into());
        self
    }

    /// Adds a group.
    pub fn group(mut self, group: Group) -> Self {
        self.items.push(group.into());
        self
    }

    /// Builds the schema.
    ///
    /// # Errors
    ///
    /// [`SchemaError`], which lists all mistakes.
    pub fn build(self) -> Result<SettingsSchema, SchemaError> {
        let schema = SettingsSchema::of(self.version, self.items);
        schema.check_fields().map(|()| schema)
    }
}
