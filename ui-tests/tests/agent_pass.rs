//! Cases that `#[dooers::agent]` accepts. Each file under `ui/agent/pass` is a module of this test or of the library.

#[path = "ui/agent/pass/arguments.rs"]
mod arguments;
#[path = "ui/agent/pass/attributes.rs"]
mod attributes;
#[path = "ui/agent/pass/extractors.rs"]
mod extractors;
#[path = "ui/agent/pass/imported.rs"]
mod imported;
#[path = "ui/agent/pass/macro_rules.rs"]
mod macro_rules;
#[path = "ui/agent/pass/no_implicit_prelude.rs"]
mod no_implicit_prelude;
#[path = "ui/agent/pass/options.rs"]
mod options;
#[path = "ui/agent/pass/places.rs"]
mod places;
#[path = "ui/agent/pass/plain_function.rs"]
mod plain_function;
#[path = "ui/agent/pass/returns.rs"]
mod returns;
#[path = "ui/agent/pass/sending.rs"]
mod sending;

use dooers::{Agent, Answer, Turn, WorkerRequest, WorkerResponse};

/// Calls an agent as the server does. Returns its answer and the texts that it sent.
fn run<A: Agent>(message: &str) -> (dooers::Result<Answer>, Vec<String>) {
    let (response, sent) = WorkerResponse::recorder();
    let turn = Turn::new(WorkerRequest::new(message), response);
    let answer = ui_tests::now(A::DEFINITION.call(turn));
    (answer, sent.texts())
}

#[test]
fn every_pass_file_is_compiled() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ui/agent/pass");
    let modules = concat!(include_str!("agent_pass.rs"), include_str!("../src/lib.rs"));
    let files = std::fs::read_dir(directory).unwrap();
    for file in files.map(|file| file.unwrap().file_name().into_string().unwrap()) {
        let path = format!("ui/agent/pass/{file}\"]");
        let is_compiled = modules.contains(&path) || !file.ends_with(".rs");
        assert!(is_compiled, "no test compiles {file}");
    }
}

#[test]
fn agent_compiles_if_the_crate_is_renamed() {
    assert_eq!(run::<ui_tests_renamed::relative>("hello").1, ["hello"]);
    assert!(run::<ui_tests_renamed::absolute>("").0.is_ok());
    assert!(run::<ui_tests_renamed::passed_on>("").0.is_ok());
}
