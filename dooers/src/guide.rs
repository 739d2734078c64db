//! Guide to each part of dooers, with examples.
//!
//! These pages are also readable in the repository, under `dooers/docs/guide`.

// In the repository, the links of a page lead to the files of other pages. The first definition of a link wins, so
// these definitions make the links lead to the modules.

#[doc = "[streaming]: crate::guide::streaming"]
#[doc = "[memory]: crate::guide::memory"]
#[doc = "[analytics]: crate::guide::analytics"]
#[doc = "[settings]: crate::guide::settings"]
#[doc = "[dispatch]: crate::guide::dispatch"]
#[doc = "[deployment]: crate::guide::deployment"]
#[cfg_attr(feature = "tools", doc = "[tools]: crate::guide::tools")]
#[cfg_attr(feature = "openai", doc = "[models]: crate::guide::models")]
#[doc = ""]
#[doc = include_str!("../docs/guide/agents.md")]
pub mod agents {}

#[doc = include_str!("../docs/guide/streaming.md")]
pub mod streaming {}

#[doc = include_str!("../docs/guide/memory.md")]
pub mod memory {}

#[cfg(feature = "tools")]
#[cfg_attr(feature = "openai", doc = "[models]: crate::guide::models")]
#[doc = ""]
#[doc = include_str!("../docs/guide/tools.md")]
pub mod tools {}

#[doc = "[deployment]: crate::guide::deployment"]
#[doc = "[repository]: crate::guide::repository"]
#[doc = ""]
#[doc = include_str!("../docs/guide/analytics.md")]
pub mod analytics {}

#[doc = "[deployment]: crate::guide::deployment"]
#[doc = ""]
#[doc = include_str!("../docs/guide/settings.md")]
pub mod settings {}

#[doc = include_str!("../docs/guide/dispatch.md")]
pub mod dispatch {}

#[doc = "[dispatch]: crate::guide::dispatch"]
#[doc = ""]
#[doc = include_str!("../docs/guide/repository.md")]
pub mod repository {}

#[cfg(feature = "openai")]
#[doc = include_str!("../docs/guide/models.md")]
pub mod models {}

#[cfg(feature = "testing")]
#[doc = include_str!("../docs/guide/testing.md")]
pub mod testing {}

#[doc = "[from_env]: crate::WorkerConfig::from_env"]
#[doc = "[streaming]: crate::guide::streaming"]
#[doc = "[auth]: crate::guide::auth"]
#[doc = ""]
#[doc = include_str!("../docs/guide/deployment.md")]
pub mod deployment {}

#[doc = "[authenticator]: crate::WorkerServer::authenticator"]
#[doc = "[rights]: crate::auth::Rights"]
#[doc = ""]
#[doc = include_str!("../docs/guide/auth.md")]
pub mod auth {}
