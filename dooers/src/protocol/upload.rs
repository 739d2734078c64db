//! Content parts that name an uploaded file.

use super::{ContentPart, ErrorBody, ErrorCode};

/// The error for a content part that names an upload which the server does not have: it has a `ref_id` and no `url`.
///
/// On the wire this is [`ErrorCode::UploadNotFound`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no upload with the `ref_id` `{ref_id:.64}`, and the part has no `url`: give the part a `url`, or leave it out"
)]
#[non_exhaustive]
pub struct UploadNotFound {
    /// The `ref_id` of the part.
    pub ref_id: String,
}

impl UploadNotFound {
    /// Refuses content with a part that names an upload and has no URL.
    pub(crate) fn check(content: &[ContentPart]) -> Result<(), Self> {
        match content.iter().find_map(unresolved) {
            None => Ok(()),
            Some(ref_id) => Err(Self {
                ref_id: ref_id.to_owned(),
            }),
        }
    }
}

impl From<UploadNotFound> for ErrorBody {
    fn from(error: UploadNotFound) -> Self {
        Self::new(ErrorCode::UploadNotFound, error.to_string())
    }
}

/// The upload that this part names without a URL. A blank URL and an empty `ref_id` count as missing.
fn unresolved(part: &ContentPart) -> Option<&str> {
    match part {
        ContentPart::Text { .. } => None,
        ContentPart::Image { url, ref_id, .. }
        | ContentPart::Audio { url, ref_id, .. }
        | ContentPart::Document { url, ref_id, .. } => {
            let url = url.as_deref().unwrap_or_default();
            let ref_id = ref_id.as_deref().filter(|id| !id.is_empty());
            ref_id.filter(|_| url.trim().is_empty())
        }
    }
}
