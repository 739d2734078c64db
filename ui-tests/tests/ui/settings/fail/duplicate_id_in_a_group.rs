use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = 1)]
    size: u8,
    #[setting(group)]
    more: More,
}

#[derive(Clone, WorkerSettings)]
struct More {
    #[setting(default = 2)]
    size: u8,
}

fn main() {}
