#[dooers::tool]
async fn weather(größe: u8) -> u8 {
    größe
}

fn main() {}
