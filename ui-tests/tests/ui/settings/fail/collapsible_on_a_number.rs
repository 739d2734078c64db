use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(collapsible = "open")]
    size: Option<u8>,
}

fn main() {}
