use dooers::prelude::*;

#[dooers::tool(approve = is_large)]
async fn weather(days: u8, #[tool(context)] request: WorkerRequest) -> String {
    format!("{days} {}", request.message)
}

fn is_large(days: &u8, _: &WorkerRequest) -> bool {
    *days > 3
}

fn main() {}
