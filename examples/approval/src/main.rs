//! An agent whose refunds a person must approve.
//!
//! Run with: `OPENAI_API_KEY=sk-… cargo run -p example-approval`, or with `OPENAI_BASE_URL` for a compatible server. It
//! listens on 127.0.0.1:8000, or on the address in `WORKER_BIND`. Open http://127.0.0.1:8000 and write:
//!
//! * `Refund 5 euros for order 1001`: a small refund needs no approval.
//! * `Refund 80 euros for order 1001`: a form asks for approval, and the turn waits for the answer. Without an answer, the
//!   refund is refused after ten minutes.

use dooers::model::{OpenAi, RunOptions};
use dooers::prelude::*;
use std::time::Duration;

// The system's allocator does not return all freed memory. This matters for a server that runs for months.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The instructions for the model.
const INSTRUCTIONS: &str =
    "You refund orders. If a refund is refused, say so and do not try again.";

/// Returns true if a person must approve the refund.
fn is_large(_order: &u32, cents: &u32) -> bool {
    *cents > 10_00
}

/// Pays money back to the customer.
#[dooers::tool(approve = is_large, timeout = "10s")]
async fn refund(
    /// The number of the order.
    order: u32,
    /// The amount in cents.
    cents: u32,
) -> String {
    // A real program calls its payment service here. The order's number makes a repeated call harmless.
    format!("{cents} cents of order {order} were paid back")
}

/// Refunds orders.
#[dooers::agent(timeout = "60s", tools(refund))]
async fn cashier(memory: WorkerMemory, response: WorkerResponse, tools: Tools) -> Result<()> {
    let model = OpenAi::new("gpt-4o-mini");
    let options = RunOptions::new().system(INSTRUCTIONS);
    // The time in which a call waits for approval does not count toward the timeout of the agent.
    let tools = tools.approval_timeout(Duration::from_secs(600));
    tools.run(&model, &memory, &response, options).await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(dooers::log_directives())
        .init();
    WorkerServer::new(WorkerConfig::from_env()?).serve().await?;
    Ok(())
}
