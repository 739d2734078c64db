use dooers::prelude::*;

#[derive(Clone)]
struct Database;

#[dooers::agent]
async fn support(request: WorkerRequest, database: Database) -> String {
    let _: Database = database;
    request.message
}

fn main() {}
