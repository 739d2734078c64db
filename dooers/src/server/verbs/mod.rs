//! The answers to the frames of clients: one file for each family of verbs.

mod connect;
mod event;
mod run;
mod settings;
mod thread;

use super::identity::Identity;
use super::session::Session;
use crate::protocol::{Command, Envelope, ErrorBody, ErrorCode, ServerFrame};
use crate::store::{PageLimit, StoreError};
use std::sync::Arc;

/// The delay after which a message may be sent again that was refused as `OVERLOADED`, in milliseconds.
const RETRY_AFTER_MS: u64 = 1_000;

/// Answers one frame.
pub(super) async fn answer(session: &Session, text: &str) {
    let envelope = match Envelope::parse(text) {
        Ok(envelope) => envelope,
        Err(refusal) => return session.refuse(&refusal.ack_id, &refusal.error),
    };
    let id = envelope.id.clone();
    if let Err(error) = dispatch(session, envelope).await {
        session.refuse(&id, &error);
    }
}

/// Calls the function of the verb.
async fn dispatch(session: &Session, envelope: Envelope) -> Result<(), ErrorBody> {
    let id = envelope.id.clone();
    let identity = session.identity();
    if identity.is_none() && !envelope.kind.is_allowed_before_connect() {
        return Err(not_connected());
    }
    let caller = |id| match identity {
        Some(identity) => Ok(Caller {
            session,
            id,
            identity,
        }),
        None => Err(not_connected()),
    };
    match envelope.command()? {
        Command::Connect(payload) => connect::connect(session, &id, &payload),
        Command::Ping => {
            session.push(&ServerFrame::Pong {});
            Ok(())
        }
        Command::ThreadList(payload) => thread::list(&caller(id)?, &payload).await,
        Command::ThreadSubscribe {
            thread_id,
            after_event_id,
        } => thread::subscribe(&caller(id)?, &thread_id, after_event_id).await,
        Command::ThreadUnsubscribe(thread_id) => {
            thread::unsubscribe(&caller(id)?, &thread_id).await
        }
        Command::ThreadDelete(thread_id) => thread::delete(&caller(id)?, &thread_id).await,
        Command::EventCreate(draft) => event::create(&caller(id)?, *draft).await,
        Command::EventList(payload) => event::list(&caller(id)?, &payload).await,
        Command::SettingsSubscribe(payload) => settings::subscribe(&caller(id)?, payload).await,
        Command::SettingsUnsubscribe(payload) => settings::unsubscribe(&caller(id)?, payload),
        Command::SettingsPatch(payload) => settings::patch(&caller(id)?, payload).await,
        Command::SettingsPublicSchema => settings::public_schema(session, &id),
        Command::RunCancel(payload) => run::cancel(&caller(id)?, payload).await,
        Command::Unavailable => Err(ErrorBody::new(
            ErrorCode::NotConfigured,
            "this agent does not have this feature",
        )),
    }
}

fn not_connected() -> ErrorBody {
    ErrorBody::new(ErrorCode::NotConnected, "send `connect` first")
}

/// The sender of a frame, and the id of the frame.
struct Caller<'a> {
    session: &'a Session,
    id: String,
    identity: Arc<Identity>,
}

impl Caller<'_> {
    /// The refusal for an error of the store. Errors that the client did not cause are logged with the frame's id.
    fn refusal(&self, error: StoreError) -> ErrorBody {
        match error {
            StoreError::NotFound(what) => ErrorBody::not_found(what),
            StoreError::Overloaded(text) => ErrorBody {
                retry_after_ms: Some(RETRY_AFTER_MS),
                ..ErrorBody::new(ErrorCode::Overloaded, text)
            },
            StoreError::Unavailable { .. } => {
                tracing::warn!(target: "dooers::server", frame_id = self.id, error = &error as &dyn std::error::Error, "a frame could not be answered");
                ErrorBody {
                    retry_after_ms: Some(RETRY_AFTER_MS),
                    ..ErrorBody::new(
                        ErrorCode::Overloaded,
                        "the server cannot use its database now; try again later",
                    )
                }
            }
            StoreError::Conflict(text) | StoreError::Busy(text) => {
                ErrorBody::new(ErrorCode::Conflict, text)
            }
            StoreError::Invalid(text) => ErrorBody::invalid_payload(text),
            StoreError::StaleFence | StoreError::Open(_) | StoreError::Failed { .. } => {
                self.failure(&error)
            }
        }
    }

    /// The refusal for an internal error, which is logged with the frame's id.
    fn failure(&self, error: &(dyn std::error::Error + 'static)) -> ErrorBody {
        tracing::error!(target: "dooers::server", frame_id = self.id, error, "a frame could not be answered");
        ErrorBody::new(
            ErrorCode::InternalError,
            "the server failed to answer this request; try again later",
        )
    }
}

impl Caller<'_> {
    /// The limits of a page: the requested number of items, up to `most`, and the maximum size of an answer in bytes.
    fn page_limit(
        &self,
        limit: Option<i128>,
        default: usize,
        most: usize,
    ) -> Result<PageLimit, ErrorBody> {
        let items = match limit {
            None => default,
            Some(limit) if limit < 1 => {
                return Err(ErrorBody::invalid_payload(
                    "`payload.limit` must be at least 1",
                ));
            }
            Some(limit) => usize::try_from(limit).unwrap_or(most).min(most),
        };
        Ok(PageLimit::new(items).bytes(self.answer_bytes()))
    }

    /// Maximum size of an answer, in bytes of its items.
    fn answer_bytes(&self) -> usize {
        self.session.running.config.limits.answer_bytes
    }
}
