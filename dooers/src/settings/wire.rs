//! The settings that an audience sees.

use super::{
    Collapsible, Field, FieldKind, Group, SettingsItem, SettingsSchema, SettingsValues, Visibility,
    formats,
};
use crate::protocol::{Audience, FieldView, GroupView, ItemView, OptionView};
use serde_json::Value;

impl SettingsSchema {
    /// The items that an audience sees, with these values. A group without visible fields is left out.
    #[must_use]
    pub(crate) fn shown(&self, audience: Audience, values: &SettingsValues) -> Vec<ItemView> {
        let shown = |item: &SettingsItem| match item {
            SettingsItem::Field(field) => {
                let field = field.is_seen_by(audience).then(|| field.shown(values))?;
                Some(ItemView::Field(Box::new(field)))
            }
            SettingsItem::Group(group) => {
                let group = group.shown(audience, values);
                (!group.fields.is_empty()).then_some(ItemView::Group(group))
            }
        };
        self.items().iter().filter_map(shown).collect()
    }
}

impl Field {
    pub(super) fn is_seen_by(&self, audience: Audience) -> bool {
        match self.visibility {
            Visibility::User => true,
            Visibility::Creator => audience == Audience::Creator,
            Visibility::Internal => false,
        }
    }

    /// A value of this field as clients see it. Secrets are `null`.
    pub(crate) fn shown_value(&self, value: Value) -> Value {
        if self.is_secret() { Value::Null } else { value }
    }

    fn shown(&self, values: &SettingsValues) -> FieldView {
        let value = values.of(self);
        let has_value = self.is_secret().then_some(!value.is_null());
        let options = self.options.iter().map(|(value, label)| OptionView {
            value: value.clone(),
            label: label.clone(),
        });
        FieldView {
            id: self.id.clone(),
            kind: self.kind.name(),
            label: self.label.clone(),
            required: self.required,
            readonly: self.readonly,
            src: match self.kind {
                FieldKind::Image => value.as_str().map(str::to_owned),
                _ => None,
            },
            value: self.shown_value(value),
            placeholder: self.placeholder.clone(),
            options: match self.kind {
                FieldKind::Select => Some(options.collect()),
                FieldKind::List if !self.options.is_empty() => Some(options.collect()),
                _ => None,
            },
            min: self.min.clone(),
            max: self.max.clone(),
            rows: self.rows,
            width: self.width,
            height: self.height,
            visibility: name_of(self.visibility),
            user_editable: self.user_editable,
            description: self.description.clone(),
            step: self.step.clone(),
            min_length: self.min_length,
            max_length: self.max_length,
            pattern: match &self.pattern {
                Some(pattern) => Some(pattern.text.clone()),
                None => self.kind.pattern().map(str::to_owned),
            },
            format: self.kind.format(),
            has_value,
        }
    }
}

impl Group {
    fn shown(&self, audience: Audience, values: &SettingsValues) -> GroupView {
        let visible = self
            .fields
            .iter()
            .filter(|field| field.is_seen_by(audience));
        GroupView {
            id: self.id.clone(),
            label: self.label.clone(),
            fields: visible.map(|field| field.shown(values)).collect(),
            collapsible: self.collapsible.map(|collapsible| match collapsible {
                Collapsible::Open => "open",
                Collapsible::Closed => "closed",
            }),
            visibility: name_of(self.visibility),
            description: self.description.clone(),
        }
    }
}

impl FieldKind {
    /// The format of a text for clients that have an own input for it.
    fn format(self) -> Option<&'static str> {
        match self {
            Self::Duration => Some("duration"),
            Self::Time => Some("time"),
            Self::Url => Some("url"),
            Self::Color => Some("color"),
            Self::List => Some("list"),
            _ => None,
        }
    }

    /// The expression that every value of the kind matches.
    pub(super) fn pattern(self) -> Option<&'static str> {
        match self {
            Self::Duration => Some(formats::DURATION),
            Self::Time => Some(formats::TIME),
            Self::Url => Some(formats::HTTP_URL),
            Self::Color => Some(formats::COLOR),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Text | Self::Duration | Self::Time | Self::Url | Self::Color => "text",
            Self::Textarea | Self::List => "textarea",
            Self::Number => "number",
            Self::Checkbox => "checkbox",
            Self::Select => "select",
            Self::Password => "password",
            Self::Email => "email",
            Self::Date => "date",
            Self::Image => "image",
        }
    }
}

fn name_of(visibility: Visibility) -> &'static str {
    match visibility {
        Visibility::User => "user",
        Visibility::Creator | Visibility::Internal => "creator",
    }
}
