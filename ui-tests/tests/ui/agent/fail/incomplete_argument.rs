#![allow(unused_imports)]

use dooers::prelude::*;

#[dooers::agent]
async fn support(request: ) -> String {
    String::new()
}

fn serve<A: dooers::Agent>() {}

fn main() {
    serve::<support>();
}
