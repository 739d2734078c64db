// errors: 2
use std::rc::Rc;

#[dooers::agent]
async fn support(shared: Rc<str>) -> String {
    shared.to_string()
}

fn main() {}
