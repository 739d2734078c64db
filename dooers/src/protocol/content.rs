//! The content of messages.

use super::{AudioPart, DocumentPart, ImagePart, clean_text, whole_number};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// One part of an event's content.
///
/// There are no other types, because clients drop the whole_number frame if it contains a part of an unknown type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ContentPart {
    /// Plain text.
    Text {
        /// The text.
        text: String,
    },
    /// An image.
    Image {
        /// The URL of the image.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<String>,
        /// The MIME type, for example `image/png`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mime_type: Option<String>,
        /// The width in pixels.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        width: Option<f64>,
        /// The height in pixels.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        height: Option<f64>,
        /// A description for people who cannot see the image.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        alt: Option<String>,
        /// The name of the file.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        filename: Option<String>,
        /// The id of an uploaded file.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ref_id: Option<String>,
    },
    /// A sound.
    Audio {
        /// The URL of the sound.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<String>,
        /// The MIME type, for example `audio/mpeg`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mime_type: Option<String>,
        /// The duration in seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        duration: Option<f64>,
        /// The name of the file.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        filename: Option<String>,
        /// The id of an uploaded file.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ref_id: Option<String>,
    },
    /// Any other file.
    Document {
        /// The URL of the file.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<String>,
        /// The name of the file.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        filename: Option<String>,
        /// The MIME type, for example `application/pdf`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mime_type: Option<String>,
        /// The size in bytes.
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

/// Adds the member to the error, because the path of an error ends at the content part.
fn size_bytes<'de, D: Deserializer<'de>>(input: D) -> Result<Option<u64>, D::Error> {
    whole_number::optional(input)
        .map_err(|error| D::Error::custom(format_args!("`size_bytes`: {error}")))
}

impl ContentPart {
    /// Creates a text part.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into() }
    }

    /// Creates an image from a URL. Setters add a description, a MIME type and other details. `into()` converts it to
    /// a part.
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

    /// Creates a sound from a URL. Setters add a MIME type, a duration and other details. `into()` converts it to a
    /// part.
    pub fn audio(url: impl Into<String>) -> AudioPart {
        AudioPart::new(url.into())
    }

    /// Creates a file from a URL and a name. Setters add a MIME type and a size. `into()` converts it to a part.
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
