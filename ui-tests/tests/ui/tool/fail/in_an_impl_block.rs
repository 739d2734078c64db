pub struct Weather;

impl Weather {
    #[dooers::tool]
    pub async fn weather(
        /// The city.
        city: String,
        #[tool(context)] request: dooers::WorkerRequest,
    ) -> String {
        city + &request.message
    }
}

fn main() {
    let _ = Weather::weather(String::new(), dooers::WorkerRequest::new(""));
}
