//! The answer to one frame.

use super::caller::Caller;
use super::{analytics, connect, event, feedback, run, settings, thread};
use crate::auth::access::Action;
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

/// Refuses a message without answering it. `None` is a message that has no answer.
pub(in crate::server) fn refuse_frame(session: &Session, text: Option<&str>, error: &ErrorBody) {
    if let Some(text) = text {
        let envelope = Envelope::parse(text);
        let id = envelope.map_or_else(|refusal| refusal.ack_id, |envelope| envelope.id);
        session.refuse(&id, error);
    }
}

/// Calls the function of the verb.
async fn dispatch(session: &Session, envelope: Envelope) -> Result<(), ErrorBody> {
    let id = envelope.id.clone();
    let identity = session.identity();
    if identity.is_none() && !envelope.kind.is_allowed_before_connect() {
        return Err(not_connected());
    }
    let command = envelope.command()?;
    if let Some(identity) = &identity
        && let Some((action, worker)) = action_of(session, &command)
    {
        identity.can(action, worker)?;
    }
    let caller = |id| match identity {
        Some(identity) => Ok(Caller {
            session,
            id,
            identity,
        }),
        None => Err(not_connected()),
    };
    match command {
        Command::Connect(payload) => connect::connect(session, &id, *payload).await,
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
        Command::ThreadUpdate(payload) => thread::update(&caller(id)?, payload).await,
        Command::ThreadDelete(thread_id) => thread::delete(&caller(id)?, &thread_id).await,
        Command::EventCreate(draft) => event::create(&caller(id)?, *draft).await,
        Command::EventList(payload) => event::list(&caller(id)?, &payload).await,
        Command::SettingsSubscribe(payload) => settings::subscribe(&caller(id)?, &payload).await,
        Command::SettingsUnsubscribe(_) => settings::unsubscribe(&caller(id)?),
        Command::SettingsPatch(payload) => settings::patch(&caller(id)?, payload).await,
        Command::SettingsPublicSchema => settings::public_schema(session, &id),
        Command::RunCancel(payload) => run::cancel(&caller(id)?, payload).await,
        Command::Feedback(payload) => feedback::give(&caller(id)?, payload).await,
        Command::AnalyticsSubscribe(_) => analytics::subscribe(&caller(id)?).await,
        Command::AnalyticsUnsubscribe(_) => analytics::unsubscribe(&caller(id)?),
    }
}

/// The action of a command, and the worker that it names. `None` for commands that need no identity.
fn action_of<'a>(session: &Session, command: &'a Command) -> Option<(Action, Option<&'a str>)> {
    Some(match command {
        Command::Connect(_) | Command::Ping | Command::SettingsPublicSchema => return None,
        Command::ThreadList(_)
        | Command::ThreadSubscribe { .. }
        | Command::ThreadUnsubscribe(_)
        | Command::ThreadUpdate(_)
        | Command::ThreadDelete(_)
        | Command::EventCreate(_)
        | Command::EventList(_)
        | Command::RunCancel(_)
        | Command::Feedback(_) => (Action::Converse, None),
        Command::SettingsSubscribe(payload) => {
            let action = Action::ReadSettings(payload.audience);
            (action, payload.worker())
        }
        Command::SettingsPatch(payload) => {
            let audience = session.connection.settings_audience();
            (Action::PatchSettings(audience), payload.worker())
        }
        Command::AnalyticsSubscribe(payload) => (Action::ReadAnalytics, payload.worker()),
        Command::SettingsUnsubscribe(payload) | Command::AnalyticsUnsubscribe(payload) => {
            (Action::Converse, payload.worker())
        }
    })
}

fn not_connected() -> ErrorBody {
    ErrorBody::new(ErrorCode::NotConnected, "send `connect` first")
}
