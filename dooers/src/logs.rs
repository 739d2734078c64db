//! The log filter that keeps clients' messages out.

/// Crates that log the contents of conversations: `tungstenite` logs frames of clients at the levels DEBUG and TRACE, with
/// messages, secrets and form passwords. `async_openai` logs answers of models that it cannot parse.
const FRAME_LOGGERS: [&str; 3] = ["tungstenite", "tokio_tungstenite", "async_openai"];

/// The client of NATS, which logs one or two lines for each attempt to connect.
const NATS: &str = "async_nats";

/// Returns a filter for `tracing_subscriber`: the directives of `RUST_LOG`, or `info` if it is not set, without the crates
/// that log the contents of conversations.
///
/// With `RUST_LOG=trace` alone, the WebSocket library logs every frame, including new values of secret settings and passwords
/// that users type into forms. With this filter, it logs nothing, whatever `RUST_LOG` says. The same applies to the client of
/// OpenAI's API, which logs answers of models that it cannot parse. dooers itself logs ids, never contents.
///
/// The client of NATS is off unless `RUST_LOG` names `async_nats`. It logs each attempt to connect, while dooers logs each
/// reason for the loss of the connection once.
///
/// # Examples
///
/// With the feature `env-filter` of `tracing-subscriber`:
///
/// ```
/// tracing_subscriber::fmt().with_env_filter(dooers::log_directives()).init();
/// ```
#[must_use]
pub fn log_directives() -> String {
    let chosen = std::env::var("RUST_LOG");
    without_frames(chosen.as_deref().unwrap_or_default())
}

fn without_frames(chosen: &str) -> String {
    let logs_frames = |directive: &&str| {
        let directive = directive.trim_start();
        FRAME_LOGGERS
            .iter()
            .any(|logger| directive.starts_with(logger))
    };
    let chosen = if chosen.trim().is_empty() {
        "info"
    } else {
        chosen
    };
    // A directive for a module of such a crate would override the directive for the crate.
    let mut directives: Vec<_> = chosen
        .split(',')
        .filter(|directive| !logs_frames(directive))
        .map(str::to_owned)
        .collect();
    if !directives
        .iter()
        .any(|directive| directive.trim_start().starts_with(NATS))
    {
        directives.push(format!("{NATS}=off"));
    }
    directives.extend(FRAME_LOGGERS.map(|logger| format!("{logger}=off")));
    directives.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_not_logged_whatever_is_chosen() {
        let off = "async_nats=off,tungstenite=off,tokio_tungstenite=off,async_openai=off";
        for (chosen, rest) in [
            ("", "info"),
            (" ", "info"),
            ("trace", "trace"),
            ("warn,dooers=trace", "warn,dooers=trace"),
            ("trace,tungstenite=trace", "trace"),
            (
                "trace, tungstenite::protocol=trace,sqlx=off",
                "trace,sqlx=off",
            ),
            ("info,tokio_tungstenite", "info"),
        ] {
            assert_eq!(without_frames(chosen), format!("{rest},{off}"), "{chosen}");
        }
        assert_eq!(without_frames("tungstenite"), off);
    }

    #[test]
    fn client_of_nats_is_logged_if_it_is_named() {
        let text = without_frames("warn, async_nats::connector=debug");
        assert!(!text.contains("async_nats=off"), "{text}");
    }
}
