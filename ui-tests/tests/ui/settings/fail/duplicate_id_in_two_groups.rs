use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(group)]
    more: More,
    #[setting(group)]
    most: Most,
}

#[derive(Clone, WorkerSettings)]
struct More {
    size: Option<u8>,
}

#[derive(Clone, WorkerSettings)]
struct Most {
    size: Option<u8>,
}

fn main() {}
