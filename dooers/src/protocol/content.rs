//! What a message is made of.

use super::{AudioPart, DocumentPart, ImagePart, clean_text, whole};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

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
        #[serde(
            default,
            deserialize_with = "size_bytes",
            skip_serializing_if = "Option::is_none"
        )]
        size_bytes: Option<u64>,
        /// The id of an uploaded file.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ref_id: Option<String>,
    },
}

/// Names the member in its error: the path of an error ends at the content part.
fn size_bytes<'de, D: Deserializer<'de>>(input: D) -> Result<Option<u64>, D::Error> {
    whole::optional(input).map_err(|error| D::Error::custom(format_args!("`size_bytes`: {error}")))
}

impl ContentPart {
    /// A part of plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into() }
    }

    /// A picture at this address. Its setters add a description, a MIME type and so on; `into()` makes the part.
    ///
    /// ```
    /// use dooers::prelude::*;
    ///
    /// let content: Vec<ContentPart> = vec![
    ///     ContentPart::text("Here it is:"),
    ///     ContentPart::image("https://example.org/cat.png").alt("A cat").into(),
    /// ];
    /// ```
    pub fn image(url: impl Into<String>) -> ImagePart {
        ImagePart::new(url.into())
    }

    /// A sound at this address. Its setters add a MIME type, a duration and so on; `into()` makes the part.
    pub fn audio(url: impl Into<String>) -> AudioPart {
        AudioPart::new(url.into())
    }

    /// A file of this name at this address. Its setters add a MIME type and a size; `into()` makes the part.
    pub fn document(url: impl Into<String>, filename: impl Into<String>) -> DocumentPart {
        DocumentPart::new(url.into(), filename.into())
    }

    /// The text of a text part.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text { text } => Some(text),
            Self::Image { .. } | Self::Audio { .. } | Self::Document { .. } => None,
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
