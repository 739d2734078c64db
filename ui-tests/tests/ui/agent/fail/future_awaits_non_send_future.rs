use dooers::prelude::*;

use std::rc::Rc;

async fn answer(response: &WorkerResponse) -> Result<()> {
    let text = Rc::new("One moment.".to_owned());
    response.text(text.as_str()).await?;
    drop(text);
    Ok(())
}

#[dooers::agent(name = "help-desk")]
async fn r#type(response: WorkerResponse) -> Result<()> {
    answer(&response).await
}

fn main() {}
