// errors: 6
use dooers::prelude::*;

#[dooers::agent(nmae = "help", default = false, run = "auto", colour, type = "help desk")]
async fn support(request: WorkerRequest, loud: bool) -> String {
    if loud { request.message.to_uppercase() } else { request.message }
}

fn main() {}
