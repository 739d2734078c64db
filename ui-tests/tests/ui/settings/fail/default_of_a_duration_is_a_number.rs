use dooers::prelude::*;
use dooers::settings::{Color, HttpUrl, NaiveTime};
use std::time::Duration;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = 30)]
    patience: Duration,
    opens: Option<NaiveTime>,
    site: Option<HttpUrl>,
    color: Option<Color>,
}

fn main() {}
