use dooers::prelude::*;

use std::rc::Rc;

#[dooers::agent]
async fn support(response: WorkerResponse) -> Result<()> {
    let counter = Rc::new(1);
    response.text("One moment.").await?;
    response.text(format!("{counter} done"));
    Ok(())
}

fn main() {}
