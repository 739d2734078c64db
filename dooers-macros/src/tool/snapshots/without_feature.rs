async fn refund(cents: u64) {}
::core::compile_error! {
    "`#[dooers::tool]` needs the feature `tools` of the crate `dooers`; add it in `Cargo.toml`: `features = [\"tools\"]`"
}
