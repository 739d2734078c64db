//! What a message is made of.

use super::clean_text;
use serde::{Deserialize, Serialize};

/// One part of an event's content.
///
/// Clients drop a whole frame that holds a part of a type they do not know, so there are no others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ContentPart {
    /// Plain text.
    Text {
        /// The text.
        text: String,
    },
    /// A picture.
    Image {
        /// Where it can be loaded.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<String>,
        /// For example `image/png`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mime_type: Option<String>,
        /// Pixels.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        width: Option<f64>,
        /// Pixels.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        height: Option<f64>,
        /// What it shows, for those who cannot see it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        alt: Option<String>,
        /// The file's name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        filename: Option<String>,
        /// The id of an uploaded file.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ref_id: Option<String>,
    },
    /// A sound.
    Audio {
        /// Where it can be loaded.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<String>,
        /// For example `audio/mpeg`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mime_type: Option<String>,
        /// Seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        duration: Option<f64>,
        /// The file's name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        filename: Option<String>,
        /// The id of an uploaded file.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ref_id: Option<String>,
    },
    /// Any other file.
    Document {
        /// Where it can be loaded.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<String>,
        /// The file's name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        filename: Option<String>,
        /// For example `application/pdf`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mime_type: Option<String>,
        /// Bytes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        size_bytes: Option<u64>,
        /// The id of an uploaded file.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ref_id: Option<String>,
    },
}

impl ContentPart {
    /// A part of plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into() }
    }

    /// A picture at this address.
    pub fn image(url: impl Into<String>) -> Self {
        Self::Image {
            url: Some(url.into()),
            mime_type: None,
            width: None,
            height: None,
            alt: None,
            filename: None,
            ref_id: None,
        }
    }

    /// A sound at this address.
    pub fn audio(url: impl Into<String>) -> Self {
        Self::Audio {
            url: Some(url.into()),
            mime_type: None,
            duration: None,
            filename: None,
            ref_id: None,
        }
    }

    /// A file of this name at this address.
    pub fn document(url: impl Into<String>, filename: impl Into<String>) -> Self {
        Self::Document {
            url: Some(url.into()),
            filename: Some(filename.into()),
            mime_type: None,
            size_bytes: None,
            ref_id: None,
        }
    }

    /// The text of a text part.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text { text } => Some(text),
            Self::Image { .. } | Self::Audio { .. } | Self::Document { .. } => None,
        }
    }

    /// The upload that this part names without saying where it can be loaded.
    pub(crate) fn unresolved_upload(&self) -> Option<&str> {
        match self {
            Self::Image {
                url: None, ref_id, ..
            }
            | Self::Audio {
                url: None, ref_id, ..
            }
            | Self::Document {
                url: None, ref_id, ..
            } => ref_id.as_deref().filter(|id| !id.is_empty()),
            _ => None,
        }
    }

    /// Removes U+0000 from all texts of the part.
    pub(crate) fn clean(&mut self) {
        let texts = match self {
            Self::Text { text } => return clean_text(text),
            Self::Image {
                url,
                mime_type,
                alt,
                filename,
                ref_id,
                ..
            } => [
                Some(url),
                Some(mime_type),
                Some(alt),
                Some(filename),
                Some(ref_id),
            ],
            Self::Audio {
                url,
                mime_type,
                filename,
                ref_id,
                ..
            }
            | Self::Document {
                url,
                filename,
                mime_type,
                ref_id,
                ..
            } => [
                Some(url),
                Some(mime_type),
                None,
                Some(filename),
                Some(ref_id),
            ],
        };
        texts.into_iter().flatten().flatten().for_each(clean_text);
    }
}

/// The text parts of a content, joined by line breaks.
pub(crate) fn joined_text(content: &[ContentPart]) -> String {
    let texts: Vec<&str> = content.iter().filter_map(ContentPart::as_text).collect();
    texts.join("\n")
}
