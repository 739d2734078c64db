use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = 1)]
    limit: u8,
    tone: Option<Missing>,
}

fn main() {}
