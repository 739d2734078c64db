use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
#[setting(group)]
struct More {
    most: Most,
}

#[derive(Clone, WorkerSettings)]
struct Most {}

fn main() {}
