#![allow(unused_imports)]

use dooers::prelude::*;

#[dooers::agent]
#[tokio::main]
async fn main() -> Result<()> {
    WorkerServer::new(WorkerConfig::from_env()?).serve().await?;
    Ok(())
}
