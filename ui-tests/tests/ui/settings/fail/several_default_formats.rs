// errors: 4
use dooers::prelude::*;
use dooers::settings::{Color, HttpUrl, NaiveTime};
use std::time::Duration;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = "soon")]
    patience: Duration,
    #[setting(default = "9:30")]
    opens: NaiveTime,
    #[setting(default = "https://ada:pw@example.org")]
    site: HttpUrl,
    #[setting(default = "orange")]
    color: Color,
}

fn main() {}
