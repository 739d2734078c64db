//! The lines that a serving program prints.

use super::authority::is_loopback;
use super::config::WorkerConfig;
use super::error::ServerError;
use super::routes;
use super::server_state::ServerState;
use crate::handler::AgentDefinition;
use std::io::Write;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// Prints the addresses to connect to, and how to stop the server.
pub(super) fn serving(
    server: &ServerState,
    listener: &TcpListener,
    stop: &str,
) -> Result<(), ServerError> {
    let address = listener.local_addr().map_err(ServerError::Listen)?;
    let names: Vec<_> = server.agents.iter().map(AgentDefinition::name).collect();
    let paths = routes::paths(server);
    say(&announcement(&server.config, &names, &paths, address, stop));
    Ok(())
}

/// Prints the number of turns that a stopping server waits for, and how to stop it earlier.
pub(super) fn running_turns(turns: usize, stop: &str) {
    if turns > 0 {
        say(&format!(
            "Stopping once {turns} running turns have ended{stop}.\n"
        ));
    }
}

/// The announcement of a server. The address of the playground comes first, because a person can open it. The announcement
/// repeats the warning about memory of the log, which a program without a subscriber does not show.
fn announcement(
    config: &WorkerConfig,
    names: &[&str],
    paths: &[String],
    address: SocketAddr,
    stop: &str,
) -> String {
    let mut text = format!("dooers serves {} on\n", names.join(", "));
    if config.has_playground(is_loopback(address.ip())) {
        text += &format!("  http://{address}\n");
    }
    for path in paths {
        text += &format!("  ws://{address}{path}\n");
    }
    if let Some(warning) = config.database.warning(config.database_is_chosen) {
        text += &format!("Warning: {warning}.\n");
    }
    text + stop
}

/// Writes to the standard output. An error is ignored, because the server also works without a terminal.
fn say(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::Database;

    fn announced_at(address: &str, config: &WorkerConfig) -> String {
        let (names, paths) = (["a", "b"], ["/ws".to_owned()]);
        announcement(config, &names, &paths, address.parse().unwrap(), "End.\n")
    }

    fn announced(config: &WorkerConfig) -> String {
        announced_at("192.0.2.1:8000", config)
    }

    #[cfg(feature = "playground")]
    #[test]
    fn announcement_starts_with_the_page() {
        let config = WorkerConfig::new().database(Database::Memory);
        let (on, off) = (
            config.clone().playground(true),
            config.clone().playground(false),
        );
        for (address, config, is_shown) in [
            ("127.0.0.1:8000", &config, true),
            ("[::1]:8000", &config, true),
            ("192.0.2.1:8000", &config, false),
            ("127.0.0.1:8000", &off, false),
            ("192.0.2.1:8000", &on, true),
        ] {
            let page = format!("  http://{address}\n");
            let page = if is_shown { page.as_str() } else { "" };
            let expected = format!("dooers serves a, b on\n{page}  ws://{address}/ws\nEnd.\n");
            assert_eq!(announced_at(address, config), expected);
        }
    }

    #[test]
    fn announcement_warns_of_unchosen_memory() {
        let chosen = WorkerConfig::new().database(Database::Memory);
        assert_eq!(
            announced(&chosen),
            "dooers serves a, b on\n  ws://192.0.2.1:8000/ws\nEnd.\n"
        );
        let unchosen = WorkerConfig {
            database: Database::Memory,
            ..WorkerConfig::new()
        };
        let text = announced(&unchosen);
        let warning = "/ws\nWarning: conversations are kept in memory only and are lost when the program ends";
        assert!(text.contains(warning), "{text}");
        assert!(text.ends_with("intended.\nEnd.\n"), "{text}");
    }
}
