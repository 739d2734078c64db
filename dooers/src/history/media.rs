//! Content parts that are not text.

use crate::protocol::ContentPart;

/// A part as a text. `None` if the part is empty.
pub(super) fn described(part: &ContentPart) -> Option<String> {
    let (what, details) = match part {
        ContentPart::Text { text } => {
            return (!text.trim().is_empty()).then(|| text.clone());
        }
        ContentPart::Image {
            url, alt, filename, ..
        } => ("image", [filename.clone(), alt.clone(), shown(url)]),
        ContentPart::Audio {
            url,
            filename,
            duration,
            ..
        } => {
            let duration = duration.map(|seconds| format!("{seconds} s"));
            ("audio", [filename.clone(), duration, shown(url)])
        }
        ContentPart::Document {
            url,
            filename,
            mime_type,
            ..
        } => (
            "document",
            [filename.clone(), mime_type.clone(), shown(url)],
        ),
    };
    let details: Vec<_> = details.into_iter().flatten().collect();
    Some(if details.is_empty() {
        format!("[{what}]")
    } else {
        format!("[{what}: {}]", details.join(", "))
    })
}

/// The URL of an image that an API can load.
pub(super) fn image_link(part: &ContentPart) -> Option<&str> {
    match part {
        ContentPart::Image { url, .. } => link(url.as_deref()),
        ContentPart::Text { .. } | ContentPart::Audio { .. } | ContentPart::Document { .. } => None,
    }
}

/// The URL of a PDF that an API can load. PDF is the only type of document that all these APIs read.
pub(super) fn pdf_link(part: &ContentPart) -> Option<&str> {
    let ContentPart::Document {
        url,
        filename,
        mime_type,
        ..
    } = part
    else {
        return None;
    };
    let link = link(url.as_deref())?;
    let is_pdf = match mime_type {
        Some(mime_type) => mime_type.eq_ignore_ascii_case("application/pdf"),
        None => {
            let path = link.split(['?', '#']).next().unwrap_or_default();
            let names = [filename.as_deref().unwrap_or_default(), path];
            let ends_so = |name: &&str| name.to_ascii_lowercase().ends_with(".pdf");
            names.iter().any(ends_so)
        }
    };
    is_pdf.then_some(link)
}

/// Returns the URL if it is `http` or `https`, so that an API can load it.
fn link(url: Option<&str>) -> Option<&str> {
    let is_web = |url: &&str| {
        let scheme = url.split_once("://").map(|(scheme, _)| scheme);
        scheme.is_some_and(|scheme| {
            scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http")
        })
    };
    url.filter(is_web)
}

/// The URL as it appears in a text. URLs that contain the file itself (`data:`) are left out, because they would fill
/// the text.
fn shown(url: &Option<String>) -> Option<String> {
    link(url.as_deref()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn described_part_is_in_brackets() {
        let described = |part: ContentPart| described(&part).unwrap();
        assert_eq!(
            described(ContentPart::image("https://a.org/cat.png").into()),
            "[image: https://a.org/cat.png]"
        );
        assert_eq!(
            described(ContentPart::document("https://a.org/x", "x.txt").into()),
            "[document: x.txt, https://a.org/x]"
        );
        let audio = ContentPart::Audio {
            url: Some("data:audio/mpeg;base64,AAAA".to_owned()),
            mime_type: None,
            duration: Some(12.5),
            filename: Some("memo.mp3".to_owned()),
            ref_id: None,
        };
        assert_eq!(described(audio), "[audio: memo.mp3, 12.5 s]");
        assert_eq!(described(ContentPart::audio("").into()), "[audio]");
    }

    #[test]
    fn image_link_must_be_http_or_https() {
        for (url, is_link) in [
            ("https://a.org/x.png", true),
            ("HTTP://a.org/x.png", true),
            ("data:image/png;base64,AAAA", false),
            ("gs://bucket/x.png", false),
            ("file:///etc/passwd", false),
            ("/x.png", false),
            ("", false),
        ] {
            assert_eq!(
                image_link(&ContentPart::image(url).into()).is_some(),
                is_link,
                "{url}"
            );
        }
    }

    #[test]
    fn pdf_link_depends_on_type_or_name() {
        let document = |url: &str, name: &str| ContentPart::document(url, name).into();
        assert!(pdf_link(&document("https://a.org/1", "Report.PDF")).is_some());
        assert!(pdf_link(&document("https://a.org/r.pdf?v=2", "report")).is_some());
        assert!(pdf_link(&document("https://a.org/r.doc", "r.doc")).is_none());
        let typed = |mime_type: &str| ContentPart::Document {
            url: Some("https://a.org/1.pdf".to_owned()),
            filename: None,
            mime_type: Some(mime_type.to_owned()),
            size_bytes: None,
            ref_id: None,
        };
        assert!(pdf_link(&typed("application/pdf")).is_some());
        assert!(pdf_link(&typed("text/html")).is_none());
    }
}
