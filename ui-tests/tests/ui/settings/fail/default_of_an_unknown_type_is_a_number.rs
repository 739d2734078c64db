use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = 1)]
    value: std::num::NonZeroU8,
}

fn main() {}
