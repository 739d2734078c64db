#[dooers::agent]
async fn answers_the_questions_that_customers_ask_about_orders_and_returns() {}

fn main() {}
