use dooers::prelude::*;

use std::rc::Rc;

#[dooers::agent]
async fn support(request: WorkerRequest) -> Rc<str> {
    request.message.into()
}

fn main() {}
