#[dooers::tool(approve = is_large)]
async fn weather(days: u8) -> u8 {
    days
}

fn is_large(days: &u32) -> bool {
    *days > 3
}

fn main() {}
