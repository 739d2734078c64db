//! The authenticator for a fixed list of tokens.

mod file;
mod invalid;
mod static_tokens;
#[cfg(test)]
mod tests;
mod watched_file;

pub use invalid::InvalidTokens;
pub use static_tokens::StaticTokens;
