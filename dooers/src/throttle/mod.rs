//! Rates and quotas: how often something may happen.
//!
//! The crate `governor` was considered. Its keyed limiters have one rate for all keys, but identities have their own rates,
//! which change when a user connects with another token. Its other limiters cannot be given another rate without losing
//! their state, so a user could reset a quota by connecting with two tokens in turns. It also refuses a frame that is larger
//! than the burst forever.

mod bucket;
mod keyed;
mod limiter;
mod quota;
mod rate;

pub(crate) use bucket::Bucket;
pub(crate) use keyed::{Keep, Keyed};
pub use limiter::{RateExceeded, RateLimiter};
pub use quota::{InvalidQuota, Quota};
pub use rate::Rate;
