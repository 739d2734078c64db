#![allow(async_fn_in_trait, dead_code)]

use dooers::prelude::*;

trait Support {
    #[dooers::agent]
    async fn answer(request: WorkerRequest) -> String {
        request.message
    }
}

fn main() {}
