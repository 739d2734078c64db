//! Forms and their answers.

use super::whole_number;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

/// A form that a client shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Form {
    /// The text above the form.
    pub message: String,
    /// The elements of the form.
    #[serde(serialize_with = "in_their_places")]
    pub elements: Vec<FormElement>,
    /// The label of the button that sends the form.
    pub submit_label: String,
    /// The label of the button that cancels the form.
    pub cancel_label: String,
    /// The size of the form.
    pub size: FormSize,
}

impl Form {
    /// Creates a medium form without elements, with the labels `Submit` and `Cancel`.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            elements: Vec::new(),
            submit_label: "Submit".to_owned(),
            cancel_label: "Cancel".to_owned(),
            size: FormSize::Medium,
        }
    }

    /// Adds an element. If it has no `order`, its order is the number of elements before it.
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

/// Serializes the elements. Every element on the wire has an order.
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

/// The size of a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FormSize {
    /// A small form.
    Small,
    /// A medium form.
    Medium,
    /// A large form.
    Large,
}

/// One element of a form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FormElement {
    /// The name of the element, which is its key in the values of the answer.
    pub name: String,
    /// The text beside the element.
    pub label: String,
    /// The order of the element. Clients show the lowest order first. `None` stands for the number of elements before
    /// it.
    #[serde(default, deserialize_with = "whole_number::optional")]
    pub order: Option<u32>,
    /// True if the form cannot be sent without an answer to this element.
    pub required: bool,
    /// True if the user cannot change the element.
    pub disabled: bool,
    /// The kind of the element.
    #[serde(flatten)]
    pub input: FormInput,
}

/// The kinds of elements.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum FormInput {
    /// One line of text.
    TextInput {
        /// The text that is shown while the input is empty.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        placeholder: Option<String>,
        /// The initial value.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        default: Option<String>,
        /// The type of text.
        input_type: TextInputType,
    },
    /// Several lines of text.
    TextareaInput {
        /// The text that is shown while the input is empty.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        placeholder: Option<String>,
        /// The initial value.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        default: Option<String>,
        /// The height in lines.
        #[serde(
            default,
            deserialize_with = "whole_number::optional",
            skip_serializing_if = "Option::is_none"
        )]
        rows: Option<u32>,
    },
    /// One choice from a drop-down list.
    SelectInput {
        /// The options.
        options: Vec<FormChoice>,
        /// The value that is selected initially.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        default: Option<String>,
        /// The text that is shown while nothing is selected.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        placeholder: Option<String>,
    },
    /// One choice from a list of radio buttons.
    RadioInput {
        /// The options.
        options: Vec<FormChoice>,
        /// The value that is selected initially.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        default: Option<String>,
        /// The appearance of the options.
        variant: ChoiceVariant,
    },
    /// Any number of choices from a list of checkboxes.
    CheckboxInput {
        /// The options.
        options: Vec<FormChoice>,
        /// The values that are selected initially.
        default: Vec<String>,
        /// The appearance of the options.
        variant: ChoiceVariant,
    },
    /// Files.
    FileInput {
        /// The URL to which the client sends the files.
        upload_url: String,
        /// The accepted types of files, as in `accept` of HTML.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        accept: Option<String>,
        /// True if the user may choose more than one file.
        multiple: bool,
    },
}

/// The type of text in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TextInputType {
    /// Any text.
    Text,
    /// A text that is hidden while it is typed.
    Password,
    /// An email address.
    Email,
    /// A number.
    Number,
    /// A date.
    Date,
}

/// The appearance of radio buttons and checkboxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChoiceVariant {
    /// The native appearance of the browser.
    Native,
    /// Buttons.
    Button,
}

/// One option of an element.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FormChoice {
    /// The value of the option in the answer.
    pub value: String,
    /// The text of the option.
    pub label: String,
}

impl FormChoice {
    /// Creates an option with this value and label.
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            label: label.into(),
        }
    }
}

impl FormElement {
    /// Creates an element with this name and kind. It is optional and enabled.
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
