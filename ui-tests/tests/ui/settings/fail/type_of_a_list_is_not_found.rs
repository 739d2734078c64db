use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = 1)]
    limit: u8,
    tones: Vec<Missing>,
}

fn main() {}
