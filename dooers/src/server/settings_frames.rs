//! The frames that carry settings, and their publication.

use crate::hub::{Connection, Frame, Hub, PublishedSetting};
use crate::protocol::{Audience, PublicSchema, ServerFrame};
use crate::settings::{
    ChangedSetting, CurrentSettings, SettingsSchema, SettingsValues, Visibility,
};
use crate::store::WorkerKey;

/// The fields that an audience sees, with their current values.
pub(super) fn snapshot(
    worker: &WorkerKey,
    schema: &SettingsSchema,
    current: &CurrentSettings,
    audience: Audience,
) -> Frame {
    let frame = ServerFrame::SettingsSnapshot {
        worker_id: &worker.worker_id,
        agent_id: &worker.worker_id,
        fields: &schema.shown(audience, &current.values),
        updated_at: current.updated_at,
    };
    Frame::from(frame.encode())
}

/// The fields that the audience `user` sees, as the answer to the frame with this id.
pub(super) fn public_schema(
    schema: &SettingsSchema,
    values: &SettingsValues,
    frame_id: &str,
) -> Frame {
    let fields = schema.shown(Audience::User, values);
    let frame = ServerFrame::SettingsPublicSchemaResult {
        schema: PublicSchema {
            version: schema.version(),
            fields: &fields,
        },
    };
    Frame::from(frame.encode_with_id(frame_id))
}

/// A changed setting.
pub(super) fn patch(changed: &ChangedSetting<'_>) -> Frame {
    let frame = ServerFrame::SettingsPatch {
        worker_id: &changed.worker.worker_id,
        agent_id: &changed.worker.worker_id,
        field_id: changed.field.id(),
        value: &changed.field.shown_value(changed.value.clone()),
        updated_at: changed.updated_at,
    };
    Frame::from(frame.encode())
}

/// Publishes a changed setting to its subscribers, and to the connection that changed it.
pub(super) fn publish(hub: &Hub, changed: &ChangedSetting<'_>, sender: Option<&Connection>) {
    let published = PublishedSetting {
        worker: changed.worker,
        field_id: changed.field.id(),
        frame: patch(changed),
        is_for_creators: changed.field.visibility() == Visibility::Creator,
    };
    hub.publish_setting(&published, sender);
}
