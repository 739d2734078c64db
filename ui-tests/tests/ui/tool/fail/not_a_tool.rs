struct Weather;

fn main() {
    let _ = dooers::Tools::new().with::<Weather>();
}
