//! The check of the answers to a form.

use super::form::FormAnswer;
use super::{Form, FormChoice, FormElement, FormInput, TextInputType, date, is_visible};
use chrono::{DateTime, NaiveDateTime};
use serde_json::Value;

/// The number of characters of a value or a name that a refusal shows.
const SHOWN: usize = 60;

/// The length of a date without a time, in bytes.
const DATE_LENGTH: usize = 10;

/// The number of choices or fields that a refusal lists.
const LISTED: usize = 20;

/// An answer that does not fit its form. The text is for the client that sent it, and never shows what was typed into a
/// password field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`payload.event.data.values.{name}` {problem}")]
pub(crate) struct Misfit {
    name: String,
    problem: String,
}

impl Misfit {
    fn new(name: &str, problem: String) -> Self {
        Self {
            name: shortened(name),
            problem,
        }
    }
}

impl FormAnswer {
    /// Checks the values against the form. An answer that cancels the form is not checked.
    ///
    /// # Errors
    ///
    /// The first value that does not fit.
    pub(crate) fn check(&self, form: &Form) -> Result<(), Misfit> {
        if self.cancelled {
            return Ok(());
        }
        let is_known = |name: &String| form.elements.iter().any(|element| element.name == *name);
        if let Some(unknown) = self.values.keys().find(|name| !is_known(name)) {
            let names = form.elements.iter().map(|element| element.name.as_str());
            let problem = match listed(names) {
                Some(names) => format!("is not a field of the form; its fields are {names}"),
                None => "is not a field of the form, which has no fields".to_owned(),
            };
            return Err(Misfit::new(unknown, problem));
        }
        let check = |element: &FormElement| element.check_answer(self.values.get(&element.name));
        form.elements.iter().try_for_each(check)
    }
}

/// Whether a value of an answer stands for no answer.
pub(crate) fn is_unanswered(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    }
}

/// Whether a value is a text that shows nothing, which does not answer a required field.
fn is_blank(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !is_visible(text))
}

impl FormElement {
    fn check_answer(&self, value: Option<&Value>) -> Result<(), Misfit> {
        let refused = |problem: String| Err(Misfit::new(&self.name, problem));
        let value = value.filter(|value| !is_unanswered(value));
        if self.disabled {
            return match value {
                Some(value) if !self.is_default(value) => {
                    let given = self.given(value);
                    refused(format!(
                        "is {given}; the field is disabled and takes only its default"
                    ))
                }
                _ => Ok(()),
            };
        }
        let Some(value) = value.filter(|value| !(self.required && is_blank(value))) else {
            return if self.required {
                refused("is missing, and the form requires it".to_owned())
            } else {
                Ok(())
            };
        };
        // What the form itself proposes is never refused.
        if self.is_default(value) || self.input.fits(value) {
            return Ok(());
        }
        let (given, taken) = (self.given(value), self.input.taken());
        refused(format!("is {given}; the field takes {taken}"))
    }

    /// Whether this is the value that the field begins with.
    fn is_default(&self, value: &Value) -> bool {
        match &self.input {
            FormInput::TextInput { default, .. }
            | FormInput::TextareaInput { default, .. }
            | FormInput::SelectInput { default, .. }
            | FormInput::RadioInput { default, .. } => {
                default.is_some() && value.as_str() == default.as_deref()
            }
            FormInput::CheckboxInput { default, .. } => {
                value.as_array().is_some_and(|values| values == default)
            }
            FormInput::FileInput { .. } => false,
        }
    }

    /// A value, as far as it may be shown.
    fn given(&self, value: &Value) -> String {
        match value {
            Value::Array(_) => "a list".to_owned(),
            Value::Object(_) => "an object".to_owned(),
            Value::String(_) if self.input.is_password() => "a text".to_owned(),
            _ if self.input.is_password() => "not a text".to_owned(),
            scalar => format!("`{}`", shortened(&scalar.to_string())),
        }
    }
}

impl FormInput {
    /// Whether it is a field whose text is hidden.
    pub(crate) fn is_password(&self) -> bool {
        matches!(
            self,
            Self::TextInput {
                input_type: TextInputType::Password,
                ..
            }
        )
    }

    fn fits(&self, value: &Value) -> bool {
        match self {
            Self::TextInput { input_type, .. } => input_type.fits(value),
            Self::TextareaInput { .. } => value.is_string(),
            Self::SelectInput { options, .. } | Self::RadioInput { options, .. } => {
                is_choice(options, value)
            }
            Self::CheckboxInput { options, .. } => match value {
                Value::Array(values) => values
                    .iter()
                    .enumerate()
                    .all(|(at, value)| is_choice(options, value) && !values[..at].contains(value)),
                _ => false,
            },
            Self::FileInput { multiple, .. } => match value {
                Value::Object(_) => true,
                Value::Array(files) => {
                    (*multiple || files.len() == 1) && files.iter().all(Value::is_object)
                }
                _ => false,
            },
        }
    }

    /// The values that it takes, in words.
    fn taken(&self) -> String {
        match self {
            Self::TextInput { input_type, .. } => input_type.taken().to_owned(),
            Self::TextareaInput { .. } => "a text".to_owned(),
            Self::SelectInput { options, .. } | Self::RadioInput { options, .. } => {
                match choices(options) {
                    Some(choices) => format!("one of {choices}"),
                    None => "no value, since it has no options".to_owned(),
                }
            }
            Self::CheckboxInput { options, .. } => match choices(options) {
                Some(choices) => format!("a list of any of {choices}, each at most once"),
                None => "an empty list, since it has no options".to_owned(),
            },
            Self::FileInput { multiple: true, .. } => {
                "a file as an object, or a list of such objects".to_owned()
            }
            Self::FileInput { .. } => "one file, as an object or in a list".to_owned(),
        }
    }
}

impl TextInputType {
    fn fits(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Number, Value::Number(_)) => true,
            (Self::Number, Value::String(text)) => is_number(text.trim()),
            (Self::Email, Value::String(text)) => is_email(text.trim()),
            (Self::Date, Value::String(text)) => is_date(text.trim()),
            (Self::Text | Self::Password, value) => value.is_string(),
            _ => false,
        }
    }

    fn taken(self) -> &'static str {
        match self {
            Self::Text | Self::Password => "a text",
            Self::Email => "an e-mail address, such as `ada@example.com`",
            Self::Number => "a number, also as a text, such as `3.5`",
            Self::Date => "a date, such as `2026-02-11`",
        }
    }
}

fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// Only what cannot be an address is refused: the mail server knows the rest.
pub(super) fn is_email(text: &str) -> bool {
    let has_space = text.chars().any(char::is_whitespace);
    let parts = text.rsplit_once('@').filter(|_| !has_space);
    parts.is_some_and(|(name, domain)| !name.is_empty() && !domain.is_empty())
}

/// A day, with or without a time: date pickers send either.
fn is_date(text: &str) -> bool {
    // A browser's `datetime-local` has no seconds.
    let has_time = || {
        text.parse::<NaiveDateTime>().is_ok()
            || NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").is_ok()
            || DateTime::parse_from_rfc3339(text).is_ok()
    };
    let day = text.get(..DATE_LENGTH).and_then(date);
    day.is_some() && (text.len() == DATE_LENGTH || has_time())
}

fn is_choice(options: &[FormChoice], value: &Value) -> bool {
    let text = value.as_str();
    text.is_some_and(|text| options.iter().any(|option| option.value == text))
}

fn choices(options: &[FormChoice]) -> Option<String> {
    listed(options.iter().map(|option| option.value.as_str()))
}

/// The first of these, in backticks. `None` if there are none.
fn listed<'a>(names: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut names = names.map(|name| format!("`{}`", shortened(name)));
    let mut listed = names.by_ref().take(LISTED).collect::<Vec<_>>().join(", ");
    if names.next().is_some() {
        listed.push_str(", …");
    }
    (!listed.is_empty()).then_some(listed)
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::ChoiceVariant;
    use serde_json::json;

    fn text_input(input_type: TextInputType, default: Option<&str>) -> FormInput {
        FormInput::TextInput {
            placeholder: None,
            default: default.map(str::to_owned),
            input_type,
        }
    }

    fn options() -> Vec<FormChoice> {
        ["S", "M", "L"]
            .map(|size| FormChoice::new(size, size))
            .to_vec()
    }

    fn radio(default: Option<&str>) -> FormInput {
        FormInput::RadioInput {
            options: options(),
            default: default.map(str::to_owned),
            variant: ChoiceVariant::Native,
        }
    }

    fn checkbox(default: &[&str]) -> FormInput {
        FormInput::CheckboxInput {
            options: options(),
            default: default.iter().map(|value| (*value).to_owned()).collect(),
            variant: ChoiceVariant::Button,
        }
    }

    fn file(multiple: bool) -> FormInput {
        FormInput::FileInput {
            upload_url: "https://example.org/files".to_owned(),
            accept: None,
            multiple,
        }
    }

    fn element(input: FormInput) -> FormElement {
        FormElement::new("q", "Q", input)
    }

    /// The check of one value of a form with this one field.
    fn required(input: FormInput) -> FormElement {
        FormElement {
            required: true,
            ..element(input)
        }
    }

    #[test]
    fn data_that_is_not_an_object_is_refused() {
        let error = serde_json::from_value::<FormAnswer>(json!(null)).unwrap_err();
        assert_eq!(error.to_string(), "invalid type: null, expected an object");
    }

    fn check(element: &FormElement, value: &Value) -> Result<(), String> {
        let form = Form::new("?").element(element.clone());
        let data = json!({"form_event_id": "f", "values": {"q": value}});
        let answer: FormAnswer = serde_json::from_value(data).unwrap();
        answer.check(&form).map_err(|misfit| misfit.to_string())
    }

    fn assert_fits(input: FormInput, values: Vec<Value>) {
        let element = element(input);
        for value in values {
            assert_eq!(check(&element, &value), Ok(()), "{value}");
        }
    }

    fn assert_misfits(input: FormInput, taken: &str, values: Vec<Value>) {
        let element = element(input);
        for value in values {
            let misfit = check(&element, &value).unwrap_err();
            let start = "`payload.event.data.values.q` is ";
            assert!(misfit.starts_with(start), "{value}: {misfit}");
            let end = format!("; the field takes {taken}");
            assert!(misfit.ends_with(&end), "{value}: {misfit}");
        }
    }

    #[test]
    fn text_takes_texts() {
        let textarea = || FormInput::TextareaInput {
            placeholder: None,
            default: None,
            rows: None,
        };
        for input in [textarea(), text_input(TextInputType::Text, None)] {
            assert_fits(
                input.clone(),
                vec![json!("a"), json!(" "), json!(""), json!(null)],
            );
            let others = vec![json!(1), json!(true), json!(["a"]), json!({"a": 1})];
            assert_misfits(input, "a text", others);
        }
    }

    #[test]
    fn number_takes_numbers_and_their_texts() {
        let number = || text_input(TextInputType::Number, None);
        let fitting = vec![
            json!(1),
            json!(-2.5),
            json!("3"),
            json!(" 1e3 "),
            json!("-.5"),
            json!(""),
        ];
        assert_fits(number(), fitting);
        let others = ["x", "1,5", "NaN", "inf", "0x10", " ", "1 2"].map(|text| json!(text));
        let others = [others.as_slice(), &[json!(true), json!([1])]].concat();
        let taken = "a number, also as a text, such as `3.5`";
        assert_misfits(number(), taken, others);
    }

    #[test]
    fn email_and_date_refuse_what_cannot_be_one() {
        let email = || text_input(TextInputType::Email, None);
        assert_fits(
            email(),
            vec![json!("a@b"), json!("ö+x@host.example"), json!(null)],
        );
        let others = ["a", "@b", "a@", "a b@c"].map(|text| json!(text)).to_vec();
        assert_misfits(
            email(),
            "an e-mail address, such as `ada@example.com`",
            others,
        );
        let date = || text_input(TextInputType::Date, None);
        let fitting = [
            "2026-02-11",
            "2026-02-11T05:49",
            "2026-02-11T05:49:00",
            "2026-02-11T05:49:09.123Z",
        ];
        assert_fits(date(), fitting.map(|text| json!(text)).to_vec());
        let others = [
            "2026-02-30",
            "2026-2-1",
            "+12026-01-01",
            "2026-02-11T",
            "2026-02-11T25:00",
            "11.02.2026",
            "soon",
        ];
        let others = others.map(|text| json!(text));
        let others = [others.as_slice(), &[json!(20_260_211)]].concat();
        assert_misfits(date(), "a date, such as `2026-02-11`", others);
    }

    #[test]
    fn select_and_radio_take_one_of_their_options() {
        let select = FormInput::SelectInput {
            options: options(),
            default: None,
            placeholder: None,
        };
        for input in [select, radio(None)] {
            assert_fits(input.clone(), vec![json!("S"), json!(""), json!(null)]);
            let others = vec![
                json!("XL"),
                json!("s"),
                json!(1),
                json!(["S"]),
                json!({"value": "S"}),
            ];
            assert_misfits(input, "one of `S`, `M`, `L`", others);
        }
        let empty = FormInput::SelectInput {
            options: Vec::new(),
            default: None,
            placeholder: None,
        };
        assert_misfits(empty, "no value, since it has no options", vec![json!("S")]);
    }

    #[test]
    fn checkbox_takes_a_list_of_its_options() {
        let fitting = vec![json!([]), json!(["L", "S"]), json!(null), json!("")];
        assert_fits(checkbox(&[]), fitting);
        let others = vec![
            json!("S"),
            json!(true),
            json!(["XL"]),
            json!(["S", "S"]),
            json!([["S"]]),
            json!([null]),
        ];
        let taken = "a list of any of `S`, `M`, `L`, each at most once";
        assert_misfits(checkbox(&[]), taken, others);
    }

    #[test]
    fn file_takes_one_object_and_more_if_multiple() {
        let one = json!({"filename": "a.pdf", "public_url": "https://example.org/a.pdf"});
        let accepted = vec![one.clone(), json!([one]), json!(null), json!([])];
        assert_fits(file(false), accepted);
        assert_fits(file(true), vec![one.clone(), json!([one, one])]);
        let others = vec![
            json!([one, one]),
            json!(["a.pdf"]),
            json!("a.pdf"),
            json!(1),
        ];
        assert_misfits(file(false), "one file, as an object or in a list", others);
        let others = vec![json!([one, "a.pdf"]), json!([null]), json!("a.pdf")];
        assert_misfits(
            file(true),
            "a file as an object, or a list of such objects",
            others,
        );
    }

    #[test]
    fn required_field_refuses_what_stands_for_no_answer() {
        let blank = "\u{a0}\u{200b}\t";
        let inputs = [
            text_input(TextInputType::Password, None),
            radio(None),
            checkbox(&[]),
            file(true),
        ];
        for input in inputs {
            let required = required(input);
            for value in [json!(null), json!(""), json!([]), json!(" "), json!(blank)] {
                let expected = "`payload.event.data.values.q` is missing, and the form requires it";
                assert_eq!(check(&required, &value), Err(expected.to_owned()));
            }
        }
    }

    #[test]
    fn disabled_field_takes_only_its_default() {
        let disabled = |input, required| FormElement {
            disabled: true,
            required,
            ..element(input)
        };
        for (input, default, other) in [
            (
                text_input(TextInputType::Text, Some("a")),
                json!("a"),
                json!("b"),
            ),
            (
                text_input(TextInputType::Text, None),
                json!(null),
                json!("b"),
            ),
            (radio(Some("S")), json!("S"), json!("M")),
            (checkbox(&["S", "L"]), json!(["S", "L"]), json!(["S"])),
            (file(false), json!(null), json!({"id": 1})),
        ] {
            for required in [false, true] {
                let element = disabled(input.clone(), required);
                for value in [default.clone(), json!(""), json!(null)] {
                    assert_eq!(check(&element, &value), Ok(()));
                }
                let misfit = check(&element, &other).unwrap_err();
                assert!(
                    misfit.ends_with("disabled and takes only its default"),
                    "{misfit}"
                );
            }
        }
    }

    #[test]
    fn default_is_taken_even_outside_the_options() {
        assert_fits(radio(Some("as before")), vec![json!("as before")]);
        assert_fits(checkbox(&["as before"]), vec![json!(["as before"])]);
        assert_fits(
            text_input(TextInputType::Number, Some("n/a")),
            vec![json!("n/a")],
        );
    }

    #[test]
    fn odd_values_are_checked_like_any_other() {
        let number = || text_input(TextInputType::Number, None);
        assert_fits(
            number(),
            ["+5", "5.", "1E-3"].map(|text| json!(text)).to_vec(),
        );
        let taken = "a number, also as a text, such as `3.5`";
        let others = ["\u{ff11}", "1_000", "1e999", "--1", "5\u{200b}"];
        assert_misfits(number(), taken, others.map(|text| json!(text)).to_vec());
        // An option of no text is no answer to a required field.
        let empty = FormInput::SelectInput {
            options: vec![FormChoice::new("", "None")],
            default: Some(String::new()),
            placeholder: None,
        };
        assert_eq!(check(&element(empty.clone()), &json!("")), Ok(()));
        assert!(check(&required(empty), &json!("")).is_err());
        // Of two fields with one name, both must fit.
        let twice = Form::new("?")
            .element(element(number()))
            .element(element(radio(None)));
        let data = json!({"form_event_id": "f", "values": {"q": "1"}});
        let answer: FormAnswer = serde_json::from_value(data).unwrap();
        assert!(answer.check(&twice).is_err());
        let data = json!({"form_event_id": "f", "values": {"__proto__": null}});
        let answer: FormAnswer = serde_json::from_value(data).unwrap();
        assert!(answer.check(&twice).is_err());
    }

    #[test]
    fn unknown_name_is_refused_and_its_value_not_shown() {
        let form = Form::new("?").element(element(file(false)));
        for value in [json!("hush"), json!(null)] {
            let data = json!({"form_event_id": "f", "more": 1, "values": {"pin": value}});
            let answer: FormAnswer = serde_json::from_value(data).unwrap();
            let expected =
                "`payload.event.data.values.pin` is not a field of the form; its fields are `q`";
            assert_eq!(answer.check(&form).unwrap_err().to_string(), expected);
        }
        let data = json!({"form_event_id": "f", "cancelled": true, "values": {"pin": 1}});
        let cancelled: FormAnswer = serde_json::from_value(data).unwrap();
        assert_eq!(cancelled.check(&form), Ok(()));
    }

    #[test]
    fn refusal_shows_no_password_and_no_long_text() {
        let password = element(text_input(TextInputType::Password, None));
        for value in [json!(123_456), json!(["hush"]), json!({"hush": 1})] {
            let misfit = check(&password, &value).unwrap_err();
            assert!(
                !misfit.contains("hush") && !misfit.contains("123"),
                "{misfit}"
            );
        }
        let long = check(&element(radio(None)), &json!("x".repeat(5000))).unwrap_err();
        assert!(long.len() < 250, "{long}");
        let many = (0..5000).map(|number| FormChoice::new(number.to_string(), ""));
        let input = FormInput::SelectInput {
            options: many.collect(),
            default: None,
            placeholder: None,
        };
        let misfit = check(&element(input), &json!("x")).unwrap_err();
        assert!(misfit.ends_with("`19`, …"), "{misfit}");
        let data = json!({"form_event_id": "f", "values": {"x".repeat(5000): 1}});
        let answer: FormAnswer = serde_json::from_value(data).unwrap();
        assert!(answer.check(&Form::new("?")).unwrap_err().to_string().len() < 200);
    }
}
