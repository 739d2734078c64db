//! The connections that read.

pub(super) mod pool;
pub(super) mod readers;
