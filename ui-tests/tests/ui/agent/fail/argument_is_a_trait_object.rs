#[dooers::agent]
async fn support(database: &dyn std::fmt::Debug) -> String {
    format!("{database:?}")
}

fn main() {}
