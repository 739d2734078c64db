//! The verbs `settings.subscribe`, `settings.unsubscribe`, `settings.patch` and `settings.public_schema`.

use super::caller::Caller;
use crate::protocol::{
    ErrorBody, ErrorCode, SettingsPatchPayload, SettingsSubscribePayload, clean_id,
};
use crate::server::session::Session;
use crate::server::settings_frames;
use crate::settings::{ChangedSetting, PatchError, SettingsError};

/// Sends a snapshot for the audience, and then every change that it may see.
pub(super) async fn subscribe(
    caller: &Caller<'_>,
    payload: &SettingsSubscribePayload,
) -> Result<(), ErrorBody> {
    let session = caller.session;
    let (worker, audience) = (caller.identity.worker(), payload.audience);
    let subscribed = session
        .server
        .settings
        .read_unchanged(&worker, |schema, current| {
            let snapshot = settings_frames::snapshot(&worker, schema, current, audience);
            let hub = &session.server.hub;
            hub.subscribe_settings(&session.connection, worker.clone(), audience, snapshot);
        });
    subscribed.await.map_err(|error| refusal(caller, error))?;
    session.ack(&caller.id);
    Ok(())
}

pub(super) fn unsubscribe(caller: &Caller<'_>) -> Result<(), ErrorBody> {
    let session = caller.session;
    let agent = session.agent.name();
    let configured = session.server.settings.schema(agent).map(|_| ());
    configured.map_err(|error| refusal(caller, error))?;
    session.server.hub.unsubscribe_settings(&session.connection);
    session.ack(&caller.id);
    Ok(())
}

/// Changes a setting. The sender is notified of the change like every other subscriber.
pub(super) async fn patch(
    caller: &Caller<'_>,
    payload: SettingsPatchPayload,
) -> Result<(), ErrorBody> {
    clean_id("payload.field_id", &payload.field_id)?;
    let session = caller.session;
    if let Some(meter) = &session.meter {
        meter.settings_patch()?;
    }
    let worker = caller.identity.worker();
    let publish = |changed: &ChangedSetting<'_>| {
        session.ack(&caller.id);
        settings_frames::publish(&session.server.hub, changed, Some(&session.connection));
    };
    let audience = session.connection.settings_audience();
    let settings = &session.server.settings;
    settings
        .patch(
            audience,
            &worker,
            &payload.field_id,
            payload.value,
            &publish,
        )
        .await
        .map_err(|error| refusal(caller, error))
}

/// Sends the public part of the settings schema, also to a connection without an identity.
pub(super) fn public_schema(session: &Session, id: &str) -> Result<(), ErrorBody> {
    let agent = session.agent.name();
    let settings = &session.server.settings;
    let schema = settings.schema(agent).map_err(|_| not_configured())?;
    let values = settings
        .initial_values(agent)
        .map_err(|_| not_configured())?;
    let frame = settings_frames::public_schema(schema, values, id);
    session.connection.outbound().push(frame);
    Ok(())
}

fn refusal(caller: &Caller<'_>, error: SettingsError) -> ErrorBody {
    let text = error.to_string();
    let code = match error {
        SettingsError::NotConfigured(_) => return not_configured(),
        SettingsError::Store(error) => return caller.refusal(error),
        SettingsError::Sealed { .. } => return caller.failure(&error),
        SettingsError::Patch(PatchError::NotFound(_)) => ErrorCode::NotFound,
        SettingsError::Patch(PatchError::Readonly(_)) => ErrorCode::Readonly,
        SettingsError::Patch(PatchError::Internal(_)) => ErrorCode::Internal,
        SettingsError::Patch(PatchError::Invalid(_)) => ErrorCode::InvalidValue,
    };
    ErrorBody::new(code, text)
}

fn not_configured() -> ErrorBody {
    ErrorBody::new(ErrorCode::NotConfigured, "this agent has no settings")
}
