//! The checks of a form before it is sent.

use super::form_check::is_email;
use super::{Form, FormChoice, FormElement, FormInput, TextInputType, date};
use std::collections::HashSet;

/// The reason why a form cannot be sent: clients could not show it, or users could not answer it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormError {
    /// An element has no name.
    #[error(
        "the form's element with the label `{label}` has an empty `name`, but answers are found by name: give it one"
    )]
    NoName {
        /// The label of the element.
        label: String,
    },
    /// Two elements have the same name.
    #[error(
        "the form has two elements with the name `{name}`, but answers are found by name: give each a name of its own"
    )]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// A select, radio or checkbox element has no options.
    #[error("the form's element `{name}` has no options, so nothing can be chosen: give it some")]
    NoOptions {
        /// The name of the element.
        name: String,
    },
    /// Two options of an element have the same value.
    #[error(
        "the form's element `{name}` has two options with the value `{value}`, which an answer cannot tell apart: \
         give each a value of its own"
    )]
    DuplicateOption {
        /// The name of the element.
        name: String,
        /// The value.
        value: String,
    },
    /// The default of an element is not a valid answer to it.
    #[error("the default `{default}` of the form's element `{name}` is not {expected}")]
    WrongDefault {
        /// The name of the element.
        name: String,
        /// The default.
        default: String,
        /// A description of the valid answers.
        expected: String,
    },
    /// The default of a checkbox element contains a value twice.
    #[error("the default of the form's element `{name}` has the value `{value}` twice: remove one")]
    DuplicateDefault {
        /// The name of the element.
        name: String,
        /// The value.
        value: String,
    },
    /// A password has a default.
    #[error(
        "the form's password `{name}` has a default, which every reader of the thread would see: remove it"
    )]
    PasswordDefault {
        /// The name of the element.
        name: String,
    },
    /// A text area has a height of 0 lines.
    #[error("the form's element `{name}` has 0 `rows`, so it cannot be seen: make it 1 or more")]
    NoRows {
        /// The name of the element.
        name: String,
    },
    /// A file element has no upload URL.
    #[error(
        "the form's element `{name}` has an empty `upload_url`, so clients cannot send its files: give it the URL that \
         accepts them"
    )]
    NoUploadUrl {
        /// The name of the element.
        name: String,
    },
}

impl Form {
    /// Checks that clients can show the form and that users can answer it.
    ///
    /// A form is also checked when it is sent. Call this in a unit test to find mistakes earlier.
    ///
    /// ```
    /// use dooers::prelude::*;
    ///
    /// let sizes = FormElement::select("size", "Size", ["S", "M"]).default("XL");
    /// let error = Form::new("Which one?").element(sizes).check().unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "the default `XL` of the form's element `size` is not one of its options `S`, `M`",
    /// );
    /// ```
    ///
    /// # Errors
    ///
    /// [`FormError`] for the first broken rule. Names must not be blank and must be unique. An element with options
    /// must have at least one, with unique values. A default must be a valid answer to its element.
    pub fn check(&self) -> Result<(), FormError> {
        let mut names = HashSet::new();
        for element in &self.elements {
            if element.name.trim().is_empty() {
                return Err(FormError::NoName {
                    label: element.label.clone(),
                });
            }
            if !names.insert(&element.name) {
                return Err(FormError::DuplicateName {
                    name: element.name.clone(),
                });
            }
            element.check()?;
        }
        Ok(())
    }
}

impl FormElement {
    fn check(&self) -> Result<(), FormError> {
        let name = || self.name.clone();
        match &self.input {
            FormInput::TextInput {
                default,
                input_type,
                ..
            } => match default {
                Some(default) => self.check_line(default, *input_type),
                None => Ok(()),
            },
            FormInput::TextareaInput { rows: Some(0), .. } => {
                Err(FormError::NoRows { name: name() })
            }
            FormInput::TextareaInput { .. } => Ok(()),
            FormInput::SelectInput {
                options, default, ..
            }
            | FormInput::RadioInput {
                options, default, ..
            } => self.check_choices(options, default.as_slice()),
            FormInput::CheckboxInput {
                options, default, ..
            } => self.check_choices(options, default),
            FormInput::FileInput { upload_url, .. } if upload_url.trim().is_empty() => {
                Err(FormError::NoUploadUrl { name: name() })
            }
            FormInput::FileInput { .. } => Ok(()),
        }
    }

    fn check_line(&self, default: &str, input_type: TextInputType) -> Result<(), FormError> {
        let expected = match input_type {
            TextInputType::Password => {
                return Err(FormError::PasswordDefault {
                    name: self.name.clone(),
                });
            }
            TextInputType::Number if !is_number(default) => "a number such as `18.5`",
            TextInputType::Date if date(default).is_none() => "a date such as `2026-02-11`",
            TextInputType::Email if !default.is_empty() && !is_email(default.trim()) => {
                "an email address such as `ada@example.com`"
            }
            TextInputType::Text
            | TextInputType::Email
            | TextInputType::Number
            | TextInputType::Date => return Ok(()),
        };
        Err(self.wrong_default(default, expected.to_owned()))
    }

    fn check_choices(&self, options: &[FormChoice], default: &[String]) -> Result<(), FormError> {
        let name = || self.name.clone();
        if options.is_empty() {
            return Err(FormError::NoOptions { name: name() });
        }
        let mut values = HashSet::new();
        if let Some(twice) = options.iter().find(|option| !values.insert(&*option.value)) {
            return Err(FormError::DuplicateOption {
                name: name(),
                value: twice.value.clone(),
            });
        }
        let mut chosen = HashSet::new();
        if let Some(twice) = default.iter().find(|value| !chosen.insert(*value)) {
            return Err(FormError::DuplicateDefault {
                name: name(),
                value: twice.clone(),
            });
        }
        match default
            .iter()
            .find(|value| !values.contains(value.as_str()))
        {
            None => Ok(()),
            Some(value) => {
                let shown: Vec<_> = options
                    .iter()
                    .map(|option| format!("`{}`", option.value))
                    .collect();
                let expected = format!("one of its options {}", shown.join(", "));
                Err(self.wrong_default(value, expected))
            }
        }
    }

    fn wrong_default(&self, default: &str, expected: String) -> FormError {
        FormError::WrongDefault {
            name: self.name.clone(),
            default: default.to_owned(),
            expected,
        }
    }
}

fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(f64::is_finite)
}
