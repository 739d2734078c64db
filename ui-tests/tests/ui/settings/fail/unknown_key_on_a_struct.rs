use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
#[setting(label = "Tuning")]
struct Tuning {

}

fn main() {}
