//! Builders of form elements.
//!
//! Each kind of element has its own type, so that setters that do not fit the kind do not exist.

use super::{ChoiceVariant, FormChoice, FormElement, FormInput, TextInputType};

/// A builder of a form element. [`Form::element`](super::Form::element) accepts it directly.
///
/// The constructors of [`FormElement`] create it. `K` is the kind of the element, which determines the available
/// setters.
///
/// ```
/// use dooers::prelude::*;
///
/// let form = Form::new("What may we bring you?")
///     .element(FormElement::text("who", "Your name").placeholder("Ada").required())
///     .element(FormElement::select("size", "Size", [("s", "Small"), ("l", "Large")]).default("s"))
///     .element(FormElement::checkbox("extras", "With", ["olives", "basil"]).default(["basil"]))
///     .element(FormElement::textarea("note", "Anything else?").rows(3).order(9));
/// assert!(form.check().is_ok());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "an element does nothing before `Form::element` takes it"]
pub struct ElementBuilder<K> {
    name: String,
    label: String,
    order: Option<u32>,
    required: bool,
    disabled: bool,
    kind: K,
}

impl<K> ElementBuilder<K> {
    fn new(name: impl Into<String>, label: impl Into<String>, kind: K) -> Self {
        Self {
            name: name.into(),
            label: label.into(),
            order: None,
            required: false,
            disabled: false,
            kind,
        }
    }

    /// Sets the order of the element. Clients show the lowest order first. The default is the number of elements
    /// before it in the form.
    pub fn order(mut self, order: u32) -> Self {
        self.order = Some(order);
        self
    }

    /// Refuses answers without a value for this element.
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Shows the element with its default, which users cannot change.
    pub fn disabled(mut self) -> Self {
        self.disabled = true;
        self
    }

    fn with(mut self, change: impl FnOnce(&mut K)) -> Self {
        change(&mut self.kind);
        self
    }
}

impl<K: Into<FormInput>> From<ElementBuilder<K>> for FormElement {
    fn from(element: ElementBuilder<K>) -> Self {
        Self {
            order: element.order,
            required: element.required,
            disabled: element.disabled,
            ..Self::new(element.name, element.label, element.kind.into())
        }
    }
}

/// A line of text, an email address, a number or a date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineKind {
    input_type: TextInputType,
    placeholder: Option<String>,
    default: Option<String>,
}

/// A password. It has no default, because every reader of the thread would see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordKind {
    placeholder: Option<String>,
}

/// Several lines of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextareaKind {
    placeholder: Option<String>,
    default: Option<String>,
    rows: Option<u32>,
}

/// One choice from a drop-down list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectKind {
    options: Vec<FormChoice>,
    placeholder: Option<String>,
    default: Option<String>,
}

/// One choice from a list of radio buttons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RadioKind {
    options: Vec<FormChoice>,
    default: Option<String>,
    variant: ChoiceVariant,
}

/// Any number of choices from a list of checkboxes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckboxKind {
    options: Vec<FormChoice>,
    default: Vec<String>,
    variant: ChoiceVariant,
}

/// Files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileKind {
    upload_url: String,
    accept: Option<String>,
    multiple: bool,
}

impl ElementBuilder<LineKind> {
    /// Sets the text that is shown while the line is empty.
    pub fn placeholder(self, text: impl Into<String>) -> Self {
        self.with(|kind| kind.placeholder = Some(text.into()))
    }

    /// Sets the initial text. Write a number as `18.5` and a date as `2026-02-11`.
    pub fn default(self, text: impl Into<String>) -> Self {
        self.with(|kind| kind.default = Some(text.into()))
    }
}

impl ElementBuilder<PasswordKind> {
    /// Sets the text that is shown while the line is empty.
    pub fn placeholder(self, text: impl Into<String>) -> Self {
        self.with(|kind| kind.placeholder = Some(text.into()))
    }
}

impl ElementBuilder<TextareaKind> {
    /// Sets the text that is shown while the element is empty.
    pub fn placeholder(self, text: impl Into<String>) -> Self {
        self.with(|kind| kind.placeholder = Some(text.into()))
    }

    /// Sets the initial text.
    pub fn default(self, text: impl Into<String>) -> Self {
        self.with(|kind| kind.default = Some(text.into()))
    }

    /// Sets the height in lines, at least 1.
    pub fn rows(self, lines: u32) -> Self {
        self.with(|kind| kind.rows = Some(lines))
    }
}

impl ElementBuilder<SelectKind> {
    /// Sets the text that is shown while nothing is selected.
    pub fn placeholder(self, text: impl Into<String>) -> Self {
        self.with(|kind| kind.placeholder = Some(text.into()))
    }

    /// Sets the value that is selected initially. It must be one of the options.
    pub fn default(self, value: impl Into<String>) -> Self {
        self.with(|kind| kind.default = Some(value.into()))
    }
}

impl ElementBuilder<RadioKind> {
    /// Sets the value that is selected initially. It must be one of the options.
    pub fn default(self, value: impl Into<String>) -> Self {
        self.with(|kind| kind.default = Some(value.into()))
    }

    /// Sets the appearance of the options. The default is [`ChoiceVariant::Native`].
    pub fn variant(self, variant: ChoiceVariant) -> Self {
        self.with(|kind| kind.variant = variant)
    }
}

impl ElementBuilder<CheckboxKind> {
    /// Sets the values that are selected initially. Each must be one of the options.
    pub fn default(self, values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.with(|kind| kind.default = values.into_iter().map(Into::into).collect())
    }

    /// Sets the appearance of the options. The default is [`ChoiceVariant::Native`].
    pub fn variant(self, variant: ChoiceVariant) -> Self {
        self.with(|kind| kind.variant = variant)
    }
}

impl ElementBuilder<FileKind> {
    /// Sets the accepted types of files, as in HTML: `image/*`, or `.pdf,.txt`.
    pub fn accept(self, types: impl Into<String>) -> Self {
        self.with(|kind| kind.accept = Some(types.into()))
    }

    /// Allows more than one file.
    pub fn multiple(self) -> Self {
        self.with(|kind| kind.multiple = true)
    }
}

impl From<LineKind> for FormInput {
    fn from(kind: LineKind) -> Self {
        Self::TextInput {
            placeholder: kind.placeholder,
            default: kind.default,
            input_type: kind.input_type,
        }
    }
}

impl From<PasswordKind> for FormInput {
    fn from(kind: PasswordKind) -> Self {
        Self::TextInput {
            placeholder: kind.placeholder,
            default: None,
            input_type: TextInputType::Password,
        }
    }
}

impl From<TextareaKind> for FormInput {
    fn from(kind: TextareaKind) -> Self {
        Self::TextareaInput {
            placeholder: kind.placeholder,
            default: kind.default,
            rows: kind.rows,
        }
    }
}

impl From<SelectKind> for FormInput {
    fn from(kind: SelectKind) -> Self {
        Self::SelectInput {
            options: kind.options,
            default: kind.default,
            placeholder: kind.placeholder,
        }
    }
}

impl From<RadioKind> for FormInput {
    fn from(kind: RadioKind) -> Self {
        Self::RadioInput {
            options: kind.options,
            default: kind.default,
            variant: kind.variant,
        }
    }
}

impl From<CheckboxKind> for FormInput {
    fn from(kind: CheckboxKind) -> Self {
        Self::CheckboxInput {
            options: kind.options,
            default: kind.default,
            variant: kind.variant,
        }
    }
}

impl From<FileKind> for FormInput {
    fn from(kind: FileKind) -> Self {
        Self::FileInput {
            upload_url: kind.upload_url,
            accept: kind.accept,
            multiple: kind.multiple,
        }
    }
}

/// Constructors of the kinds of elements. The name is the key of the answer in the values of the response, so it must
/// be unique in the form.
impl FormElement {
    /// Creates a line of text.
    pub fn text(name: impl Into<String>, label: impl Into<String>) -> ElementBuilder<LineKind> {
        Self::line(name, label, TextInputType::Text)
    }

    /// Creates a line for an email address.
    pub fn email(name: impl Into<String>, label: impl Into<String>) -> ElementBuilder<LineKind> {
        Self::line(name, label, TextInputType::Email)
    }

    /// Creates a line for a number.
    pub fn number(name: impl Into<String>, label: impl Into<String>) -> ElementBuilder<LineKind> {
        Self::line(name, label, TextInputType::Number)
    }

    /// Creates an input for a date.
    pub fn date(name: impl Into<String>, label: impl Into<String>) -> ElementBuilder<LineKind> {
        Self::line(name, label, TextInputType::Date)
    }

    /// Creates a line that is hidden while it is typed.
    pub fn password(
        name: impl Into<String>,
        label: impl Into<String>,
    ) -> ElementBuilder<PasswordKind> {
        ElementBuilder::new(name, label, PasswordKind { placeholder: None })
    }

    /// Creates an input for several lines of text.
    pub fn textarea(
        name: impl Into<String>,
        label: impl Into<String>,
    ) -> ElementBuilder<TextareaKind> {
        let kind = TextareaKind {
            placeholder: None,
            default: None,
            rows: None,
        };
        ElementBuilder::new(name, label, kind)
    }

    /// Creates a drop-down list. An option is a `(value, label)` pair, or a text that is both.
    pub fn select(
        name: impl Into<String>,
        label: impl Into<String>,
        options: impl IntoIterator<Item = impl Into<FormChoice>>,
    ) -> ElementBuilder<SelectKind> {
        let kind = SelectKind {
            options: choices(options),
            placeholder: None,
            default: None,
        };
        ElementBuilder::new(name, label, kind)
    }

    /// Creates a list of radio buttons. An option is a `(value, label)` pair, or a text that is both.
    pub fn radio(
        name: impl Into<String>,
        label: impl Into<String>,
        options: impl IntoIterator<Item = impl Into<FormChoice>>,
    ) -> ElementBuilder<RadioKind> {
        let kind = RadioKind {
            options: choices(options),
            default: None,
            variant: ChoiceVariant::Native,
        };
        ElementBuilder::new(name, label, kind)
    }

    /// Creates a list of checkboxes. An option is a `(value, label)` pair, or a text that is both.
    pub fn checkbox(
        name: impl Into<String>,
        label: impl Into<String>,
        options: impl IntoIterator<Item = impl Into<FormChoice>>,
    ) -> ElementBuilder<CheckboxKind> {
        let kind = CheckboxKind {
            options: choices(options),
            default: Vec::new(),
            variant: ChoiceVariant::Native,
        };
        ElementBuilder::new(name, label, kind)
    }

    /// Creates an input for files, which the client sends to `upload_url`.
    pub fn file(
        name: impl Into<String>,
        label: impl Into<String>,
        upload_url: impl Into<String>,
    ) -> ElementBuilder<FileKind> {
        let kind = FileKind {
            upload_url: upload_url.into(),
            accept: None,
            multiple: false,
        };
        ElementBuilder::new(name, label, kind)
    }

    fn line(
        name: impl Into<String>,
        label: impl Into<String>,
        input_type: TextInputType,
    ) -> ElementBuilder<LineKind> {
        let kind = LineKind {
            input_type,
            placeholder: None,
            default: None,
        };
        ElementBuilder::new(name, label, kind)
    }
}

fn choices(options: impl IntoIterator<Item = impl Into<FormChoice>>) -> Vec<FormChoice> {
    options.into_iter().map(Into::into).collect()
}

impl<V: Into<String>, L: Into<String>> From<(V, L)> for FormChoice {
    fn from((value, label): (V, L)) -> Self {
        Self::new(value, label)
    }
}

/// Creates an option whose label is its value.
impl From<&str> for FormChoice {
    fn from(value: &str) -> Self {
        Self::new(value, value)
    }
}

/// Creates an option whose label is its value.
impl From<String> for FormChoice {
    fn from(value: String) -> Self {
        Self::new(value.clone(), value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Form;
    use serde_json::{Value, json};

    fn element(element: impl Into<FormElement>) -> Value {
        let form = Form::new("m").element(element);
        serde_json::to_value(form).unwrap()["elements"][0].take()
    }

    #[test]
    fn each_kind_has_its_setters_on_the_wire() {
        let line = FormElement::email("n", "N")
            .placeholder("you@example.org")
            .default("ada@example.org")
            .required();
        assert_eq!(
            element(line),
            json!({
                "type": "text_input", "input_type": "email", "name": "n", "label": "N", "order": 0, "required": true,
                "disabled": false, "placeholder": "you@example.org", "default": "ada@example.org",
            })
        );
        let password = FormElement::password("n", "N").placeholder("hush").order(3);
        assert_eq!(
            element(password),
            json!({
                "type": "text_input", "input_type": "password", "name": "n", "label": "N", "order": 3,
                "required": false, "disabled": false, "placeholder": "hush",
            })
        );
        let area = FormElement::textarea("n", "N")
            .placeholder("p")
            .default("d")
            .rows(4);
        assert_eq!(
            element(area),
            json!({
                "type": "textarea_input", "name": "n", "label": "N", "order": 0, "required": false,
                "disabled": false, "placeholder": "p", "default": "d", "rows": 4,
            })
        );
        let select = FormElement::select("n", "N", [("a", "A")]).placeholder("p");
        assert_eq!(
            element(select.default("a").disabled()),
            json!({
                "type": "select_input", "name": "n", "label": "N", "order": 0, "required": false, "disabled": true,
                "placeholder": "p", "default": "a", "options": [{"value": "a", "label": "A"}],
            })
        );
        let radio = FormElement::radio("n", "N", ["a"]).default("a");
        assert_eq!(
            element(radio.variant(ChoiceVariant::Button)),
            json!({
                "type": "radio_input", "name": "n", "label": "N", "order": 0, "required": false, "disabled": false,
                "default": "a", "variant": "button", "options": [{"value": "a", "label": "a"}],
            })
        );
        let checkbox = FormElement::checkbox("n", "N", vec![FormChoice::new("a", "A")]);
        assert_eq!(
            element(checkbox.default(["a"]).variant(ChoiceVariant::Button)),
            json!({
                "type": "checkbox_input", "name": "n", "label": "N", "order": 0, "required": false,
                "disabled": false, "default": ["a"], "variant": "button", "options": [{"value": "a", "label": "A"}],
            })
        );
        let file = FormElement::file("n", "N", "https://example.org/up");
        assert_eq!(
            element(file.accept(".pdf").multiple()),
            json!({
                "type": "file_input", "name": "n", "label": "N", "order": 0, "required": false, "disabled": false,
                "upload_url": "https://example.org/up", "accept": ".pdf", "multiple": true,
            })
        );
        for (line, input_type) in [
            (FormElement::text("n", "N"), "text"),
            (FormElement::number("n", "N"), "number"),
            (FormElement::date("n", "N"), "date"),
        ] {
            assert_eq!(element(line)["input_type"], input_type);
        }
    }

    #[test]
    fn element_keeps_an_order_that_was_set() {
        let form = Form::new("m")
            .element(FormElement::text("a", "A").order(7))
            .element(FormElement::text("b", "B"))
            .element(FormElement::text("c", "C").order(0));
        let orders: Vec<_> = form.elements.iter().map(|element| element.order).collect();
        assert_eq!(orders, [Some(7), Some(1), Some(0)]);
    }

    #[test]
    fn pushed_element_has_its_place_on_the_wire() {
        let mut form = Form::new("m").element(FormElement::text("a", "A"));
        form.elements.push(FormElement::text("b", "B").into());
        let written = serde_json::to_value(form).unwrap();
        assert_eq!(written["elements"][1]["order"], 1);
    }
}
