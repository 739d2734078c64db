//! Replies with a single content part.

use super::answer::{Answer, IntoReply};
use super::event::Reply;
use super::stream::StreamedReply;
use crate::AgentError;
use crate::protocol::{AudioPart, ContentPart, DocumentPart, ImagePart, ThreadEvent};

/// Implements the conversions of a content part, so that it can be used wherever a reply is expected.
macro_rules! reply_of_one_part {
    ($part:ty) => {
        impl $part {
            /// Converts the part to a reply with this author instead of the assistant's name.
            #[must_use]
            pub fn author(self, author: impl Into<String>) -> Reply {
                Reply::from(self).author(author)
            }
        }

        impl From<$part> for Reply {
            fn from(part: $part) -> Self {
                Self::message(vec![ContentPart::from(part)])
            }
        }

        impl From<$part> for ThreadEvent {
            fn from(part: $part) -> Self {
                Reply::from(part).into()
            }
        }

        // The compiler lists at most eight types when it explains what an agent can return.
        #[diagnostic::do_not_recommend]
        impl IntoReply for $part {
            fn into_reply(self) -> Result<Answer, AgentError> {
                Reply::from(self).into_reply()
            }
        }

        #[diagnostic::do_not_recommend]
        impl StreamedReply for $part {
            fn into_result(self) -> Result<Reply, AgentError> {
                Ok(self.into())
            }
        }
    };
}

reply_of_one_part!(ImagePart);
reply_of_one_part!(AudioPart);
reply_of_one_part!(DocumentPart);
