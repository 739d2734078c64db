#[dooers::tool]
async fn weather(#[tool(contxt)] days: dooers::WorkerRequest) {
    let _ = days;
}

fn main() {}
