#![allow(unused_imports)]

use dooers::prelude::*;

#[dooers::agent]
async fn support -> String {
    String::new()
}

fn serve<A: dooers::Agent>() {}

fn main() {
    serve::<support>();
}
