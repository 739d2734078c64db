//! Fields that belong together.

use super::{Field, Visibility};

/// Fields that a form shows together. There are no groups in groups.
#[derive(Debug, Clone)]
pub struct Group {
    pub(super) id: String,
    pub(super) label: String,
    pub(super) description: Option<String>,
    pub(super) fields: Vec<Field>,
    pub(super) collapsible: Option<Collapsible>,
    pub(super) visibility: Visibility,
}

/// How a group that can be folded up is shown at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Collapsible {
    /// Unfolded.
    Open,
    /// Folded up.
    Closed,
}

impl Group {
    /// A group of these fields. Its label is its id in sentence case, unless another one is given.
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

    /// What people read as its name.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// What it is about.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Can be folded up, and is shown like this at first.
    #[must_use]
    pub fn collapsible(mut self, collapsible: Collapsible) -> Self {
        self.collapsible = Some(collapsible);
        self
    }

    /// Only creators see it and its fields.
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

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its fields.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }
}
