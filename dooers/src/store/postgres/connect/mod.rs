//! Connections to the server: their options, their limits, and explanations of their errors.

pub(super) mod conn_params;
pub(super) mod connection;
pub(super) mod error;
pub(super) mod execution;
pub(super) mod hint;
pub(super) mod limit;
pub(super) mod options;
pub(super) mod ssl;
pub(super) mod statement;
pub(super) mod url;
