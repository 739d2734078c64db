//! The macro is imported by the prelude.

use dooers::prelude::*;

#[agent]
async fn support(request: WorkerRequest) -> String {
    request.message
}

#[test]
fn agent_from_the_prelude_answers() {
    assert!(crate::run::<support>("hello").0.is_ok());
}
