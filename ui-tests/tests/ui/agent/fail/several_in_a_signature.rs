// errors: 11
use dooers::prelude::*;

#[dooers::agent(name = "")]
const unsafe fn support<T>(_one: &WorkerRequest, _two: impl Send, _three: &str) -> u8 {
    1
}

#[dooers::agent]
fn other() {}

#[dooers::agent]
async fn third(loud: bool, large: u8) -> u8 {
    u8::from(loud) + large
}

fn main() {}
