//! The answer to one frame.

use super::caller::Caller;
use super::{connect, event, feedback, run, settings, thread};
use crate::protocol::{Command, Envelope, ErrorBody, ErrorCode, ServerFrame};
use crate::server::session::Session;

/// Answers one frame.
pub(in crate::server) async fn handle_frame(session: &Session, text: &str) {
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
        Command::Feedback(payload) => feedback::give(&caller(id)?, payload).await,
        Command::Unavailable => Err(ErrorBody::new(
            ErrorCode::NotConfigured,
            "this agent does not have this feature",
        )),
    }
}

fn not_connected() -> ErrorBody {
    ErrorBody::new(ErrorCode::NotConnected, "send `connect` first")
}
