use dooers::prelude::*;

use std::sync::Mutex;

static COUNT: Mutex<u32> = Mutex::new(0);

#[dooers::agent]
async fn support(response: WorkerResponse) -> Result<()> {
    let mut count = COUNT.lock().unwrap();
    *count += 1;
    response.text(count.to_string()).await?;
    Ok(())
}

fn main() {}
