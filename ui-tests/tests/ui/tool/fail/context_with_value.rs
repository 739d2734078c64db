#[dooers::tool]
async fn weather(#[tool(context = true)] days: dooers::WorkerRequest) {
    let _ = days;
}

fn main() {}
