#[dooers::agent]
extern "C" fn support() {}

fn main() {}
