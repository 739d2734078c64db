use std::rc::Rc;

#[dooers::tool]
async fn weather(city: String) -> String {
    let counter = Rc::new(1);
    std::future::ready(()).await;
    format!("{city} {counter}")
}

fn main() {}
