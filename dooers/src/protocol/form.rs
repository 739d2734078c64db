//! Questions to the user, and what comes back.

use super::whole;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

/// A form that a client draws.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Form {
    /// What stands above it.
    pub message: String,
    /// What is asked.
    #[serde(serialize_with = "in_their_places")]
    pub elements: Vec<FormElement>,
    /// On the button that sends it.
    pub submit_label: String,
    /// On the button that does not.
    pub cancel_label: String,
    /// How much room it takes.
    pub size: FormSize,
}

impl Form {
    /// A medium form without elements, with the labels `Submit` and `Cancel`.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            elements: Vec::new(),
            submit_label: "Submit".to_owned(),
            cancel_label: "Cancel".to_owned(),
            size: FormSize::Medium,
        }
    }

    /// Adds an element. One without an `order` gets the number of the elements before it.
    #[must_use]
    pub fn element(mut self, element: impl Into<FormElement>) -> Self {
        let mut element = element.into();
        element.order = element.order.or(Some(place(self.elements.len())));
        self.elements.push(element);
        self
    }

    /// Sets the label of the button that sends the form.
    #[must_use]
    pub fn submit_label(mut self, label: impl Into<String>) -> Self {
        self.submit_label = label.into();
        self
    }

    /// Sets the label of the button that cancels the form.
    #[must_use]
    pub fn cancel_label(mut self, label: impl Into<String>) -> Self {
        self.cancel_label = label.into();
        self
    }

    /// Sets the size.
    #[must_use]
    pub fn size(mut self, size: FormSize) -> Self {
        self.size = size;
        self
    }
}

/// On the wire every element has an order.
fn in_their_places<S: Serializer>(elements: &[FormElement], output: S) -> Result<S::Ok, S::Error> {
    output.collect_seq(elements.iter().enumerate().map(|(index, element)| {
        let order = element.order.or(Some(place(index)));
        FormElement {
            order,
            ..element.clone()
        }
    }))
}

fn place(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// How much room a form takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FormSize {
    /// Little.
    Small,
    /// Some.
    Medium,
    /// Much.
    Large,
}

/// One question of a form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FormElement {
    /// The name of its answer in the response's values.
    pub name: String,
    /// What stands beside it.
    pub label: String,
    /// Its place: clients show the lowest order first. None stands for the number of elements before it in the form.
    #[serde(default, deserialize_with = "whole::optional")]
    pub order: Option<u32>,
    /// Whether the form can be sent without it.
    pub required: bool,
    /// Whether it only shows something.
    pub disabled: bool,
    /// What kind of question it is.
    #[serde(flatten)]
    pub input: FormInput,
}

/// The kinds of question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum FormInput {
    /// One line of text.
    TextInput {
        /// Shown while it is empty.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        placeholder: Option<String>,
        /// What it begins with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        default: Option<String>,
        /// What the text is.
        input_type: TextInputType,
    },
    /// Several lines of text.
    TextareaInput {
        /// Shown while it is empty.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        placeholder: Option<String>,
        /// What it begins with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        default: Option<String>,
        /// Height in lines.
        #[serde(
            default,
            deserialize_with = "whole::optional",
            skip_serializing_if = "Option::is_none"
        )]
        rows: Option<u32>,
    },
    /// One of a list that opens.
    SelectInput {
        /// What can be chosen.
        options: Vec<FormChoice>,
        /// The value chosen at first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        default: Option<String>,
        /// Shown while nothing is chosen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        placeholder: Option<String>,
    },
    /// One of a list that is always open.
    RadioInput {
        /// What can be chosen.
        options: Vec<FormChoice>,
        /// The value chosen at first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        default: Option<String>,
        /// How it looks.
        variant: ChoiceVariant,
    },
    /// Any number of a list.
    CheckboxInput {
        /// What can be chosen.
        options: Vec<FormChoice>,
        /// The values chosen at first.
        default: Vec<String>,
        /// How it looks.
        variant: ChoiceVariant,
    },
    /// Files.
    FileInput {
        /// Where the client sends them.
        upload_url: String,
        /// Which ones, as in HTML's `accept`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        accept: Option<String>,
        /// Whether more than one.
        multiple: bool,
    },
}

/// What a line of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TextInputType {
    /// Anything.
    Text,
    /// Hidden while typed.
    Password,
    /// A mail address.
    Email,
    /// A number.
    Number,
    /// A day.
    Date,
}

/// How radio buttons and checkboxes look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChoiceVariant {
    /// As the browser draws them.
    Native,
    /// As buttons.
    Button,
}

/// One thing that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormChoice {
    /// What comes back.
    pub value: String,
    /// What is shown.
    pub label: String,
}

impl FormChoice {
    /// A choice of this value, shown as this label.
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            label: label.into(),
        }
    }
}

impl FormElement {
    /// A question of this name and kind, optional and enabled.
    pub fn new(name: impl Into<String>, label: impl Into<String>, input: FormInput) -> Self {
        Self {
            name: name.into(),
            label: label.into(),
            order: None,
            required: false,
            disabled: false,
            input,
        }
    }
}

/// The `data` of a `form.response`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(expecting = "an object")]
pub(crate) struct FormAnswer {
    pub(crate) form_event_id: String,
    #[serde(default, deserialize_with = "super::user::null_as_default")]
    pub(crate) cancelled: bool,
    #[serde(default, deserialize_with = "super::user::null_as_default")]
    pub(crate) values: Map<String, Value>,
}
