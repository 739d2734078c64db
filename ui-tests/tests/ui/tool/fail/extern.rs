#[dooers::tool]
extern "C" fn weather() {}

fn main() {}
