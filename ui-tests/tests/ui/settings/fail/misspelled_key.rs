use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(defualt = 1)]
    size: Option<u8>,
}

fn main() {}
