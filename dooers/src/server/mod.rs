//! The server: one [`WorkerServer`], one session for each WebSocket, one file for each family of verbs.

mod agent_list;
mod agent_variables;
mod analytics;
mod analytics_events;
mod analytics_of_nodes;
mod announce;
mod auth_env;
mod authentication;
mod authority;
mod bind_address;
mod binding;
mod broker_config;
mod broker_env;
mod broker_kind;
mod callback;
mod catch_up;
mod changed_rows;
mod client_address;
mod client_origin;
mod comparison;
mod config;
mod config_env;
mod config_error;
mod connection_limit;
mod connection_task;
mod database;
mod database_env;
mod dispatch;
mod ends_elsewhere;
mod env;
mod error;
mod exit_watchdog;
mod expiry;
mod feedback;
mod feedback_updates;
mod http_layers;
mod identity;
mod jwt_env;
mod lease_config;
mod leases;
mod list;
mod list_fronts;
mod listed_rows;
mod listener;
#[cfg(feature = "testing")]
mod local_client;
mod local_session;
mod malformed_request;
mod misspelled_variables;
mod node_report;
mod node_status;
mod nodes;
mod open_address;
mod open_sessions;
mod origin;
mod pace;
mod pending_connections;
#[cfg(feature = "playground")]
mod playground;
mod playground_config;
mod quota;
mod raw_answer;
mod read_ahead;
pub mod repository;
mod retention;
mod routes;
mod security_headers;
mod server_spec;
mod server_state;
mod serving;
mod session;
mod settings_frames;
mod settings_of_nodes;
mod settings_updates;
mod settling;
mod signals;
mod silent_nodes;
mod socket;
mod sparse;
mod starting;
mod stop_config;
mod stopping;
mod submit_message;
#[cfg(all(test, feature = "testing"))]
mod tests_of_live_nodes;
#[cfg(all(test, feature = "testing"))]
mod tests_of_nodes;
#[cfg(all(test, feature = "testing"))]
mod tests_of_silent_nodes;
#[cfg(all(test, feature = "testing"))]
mod tests_of_turns_elsewhere;
mod thread_ops;
mod trusted_proxies;
mod turn_server;
mod unknown_roles;
mod upgrade;
mod usage_limits;
mod variables;
mod verbs;
#[cfg(feature = "webhook")]
mod webhook;
mod webhook_env;
mod worker;
mod write_counter;

pub use analytics_events::{AnalyticsEvents, InvalidAnalyticsName};
pub use bind_address::BindAddress;
pub use broker_kind::BrokerKind;
pub use config::{Limits, WorkerConfig};
pub use config_error::ConfigError;
pub use database::Database;
pub use dispatch::{
    Dispatch, DispatchError, DispatchEvent, DispatchStream, HandlerError, HandlerErrorKind,
};
pub use error::ServerError;
#[cfg(feature = "testing")]
pub(crate) use local_client::{LocalClient, Served};
pub use origin::{AllowedHosts, AllowedOrigins, InvalidHost, InvalidOrigin};
pub use quota::Quotas;
pub use trusted_proxies::{InvalidProxy, TrustedProxies};
pub use turn_server::TurnServer;
#[cfg(feature = "webhook")]
pub use webhook::{AnalyticsWebhook, AnalyticsWebhookBuilder, InvalidWebhook};
pub use worker::WorkerServer;
