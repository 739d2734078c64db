use dooers::prelude::*;

#[dooers::agent]
async fn support(request: WorkerRequest, database: Database) -> String {
    format!("{database}: {}", request.message)
}

fn main() {}
