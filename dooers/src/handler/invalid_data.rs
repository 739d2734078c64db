//! The error for data that does not fit a type.

use serde_path_to_error::Segment;
use std::fmt;

/// The error for data of a message, or answers to a form, that do not fit the type that the handler takes.
///
/// The text names the member. It does not contain answers to password fields.
///
/// ```
/// use dooers::prelude::*;
/// use serde_json::json;
///
/// #[derive(Debug, serde::Deserialize)]
/// struct Order {
///     count: u32,
/// }
///
/// let request = WorkerRequest::form_response("form-1", json!({"count": "many"}));
/// let error = request.form().unwrap().parse::<Order>().unwrap_err();
/// assert_eq!(error.member(), "values.count");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidData {
    member: String,
    problem: Option<String>,
}

impl InvalidData {
    /// Creates the error for the member at the path of a serde error. `root` is the name of the whole data.
    /// `may_show` returns true if the values of the member with this name may be shown. Without a name, the error may
    /// contain values of all members.
    pub(super) fn at(
        root: &str,
        error: &serde_path_to_error::Error<serde_json::Error>,
        may_show: impl FnOnce(Option<&str>) -> bool,
    ) -> Self {
        let mut member = root.to_owned();
        for segment in error.path() {
            match segment {
                Segment::Seq { index } => member.push_str(&format!("[{index}]")),
                Segment::Map { key } => member.push_str(&format!(".{key}")),
                Segment::Enum { variant } => member.push_str(&format!(".{variant}")),
                Segment::Unknown => member.push_str(".?"),
            }
        }
        let first = error.path().iter().next();
        let name = first.and_then(|segment| match segment {
            Segment::Map { key } => Some(key.as_str()),
            _ => None,
        });
        Self {
            member,
            problem: may_show(name).then(|| error.inner().to_string()),
        }
    }

    /// Creates the error for a message without data.
    pub(super) fn absent() -> Self {
        Self {
            member: "data".to_owned(),
            problem: Some("the message has no data".to_owned()),
        }
    }

    /// The path of the member that does not fit, such as `data.places[0].city` or `values.count`.
    ///
    /// The path of a missing member is that of the object that lacks it, and the text of the error names the member.
    #[must_use]
    pub fn member(&self) -> &str {
        &self.member
    }
}

impl fmt::Display for InvalidData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` does not fit the type of the handler", self.member)?;
        match &self.problem {
            Some(problem) => write!(f, ": {problem}"),
            None => f.write_str("; the reason is not shown, because it may contain a password"),
        }
    }
}

impl std::error::Error for InvalidData {}
