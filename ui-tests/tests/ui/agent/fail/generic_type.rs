use dooers::prelude::*;

#[dooers::agent]
async fn support<T: FromTurn>(argument: T) {
    drop(argument);
}

fn main() {}
