//! The items of a schema.

use super::{Field, Group};

/// A field, or a group of fields.
#[derive(Debug, Clone)]
#[expect(
    clippy::large_enum_variant,
    reason = "there are few, and most of them are fields"
)]
#[non_exhaustive]
pub enum SettingsItem {
    /// A field.
    Field(Field),
    /// A group of fields.
    Group(Group),
}

impl From<Field> for SettingsItem {
    fn from(field: Field) -> Self {
        Self::Field(field)
    }
}

impl From<Group> for SettingsItem {
    fn from(group: Group) -> Self {
        Self::Group(group)
    }
}

impl SettingsItem {
    pub(super) fn fields(&self) -> &[Field] {
        match self {
            Self::Field(field) => std::slice::from_ref(field),
            Self::Group(group) => &group.fields,
        }
    }

    pub(super) fn fields_mut(&mut self) -> &mut [Field] {
        match self {
            Self::Field(field) => std::slice::from_mut(field),
            Self::Group(group) => &mut group.fields,
        }
    }
}
