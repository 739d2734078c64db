//! An agent that is made at run time returns a future.

use dooers::prelude::*;

fn main() {
    let _ = dooers::AgentDefinition::from_fn("echo", |request: WorkerRequest| request.message);
}
