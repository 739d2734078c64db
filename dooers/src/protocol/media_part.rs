//! Builders of content parts that are files: images, sounds and documents.
//!
//! Each kind of part has its own type, so that setters that do not fit the part do not exist.

use super::ContentPart;
use std::time::Duration;

/// An image and its details, created by [`ContentPart::image`] or [`Reply::image`](crate::Reply::image).
///
/// A handler can return it, or send it with [`WorkerResponse::send`](crate::WorkerResponse::send). `into()` converts
/// it to a [`ContentPart`] or a [`Reply`](crate::Reply).
///
/// ```
/// use dooers::prelude::*;
///
/// #[dooers::agent]
/// async fn cat() -> ImagePart {
///     Reply::image("https://example.org/cat.png")
///         .alt("A cat that sleeps")
///         .mime_type("image/png")
///         .width(640)
///         .height(480)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "nothing is sent before it is returned or sent"]
pub struct ImagePart {
    url: String,
    mime_type: Option<String>,
    width: Option<u32>,
    height: Option<u32>,
    alt: Option<String>,
    filename: Option<String>,
}

impl ImagePart {
    pub(super) fn new(url: String) -> Self {
        Self {
            url,
            mime_type: None,
            width: None,
            height: None,
            alt: None,
            filename: None,
        }
    }

    /// Sets the description for people who cannot see the image.
    pub fn alt(mut self, alt: impl Into<String>) -> Self {
        self.alt = Some(alt.into());
        self
    }

    /// Sets the MIME type, for example `image/png`.
    pub fn mime_type(mut self, mime_type: impl Into<String>) -> Self {
        self.mime_type = Some(mime_type.into());
        self
    }

    /// Sets the name of the file.
    pub fn filename(mut self, filename: impl Into<String>) -> Self {
        self.filename = Some(filename.into());
        self
    }

    /// Sets the width in pixels.
    pub fn width(mut self, pixels: u32) -> Self {
        self.width = Some(pixels);
        self
    }

    /// Sets the height in pixels.
    pub fn height(mut self, pixels: u32) -> Self {
        self.height = Some(pixels);
        self
    }
}

impl From<ImagePart> for ContentPart {
    fn from(part: ImagePart) -> Self {
        Self::Image {
            url: Some(part.url),
            mime_type: part.mime_type,
            width: part.width.map(f64::from),
            height: part.height.map(f64::from),
            alt: part.alt,
            filename: part.filename,
            ref_id: None,
        }
    }
}

/// A sound and its details, created by [`ContentPart::audio`] or [`Reply::audio`](crate::Reply::audio).
///
/// A handler can return it, or send it with [`WorkerResponse::send`](crate::WorkerResponse::send). `into()` converts
/// it to a [`ContentPart`] or a [`Reply`](crate::Reply).
///
/// ```
/// use dooers::prelude::*;
/// use std::time::Duration;
///
/// #[dooers::agent]
/// async fn speaker() -> AudioPart {
///     Reply::audio("https://example.org/hello.mp3")
///         .mime_type("audio/mpeg")
///         .duration(Duration::from_millis(1500))
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "nothing is sent before it is returned or sent"]
pub struct AudioPart {
    url: String,
    mime_type: Option<String>,
    duration: Option<Duration>,
    filename: Option<String>,
}

impl AudioPart {
    pub(super) fn new(url: String) -> Self {
        Self {
            url,
            mime_type: None,
            duration: None,
            filename: None,
        }
    }

    /// Sets the MIME type, for example `audio/mpeg`.
    pub fn mime_type(mut self, mime_type: impl Into<String>) -> Self {
        self.mime_type = Some(mime_type.into());
        self
    }

    /// Sets the name of the file.
    pub fn filename(mut self, filename: impl Into<String>) -> Self {
        self.filename = Some(filename.into());
        self
    }

    /// Sets the duration of the sound. Clients receive it in seconds.
    pub fn duration(mut self, duration: Duration) -> Self {
        self.duration = Some(duration);
        self
    }
}

impl From<AudioPart> for ContentPart {
    fn from(part: AudioPart) -> Self {
        Self::Audio {
            url: Some(part.url),
            mime_type: part.mime_type,
            duration: part.duration.map(|duration| duration.as_secs_f64()),
            filename: part.filename,
            ref_id: None,
        }
    }
}

/// A file and its details, created by [`ContentPart::document`] or [`Reply::document`](crate::Reply::document).
///
/// A handler can return it, or send it with [`WorkerResponse::send`](crate::WorkerResponse::send). `into()` converts
/// it to a [`ContentPart`] or a [`Reply`](crate::Reply).
///
/// ```
/// use dooers::prelude::*;
///
/// #[dooers::agent]
/// async fn archive(response: WorkerResponse) -> Result<()> {
///     let invoice = Reply::document("https://example.org/7.pdf", "invoice.pdf")
///         .mime_type("application/pdf")
///         .size_bytes(48_213);
///     response.send(invoice).await?;
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "nothing is sent before it is returned or sent"]
pub struct DocumentPart {
    url: String,
    filename: String,
    mime_type: Option<String>,
    size_bytes: Option<u64>,
}

impl DocumentPart {
    pub(super) fn new(url: String, filename: String) -> Self {
        Self {
            url,
            filename,
            mime_type: None,
            size_bytes: None,
        }
    }

    /// Sets the MIME type, for example `application/pdf`.
    pub fn mime_type(mut self, mime_type: impl Into<String>) -> Self {
        self.mime_type = Some(mime_type.into());
        self
    }

    /// Sets the size of the file in bytes.
    pub fn size_bytes(mut self, bytes: u64) -> Self {
        self.size_bytes = Some(bytes);
        self
    }
}

impl From<DocumentPart> for ContentPart {
    fn from(part: DocumentPart) -> Self {
        Self::Document {
            url: Some(part.url),
            filename: Some(part.filename),
            mime_type: part.mime_type,
            size_bytes: part.size_bytes,
            ref_id: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn written(part: impl Into<ContentPart>) -> Value {
        serde_json::to_value(part.into()).unwrap()
    }

    #[test]
    fn each_kind_has_its_setters_on_the_wire() {
        let image = ContentPart::image("u")
            .alt("a cat")
            .mime_type("image/png")
            .filename("a.png")
            .width(640)
            .height(480);
        assert_eq!(
            written(image),
            json!({
                "type": "image", "url": "u", "alt": "a cat", "mime_type": "image/png", "filename": "a.png",
                "width": 640.0, "height": 480.0,
            })
        );
        let audio = ContentPart::audio("u")
            .mime_type("audio/mpeg")
            .filename("a.mp3")
            .duration(Duration::from_millis(1500));
        assert_eq!(
            written(audio),
            json!({
                "type": "audio", "url": "u", "mime_type": "audio/mpeg", "filename": "a.mp3", "duration": 1.5,
            })
        );
        let document = ContentPart::document("u", "a.pdf")
            .mime_type("application/pdf")
            .size_bytes(u64::MAX);
        assert_eq!(
            written(document),
            json!({
                "type": "document", "url": "u", "filename": "a.pdf", "mime_type": "application/pdf",
                "size_bytes": u64::MAX,
            })
        );
        assert_eq!(
            written(ContentPart::image("u")),
            json!({"type": "image", "url": "u"})
        );
    }
}
