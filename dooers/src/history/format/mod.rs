//! The conversation in the formats of model APIs. Each format is a file.

mod anthropic;
mod cohere;
mod google;
mod history;
mod history_format;
mod open_ai;
mod open_ai_responses;
mod turns;
mod voyage;
mod writer;

pub(super) use history::History;
pub use history_format::HistoryFormat;
