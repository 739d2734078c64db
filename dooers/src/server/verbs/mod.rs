//! What each frame of a client does: one file for each family of verbs.

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

/// When a message makes sense again for which there was no room, in milliseconds.
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

/// The table of verbs.
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

/// Who sent a frame, and its id.
struct Caller<'a> {
    session: &'a Session,
    id: String,
    identity: Arc<Identity>,
}

impl Caller<'_> {
    /// The refusal that a store's error stands for. What is our own fault goes to the log, with the frame's id.
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

    /// The refusal of what is our own fault. Its reason goes to the log, with the frame's id.
    fn failure(&self, error: &(dyn std::error::Error + 'static)) -> ErrorBody {
        tracing::error!(target: "dooers::server", frame_id = self.id, error, "a frame could not be answered");
        ErrorBody::new(
            ErrorCode::InternalError,
            "the server failed to do this; try again later",
        )
    }
}

impl Caller<'_> {
    /// The size of a page: as many items as are asked for, at most `most`, and at most the bytes of an answer.
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

    /// The largest answer, in bytes of what it lists.
    fn answer_bytes(&self) -> usize {
        self.session.running.config.limits.answer_bytes
    }
}
