#[dooers::tool(approve = is_large)]
async fn weather(days: u8) -> u8 {
    days
}

fn main() {}
