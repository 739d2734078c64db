use dooers::prelude::*;

use std::error::Error;

#[dooers::agent]
async fn support(request: WorkerRequest) -> Result<String, Box<dyn Error>> {
    Ok(request.message)
}

fn main() {}
