use dooers::TurnAttempt;
use dooers::prelude::*;

fn server() -> WorkerServer {
    WorkerServer::new(WorkerConfig::new()).middleware(|_: &TurnAttempt| println!("a turn"))
}

fn main() {}
