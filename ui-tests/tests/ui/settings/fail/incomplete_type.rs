use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    size: ,
}

#[dooers::agent]
async fn support(tuning: Tuning) -> String {
    let _ = (tuning, Tuning::default());
    String::new()
}

fn main() {}
