#[dooers::agent(on_busy = OnBusy::Reject)]
async fn support() {}

fn main() {}
