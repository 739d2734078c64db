#[tokio::test]
#[dooers::agent]
async fn support() {
    assert_eq!(1, 1);
}

fn main() {}
