#![allow(dead_code, unused_imports)]

use dooers::prelude::*;

struct Support {
    greeting: String,
}

impl Support {
    #[dooers::agent]
    async fn answer(&self, request: WorkerRequest) -> String {
        format!("{} {}", self.greeting, request.message)
    }
}

fn main() {}
