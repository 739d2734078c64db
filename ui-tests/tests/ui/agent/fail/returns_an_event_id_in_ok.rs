use dooers::prelude::*;

#[dooers::agent]
async fn support(response: WorkerResponse) -> Result<String> {
    Ok(response.stream_text(futures::stream::iter(["a"])).await?)
}

fn main() {}
