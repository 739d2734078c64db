//! The ids of tool calls.

use super::request::{ProviderApi, ProviderRequest};

/// An id as the API makes it. It is unique for all requests to the provider.
pub(super) fn call_id(request: &ProviderRequest, place: usize) -> String {
    let prefix = match request.api {
        ProviderApi::ChatCompletions | ProviderApi::Responses => "call",
        ProviderApi::Messages => "toolu",
    };
    format!("{prefix}_{}_{place}", request.number)
}
