use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(label = "More", collapsible = "closed")]
    more: More,
}

#[derive(Clone, WorkerSettings)]
struct More {}

fn main() {}
