//! The secrets of a server, and the variables that contain them.

use dooers_tests::leaks::Secrets;

/// The secrets that the program `leak-server` puts into errors, panics and values.
const OF_PROGRAM: &[&str] = &[
    "error",
    "chain",
    "context",
    "behind",
    "wrapped",
    "bail",
    "lines",
    "panic",
    "payload",
    "title",
    "public",
    "stream",
    "tool",
    "set",
    "internal",
    "track",
    "string",
    "retry",
    "before",
    "after",
    "settings callback",
    "settings callback panic",
    "feedback callback",
];

/// The errors of the database that the store in memory reports.
pub(super) const OF_SPY: &[&str] = &["store", "ping"];

/// Plants the secrets of the program and of its environment. Returns the variables of the process.
pub(super) fn plan(secrets: &mut Secrets, more: &[&str], receiver: &str) -> Vec<(String, String)> {
    for name in OF_PROGRAM.iter().chain(more) {
        secrets.text(name);
    }
    let of_program = secrets.to_json().to_string();
    let url = format!("{receiver}/hook?token={}", secrets.token("webhook URL"));
    let variables = [
        ("LEAKS", of_program),
        ("LEAKS_DEFAULT", secrets.text("default_env")),
        ("RUST_LOG", "trace".to_owned()),
        ("WORKER_ANALYTICS_WEBHOOK_MAX_AGE", "0.1".to_owned()),
        (
            "WORKER_ANALYTICS_WEBHOOK_SECRET",
            secrets.text("webhook secret"),
        ),
        ("WORKER_ANALYTICS_WEBHOOK_URL", url),
        ("WORKER_BIND", "127.0.0.1:0".to_owned()),
        ("WORKER_DRAIN_TIMEOUT", "0.1".to_owned()),
        ("WORKER_SECRET_KEY", secrets.key("secret key")),
    ];
    variables
        .map(|(name, value)| (name.to_owned(), value))
        .into()
}
