//! What code calls that the derive macros generate. Not part of the public API: it may change in any release.

use super::{
    Field, Group, Reader, SettingValue, SettingsGroup, SettingsItem, SettingsSchema,
    SettingsValues, WorkerSettings,
};
use crate::AgentError;
use crate::requirements::Requirements;
use crate::turn::Turn;
use serde_json::Value;
use std::fmt::Display;

pub use super::const_checks::{assert_choice, assert_distinct, refuse_without_default};
pub use std::sync::LazyLock;

/// A field of a struct: the one place where generated code asks for a [`SettingValue`], so that a type that is none
/// is one error.
#[derive(Debug, Clone, Copy)]
pub struct TypedField<T> {
    id: &'static str,
    choices: &'static [(&'static str, &'static str)],
    field: fn(&str) -> Field,
    from_value: fn(&Value) -> Option<T>,
    to_value: fn(&T) -> Value,
    put: fn(&mut SettingsValues, &str, &T),
}

/// A field of this type.
#[must_use]
pub const fn typed<T: SettingValue>(id: &'static str) -> TypedField<T> {
    TypedField {
        id,
        choices: T::CHOICES,
        field: T::field,
        from_value: T::from_value,
        to_value: T::to_value,
        put: SettingsValues::put,
    }
}

impl<T: 'static> TypedField<T> {
    /// Its description, to be completed.
    #[must_use]
    pub fn field(&self) -> Field {
        (self.field)(self.id)
    }

    /// A default of the field's own type, as JSON.
    #[expect(clippy::needless_pass_by_value, reason = "generated code has a value")]
    #[must_use]
    pub fn json(&self, value: T) -> Value {
        (self.to_value)(&value)
    }

    /// The check of the user's own.
    #[must_use]
    pub fn validated<E: Display>(
        &self,
        field: Field,
        check: impl Fn(&T) -> Result<(), E> + Send + Sync + 'static,
    ) -> Field {
        field.validated_by(self.from_value, check)
    }

    /// Reads its value.
    #[must_use]
    pub fn read(&self, values: &Reader<'_>) -> T {
        values.value_by(self.id, self.from_value)
    }

    /// Writes its value.
    pub fn write(&self, value: &T, values: &mut SettingsValues) {
        (self.put)(values, self.id, value);
    }

    /// What can be chosen.
    #[must_use]
    pub const fn choices(&self) -> &'static [(&'static str, &'static str)] {
        self.choices
    }
}

/// A type that the macro does not know by its name. The derive macro implements it for structs of settings.
pub trait NamedType {
    /// What the type is.
    type Is;
}

/// A type of a single setting.
#[derive(Debug, Clone, Copy)]
pub struct SingleSetting;

/// A struct of settings, which can be a group.
#[derive(Debug, Clone, Copy)]
pub struct StructOfSettings;

impl<T: SettingValue> NamedType for T {
    type Is = SingleSetting;
}

/// Makes fields of a type. A struct of settings has none.
#[diagnostic::on_unimplemented(
    message = "`{T}` is a group of settings, but this field is not marked as a group; write `#[setting(group)]` on it",
    label = "a group of settings",
    note = "a group cannot have a `default` and cannot be an `Option`, as it is always there and its fields hold the values"
)]
pub trait FieldOf<T> {
    /// A field that always has a value.
    const ALWAYS: TypedField<T>;
    /// A field that may have none.
    const OPTIONAL: TypedField<Option<T>>;
}

impl<T: SettingValue> FieldOf<T> for SingleSetting {
    const ALWAYS: TypedField<T> = typed("");
    const OPTIONAL: TypedField<Option<T>> = typed("");
}

/// A field of a type that the macro does not know by its name.
#[must_use]
pub const fn named<T: NamedType<Is: FieldOf<T>>>(id: &'static str) -> TypedField<T> {
    TypedField {
        id,
        ..<T::Is as FieldOf<T>>::ALWAYS
    }
}

/// The same in an `Option`.
#[must_use]
pub const fn optional<T: NamedType<Is: FieldOf<T>>>(id: &'static str) -> TypedField<Option<T>> {
    TypedField {
        id,
        ..<T::Is as FieldOf<T>>::OPTIONAL
    }
}

/// A group of a struct: the one place where generated code asks for a [`SettingsGroup`].
#[derive(Debug, Clone, Copy)]
pub struct TypedGroup<T> {
    id: &'static str,
    ids: &'static [&'static str],
    fields: fn() -> Vec<Field>,
    read: fn(&Reader<'_>) -> T,
    write: fn(&T, &mut SettingsValues),
}

/// A group of the fields of this struct.
#[must_use]
pub const fn typed_group<T: SettingsGroup>(id: &'static str) -> TypedGroup<T> {
    TypedGroup {
        id,
        ids: T::IDS,
        fields: T::fields,
        read: T::read,
        write: T::write,
    }
}

impl<T: 'static> TypedGroup<T> {
    /// Its description, to be completed.
    #[must_use]
    pub fn group(&self) -> Group {
        Group::new(self.id, (self.fields)())
    }

    /// The ids of its fields.
    #[must_use]
    pub const fn ids(&self) -> &'static [&'static str] {
        self.ids
    }

    /// Reads its values.
    #[must_use]
    pub fn read(&self, values: &Reader<'_>) -> T {
        (self.read)(values)
    }

    /// Writes its values.
    pub fn write(&self, value: &T, values: &mut SettingsValues) {
        (self.write)(value, values);
    }
}

/// A field or a group.
#[must_use]
pub fn item(item: impl Into<SettingsItem>) -> SettingsItem {
    item.into()
}

/// A schema of items that the macro has checked.
#[must_use]
pub fn schema(version: &str, items: Vec<SettingsItem>) -> SettingsSchema {
    SettingsSchema::of(version.to_owned(), items)
}

/// The struct of nothing but defaults.
#[must_use]
pub fn defaults<T: WorkerSettings>() -> T {
    T::from_values(&SettingsValues::default())
}

/// The same of a struct that is only a group.
#[must_use]
pub fn group_defaults<T: SettingsGroup>() -> T {
    let schema = schema("", items::<T>());
    T::read(&Reader::new(&schema, &SettingsValues::default()))
}

/// The fields of a struct that has no groups, as items.
#[must_use]
pub fn items<T: SettingsGroup>() -> Vec<SettingsItem> {
    T::fields().into_iter().map(SettingsItem::from).collect()
}

/// Stands for the schema of a struct that the macro refused.
#[must_use]
pub fn refused_schema() -> &'static SettingsSchema {
    static NONE: LazyLock<SettingsSchema> = LazyLock::new(|| schema("", Vec::new()));
    &NONE
}

/// Stands for a value of a struct that the macro refused. It is never called, as such a program is not built.
///
/// # Panics
///
/// Always.
#[expect(clippy::panic, reason = "such a program is not built")]
#[must_use]
pub fn refused_value<T>() -> T {
    panic!("the settings have mistakes")
}

/// The values of the moment, for the argument of a handler.
///
/// # Errors
///
/// [`AgentError`], if the database fails or a secret does not open.
pub async fn from_turn<T: WorkerSettings>(turn: &Turn) -> Result<T, AgentError> {
    turn.settings().await
}

/// Says that an argument needs the settings of this type.
pub fn require<T: WorkerSettings>(requirements: &mut Requirements) {
    requirements.settings::<T>();
}
