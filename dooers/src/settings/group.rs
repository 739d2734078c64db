//! Groups of fields.

use super::{Field, Visibility};

/// Fields that a form shows together. A group cannot contain groups.
#[derive(Debug, Clone)]
pub struct Group {
    pub(super) id: String,
    pub(super) label: String,
    pub(super) description: Option<String>,
    pub(super) fields: Vec<Field>,
    pub(super) collapsible: Option<Collapsible>,
    pub(super) visibility: Visibility,
}

/// The initial state of a group that can be collapsed.
// Exhaustive: a group is either expanded or collapsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Collapsible {
    /// Expanded.
    Open,
    /// Collapsed.
    Closed,
}

impl Group {
    /// Creates a group of these fields. The default label is the id in sentence case.
    pub fn new(id: impl Into<String>, fields: impl IntoIterator<Item = Field>) -> Self {
        let id = id.into();
        Self {
            label: super::field::sentence_case(&id),
            id,
            description: None,
            fields: fields.into_iter().collect(),
            collapsible: None,
            visibility: Visibility::User,
        }
    }

    /// Sets the name that users see.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Sets the text that explains the group.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Makes the group collapsible and sets its initial state.
    #[must_use]
    pub fn collapsible(mut self, collapsible: Collapsible) -> Self {
        self.collapsible = Some(collapsible);
        self
    }

    /// Shows the group and its fields only to creators.
    #[must_use]
    pub fn creator(mut self) -> Self {
        self.visibility = Visibility::Creator;
        for field in &mut self.fields {
            if field.visibility == Visibility::User {
                field.visibility = Visibility::Creator;
            }
        }
        self
    }

    /// The id of the group.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The fields of the group.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }
}
