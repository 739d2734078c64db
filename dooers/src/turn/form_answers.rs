//! The answers to a form by their kinds.

use super::FormResponse;
use serde_json::Value;

impl FormResponse {
    /// The answer to the element of this name. None if it was left open, if there is no such element, and for an element
    /// that takes several answers.
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

    /// The answers to the element of this name, as checkboxes give them.
    #[must_use]
    pub fn texts(&self, name: &str) -> Vec<&str> {
        match self.values.get(name) {
            Some(Value::Array(values)) => values.iter().filter_map(text).collect(),
            Some(value) => text(value).into_iter().collect(),
            None => Vec::new(),
        }
    }
}

/// Clients send an empty text for what was left open.
fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use crate::turn::WorkerRequest;
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
}
