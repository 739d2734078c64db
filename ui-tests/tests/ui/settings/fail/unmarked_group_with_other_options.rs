use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(label = "More", creator, default = "x")]
    more: More,
}

#[derive(Clone, WorkerSettings)]
#[setting(group)]
struct More {
    #[setting(default = 1)]
    size: u8,
}

fn main() {}
