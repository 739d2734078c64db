use dooers::prelude::*;

struct Database;

#[dooers::agent]
async fn support(request: WorkerRequest, State(database): State<Database>) -> String {
    let _: Database = database;
    request.message
}

fn main() {}
