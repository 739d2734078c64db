//! A node of the benchmark `cluster`. It follows the message:
//!
//! * `steady N` streams N pieces, one every 20 ms. Each contains the time at which it was sent.
//! * `wait` waits to be canceled, and prints the time at which it is. A second attempt says `taken over` instead.
//! * Any other message is repeated.
//!
//! All times are microseconds of the system's clock, because they are compared with those of other processes.

use dooers::prelude::*;
use std::time::{Duration, SystemTime};
use tokio::time::{MissedTickBehavior, interval};

// The allocator of the examples.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn micros() -> u128 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(0, |since| since.as_micros())
}

struct PrintOnDrop;

impl Drop for PrintOnDrop {
    fn drop(&mut self) {
        println!("dropped {}", micros());
    }
}

#[dooers::agent(retry = 1, queue = 10_000)]
async fn node(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    let message = request.message.as_str();
    if let Some(count) = message.strip_prefix("steady ") {
        let text = response.text_stream();
        let mut ticks = interval(Duration::from_millis(20));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        for _ in 0..count.parse::<u32>()? {
            ticks.tick().await;
            text.push(format!("{} ", micros()));
        }
        text.finish().await?;
    } else if message == "wait" && request.attempt() == 1 {
        let _dropped = PrintOnDrop;
        response.text("one moment").await?;
        std::future::pending::<()>().await;
    } else if message == "wait" {
        response.text("taken over").await?;
    } else {
        drop(response.text(message));
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    WorkerServer::new(WorkerConfig::from_env()?).serve().await?;
    Ok(())
}
