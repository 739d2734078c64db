//! An agent that is made at run time takes the same arguments as an annotated one.

fn main() {
    let _ = dooers::AgentDefinition::from_fn("verbose", |verbose: bool| async move { verbose.to_string() });
}
