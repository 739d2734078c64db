#![allow(dead_code, unused_imports)]

use dooers::prelude::Result;

struct Support;

impl Support {
    #[dooers::agent]
    async fn answer() -> Result<Self> {
        Ok(Self)
    }
}

fn main() {}
