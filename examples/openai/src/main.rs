//! A bookseller on a model of OpenAI, or of any server that is compatible with its API.
//!
//! Run with: `OPENAI_API_KEY=sk-… cargo run -p example-openai`. For another server, set its address, too: Ollama on the same
//! machine is `OPENAI_BASE_URL=http://127.0.0.1:11434/v1`. The example listens on 127.0.0.1:8000, or on the address in
//! `WORKER_BIND`. Open http://127.0.0.1:8000 and ask: `Do you have a book about ships?` The panel "Settings" has the model
//! and its temperature.

use dooers::model::{OpenAi, RunOptions};
use dooers::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

// The system's allocator does not return all freed memory. This matters for a server that runs for months.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Settings that an operator can change while the agent runs.
#[derive(Debug, Clone, WorkerSettings)]
struct BooksellerSettings {
    /// The model that answers. The server must have it.
    #[setting(default = "gpt-4o-mini")]
    model: String,
    /// The randomness of the answers.
    #[setting(min = 0.0, max = 2.0, step = 0.1, default = 0.7)]
    temperature: f32,
    /// The instructions for the model.
    #[setting(
        default = "You sell books. Offer only books that a tool has found.",
        rows = 4
    )]
    instructions: String,
    /// Uses the Responses API, which few compatible servers have.
    #[setting(label = "Responses API", default = false)]
    responses: bool,
}

/// The subject of a book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Subject {
    Crime,
    Sea,
}

/// A book for sale.
#[derive(Debug, Clone, Serialize)]
struct Book {
    title: &'static str,
    subject: Subject,
    price: &'static str,
}

/// The stock. A real program would ask a database.
const BOOKS: [Book; 3] = [
    Book {
        title: "Lord Jim",
        subject: Subject::Sea,
        price: "9.90",
    },
    Book {
        title: "Moby-Dick",
        subject: Subject::Sea,
        price: "12.50",
    },
    Book {
        title: "The Moonstone",
        subject: Subject::Crime,
        price: "11.00",
    },
];

/// Finds books for sale.
#[dooers::tool(effect = "read", timeout = "10s")]
async fn find_books(
    /// The subject. Without one, all books are found.
    subject: Option<Subject>,
) -> Vec<Book> {
    let fits = |book: &Book| subject.is_none_or(|subject| book.subject == subject);
    BOOKS.into_iter().filter(fits).collect()
}

/// Reserves copies of a book for the customer.
#[dooers::tool(timeout = "10s")]
async fn reserve(
    /// The title, as `find_books` returns it.
    title: String,
    /// The number of copies.
    #[tool(default = 1)]
    copies: u8,
) -> Result<String> {
    match BOOKS.iter().find(|book| book.title == title) {
        Some(book) => Ok(format!("reserved: {copies} of {}", book.title)),
        // The model reads this text and can correct itself.
        None => Err(AgentError::public(format!("there is no book {title:?}"))),
    }
}

/// Sells books.
#[dooers::agent(timeout = "2m", retry = 1, tools(find_books, reserve))]
async fn bookseller(
    memory: WorkerMemory,
    response: WorkerResponse,
    settings: BooksellerSettings,
    tools: Tools,
) -> Result<()> {
    let mut model = OpenAi::new(settings.model).temperature(settings.temperature);
    if settings.responses {
        model = model.responses();
    }
    let options = RunOptions::new().system(settings.instructions);
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
