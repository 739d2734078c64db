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

/// A required element with this input.
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
fn email_and_date_refuse_invalid_texts() {
    let email = || text_input(TextInputType::Email, None);
    assert_fits(
        email(),
        vec![json!("a@b"), json!("ö+x@host.example"), json!(null)],
    );
    let others = ["a", "@b", "a@", "a b@c"].map(|text| json!(text)).to_vec();
    assert_misfits(
        email(),
        "an email address, such as `ada@example.com`",
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
    assert_misfits(
        empty,
        "no value, because it has no options",
        vec![json!("S")],
    );
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
fn required_field_refuses_empty_and_blank_values() {
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
fn default_is_accepted_even_if_it_is_not_an_option() {
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
    // An option with an empty value does not answer a required field.
    let empty = FormInput::SelectInput {
        options: vec![FormChoice::new("", "None")],
        default: Some(String::new()),
        placeholder: None,
    };
    assert_eq!(check(&element(empty.clone()), &json!("")), Ok(()));
    assert!(check(&required(empty), &json!("")).is_err());
    // If two fields have the same name, the value must fit both.
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
fn unknown_name_is_refused_without_its_value() {
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
fn refusal_hides_passwords_and_shortens_texts() {
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
