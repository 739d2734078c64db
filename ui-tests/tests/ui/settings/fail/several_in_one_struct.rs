// errors: 5
use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = 0, min = 1)]
    size: u8,
    name: String,
    #[setting(pattern = "(", lable = "Code")]
    code: Option<String>,
    keys: Vec<u8>,
}

fn main() {}
