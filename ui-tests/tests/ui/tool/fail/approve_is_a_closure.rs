#[dooers::tool(approve = |days: &u8| *days > 3)]
async fn weather(days: u8) -> u8 {
    days
}

fn main() {}
