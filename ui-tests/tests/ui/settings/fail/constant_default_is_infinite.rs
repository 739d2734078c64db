use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = f32::INFINITY)]
    value: f32,
}

fn main() {}
