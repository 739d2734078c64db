#[dooers::tool]
async unsafe fn weather() {}

fn main() {}
