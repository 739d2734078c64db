//! The places in which a planted text may occur, and the rules that permit it.

use dooers_tests::leaks::{Channel, Exception};

/// The exceptions of every store.
pub(super) fn of_every_store() -> Vec<Exception> {
    use Channel::{Debug, FrameLog, Frames, Log, Output, Rows, Webhook};
    let handler = "the log has the text of a handler's error, for the operator";
    let panic = "the log has the message of a panic, for the operator";
    let hook = "Rust prints the message of a panic, unless the program sets another hook";
    let callback = "the log has the text of a callback's error, for the operator";
    let said = "it is a part of the conversation";
    let wire = "the WebSocket library logs frames; `log_directives` turns its log off";
    [
        ("error", Log, "the handler failed", handler),
        ("chain", Log, "the handler failed", handler),
        ("context", Log, "the handler failed", handler),
        ("behind", Log, "the handler failed", handler),
        ("wrapped", Log, "the handler failed", handler),
        ("bail", Log, "the handler failed", handler),
        ("lines", Log, "the handler failed", handler),
        ("stream", Log, "the handler failed", handler),
        ("string", Log, "the handler failed", handler),
        (
            "retry",
            Log,
            "the handler failed and will be retried",
            handler,
        ),
        ("retry", Log, "the handler failed:", handler),
        ("before", Log, "the handler failed", handler),
        ("panic", Log, "the handler panicked", panic),
        ("panic", Output, "panicked at", hook),
        ("after", Log, "a middleware panicked", panic),
        ("after", Output, "panicked at", hook),
        (
            "settings callback",
            Log,
            "the program's callback for changed settings failed",
            callback,
        ),
        (
            "settings callback panic",
            Log,
            "the callback panicked",
            panic,
        ),
        ("settings callback panic", Output, "panicked at", hook),
        (
            "feedback callback",
            Log,
            "the program's callback for feedback failed",
            callback,
        ),
        ("public", Log, "the handler failed", handler),
        ("public", Frames, "event.append", said),
        ("public", Frames, "run.upsert", said),
        ("public", Frames, "thread.snapshot", said),
        ("public", Rows, "", said),
        ("public", FrameLog, "", wire),
        ("tool", Frames, "event.append", said),
        ("tool", Frames, "thread.snapshot", said),
        ("tool", Rows, "", said),
        ("tool", FrameLog, "", wire),
        ("message", Frames, "event.append", said),
        ("message", Frames, "thread.snapshot", said),
        ("message", Rows, "", said),
        ("message", FrameLog, "", wire),
        ("internal", Rows, "", "only a `Secret` is sealed"),
        (
            "internal",
            Debug,
            "Vault",
            "in a program's own type, only a `Secret` hides itself",
        ),
        (
            "track",
            Frames,
            "analytics.event",
            "a program tracks events for subscribers",
        ),
        ("track", FrameLog, "", wire),
        (
            "track",
            Webhook,
            "POST",
            "a program tracks events for the webhook",
        ),
        (
            "webhook URL",
            Webhook,
            "POST /hook?token=",
            "it is the address of the request",
        ),
        (
            "feedback reason",
            Rows,
            "",
            "the reason of a feedback is stored for the program",
        ),
        ("feedback reason", FrameLog, "", wire),
        ("patched", FrameLog, "", wire),
        ("refused", FrameLog, "", wire),
        ("form password", FrameLog, "", wire),
        ("connect token", FrameLog, "", wire),
    ]
    .map(exception)
    .into()
}

/// The exceptions of the databases.
pub(super) fn of_databases() -> Vec<Exception> {
    let waits = "an event is stored until the webhook confirms it";
    [("track", Channel::Rows, "", waits)].map(exception).into()
}

/// The exceptions of the store in memory, which reports errors with secrets.
pub(super) fn of_memory() -> Vec<Exception> {
    let database = "the log has the error of the database, for the operator";
    [
        (
            "store",
            Channel::Log,
            "a frame could not be answered",
            database,
        ),
        ("ping", Channel::Log, "not ready", database),
    ]
    .map(exception)
    .into()
}

fn exception(
    (secret, channel, within, reason): (&'static str, Channel, &'static str, &'static str),
) -> Exception {
    Exception {
        secret,
        channel,
        within,
        reason,
    }
}
