//! Typed access to the answers to a form.

use super::FormResponse;
use serde_json::Value;

impl FormResponse {
    /// The answer to the element with this name. `None` if the user gave no answer, if there is no such element, or if
    /// the element has several answers. Clients may send the answer to a number field as a number, so use
    /// [`number`](Self::number) for it.
    ///
    /// ```
    /// use dooers::prelude::*;
    ///
    /// #[dooers::agent]
    /// async fn greeter(request: WorkerRequest) -> String {
    ///     match request.form() {
    ///         Some(answer) => format!("Hello, {}!", answer.text("who").unwrap_or("stranger")),
    ///         None => "Who are you?".to_owned(),
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        text(self.values.get(name)?)
    }

    /// The answer to the number field with this name, sent as a number or as a text. `None` if the user gave no
    /// answer, if there is no such element, or if the answer is not a finite number.
    ///
    /// ```
    /// use dooers::prelude::*;
    /// use serde_json::json;
    ///
    /// for age in [json!(36), json!("36")] {
    ///     let request = WorkerRequest::form_response("form-1", json!({"age": age}));
    ///     assert_eq!(request.form().unwrap().number("age"), Some(36.0));
    /// }
    /// ```
    #[must_use]
    pub fn number(&self, name: &str) -> Option<f64> {
        let value = self.values.get(name)?;
        let number = value.as_f64().or_else(|| text(value)?.trim().parse().ok());
        number.filter(|number| number.is_finite())
    }

    /// All answers to the element with this name, for elements such as checkboxes.
    #[must_use]
    pub fn texts(&self, name: &str) -> Vec<&str> {
        match self.values.get(name) {
            Some(Value::Array(values)) => values.iter().filter_map(text).collect(),
            Some(value) => text(value).into_iter().collect(),
            None => Vec::new(),
        }
    }
}

/// Converts an answer to a text. Clients send an empty text if the user gave no answer.
fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use crate::WorkerRequest;
    use serde_json::json;

    #[test]
    fn answers_are_read_by_name_and_kind() {
        let values =
            json!({"who": "Ada", "note": "", "extras": ["olives", "", 3], "n": 1, "none": null});
        let answer = WorkerRequest::form_response("f", values).form().unwrap();
        let texts = ["who", "note", "extras", "n", "none", "unknown"].map(|name| answer.text(name));
        assert_eq!(texts, [Some("Ada"), None, None, None, None, None]);
        assert_eq!(answer.texts("extras"), ["olives"]);
        assert_eq!(answer.texts("who"), ["Ada"]);
        assert!(answer.texts("note").is_empty());
        assert!(answer.texts("unknown").is_empty());
    }

    #[test]
    fn numbers_are_read_from_numbers_and_texts() {
        let values = json!({"a": 3, "b": " -1.5e1 ", "open": "", "none": null, "word": "x", "far": "1e999", "list": [1]});
        let answer = WorkerRequest::form_response("f", values).form().unwrap();
        let numbers = ["a", "b", "open", "none", "word", "far", "list", "unknown"]
            .map(|name| answer.number(name));
        assert_eq!(numbers[..2], [Some(3.0), Some(-15.0)]);
        assert!(numbers[2..].iter().all(Option::is_none));
    }
}
