//! The error for tokens that cannot be used.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// The reason why a list of tokens cannot be used. It names the file, the line and the member. It contains no token.
#[derive(Debug, thiserror::Error)]
pub struct InvalidTokens {
    path: Option<PathBuf>,
    line: Option<usize>,
    text: String,
    #[source]
    source: Option<io::Error>,
}

impl InvalidTokens {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self {
            path: None,
            line: None,
            text: text.into(),
            source: None,
        }
    }

    pub(super) fn unreadable(source: io::Error) -> Self {
        Self {
            source: Some(source),
            ..Self::new("the file of tokens cannot be read")
        }
    }

    /// Adds the line, counted from 1.
    pub(super) fn on_line(self, line: usize) -> Self {
        Self {
            line: Some(line),
            ..self
        }
    }

    /// Adds the path of the file.
    pub(super) fn in_file(self, path: &Path) -> Self {
        Self {
            path: Some(path.to_owned()),
            ..self
        }
    }
}

impl fmt::Display for InvalidTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = &self.text;
        match (&self.path, self.line) {
            (Some(path), Some(line)) => write!(f, "{}, line {line}: {text}", path.display()),
            (Some(path), None) => write!(f, "{}: {text}", path.display()),
            (None, Some(line)) => write!(f, "line {line}: {text}"),
            (None, None) => f.write_str(text),
        }
    }
}
