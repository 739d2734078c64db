use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning<T> {
    #[setting(default = 1)]
    size: T,
}

fn main() {}
