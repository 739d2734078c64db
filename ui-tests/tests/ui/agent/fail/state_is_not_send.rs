use dooers::prelude::*;

use std::rc::Rc;

#[dooers::agent]
async fn support(request: WorkerRequest, State(name): State<Rc<str>>) -> String {
    format!("{name}: {}", request.message)
}

fn main() {}
