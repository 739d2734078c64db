#[dooers::tool(approve = is_large)]
async fn weather(days: u8) -> u8 {
    days
}

async fn is_large(days: &u8) -> bool {
    *days > 3
}

fn main() {}
