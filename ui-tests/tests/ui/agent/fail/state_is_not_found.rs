use dooers::prelude::*;

#[dooers::agent]
async fn support(request: WorkerRequest, State(database): State<Database>) -> String {
    format!("{database}: {}", request.message)
}

fn main() {}
