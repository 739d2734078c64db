#[dooers::tool]
async fn weather(#[tool(context, default = 3)] days: dooers::WorkerRequest) {
    let _ = days;
}

fn main() {}
