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

fn main() {
    let support = Support {
        greeting: "Hello".to_owned(),
    };
    let _ = support.answer(WorkerRequest::new("hello"));
}
