//! The playground (feature `playground`): a page for conversations with the agents, which a browser loads from the server.
//!
//! Its files are in the folder `playground/` of the crate. The build script compresses them, and [`assets`] embeds them.
//! [`page`] has one route for each file, [`coding`] chooses the compression, and [`answer`] writes the answers.

mod answer;
mod assets;
mod coding;
mod page;

pub(super) use page::routes;
