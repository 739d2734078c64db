#![allow(unused_imports)]

use dooers::prelude::*;

#[dooers::agent]
async fn main(_: WorkerRequest) {
    std::future::ready(()).await
}
