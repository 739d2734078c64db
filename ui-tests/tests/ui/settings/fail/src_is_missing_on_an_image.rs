use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    logo: ImageUrl,
}

fn main() {}
